import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { JitterBuffer } from "../../../p2p/core/jitter/buffer.ts";
import { flights, lateShare, listen, opusOf, packetOf, type Flight } from "./listener.ts";

/** `count` packets from sequence `from`, first captured at `capturedAt` (of our clock too), each 50 ms on its way. */
function talk(from: number, count: number, capturedAt: number): Flight[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: from + index,
    capturedAt: capturedAt + index * 40,
    receivedAt: capturedAt + index * 40 + 50,
  }));
}

const sequences = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const without = (trace: readonly Flight[], lost: readonly number[]): Flight[] =>
  trace.map((flight) => (lost.includes(flight.sequence) ? { ...flight, receivedAt: undefined } : flight));
const heardSequences = (heard: ReturnType<typeof listen>): number[] => heard.played.map(({ sequence }) => sequence);

/** How often each kind of step was taken between the first and the last packet played. */
function between(heard: ReturnType<typeof listen>): Record<string, number> {
  const kinds = heard.steps.map(({ kind }) => kind);
  const counted: Record<string, number> = {};
  for (const kind of kinds.slice(kinds.indexOf("play"), kinds.lastIndexOf("play") + 1))
    counted[kind] = (counted[kind] ?? 0) + 1;
  return counted;
}

describe("the jitter buffer", () => {
  it("[JB1] plays an undisturbed talk whole, in order and without a gap", () => {
    const heard = listen(talk(7, 100, 1000));
    expect(heardSequences(heard)).toEqual(sequences(100, 7));
    expect(between(heard)).toEqual({ play: 100 });
    expect(heard.buffer.counts).toMatchObject({ framesPlayed: 200, framesRebuilt: 0, framesLost: 0, packetsLate: 0 });
  });

  it("[JB1] puts packets that overtook each other in order again", () => {
    const trace = talk(0, 60, 1000).map((flight, index) => ({
      ...flight,
      receivedAt: flight.receivedAt! + (index % 5 === 1 ? 45 : 0),
    }));
    const heard = listen(trace);
    expect(heardSequences(heard)).toEqual(sequences(60));
    expect(heard.buffer.counts.framesLost).toBe(0);
  });

  it("[JB2] rebuilds a single lost packet from its successor, and guesses the first of two", () => {
    const heard = listen(without(talk(0, 60, 1000), [10, 30, 31]));
    expect(heardSequences(heard)).toEqual(sequences(60).filter((each) => ![10, 30, 31].includes(each)));
    expect(heard.buffer.counts).toMatchObject({ framesRebuilt: 4, framesLost: 2 });
    expect(between(heard)).toMatchObject({ rebuild: 2, conceal: 2 });
  });

  it("[JB3] waits longer after the network became slower, without a talk's worth of losses", () => {
    const slower = talk(0, 500, 1000).map((flight, index) => ({
      ...flight,
      receivedAt: flight.receivedAt! + (index < 200 ? 0 : 150),
    }));
    const heard = listen(slower);
    // From three late packets on it is known; the hole itself is what the network made.
    expect(heard.buffer.counts.framesLost).toBeLessThanOrEqual(10);
    expect(heardSequences(heard).slice(-250)).toEqual(sequences(250, 250));
  });

  it("[JB3] who takes part waits 150 ms at most, and not for what comes when the others have gone on", () => {
    // One packet in ten comes 200 ms later, as one that was asked for again.
    const slow = talk(0, 500, 1000).map((flight, index) => ({
      ...flight,
      receivedAt: flight.receivedAt! + (index % 10 === 5 ? 200 : 0),
    }));
    const delays = (["listening", "conversing"] as const).map((attention) => {
      const { played, buffer } = listen(slow, (sequence) => sequence % 3 === 0, attention);
      const last = played.slice(-100);
      return { delayMs: last.reduce((sum, { delayMs }) => sum + delayMs, 0) / last.length, target: buffer.targetMs };
    });
    expect(delays[0]!.target).toBeGreaterThan(190);
    expect(delays[1]!.target).toBeLessThanOrEqual(150);
    expect(delays[0]!.delayMs - delays[1]!.delayMs).toBeGreaterThan(40);
  });

  it("[JB3] forgets a bad time within a minute and takes the delay back in quiet moments", () => {
    const bad = talk(0, 1700, 1000).map((flight, index) => ({
      ...flight,
      receivedAt: flight.receivedAt! + (index >= 100 && index < 200 ? (index % 4) * 40 : 0),
    }));
    const heard = listen(bad, (sequence) => sequence % 10 === 0);
    const meanDelay = (from: number, to: number): number => {
      const part = heard.played.filter(({ sequence }) => sequence >= from && sequence < to);
      return part.reduce((sum, { delayMs }) => sum + delayMs, 0) / part.length;
    };
    expect(meanDelay(150, 200)).toBeGreaterThan(meanDelay(50, 100) + 40);
    expect(meanDelay(1600, 1700)).toBeLessThanOrEqual(meanDelay(50, 100));
  });

  it("[JB4] counts what comes after its turn as late and never plays it", () => {
    const trace = talk(0, 100, 1000).map((flight) =>
      flight.sequence === 50 ? { ...flight, receivedAt: flight.receivedAt! + 900 } : flight,
    );
    const heard = listen(trace);
    expect(heardSequences(heard)).toEqual(sequences(100).filter((each) => each !== 50));
    expect(heard.buffer.counts).toMatchObject({ packetsLate: 1, framesRebuilt: 2, framesLost: 0 });
  });

  it("[JB5] a closed microphone is silence: six guesses at each end, nothing lost, and the next word is whole", () => {
    const talks = sequences(20).flatMap((index) => talk(index * 25, 25, 1000 + index * 4000));
    const heard = listen(talks);
    expect(heardSequences(heard)).toEqual(sequences(500));
    expect(heard.buffer.counts).toMatchObject({ framesLost: 0, framesRebuilt: 0, packetsLate: 0 });
    expect(heard.buffer.counts.framesConcealed).toBeLessThanOrEqual(20 * 6);
  });

  it("[JB5] a packet lost before the microphone closed is not looked for when it opens", () => {
    const heard = listen(without([...talk(0, 25, 1000), ...talk(25, 25, 9000)], [24]));
    expect(heard.buffer.counts).toMatchObject({ framesRebuilt: 0, framesLost: 2 });
    expect(heard.buffer.counts.framesConcealed).toBeLessThanOrEqual(12);
  });

  it.each([-3_600_000, -500, 2500, 3_600_000])("[JB6] survives a speaker's clock that jumps by %d ms", (jumpMs) => {
    const trace = talk(0, 200, 10_000_000).map((flight, index) => ({
      ...flight,
      capturedAt: flight.capturedAt + (index < 100 ? 0 : jumpMs),
    }));
    const heard = listen(trace);
    expect(heardSequences(heard)).toEqual(sequences(200));
    expect(between(heard)).toEqual({ play: 200 });
  });

  it("[JB6] numbers that were skipped while no time passed are not guessed", () => {
    const trace = [...talk(0, 50, 1000), ...talk(5050, 50, 3000)];
    const heard = listen(trace);
    expect(between(heard)).toEqual({ play: 100 });
    expect(heard.buffer.counts.framesLost).toBe(0);
  });

  it("[JB6] numbers that begin anew are heard after a second", () => {
    const heard = listen([...talk(100_000, 50, 1000), ...talk(0, 100, 3000)]);
    expect(heardSequences(heard).slice(50)).toEqual(sequences(76, 24));
  });

  it("[JB7] after a stall plays what is not too old, and the delay does not stay", () => {
    const trace = talk(0, 400, 1000).map((flight, index) => ({
      ...flight,
      receivedAt: index >= 100 && index < 175 ? 1000 + 175 * 40 + 50 : flight.receivedAt!,
    }));
    const heard = listen(trace, (sequence) => sequence % 5 === 0);
    const last = heard.played.at(-1)!;
    expect(heardSequences(heard).slice(-225)).toEqual(sequences(225, 175));
    expect(last.delayMs).toBeLessThan(50 + 120);
    expect(heard.buffer.counts.framesConcealed).toBeLessThanOrEqual(30);
  });

  it("[JB8] is not led astray by numbers that cannot be, other durations, repeats and floods", () => {
    const buffer = new JitterBuffer();
    const good = packetOf({ sequence: 0, capturedAt: 1000, receivedAt: 1050 });
    buffer.push(good);
    buffer.push(good);
    for (const bad of [
      { ...good, sequence: -1 },
      { ...good, sequence: 1.5 },
      { ...good, sequence: Number.NaN },
      { ...good, capturedAt: millis(Number.NaN) },
      { ...good, receivedAt: millis(Number.POSITIVE_INFINITY) },
      { ...good, opus: new Uint8Array() },
      { ...good, opus: Uint8Array.of(0x48, 1, 2) },
      { ...good, opus: new Uint8Array(321).fill(0x50) },
    ])
      buffer.push(bad);
    expect(buffer.counts).toMatchObject({ packetsUnusable: 8, packetsDuplicate: 1 });
    for (let sequence = 1; sequence <= 200; sequence += 1)
      buffer.push({ ...good, sequence, capturedAt: millis(1000 + sequence * 40), opus: opusOf(sequence) });
    // 100 wait; what was lowest fell.
    expect(buffer.counts.packetsUnusable).toBe(8 + 101);
    buffer.push({ ...good, sequence: 300, capturedAt: millis(1e300), opus: opusOf(300) });
    for (let now = 1050; now < 20_000; now += 20) expect(buffer.pull(now)).toBeDefined();
  });
});

describe("the jitter buffer against delays that never change", () => {
  const seeds = sequences(60).map((index) => `jitter ${index}`);
  const results = seeds.map((seed) => {
    const { weather, trace } = flights(seed, 3000);
    const heard = listen(trace, (sequence) => sequence % 25 < 3);
    const came = trace.filter(({ receivedAt }) => receivedAt !== undefined).length;
    const late = 1 - heard.played.length / came;
    const delayMs = heard.played.reduce((sum, each) => sum + each.delayMs, 0) / heard.played.length;
    return { seed, weather, late, delayMs, constant: lateShare(trace, delayMs), counts: heard.buffer.counts };
  });

  it.each(results)("[JB9] loses no more than the constant delay of the same length ($seed)", (result) => {
    expect(result.late).toBeLessThanOrEqual(result.constant + 0.01);
  });

  it("[JB9] on the whole loses less than them", () => {
    const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
    expect(mean(results.map(({ late }) => late))).toBeLessThan(mean(results.map(({ constant }) => constant)));
  });

  it("[JB9] met losses, spikes and calm", () => {
    expect(results.filter(({ weather }) => weather.lossShare === 0 && weather.spikeShare === 0).length).toBeGreaterThan(
      3,
    );
    expect(results.filter(({ weather }) => weather.spikeShare > 0 && weather.spikeMs === 400).length).toBeGreaterThan(
      3,
    );
    expect(results.filter(({ counts }) => counts.framesRebuilt > 20).length).toBeGreaterThan(10);
    expect(results.filter(({ counts }) => counts.packetsLate > 10).length).toBeGreaterThan(3);
  });
});
