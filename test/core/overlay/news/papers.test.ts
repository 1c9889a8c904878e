import { describe, expect, it } from "vitest";
import { limits } from "../../../../p2p/api/limits.ts";
import { concat } from "../../../../p2p/core/bytes.ts";
import { encodePaper, type Paper, parsePaper, petitionBytesMax } from "../../../../p2p/core/overlay/news/papers.ts";
import { depthMax } from "../../../../p2p/core/overlay/place/path.ts";
import { advertsMax, offersMax } from "../../../../p2p/core/overlay/directory/place-papers.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { noteBytesMax } from "../../../../p2p/core/room/asking/note.ts";
import { sampleAddress } from "../../fixtures.ts";
import { sampleAdvert, sampleCoordinate, samplePlacePapers } from "../place-samples.ts";

const rng = new Rng("papers");
const advert = sampleAdvert(rng);
const papers: readonly Paper[] = [
  { kind: "view", bytes: rng.bytes(500) },
  { kind: "state", bytes: rng.bytes(500) },
  { kind: "petition", bytes: rng.bytes(petitionBytesMax) },
  { kind: "note", bytes: rng.bytes(noteBytesMax) },
  {
    kind: "census",
    census: {
      listeners: 8000,
      relays: 24,
      lossy: 80,
      narrow: 7,
      kept: true,
      free: 9,
      room: [{ rank: 23, slots: 65_535, version: 0xffffffff }],
    },
  },
  {
    kind: "census",
    census: {
      listeners: 0xffffffff,
      relays: 0xffffffff,
      lossy: 0xffffffff,
      narrow: 0xffffffff,
      kept: false,
      free: 0xffffffff,
      room: [],
    },
  },
  {
    kind: "feed",
    on: true,
    quiet: false,
    wish: { layers: "both", prompt: true, lossy: true },
    have: [{ voice: 1, sequence: 2 }],
  },
  { kind: "feed", on: false, quiet: true, wish: { layers: "low", prompt: false, lossy: false }, have: [] },
  { kind: "no-feed", alternatives: [sampleAddress(rng), sampleAddress(rng)] },
  { kind: "replayed", packets: 600 },
  ...samplePlacePapers(rng),
];
const open = new Set<Paper["kind"]>(["view", "state", "petition", "note"]);

describe("papers", () => {
  it("[OV11] each is read as it was written, and nothing that is shorter or longer", () => {
    for (const paper of papers) {
      const bytes = encodePaper(paper);
      expect(parsePaper(bytes)).toEqual(paper);
      if (open.has(paper.kind)) continue;
      expect(parsePaper(concat(bytes, Uint8Array.of(0)))).toBeUndefined();
      for (let length = 0; length < bytes.length; length++)
        expect(parsePaper(bytes.subarray(0, length))).toBeUndefined();
    }
    expect(parsePaper(Uint8Array.of(19))).toBeUndefined();
    expect(parsePaper(new Uint8Array(0))).toBeUndefined();
  });

  it("lists, petitions and notes beyond their limit are no papers", () => {
    const room = Array.from({ length: limits.relaysMax + 1 }, (_, rank) => ({ rank, slots: 1, version: 1 }));
    expect(
      parsePaper(
        encodePaper({
          kind: "census",
          census: { listeners: 0, relays: 0, lossy: 0, narrow: 0, free: 0, kept: false, room },
        }),
      ),
    ).toBeUndefined();
    expect(parsePaper(encodePaper({ kind: "petition", bytes: rng.bytes(petitionBytesMax + 1) }))).toBeUndefined();
    expect(parsePaper(encodePaper({ kind: "note", bytes: rng.bytes(noteBytesMax + 1) }))).toBeUndefined();
    const alternatives = Array.from({ length: 4 }, () => sampleAddress(rng));
    expect(parsePaper(encodePaper({ kind: "no-feed", alternatives }))).toBeUndefined();
    const adverts = Array.from({ length: advertsMax + 1 }, () => advert);
    expect(parsePaper(encodePaper({ kind: "adverts", adverts, news: [], gone: [] }))).toBeUndefined();
    expect(
      parsePaper(encodePaper({ kind: "offers", id: 1, adverts: adverts.slice(0, offersMax + 1) })),
    ).toBeUndefined();
    const path = Array.from({ length: depthMax + 1 }, () => "0123456789ab");
    expect(
      parsePaper(encodePaper({ kind: "standing", rootDelayMs: 0, coordinate: sampleCoordinate, path })),
    ).toBeUndefined();
    const far = { ...advert, address: { ...advert.address, addresses: [rng.bytes(65)] } };
    expect(parsePaper(encodePaper({ kind: "hand-off", advert: far }))).toBeUndefined();
  });
});
