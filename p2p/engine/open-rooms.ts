import { millis } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import type { OpenRoom } from "../api/room.ts";
import type { Crypto } from "../core/crypto.ts";
import { type BelievedListing, openListing, spotKey, spotsToAsk, type HallSpot } from "../core/room/hall/listing.ts";
import type { Clock, Discovery } from "./ports.ts";

/** Places that are asked about at once, and how long each may take. */
const asksAtOnce = 8;
const askMsMax = 6_000;

/** Which rooms are listed now, the fullest first; each room once, as it was last said. At most `limits.hallRoomsMax`. */
export async function listOpenRooms(
  discovery: Discovery,
  crypto: Crypto,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly OpenRoom[]> {
  const places: BelievedListing[][] = [];
  const waiting = [...spotsToAsk(clock.now())];
  const ask = async (): Promise<void> => {
    for (let spot = waiting.shift(); spot && !signal.aborted; spot = waiting.shift()) {
      const listed: BelievedListing[] = [];
      places.push(listed);
      for await (const value of answersOf(discovery, crypto, spot, clock, signal)) {
        const listing = openListing(crypto, spot, value, clock.now());
        if (listing) listed.push(listing);
      }
    }
  };
  await Promise.all(Array.from({ length: asksAtOnce }, ask));
  const rooms = fairShare(places).toSorted((left, right) => right.members - left.members);
  return rooms.map(({ room, title, members, invite }) => ({ room, title, members, invite }));
}

/**
 * As many as a search may find. Of each place first what cost most there, then the next: whoever answers for one place with
 * many rooms crowds out no other place's.
 */
function fairShare(places: readonly BelievedListing[][]): readonly BelievedListing[] {
  const found = new Map<string, BelievedListing>();
  const ranked = places.map((listed) => listed.toSorted((left, right) => right.workBits - left.workBits));
  for (let rank = 0; rank < limits.hallRoomsAPlaceMax; rank++) {
    for (const listing of ranked.flatMap((listed) => listed.slice(rank, rank + 1))) {
      const known = found.get(listing.room);
      const isNews = known ? known.saidAt < listing.saidAt : found.size < limits.hallRoomsMax;
      if (isNews) found.set(listing.room, listing);
    }
  }
  return [...found.values()];
}

/** What the DHT says of one place, until that takes too long. */
async function* answersOf(
  discovery: Discovery,
  crypto: Crypto,
  spot: HallSpot,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const cancel = clock.wakeAt(millis(clock.now() + askMsMax), stop);
  signal.addEventListener("abort", stop);
  try {
    yield* discovery.lookup(spotKey(crypto, spot), limit.signal);
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}
