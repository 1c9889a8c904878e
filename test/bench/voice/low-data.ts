import { setTimeout as passing } from "node:timers/promises";
import type { Layer } from "../../../p2p/api/engine.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { lowPacketBytes, richPacketBytes, voicePacketBytes } from "../../../p2p/core/jitter/opus-packet.ts";
import { Room } from "../../core/peer/room.ts";
import { type DataLine, openDataLine } from "../data-channel.ts";
import { type Figure, figureOf } from "../figure.ts";

/** Until the listener has its parent and its reserve, and what of both is settled. */
const settleMs = 10_000;
const measuredMs = 15_000;
/** IPv4 and UDP before each datagram. */
const datagramHeadBytes = 28;

/** One message between the listener and its relays. */
interface Message {
  readonly at: number;
  readonly isDown: boolean;
  readonly bytes: number;
}

/**
 * L: what one listener takes of its line with one open microphone: every message of the real overlay, on virtual time, sent again
 * at its time over a real data channel, of which each datagram is counted with its IP head; acknowledgements and all.
 */
export async function measureLowData(): Promise<readonly Figure[]> {
  const low = await onTheWire(messagesOf("low", voicePacketBytes));
  const normal = await onTheWire(messagesOf("normal", voicePacketBytes));
  const rich = await onTheWire(messagesOf("normal", richPacketBytes));
  return [
    figureOf({
      id: "L",
      what: "kbit/s on the wire, one microphone open, of a listener who saves data ÷ 40",
      goal: 1,
      better: "less",
      sides: { ours: low.downKbps, baseline: 40, upwards: low.upKbps, normal: normal.downKbps, rich: rich.downKbps },
    }),
  ];
}

/** What passes between a listener and all its relays while a host speaks. */
function messagesOf(layer: Layer, opusBytes: number): Message[] {
  const room = new Room(`low data ${layer}`);
  const relays = [room.addRelay(), room.addRelay()];
  const host = room.addPerson();
  room.host(host, relays);
  room.run(3000);
  const listener = room.addPerson({ profile: "webrtc" });
  room.command(listener, { kind: "prefer-layer", layer });
  room.join(listener, room.invite(host));
  const opus = new Uint8Array(opusBytes).fill(7);
  const low = new Uint8Array(lowPacketBytes).fill(7);
  const talk = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += limits.packetMs) {
      room.world.input(host, { kind: "speak", opus, low, capturedAt: room.now });
      room.run(limits.packetMs);
    }
  };
  talk(settleMs);
  const messages: Message[] = [];
  const begin = room.now;
  room.filter = ({ from, to, bytes }) => {
    if (from === listener || to === listener)
      messages.push({ at: room.now - begin, isDown: to === listener, bytes: bytes.length });
    return true;
  };
  talk(measuredMs);
  return messages;
}

async function onTheWire(messages: readonly Message[]): Promise<{ downKbps: number; upKbps: number }> {
  const line = await openDataLine();
  try {
    const before = wire(line);
    const begin = performance.now();
    for (const { at, isDown, bytes } of messages) {
      const waitMs = begin + at - performance.now();
      if (waitMs > 0) await passing(waitMs);
      const message = crypto.getRandomValues(new Uint8Array(bytes));
      if (isDown) line.down(message);
      else line.up(message);
    }
    await passing(Math.max(0, begin + measuredMs - performance.now()));
    const after = wire(line);
    const kbps = (bytes: number): number => Math.round((bytes * 8 * 10) / measuredMs) / 10;
    return { downKbps: kbps(after.down - before.down), upKbps: kbps(after.up - before.up) };
  } finally {
    line.close();
  }
}

function wire({ relay }: DataLine): { down: number; up: number } {
  const all = (way: "to-answer" | "to-offer"): number => relay.bytes[way] + relay.datagrams[way] * datagramHeadBytes;
  return { down: all("to-answer"), up: all("to-offer") };
}
