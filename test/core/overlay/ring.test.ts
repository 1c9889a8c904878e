import { describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../p2p/api/ids.ts";
import { Ring, ringMs, type RingPacket } from "../../../p2p/core/overlay/ring.ts";
import { Rng } from "../../../p2p/core/rng.ts";

const seeds = Array.from({ length: 20 }, (_, index) => `ring ${index}`);

function packet(voice: number, sequence: number, at: number): RingPacket {
  return { voice, sequence, hops: 1, bytes: Uint8Array.of(voice, sequence), at: millis(at) };
}

describe("the ring", () => {
  it.each(seeds)("[OV6] gives what a filter over everything gives, oldest first (%s)", (seed) => {
    const rng = new Rng(seed);
    const ring = new Ring();
    const everything: RingPacket[] = [];
    const next = [0, 0, 0, 0];
    for (let now = 0; now < 6000; now += rng.int(50)) {
      const voice = rng.int(4);
      // Some come late, behind newer ones.
      const sequence = Math.max(0, (next[voice] ?? 0) - (rng.int(5) === 0 ? 2 : 0));
      next[voice] = (next[voice] ?? 0) + 1;
      const added = packet(voice, sequence, now);
      ring.add(added);
      everything.push(added);
      if (rng.int(10) > 0) continue;
      const have = [0, 1, 2]
        .filter(() => rng.int(2) === 0)
        .map((each) => ({ voice: each, sequence: rng.int(next[each]! + 1) }));
      expect(ring.after(have, millis(now))).toEqual(reference(everything, have, millis(now)));
      const heard = everything.filter((each) => each.at >= now - ringMs);
      const newest = (each: number): number =>
        Math.max(...everything.filter((one) => one.voice === each).map((one) => one.sequence));
      const wanted = [...new Set(heard.map((each) => each.voice))].map((each) => ({
        voice: each,
        sequence: newest(each),
      }));
      expect(ring.have(millis(now)).toSorted((a, b) => a.voice - b.voice)).toEqual(
        wanted.toSorted((a, b) => a.voice - b.voice),
      );
    }
  });

  it("[OV5] keeps two seconds and nothing older", () => {
    const ring = new Ring();
    ring.add(packet(1, 1, 0));
    ring.add(packet(1, 2, 1));
    const all = [{ voice: 1, sequence: 0 }];
    expect(ring.after(all, millis(2000)).map((each) => each.sequence)).toEqual([1, 2]);
    expect(ring.after(all, millis(2001)).map((each) => each.sequence)).toEqual([2]);
    expect(ring.have(millis(2002))).toEqual([]);
  });

  it("keeps no more packets than six voices make, whoever floods", () => {
    const ring = new Ring();
    for (let sequence = 1; sequence <= 5000; sequence++) ring.add(packet(1, sequence, 0));
    const kept = ring.after([{ voice: 1, sequence: 0 }], millis(0));
    expect(kept).toHaveLength(600);
    expect(kept.at(-1)?.sequence).toBe(5000);
  });

  it("[OV6] a voice that is not named is news, not a hole; one that left the stage is not asked for", () => {
    const ring = new Ring();
    ring.add(packet(1, 5, 0));
    ring.add(packet(2, 9, 0));
    expect(ring.after([{ voice: 1, sequence: 4 }], millis(0))).toHaveLength(1);
    ring.retain(new Set([2]));
    expect(ring.have(millis(0))).toEqual([{ voice: 2, sequence: 9 }]);
  });
});

function reference(
  everything: readonly RingPacket[],
  have: readonly { voice: number; sequence: number }[],
  now: Millis,
): RingPacket[] {
  return everything.filter((each) =>
    have.some(({ voice, sequence }) => each.voice === voice && each.sequence > sequence && each.at >= now - 2000),
  );
}
