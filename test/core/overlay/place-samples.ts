import type { Advert } from "../../../p2p/core/overlay/directory/advert.ts";
import type { PlacePaper } from "../../../p2p/core/overlay/directory/place-papers.ts";
import type { Rng } from "../../../p2p/core/rng.ts";
import { peerOf } from "../../../p2p/core/session/frames.ts";
import { sampleAddress } from "../fixtures.ts";

/** A coordinate that is written and read without a change. */
export const sampleCoordinate = { x: -1.5, y: 3000, z: 0, height: 12.3, error: 1 };

/** An advert with every field full. */
export function sampleAdvert(rng: Rng): Advert {
  const address = { ...sampleAddress(rng), addresses: [rng.bytes(40)] };
  return {
    peer: peerOf(address),
    address,
    rootDelayMs: 123,
    coordinate: sampleCoordinate,
    free: 200,
    leaves: 3,
    depth: 4,
    parent: "0123456789ab",
    version: 0xffffffff,
  };
}

/** One of each kind. */
export function samplePlacePapers(rng: Rng): PlacePaper[] {
  const coordinate = sampleCoordinate;
  const advert = sampleAdvert(rng);
  const { peer: _, address: __, version: ___, ...state } = advert;
  const news = { id: "0123456789ab", versionLow: 255, ...state };
  const [self, parent] = ["0123456789ab", "fedcba987654"];
  return [
    { kind: "about", coordinate, holds: 0xffffffff, advert: undefined },
    { kind: "about", coordinate, holds: 0, advert },
    { kind: "adverts", adverts: [advert, advert], news: [news, { id: news.id, versionLow: 0 }], gone: [self] },
    { kind: "standing", rootDelayMs: 65_535, coordinate, path: [self, parent] },
    {
      kind: "place",
      id: 7,
      passed: 3,
      self,
      coordinate,
      lends: true,
      purpose: "backup",
      parent,
      belowMs: 120,
      avoids: [parent, self],
    },
    { kind: "offers", id: 0xffffffff, adverts: [advert, advert, advert] },
    { kind: "hand-off", advert },
    { kind: "expect", peer: advert.peer },
    { kind: "reserve", parent },
    { kind: "promise", kept: true },
  ];
}
