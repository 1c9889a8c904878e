import { describe, expect, it } from "vitest";
import type { Layer } from "../../../../p2p/api/engine.ts";
import { type Millis, millis } from "../../../../p2p/api/ids.ts";
import { Ring, ringMs, type RingPacket } from "../../../../p2p/core/overlay/media/ring.ts";
import { Rng } from "../../../../p2p/core/rng.ts";

const seeds = Array.from({ length: 20 }, (_, index) => `ring ${index}`);

function packet(voiceId: number, sequence: number, at: number, layer: Layer = "normal"): RingPacket {
  return { voiceId, layer, sequence, hops: 1, bytes: Uint8Array.of(voiceId, sequence), at: millis(at) };
}

describe("the ring", () => {
  it.each(seeds)("[OV6] gives what a filter over everything gives, oldest first (%s)", (seed) => {
    const rng = new Rng(seed);
    const ring = new Ring();
    const everything: RingPacket[] = [];
    const next = [0, 0, 0, 0];
    const late: RingPacket[] = [];
    for (let now = 0; now < 6000; now += rng.int(50)) {
      const voice = rng.int(4);
      const sequence = next[voice]!++;
      // Some come late, behind newer ones, and some never.
      const made = packet(voice, sequence, now);
      if (rng.int(5) === 0) late.push(made);
      else everything.push(made);
      const last = late.length > 3 ? late.shift() : undefined;
      if (last && rng.int(3) > 0) everything.push({ ...last, at: millis(now) });
      for (const each of everything.slice(-2)) ring.add(each);
      if (rng.int(10) > 0) continue;
      const have = [0, 1, 2]
        .filter(() => rng.int(2) === 0)
        .map((each) => ({ voice: each, sequence: rng.int(next[each]! + 1) }));
      const replayed = ring.after(have, "normal", millis(now));
      expect(replayed.map(({ at }) => at)).toEqual(replayed.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(inOrder(replayed)).toEqual(inOrder(reference(everything, have, millis(now))));
      expect(ring.have(millis(now)).toSorted((a, b) => a.voice - b.voice)).toEqual(newestOf(everything, now));
    }
  });

  it("[OV17] gives one layer to who wants one, the other where that is missing, and both to who wants both", () => {
    const ring = new Ring();
    const [n1, n2, n3] = [1, 2, 3].map((sequence) => packet(1, sequence, 10 * sequence));
    const [l2, l3, l4] = [2, 3, 4].map((sequence) => packet(1, sequence, 10 * sequence + 1, "low"));
    for (const each of [n1, n2, l2, n3, l3, l4]) ring.add(each!);
    const have = [{ voice: 1, sequence: 0 }];
    expect(ring.after(have, "normal", millis(50))).toEqual([n1, n2, n3, l4]);
    expect(ring.after(have, "low", millis(50))).toEqual([n1, l2, l3, l4]);
    expect(ring.after(have, "both", millis(50))).toEqual([n1, n2, l2, n3, l3, l4]);
    expect(ring.find(1, "normal", 3, millis(50))).toEqual(n3);
    expect(ring.find(1, "normal", 4, millis(50))).toEqual(l4);
    expect(ring.find(1, "normal", 5, millis(50))).toBeUndefined();
  });

  it("[OV5] keeps two seconds and nothing older", () => {
    const ring = new Ring();
    ring.add(packet(1, 1, 0));
    ring.add(packet(1, 2, 1));
    const all = [{ voice: 1, sequence: 0 }];
    expect(ring.after(all, "normal", millis(2000)).map((each) => each.sequence)).toEqual([1, 2]);
    expect(ring.after(all, "normal", millis(2001)).map((each) => each.sequence)).toEqual([2]);
    expect(ring.have(millis(2002))).toEqual([]);
  });

  it("keeps no more of a voice than two seconds make, whoever floods", () => {
    const ring = new Ring();
    for (let sequence = 1; sequence <= 5000; sequence++) ring.add(packet(1, sequence, 0));
    const kept = ring.after([{ voice: 1, sequence: 0 }], "normal", millis(0));
    expect(kept).toHaveLength(64);
    expect(kept.at(-1)?.sequence).toBe(5000);
  });

  it("[OV6] a voice that is not named is news, not a hole; one that left the stage is not asked for", () => {
    const ring = new Ring();
    ring.add(packet(1, 5, 0));
    ring.add(packet(2, 9, 0));
    expect(ring.after([{ voice: 1, sequence: 4 }], "normal", millis(0))).toHaveLength(1);
    ring.retain(new Set([2]));
    expect(ring.have(millis(0))).toEqual([{ voice: 2, sequence: 9 }]);
  });
});

function inOrder(packets: readonly RingPacket[]): RingPacket[] {
  return packets.toSorted((a, b) => a.voiceId - b.voiceId || a.sequence - b.sequence);
}

function reference(
  everything: readonly RingPacket[],
  have: readonly { voice: number; sequence: number }[],
  now: Millis,
): RingPacket[] {
  return everything.filter((each) =>
    have.some(({ voice, sequence }) => each.voiceId === voice && each.sequence > sequence && each.at >= now - ringMs),
  );
}

/** The newest packet of each voice whose newest came within two seconds. */
function newestOf(everything: readonly RingPacket[], now: number): { voice: number; sequence: number }[] {
  return [0, 1, 2, 3].flatMap((voice) => {
    const own = everything.filter((each) => each.voiceId === voice);
    const newest = own.toSorted((a, b) => a.sequence - b.sequence).at(-1);
    return newest !== undefined && newest.at >= now - ringMs ? [{ voice, sequence: newest.sequence }] : [];
  });
}
