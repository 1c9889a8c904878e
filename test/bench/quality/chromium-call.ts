import { Rng } from "../../../p2p/core/rng.ts";
import type { Flight } from "../../core/jitter/listener.ts";
import { forget, recorded, takeRecording } from "../../e2e/window/tap.ts";
import { FakePerson } from "../../e2e/window/windows.ts";
import { type Figure, figureOf } from "../figure.ts";
import { LossyRelay } from "../lossy-relay.ts";
import type { BenchPage } from "../page/page.ts";
import { servePage } from "../pages.ts";
import { encoded, hearByWindow } from "../voice/ears.ts";
import { cross } from "../voice/last-link.ts";
import { add, type Quality, qualityOf, zero } from "./figures.ts";
import { voices } from "./speech.ts";

declare const bench: BenchPage;

const seconds = 20;
const packets = seconds * 25;
const roundTripMs = 80;
const jitterMs = 10;
const lossShares = [0, 0.05, 0.1, 0.2] as const;
/** Until Chromium's own receiver has settled on a network. */
const settleMs = 4000;
/** By so much of a recording it is found which part of the clip it begins with. */
const findSamples = 96_000;

/**
 * QC: the same speech over the same losses, in time, through a call between two Chromiums (its own Opus, FEC and receiver) and
 * through the window's playout: means of three languages and the clip. Only what a call would send is lost; its microphone is
 * left unchanged.
 */
export async function measureChromiumCall(): Promise<readonly Figure[]> {
  const all = await voices();
  const sums = new Map(lossShares.map((lossShare) => [lossShare, { ours: zero(), requests: zero(), call: zero() }]));
  for (const { name, speech } of all) {
    const recordings = await called(speech);
    const opus = await encoded(speech, packets);
    for (const [lossShare, sum] of sums) {
      const samples = recordings.get(lossShare)!;
      add(sum.call, qualityOf({ name, speech: begunAs(samples, speech) }, samples, seconds - 1), all.length);
      for (const [side, asks] of [
        ["ours", false],
        ["requests", true],
      ] as const) {
        const { sound } = await hearByWindow(opus, crossing(lossShare, asks));
        add(sum[side], qualityOf({ name, speech }, sound, seconds - 1), all.length);
      }
    }
  }
  return [...sums].flatMap(([lossShare, sum]) => figuresOf(lossShare, sum));
}

function crossing(lossShare: number, requests: boolean): readonly Flight[] {
  return cross({ packets, burst: 2, roundTripMs, jitterMs, lossShare, seed: `call ${lossShare}`, requests }).trace;
}

/** What the called one heard at each loss. Nothing is computed meanwhile: the relay must not wait for it. */
async function called(speech: Float32Array): Promise<ReadonlyMap<number, Float32Array>> {
  const served = await servePage();
  const [mouth, ear] = await Promise.all([FakePerson.start(speech), FakePerson.start(speech)]);
  const relay = new LossyRelay(roundTripMs / 2, 0);
  try {
    const [caller, callee] = await Promise.all([opened(mouth, served.address), opened(ear, served.address)]);
    const offer = await caller.evaluate(() => bench.offer(true));
    const answer = await callee.evaluate((it) => bench.answer(it), await through(relay, offer));
    await caller.evaluate((it) => bench.accept(it), { ...answer, sdp: withoutCandidates(answer.sdp ?? "") });
    const recordings = new Map<number, Float32Array>();
    for (const lossShare of lossShares) {
      shape(relay, crossing(lossShare, false));
      await forget(callee);
      await recorded(callee, settleMs);
      await forget(callee);
      await recorded(callee, seconds * 1000);
      recordings.set(lossShare, (await takeRecording(callee)).samples);
    }
    return recordings;
  } finally {
    relay.close();
    await Promise.all([mouth.end(), ear.end(), served.stop()]);
  }
}

async function opened(person: FakePerson, address: string) {
  const { page } = await person.open(address);
  await page.getByRole("button").click();
  return page;
}

/** From now on what would be lost of our packets at a moment is lost of the call at the same. */
function shape(relay: LossyRelay, trace: readonly Flight[]): void {
  const from = performance.now();
  const rng = new Rng("scatter");
  relay.loses = (way) => {
    const slot = Math.floor((performance.now() - from) / 40) % trace.length;
    return way === "to-answer" && trace[slot]?.receivedAt === undefined;
  };
  relay.scatterMs = () => -jitterMs * Math.log(1 - rng.next());
}

/** The offer with the relay in the place of the first candidate, and no other. */
async function through(relay: LossyRelay, offer: RTCSessionDescriptionInit): Promise<RTCSessionDescriptionInit> {
  const lines = (offer.sdp ?? "").split("\r\n");
  const first = lines.findIndex((line) => /^a=candidate:\S+ 1 udp \d+ \d+\.\d+\.\d+\.\d+ /i.test(line));
  const words = (lines[first] ?? "").split(" ");
  words[5] = String(await relay.open(Number(words[5]), words[4]));
  const kept = lines.map((line, index) => (index === first ? words.join(" ") : line));
  const sdp = kept.filter((line, index) => index === first || !line.startsWith("a=candidate:")).join("\r\n");
  return { type: "offer", sdp };
}

function withoutCandidates(sdp: string): string {
  const lines = sdp.split("\r\n");
  return lines.filter((line) => !line.startsWith("a=candidate:")).join("\r\n");
}

/** The speech, which goes round and round, from where the recording begins. */
function begunAs(recording: Float32Array, speech: Float32Array): Float32Array {
  const step = 12;
  const ear = recording.subarray(0, findSamples).filter((_, index) => index % step === 0);
  const said = speech.filter((_, index) => index % step === 0);
  let best = { at: 0, likeness: -1 };
  for (let at = 0; at < said.length; at += 1) {
    let product = 0;
    let power = 1e-9;
    for (let index = 0; index < ear.length; index += 1) {
      const sample = said[(at + index) % said.length]!;
      product += ear[index]! * sample;
      power += sample * sample;
    }
    const likeness = product / Math.sqrt(power);
    if (likeness > best.likeness) best = { at, likeness };
  }
  // What lies a little later can be aligned, what lies earlier cannot.
  const start = (best.at * step + speech.length + 4800) % speech.length;
  return Float32Array.from(speech, (_, index) => speech[(start + index) % speech.length]!);
}

type Heard = Readonly<Record<"ours" | "requests" | "call", Quality>>;

function figuresOf(lossShare: number, { ours, requests, call }: Heard): Figure[] {
  const where = `at ${lossShare * 100} % loss in bursts of 2, mean of espeak-ng in three languages and the clip`;
  return [
    figureOf({
      id: "QC",
      what: `intelligibility (STOI) ÷ that of a call between two Chromiums ${where}`,
      goal: 1,
      better: "more",
      sides: { ours: rounded(ours.stoi), baseline: rounded(call.stoi), withRequests: rounded(requests.stoi) },
    }),
    figureOf({
      id: "QC",
      what: `log-spectral distance, dB ÷ that of a call between two Chromiums ${where}`,
      goal: 1,
      better: "less",
      sides: {
        ours: rounded(ours.distance),
        baseline: rounded(call.distance),
        withRequests: rounded(requests.distance),
      },
    }),
  ];
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
