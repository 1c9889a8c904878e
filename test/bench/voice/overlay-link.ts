import { millis } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import type { Flight } from "../../core/jitter/listener.ts";
import { Room } from "../../core/peer/room.ts";
import { type Crossing, type LastLink, LossChannel } from "./last-link.ts";

/** What a stream waits for the acknowledgement of what it lost, beside a round trip: the least of Linux (TCP_RTO_MIN). */
const retransmitMs = 200;
/** Until the listener has its parent, its reserve, and data channels to both. */
const settleMs = 5000;

/**
 * The same access line as `cross`, with the real overlay on both of its sides: a host who speaks, two relays of the core,
 * and a listener below one of them, by data channels, all on virtual time. What is asked for again is what the overlay asks
 * for. Streams, which carry papers, lose nothing but take as long.
 */
export function crossOverlay(link: Omit<LastLink, "requests">, opus: readonly Uint8Array[]): Crossing {
  const room = new Room(`overlay ${link.seed}`);
  const relays = [room.addRelay(), room.addRelay()];
  const host = room.addPerson();
  room.host(host, relays);
  room.run(3000);
  const listener = room.addPerson({ profile: "webrtc" });
  const rng = new Rng(link.seed);
  const down = new LossChannel(new Rng(`${link.seed} down`), link.lossShare, link.burst);
  const up = new LossChannel(new Rng(`${link.seed} up`), link.lossShare, link.burst);
  const oneWay = (): number => link.roundTripMs / 2 - link.jitterMs * Math.log(1 - rng.next());
  const touches = ({ from, to }: { readonly from: number; readonly to: number }): boolean =>
    from === listener || to === listener;
  /** When the last message of a stream comes: what follows comes no sooner. */
  const streams = new Map<number, number>();
  let isLossy = false;
  room.delayOf = (passing) => {
    if (!touches(passing)) return 1;
    if (passing.kind === "webrtc") return oneWay();
    let at = room.now + oneWay();
    while (isLossy && (passing.from === listener ? up : down).loses()) at += link.roundTripMs + retransmitMs;
    at = Math.max(at, streams.get(passing.link) ?? 0);
    streams.set(passing.link, at);
    return at - room.now;
  };
  room.join(listener, room.invite(host));
  room.run(settleMs);
  isLossy = true;
  let requestsSent = 0;
  let bundles = 0;
  room.filter = (passing) => {
    if (!touches(passing)) return true;
    const kind = parseFrame(passing.bytes)?.kind;
    if (passing.from === listener && kind === "request") requestsSent += 1;
    if (passing.to === listener && kind === "bundle") bundles += 1;
    return passing.kind !== "webrtc" || !(passing.from === listener ? up : down).loses();
  };
  const startAt = room.now;
  room.at(listener).heard.length = 0;
  for (let index = 0; index < link.packets; index += 1) {
    room.world.input(host, { kind: "speak", opus: opus[index]!, capturedAt: room.now });
    room.run(limits.packetMs);
  }
  room.run(1000);
  const { heard } = room.at(listener);
  const first = Math.min(
    ...heard.map(({ sequence, capturedAt }) => sequence - Math.round((capturedAt - startAt) / 40)),
  );
  const receivedAt = new Map(heard.map((packet) => [packet.sequence - first, packet.receivedAt]));
  const trace = Array.from({ length: link.packets }, (_, sequence): Flight => {
    return { sequence, capturedAt: millis(startAt + sequence * 40), receivedAt: receivedAt.get(sequence) };
  });
  return { trace, requestsSent, answersSent: Math.max(0, bundles - link.packets) };
}
