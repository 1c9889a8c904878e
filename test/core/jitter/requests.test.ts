import { describe, expect, it } from "vitest";
import { type Asked, MissingPackets } from "../../../p2p/core/jitter/requests.ts";
import { Rng } from "../../../p2p/core/rng.ts";

const roundTripMs = { parent: 80, backup: 80 };

/** Everything that is asked for at `now`. */
function asked(missing: MissingPackets, now: number): [number, Asked][] {
  const all: [number, Asked][] = [];
  for (let ask = missing.due(now); ask !== undefined; ask = missing.due(now)) all.push([ask.sequence, ask.from]);
  return all;
}

/** Packets that come by the clock, 40 ms apart, from the first to the last. */
function steady(missing: MissingPackets, first: number, last: number): void {
  for (let sequence = first; sequence <= last; sequence += 1) missing.arrived(sequence, sequence * 40);
}

describe("requests for missing packets", () => {
  it("[JB13] asks nobody while everything comes, a little early or late", () => {
    const missing = new MissingPackets(roundTripMs);
    const rng = new Rng("steady");
    for (let sequence = 70; sequence < 1000; sequence += 1) {
      const now = sequence * 40 + rng.int(8);
      expect(asked(missing, now)).toEqual([]);
      missing.arrived(sequence, now);
      expect(missing.deadline).toBeGreaterThan(now);
    }
  });

  it("[JB13] asks for what is overdue before anything comes after it, and for no more when the microphone closed", () => {
    const missing = new MissingPackets(roundTripMs);
    steady(missing, 1, 50);
    const all: [number, Asked][] = [];
    for (let at = missing.deadline; at !== undefined; at = missing.deadline) all.push(...asked(missing, at));
    expect(all.map(([sequence]) => sequence).toSorted((left, right) => left - right)).toEqual([51, 51, 52, 52, 53, 53]);
    // It opens again, hours later: nothing of before is asked for, and nothing is overdue.
    missing.arrived(51, 5e6);
    expect(asked(missing, 5e6 + 30)).toEqual([]);
    expect(missing.deadline).toBeGreaterThan(5e6 + 40);
  });

  it("[JB13] asks the parent once, then the backup once, then nobody", () => {
    const missing = new MissingPackets(roundTripMs);
    steady(missing, 1, 50);
    missing.arrived(53, 53 * 40);
    expect(asked(missing, 53 * 40 + 9)).toEqual([]);
    expect(asked(missing, 53 * 40 + 10)).toEqual([
      [51, "parent"],
      [52, "parent"],
    ]);
    steady(missing, 54, 55);
    expect(asked(missing, 53 * 40 + 109)).toEqual([]);
    expect(asked(missing, 53 * 40 + 110)).toEqual([
      [51, "backup"],
      [52, "backup"],
    ]);
    steady(missing, 56, 60);
    expect(asked(missing, 60 * 40)).toEqual([]);
  });

  it("[JB13] does not ask for what came meanwhile: overtaken, or as an answer", () => {
    const missing = new MissingPackets(roundTripMs);
    steady(missing, 1, 50);
    missing.arrived(52, 52 * 40);
    missing.arrived(51, 52 * 40 + 5);
    expect(asked(missing, 52 * 40 + 10)).toEqual([]);
    missing.arrived(54, 54 * 40);
    expect(asked(missing, 54 * 40 + 10)).toEqual([[53, "parent"]]);
    missing.arrived(53, 54 * 40 + 90);
    steady(missing, 55, 57);
    expect(asked(missing, 57 * 40)).toEqual([]);
  });

  it("[JB13] does not ask whose answer could only come too late", () => {
    const missing = new MissingPackets({ parent: 290, backup: 80 });
    steady(missing, 1, 50);
    missing.arrived(52, 52 * 40);
    expect(asked(missing, 52 * 40 + 10)).toEqual([[51, "backup"]]);
    const far = new MissingPackets({ parent: 290, backup: 290 });
    steady(far, 1, 50);
    far.arrived(52, 52 * 40);
    expect(asked(far, 52 * 40 + 10)).toEqual([]);
    far.setRoundTrip("parent", 100);
    far.arrived(54, 54 * 40);
    expect(asked(far, 54 * 40 + 10)).toEqual([[53, "parent"]]);
  });

  it("[JB13] leaves an outage to the backup's cover", () => {
    const missing = new MissingPackets(roundTripMs);
    steady(missing, 1, 50);
    missing.arrived(62, 62 * 40);
    expect(asked(missing, 62 * 40 + 10)).toEqual([]);
    missing.arrived(73, 73 * 40);
    expect(asked(missing, 73 * 40 + 10).length).toBeGreaterThan(0);
    missing.arrived(72, 73 * 40 + 11);
    for (let sequence = 63; sequence < 72; sequence += 1) missing.arrived(sequence, 73 * 40 + 11);
    missing.pause();
    expect(missing.deadline).toBeUndefined();
  });

  it("[JB13] on a lossy way asks both at once, and the parent once more, until the way is good again", () => {
    const missing = new MissingPackets(roundTripMs);
    let now = 0;
    const lose = (sequence: number): [number, string][] => {
      now = sequence * 40;
      missing.arrived(sequence - 2, now - 80);
      missing.arrived(sequence, now);
      return asked(missing, now + 10);
    };
    for (let sequence = 3; sequence < 200; sequence += 10) lose(sequence);
    const both = lose(203).filter(([sequence]) => sequence === 202);
    expect(both.map(([, from]) => from)).toEqual(["parent", "backup"]);
    const later = asked(missing, now + 10 + roundTripMs.backup + 20).filter(([sequence]) => sequence === 202);
    expect(later.map(([, from]) => from)).toEqual(["parent"]);
    for (let sequence = 204; sequence < 700; sequence += 1) missing.arrived(sequence, sequence * 40);
    const calm = lose(702).filter(([sequence]) => sequence === 701);
    expect(calm.map(([, from]) => from)).toEqual(["parent"]);
  });

  it("[JB13] whatever numbers come, asks at most three times for each, in time, and never for what came", () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const rng = new Rng(`requests ${seed}`);
      const missing = new MissingPackets({ parent: 20 + rng.int(200), backup: 20 + rng.int(200) });
      const came = new Set<number>();
      const times = new Map<number, number>();
      let now = 0;
      let sequence = rng.int(2) * (2 ** 32 - 100);
      for (let step = 0; step < 300; step += 1) {
        now += rng.int(60);
        sequence += [1, 1, 1, 2, 3, -2, -30, 400][rng.int(8)]!;
        if (sequence < 0) sequence = 0;
        missing.arrived(sequence, now);
        came.add(sequence);
        for (const [number] of asked(missing, now)) {
          expect(came.has(number)).toBe(false);
          times.set(number, (times.get(number) ?? 0) + 1);
          expect(times.get(number)).toBeLessThanOrEqual(3);
        }
        // What was due was given: the next comes later.
        expect(missing.deadline ?? Infinity).toBeGreaterThan(now);
      }
      expect(times.size).toBeGreaterThan(0);
    }
  });
});
