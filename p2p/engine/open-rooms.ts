import { millis } from "../api/ids.ts";
import type { OpenRoom } from "../api/room.ts";
import type { Crypto } from "../core/crypto.ts";
import { type BelievedListing, openListing, spotKey, spotsToAsk, type HallSpot } from "../core/room/hall/listing.ts";
import type { Clock, Discovery } from "./ports.ts";

/** Places that are asked about at once, and how long each may take. */
const asksAtOnce = 8;
const askMsMax = 6_000;

/** Which rooms are listed now, the fullest first; each room once, as it was last said. */
export async function listOpenRooms(
  discovery: Discovery,
  crypto: Crypto,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly OpenRoom[]> {
  const found = new Map<string, BelievedListing>();
  const waiting = [...spotsToAsk(clock.now())];
  const ask = async (): Promise<void> => {
    for (let spot = waiting.shift(); spot && !signal.aborted; spot = waiting.shift()) {
      for await (const value of answersOf(discovery, crypto, spot, clock, signal)) {
        const listing = openListing(crypto, spot, value, clock.now());
        const known = listing && found.get(listing.room);
        if (listing && (!known || known.saidAt < listing.saidAt)) found.set(listing.room, listing);
      }
    }
  };
  await Promise.all(Array.from({ length: asksAtOnce }, ask));
  const rooms = [...found.values()].toSorted((left, right) => right.members - left.members);
  return rooms.map(({ room, title, members, invite }) => ({ room, title, members, invite }));
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
