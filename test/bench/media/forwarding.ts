import { linkId, type LinkId, type Millis, millis, type PeerId } from "../../../p2p/api/ids.ts";
import type { Peer } from "../../../p2p/core/peer.ts";
import { NativeChannels } from "../../../p2p/io/links/native-channel.ts";
import { negotiateAnswer, negotiateOffer, type WebRtcLink } from "../../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc, type NativeWebRtc } from "../../../p2p/io/links/wrtc.ts";
import { packetsIn } from "../../core/peer/packets.ts";
import { Room } from "../../core/peer/room.ts";
import { type Figure, figureOf } from "../figure.ts";

const children = 12;
/** Messages of one round; both sides take turns, so that a slow moment of the machine meets both. */
const ticksPerRound = 250;
const rounds = 4;
/** Faster than speech, so that the CPU's idle times do not count, slow enough for the channels' buffers. */
const pauseMs = 4;

interface Pair {
  readonly relay: WebRtcLink;
  readonly far: WebRtcLink;
  /** What becomes of a message that comes at either end. */
  atRelay: (bytes: Uint8Array) => void;
  atFar: () => void;
}

/** T7: a relay's whole way from message to twelve messages, against links that send back what comes. */
export async function measureForwarding(): Promise<readonly Figure[]> {
  const native = await loadNativeWebRtc();
  if (native === undefined) throw new Error("There is no native WebRTC library for this system.");
  const pairs: Pair[] = [];
  for (let index = 0; index <= children; index++) pairs.push(await connect(native, index));
  const plain = new Forwarder("forwarding", () => true);
  const signed = new Forwarder("forwarding", undefined);
  const costs = { plain: new Cost(), signed: new Cost(), echo: new Cost() };
  for (let round = 0; round <= rounds; round++) {
    // The first warms up.
    const count = round > 0;
    await costs.echo.of(() => echo(pairs), count);
    await costs.plain.of(() => plain.round(pairs), count);
    await costs.signed.of(() => signed.round(pairs), count);
  }
  for (const { relay, far } of pairs) for (const link of [relay, far]) link.close();
  const baseline = costs.echo.usPerDatagram;
  const what = `CPU a datagram, µs, forwarding to ${children} children`;
  return [
    figureOf({
      id: "T7",
      what: `${what}, signatures not checked ÷ raw echo over the same links`,
      goal: 1.25,
      better: "less",
      sides: { ours: costs.plain.usPerDatagram, baseline },
    }),
    figureOf({
      id: "T7",
      what: `${what}, signatures checked ÷ raw echo over the same links`,
      goal: 1.5,
      better: "less",
      sides: { ours: costs.signed.usPerDatagram, baseline },
    }),
  ];
}

class Cost {
  #cpuUs = 0;
  #datagrams = 0;

  get usPerDatagram(): number {
    return Math.round((this.#cpuUs / this.#datagrams) * 10) / 10;
  }

  async of(work: () => Promise<number>, counts: boolean): Promise<void> {
    const began = process.cpuUsage();
    const datagrams = await work();
    const { user, system } = process.cpuUsage(began);
    if (!counts) return;
    this.#cpuUs += user + system;
    this.#datagrams += datagrams;
  }
}

/** Every link sends back what comes. Returns how many datagrams arrived, either way. */
async function echo(pairs: readonly Pair[]): Promise<number> {
  let arrived = 0;
  for (const pair of pairs) {
    pair.atRelay = (bytes) => {
      arrived++;
      pair.relay.send(bytes);
    };
    pair.atFar = () => void arrived++;
  }
  const message = new Uint8Array(210);
  for (let tick = 0; tick < ticksPerRound; tick++) {
    // Half of them, there and back, are as many datagrams a tick as forwarding makes.
    for (const [index, { far }] of pairs.entries()) if (index % 2 === tick % 2) far.send(message);
    await pause(pauseMs);
  }
  await pause(100);
  return arrived;
}

/** The machine of a relay with twelve children, and packets of a speaker for it, made in a room on virtual time. */
class Forwarder {
  readonly #machine: Peer;
  readonly #from: LinkId;
  readonly #places = new Map<LinkId, number>();
  readonly #messages: Uint8Array[] = [];
  #now: Millis;
  #next = 0;

  constructor(seed: string, verify: (() => boolean) | undefined) {
    // One seed is one room: what is said in the one is new in the other.
    const { room: other, relay: there, host: speaker } = fullRoom(seed, verify);
    const recorded = new Set<number>();
    other.filter = ({ from, to, bytes }) => {
      const [packet] = from === speaker && to === there ? packetsIn(bytes) : [];
      if (packet && !recorded.has(packet.sequence)) this.#messages.push(bytes);
      if (packet) recorded.add(packet.sequence);
      return true;
    };
    other.talk(speaker, 40 * ticksPerRound * (rounds + 1), 1000);
    const { room, relay, host, guests } = fullRoom(seed, verify);
    let from: LinkId | undefined;
    for (const end of room.at(relay).ends.values()) {
      const owner = end.other?.owner ?? -1;
      if (owner === host) from = end.id;
      if (guests.includes(owner)) this.#places.set(end.id, 1 + guests.indexOf(owner));
    }
    if (from === undefined || this.#places.size < children) throw new Error("the room did not come up");
    this.#now = room.now;
    this.#from = from;
    this.#machine = room.peer(relay);
  }

  /** Sends the next packets to the relay's end of the first link, and what it makes of them to the others. */
  async round(pairs: readonly Pair[]): Promise<number> {
    let arrived = 0;
    for (const pair of pairs) pair.atFar = () => void arrived++;
    const [first] = pairs;
    if (first) {
      first.atRelay = (bytes) => {
        arrived++;
        this.#take(bytes, pairs);
      };
    }
    for (let tick = 0; tick < ticksPerRound; tick++) {
      const message = this.#messages[this.#next++];
      if (message) first?.far.send(message);
      await pause(pauseMs);
    }
    await pause(100);
    if (arrived < 0.9 * ticksPerRound * (children + 1)) throw new Error(`only ${arrived} datagrams arrived`);
    return arrived;
  }

  #take(bytes: Uint8Array, pairs: readonly Pair[]): void {
    this.#now = millis(this.#now + 40);
    this.#machine.handle({ kind: "message", link: this.#from, bytes }, this.#now);
    for (let output = this.#machine.poll(); output; output = this.#machine.poll()) {
      const place = output.kind === "send" ? this.#places.get(output.link) : undefined;
      if (output.kind === "send" && place !== undefined) pairs[place]?.relay.send(output.bytes);
    }
    // As whoever drives a machine does.
    this.#machine.deadline();
  }
}

/** A relay with its host and twelve listeners, who have heard something. */
function fullRoom(
  seed: string,
  verify: (() => boolean) | undefined,
): { readonly room: Room; readonly relay: number; readonly host: number; readonly guests: readonly number[] } {
  const room = new Room(seed);
  room.withLow = false;
  const relay = room.addRelay({}, verify === undefined ? {} : { crypto: { verify } });
  const host = room.addPerson();
  room.host(host, [relay]);
  room.run(1000);
  const guests = Array.from({ length: children }, () => room.addPerson());
  for (const guest of guests) room.join(guest, room.invite(host));
  room.run(3000);
  room.talk(host, 400);
  return { room, relay, host, guests };
}

async function connect(native: NativeWebRtc, index: number): Promise<Pair> {
  const channels = new NativeChannels(native, { bindAddress: "127.0.0.1" });
  const offering = negotiateOffer(channels, { id: linkId(2 * index + 1), remote: "bb".repeat(32) as PeerId });
  const offer = await offering.description;
  const answering = negotiateAnswer(channels, offer, { id: linkId(2 * index + 2), remote: "aa".repeat(32) as PeerId });
  offering.accept(await answering.description);
  answering.accept(offering.candidates());
  const [relay, far] = await Promise.all([offering.link, answering.link]);
  const pair: Pair = { relay, far, atRelay: () => undefined, atFar: () => undefined };
  relay.attach({ onMessage: (bytes) => pair.atRelay(bytes), onClose: () => undefined });
  far.attach({ onMessage: () => pair.atFar(), onClose: () => undefined });
  return pair;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
