import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineApi } from "../../p2p/api/engine.ts";
import { openAudioFile } from "../../p2p/io/audio/file.ts";
import { createClock } from "../../p2p/io/clock.ts";
import { createHost } from "../../p2p/host.ts";
import { compareSpeech, type SpeechComparison } from "../audio/compare.ts";
import type { TeahouseProcess } from "./processes.ts";
import { Processes, clip, deadRelay, loopback, withHints } from "./rooms.ts";
import type { HostUp, RelayUp } from "./rooms.ts";

const ear = fileURLToPath(new URL("../ear.ts", import.meta.url));
const dayMs = 24 * 3_600_000;
const guest = {
  profile: "wss",
  listen: [],
  announce: [],
  bootstrap: [],
  dht: "off",
  tls: undefined,
  seed: undefined,
  blind: false,
} as const;

const processes = new Processes();
const engines: EngineApi[] = [];
let relays: RelayUp[];
let host: HostUp;
let listener: TeahouseProcess;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teahouse-"));
  const first = await processes.relay();
  const second = await processes.relay("--bootstrap", ...first.addresses);
  relays = [first, second];
  host = await processes.host(relays, "--audio", clip, "--loop", "--title", "Tea");
  listener = processes.listener(host.invite);
  await listener.next("sound");
});

afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  await processes.end();
  await rm(folder, { recursive: true });
});

async function samplesOf(path: string): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  for await (const piece of await openAudioFile(path)) pieces.push(piece.slice());
  const samples = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}

// In this order: each takes something from the room that the ones before it need.
describe("a room", () => {
  it("gives every kind of event the fields of the contract", async () => {
    // A data channel is there a moment after the sound.
    const stats = await listener.next("stats", (line) => {
      return Number(line["framesOnTime"]) > 0 && "webrtc" in (line["links"] as object);
    });
    await listener.next("members");
    const order = listener.lines.map(({ event }) => event);
    expect(order[0]).toBe("ready");
    expect(order.indexOf("joined")).toBeLessThan(order.indexOf("members"));
    expect(await listener.next("ready")).toMatchObject({ peer: expect.any(String), version: expect.any(String) });
    expect(await listener.next("joined")).toMatchObject({
      role: "listener",
      room: (await host.process.next("room"))["room"],
    });
    expect(Number((await listener.next("joined"))["hops"])).toBeGreaterThanOrEqual(1);
    for (const field of ["framesExpected", "framesOnTime", "framesConcealed", "framesDuplicate", "packetsForwarded"]) {
      expect(stats[field], field).toEqual(expect.any(Number));
    }
    for (const field of ["bytesIn", "bytesOut", "controlBytes", "latencyMs", "hops", "children", "rssMb"]) {
      expect(stats[field], field).toEqual(expect.any(Number));
    }
    expect(stats).toMatchObject({
      packetsRejected: {},
      layer: expect.stringMatching(/^(normal|low)$/),
      links: { webrtc: expect.any(Number) },
    });
    expect(Number(stats["hops"])).toBeGreaterThanOrEqual(2);
    expect(Number(stats["rssMb"])).toBeLessThan(256);
  });

  it("sounds like its source: what a listener would have heard", async () => {
    const path = join(folder, "heard.wav");
    const source = await samplesOf(clip);
    const isFaithful = ({ envelopeCorrelation, worstGapMs, heardMs }: SpeechComparison, leastMs: number): boolean =>
      envelopeCorrelation >= 0.95 && worstGapMs <= 60 && heardMs > leastMs;
    let stretches: SpeechComparison[] = [];
    // A machine that was too busy to speak in time makes a recording of itself: of such a one, a stretch is enough.
    for (let tries = 4; tries > 0 && !stretches.some((stretch) => isFaithful(stretch, 3000)); tries--) {
      const recorder = processes.start(["-", "--wav", path, "--for", "12s"], { script: ear, stdin: host.invite });
      expect(await recorder.exited, recorder.stderr).toMatchObject({ code: 0 });
      const line = await recorder.next("ear");
      expect(line).toMatchObject({ seconds: 12 });
      const samples = await samplesOf(path);
      if (line["packetsLate"] === 0 && line["framesConcealed"] === 0) {
        const whole = compareSpeech(source, samples, 48_000);
        expect([whole, isFaithful(whole, 10_000)]).toEqual([whole, true]);
      }
      stretches = Array.from({ length: 9 }, (_, second) =>
        compareSpeech(source, samples.subarray(second * 48_000, (second + 4) * 48_000), 48_000),
      );
    }
    expect([stretches, stretches.some((stretch) => isFaithful(stretch, 3000))]).toEqual([stretches, true]);
  });

  it("[RM23] lets a listener in whose clock is a day wrong", async () => {
    for (const skewMs of [dayMs, -dayMs]) {
      const engine = await createHost({ ...guest, clock: createClock(skewMs) });
      engines.push(engine);
      const sound = new Promise((resolve) => {
        engine.subscribe((event) => {
          if (event.event === "sound") resolve(event);
        });
      });
      await engine.start();
      await engine.join(host.invite, {});
      expect(await sound).toMatchObject({ speaker: expect.any(String) });
      await engine.stop();
    }
  });

  it("lets a raised hand speak, and a listener hears two voices", async () => {
    const engine = await createHost(guest);
    engines.push(engine);
    const voices = new Set<string>();
    const two = new Promise<void>((resolve) => {
      engine.hear(({ speaker }) => {
        voices.add(speaker);
        if (voices.size === 2) resolve();
      });
    });
    await engine.start();
    await engine.join(host.invite, {});
    const speaker = processes.start(["speak", "-", "--audio", clip, "--loop"], { stdin: host.invite });
    expect(await speaker.next("role", (line) => line["role"] === "speaker")).toMatchObject({ by: "host" });
    await two;
    expect(await listener.next("members", (line) => line["speakers"] === 2)).toBeDefined();
    await engine.stop();
  });

  it("ends a speaker's turn at the end of its file", async () => {
    const speaker = processes.start(["speak", "-", "--audio", clip], { stdin: host.speakerInvite });
    await speaker.next("role", (line) => line["role"] === "speaker");
    expect(await speaker.exited).toMatchObject({ code: 0 });
    expect(Number(speaker.last("summary")?.["framesSent"])).toBeGreaterThan(200);
  });

  it("is left properly on SIGINT, with the summary last", async () => {
    const leaver = processes.listener(host.invite);
    await leaver.next("sound");
    await leaver.next("stats", (line) => Number(line["framesExpected"]) > 0);
    leaver.kill("SIGINT");
    expect(await leaver.exited).toEqual({ code: 0, signal: null });
    expect(leaver.lines.at(-1)).toMatchObject({
      event: "summary",
      framesExpected: expect.any(Number),
      latencyMs: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      outagesMs: expect.any(Array),
      covers: expect.any(Number),
      moves: expect.any(Number),
    });
    expect(leaver.strayLines).toEqual([]);
    expect(leaver.stderr).toBe("");
  });

  it("[RM24] goes on without its host: members stay, and new ones come in by hint and by the DHT", async () => {
    host.process.kill("SIGKILL");
    await host.process.exited;
    // By the invite's relays alone.
    const byHint = processes.listener(host.invite, "--no-dht");
    await byHint.next("sound");
    // By the DHT alone: the relays in the invite are gone, one node is known.
    const dead = withHints(host.invite, [await deadRelay()]);
    const byDht = processes.listener(dead, "--bootstrap", ...(relays[1]?.addresses ?? []));
    await byDht.next("sound");
    // Whoever was there before hears on.
    const before = Number(listener.last("stats")?.["framesOnTime"]);
    await listener.next("stats", (line) => Number(line["framesOnTime"]) > before + 50);
    expect(listener.isGone).toBe(false);
    const { code } = await listener.end();
    expect(code).toBe(0);
  });

  it("is left properly by a host on SIGINT", async () => {
    const another = await processes.host(relays.slice(0, 1), "--profile", "wss");
    another.process.kill("SIGINT");
    expect(await another.process.exited).toEqual({ code: 0, signal: null });
    expect(another.process.lines.at(-1)?.event).toBe("summary");
  });

  it("needs no relay but its host, who says what that reveals", async () => {
    const alone = await processes.host([], "--listen", loopback, "--audio", clip, "--loop");
    const guest = processes.listener(alone.invite);
    await guest.next("sound");
    expect(await guest.next("stats", (line) => Number(line["framesOnTime"]) > 0)).toMatchObject({ hops: 1 });
    expect((await guest.end()).code).toBe(0);
  });

  it("is left quietly when nobody reads any more", async () => {
    const { process } = await processes.relay();
    process.stopReading();
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(process.stderr).toBe("");
  });
});
