import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { takePetition } from "../../../../p2p/core/overlay/edge.ts";
import { noteRepeatMs, Passersby, petitionRepeatMs } from "../../../../p2p/core/overlay/news/passersby.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { seededCrypto } from "../../fixtures.ts";
import { sampleEdge } from "../edges.ts";

describe("petitions and notes on their way", () => {
  it("[OV10] each is passed on once a second at most", () => {
    const petitions = new Passersby(seededCrypto("petitions"), petitionRepeatMs);
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    expect(petitions.isNew(one, millis(0))).toBe(true);
    expect(petitions.isNew(one, millis(0))).toBe(false);
    expect(petitions.isNew(two, millis(0))).toBe(true);
    expect(petitions.isNew(one, millis(999))).toBe(false);
    expect(petitions.isNew(one, millis(1000))).toBe(true);
    expect(petitions.isNew(one, millis(1500))).toBe(false);
  });

  it("[OV13] a note is passed on once in ten minutes", () => {
    const notes = new Passersby(seededCrypto("notes"), noteRepeatMs);
    const note = Uint8Array.of(1);
    expect(notes.isNew(note, millis(0))).toBe(true);
    expect(notes.isNew(note, millis(599_999))).toBe(false);
    expect(notes.isNew(note, millis(600_000))).toBe(true);
  });

  it("remembers a thousand, the oldest forgotten first", () => {
    const petitions = new Passersby(seededCrypto("petitions"), petitionRepeatMs);
    const rng = new Rng("many");
    const all = Array.from({ length: 1025 }, () => rng.bytes(16));
    for (const each of all) expect(petitions.isNew(each, millis(0))).toBe(true);
    expect(petitions.isNew(all[1024]!, millis(1))).toBe(false);
    expect(petitions.isNew(all[1]!, millis(1))).toBe(false);
    expect(petitions.isNew(all[0]!, millis(1))).toBe(true);
  });

  it("[OV10] [OV13] one neighbour passes on ten a second, after a burst of twenty", () => {
    const { edge } = sampleEdge(1, "down");
    const taken = (at: number, tries: number): number =>
      Array.from({ length: tries }, () => takePetition(edge, millis(at))).filter(Boolean).length;
    expect(taken(0, 100)).toBe(20);
    expect(taken(1000, 100)).toBe(10);
    expect(taken(1050, 100)).toBe(0);
    expect(taken(1100, 100)).toBe(1);
    // However long it was quiet.
    expect(taken(3_600_000, 100)).toBe(20);
  });
});
