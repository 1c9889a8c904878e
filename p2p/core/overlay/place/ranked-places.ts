import type { PeerId } from "../../../api/ids.ts";
import type { Advert } from "../directory/advert.ts";
import { hopCostMs } from "../directory/directory.ts";
import { offersMax } from "../directory/place-papers.ts";
import { type Coordinate, isUseful, roundTripBetween } from "./coordinate.ts";
import { shortIdOf } from "./path.ts";

/** A relay's place among those that the view names. */
export interface Ranking {
  /** In rank order. */
  readonly relays: readonly PeerId[];
  /** This node's index in it. */
  readonly rank: number;
  /** Relays that hang below one relay. */
  readonly fanout: number;
}

/**
 * Where a relay below the core may hang instead of where its rank puts it ([OV2]), the best first by root delay and guessed way:
 * only below one of better rank, so that no loop can be, and only where so few relays hang that one more is within the fanout.
 * Every relay of the room knows the adverts, so it asks nobody.
 */
export function rankedPlaces(
  adverts: readonly Advert[],
  { relays, rank, fanout }: Ranking,
  parent: PeerId,
  here: Coordinate,
): Advert[] {
  const ranked = adverts.filter(({ peer }) => relays.includes(peer));
  // Until the parent's own place is known, it is not known either who is full.
  if (!isUseful(here) || !ranked.some(({ peer }) => peer === parent)) return [];
  const better = new Set(relays.slice(0, rank));
  const below = (peer: PeerId): number => {
    const id = shortIdOf(peer);
    return ranked.filter((advert) => advert.parent === id && advert.peer !== peer).length;
  };
  const costMs = ({ rootDelayMs, coordinate }: Advert): number =>
    rootDelayMs + roundTripBetween(here, coordinate) / 2 + hopCostMs;
  const able = ranked.filter(({ peer }) => better.has(peer) && peer !== parent && below(peer) < fanout);
  return able.sort((a, b) => costMs(a) - costMs(b)).slice(0, offersMax);
}
