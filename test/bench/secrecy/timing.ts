import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { packetSamples } from "../../../p2p/core/jitter/voice-codec.ts";
import { PacketSealer } from "../../../p2p/core/packet/seal.ts";
import { encodeFrame } from "../../../p2p/core/session/frames.ts";
import { createVoiceEncoder } from "../../../p2p/io/audio/opus.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { sampleRoom, testNow } from "../../core/fixtures.ts";
import { type Figure, plainFigureOf } from "../figure.ts";

/** From the issue of secrecy in GOALS' spirit: a watcher of sizes and times is hardly better than a coin. */
const aucMax = 0.55;
const packetMs = 40;
/** A minute each: the error of the area is then about 0.01. */
const packetsWanted = 1500;
const lookPackets = 25;

/** What a watcher of the wire sees of one packet. */
interface Sighting {
  readonly at: number;
  readonly bytes: number;
}

/**
 * PK20 in time: real speech and a quiet room through the real encoder, sealer and a real socket, as the microphone does it: each
 * packet is encoded when its sound is there, and sent at once. Both at the same time, half a packet apart, so that the machine is
 * as busy for the one as for the other.
 */
export async function measureTiming(): Promise<readonly Figure[]> {
  const speech = await readAudio(fixturePath("speech.flac"));
  const room = Float32Array.from(speech, (_, index) => 0.001 * Math.sin(index / 40));
  const beginsAt = performance.now() + 500;
  const [talk, silence] = await Promise.all([seenOf(speech, beginsAt), seenOf(room, beginsAt + packetMs / 2)]);
  const features: Readonly<Record<string, (seen: readonly Sighting[]) => number[]>> = {
    lateness: (seen) => lateness(seen),
    interval: (seen) => seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? at)),
    bytes: (seen) => seen.map(({ bytes }) => bytes),
    jitterOfASecond: (seen) => looks(lateness(seen), (look) => Math.max(...look) - Math.min(...look)),
    latenessOfASecond: (seen) => looks(lateness(seen), (look) => look.reduce((sum, one) => sum + one, 0)),
  };
  return Object.entries(features).map(([name, of]) => {
    const area = areaUnderCurve(of(talk), of(silence));
    return plainFigureOf({
      id: "PK20",
      what: `talk against a quiet room, microphone open, by ${name} on the wire: area under the curve, 0.5 is a coin`,
      goal: aucMax,
      better: "less",
      sides: { ours: Math.max(area, 1 - area), baseline: 0.5 },
    });
  });
}

async function seenOf(pcm: Float32Array, beginsAt: number): Promise<readonly Sighting[]> {
  const seen: Sighting[] = [];
  const server = createServer((socket) => {
    socket.on("data", (bytes) => seen.push({ at: performance.now(), bytes: bytes.length }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  socket.setNoDelay(true);
  await speak(pcm, beginsAt, socket);
  socket.destroy();
  server.close();
  return seen;
}

async function speak(pcm: Float32Array, beginsAt: number, socket: Socket): Promise<void> {
  const { crypto, keys, voiceSeed, secret } = sampleRoom("timing");
  const sealer = new PacketSealer(crypto, keys.carriage.key, voiceSeed, { number: 1, secret });
  const encoder = await createVoiceEncoder();
  encoder.setStrength("copied");
  for (let sequence = 0; sequence < packetsWanted; sequence++) {
    const waitMs = beginsAt + sequence * packetMs - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
    const at = (sequence * packetSamples) % (pcm.length - packetSamples);
    const { opus, low } = encoder.encode(pcm.subarray(at, at + packetSamples));
    const content = { sequence, capturedAt: testNow, viewMark: 0 };
    const frames = [{ layer: "normal", opus } as const, { layer: "low", opus: low } as const].map((said) =>
      encodeFrame({ kind: "media", hops: 1, packet: sealer.seal({ ...content, ...said }) }),
    );
    socket.write(Buffer.concat(frames));
  }
  encoder.free();
}

/** How much later than its tick each packet was seen, less the least. */
function lateness(seen: readonly Sighting[]): number[] {
  const begin = Math.min(...seen.map(({ at }, index) => at - index * packetMs));
  return seen.map(({ at }, index) => at - index * packetMs - begin);
}

function looks(values: readonly number[], of: (look: readonly number[]) => number): number[] {
  const all: number[] = [];
  for (let at = 0; at + lookPackets <= values.length; at += lookPackets)
    all.push(of(values.slice(at, at + lookPackets)));
  return all;
}

function areaUnderCurve(talk: readonly number[], silence: readonly number[]): number {
  let wins = 0;
  for (const one of talk) for (const other of silence) wins += one > other ? 1 : one === other ? 0.5 : 0;
  return wins / (talk.length * silence.length);
}
