import type { Libp2p } from "@libp2p/interface";
import type { KadDHT, SelectFn, ValidateFn } from "@libp2p/kad-dht";
import { millis } from "../../api/ids.ts";
import { copy, equal, toHex } from "../../core/bytes.ts";
import type { Crypto } from "../../core/crypto.ts";
import { checkRecord, recordHour, recordHourTolerance } from "../../core/discovery/record.ts";
import { HallSigners, openListing } from "../../core/room/hall/listing.ts";
import type { Clock, Discovery } from "../../engine/ports.ts";
import { Walk } from "./walk.ts";

/** The first part of every key: kad-dht finds validator and selector by it. */
export const recordNamespace = "teahouse";

/** Keys whose highest sequence a server remembers ([DS9]): as many as the records it holds, about 1 MiB. */
export const rememberedKeysMax = 8_192;

/** Different valid values that one lookup yields at most; a room has a host, and a few heirs. */
const lookupValuesMax = 16;

const prefix = new TextEncoder().encode(`/${recordNamespace}/`);
const keyBytes = 32;

const dhtKey = (key: Uint8Array): Uint8Array => Buffer.concat([prefix, key]);

/** What each place is signed by is the same for every server of a process. */
const signersBy = new WeakMap<Crypto, HallSigners>();

/** What a server remembers of a key: the newest record's number, and in the hall whose it is and what it cost. */
interface Remembered {
  readonly sequence: number;
  readonly owner: string;
  readonly weight: number;
}

/**
 * Checks records for kad-dht, and remembers, so that an older valid record cannot replace a newer one, nor a listing in the hall
 * one that cost more.
 */
export class RecordGuard {
  readonly #crypto: Crypto;
  readonly #clock: Clock | undefined;
  readonly #remembered = new Map<string, Remembered>();
  readonly #hall: HallSigners;

  /** `clock`: a server's, to refuse hours that are far off; left out by readers ([DS7], [DS8]). */
  constructor(crypto: Crypto, clock: Clock | undefined) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#hall = signersBy.get(crypto) ?? new HallSigners(crypto);
    signersBy.set(crypto, this.#hall);
  }

  /** kad-dht's validator: throws for a record that is not to be kept or believed. */
  readonly validate: ValidateFn = (key, value) => {
    const name = key.subarray(prefix.length);
    if (name.length !== keyBytes) throw new Error("record key");
    const checked = checkRecord(this.#crypto, name, value, this.#hours());
    if (!checked.ok) throw new Error(`record ${checked.reason}`);
    const { hour, sequence } = checked.value;
    this.#remember(toHex(name), { sequence, ...this.#claimOf(value, hour) });
  };

  /** kad-dht's selector: the index of the record that is kept. All were validated before. */
  readonly select: SelectFn = (key, records) => {
    const name = key.subarray(prefix.length);
    const claims = records.map((record): Remembered | undefined => {
      const checked = checkRecord(this.#crypto, name, record);
      return checked.ok
        ? { sequence: checked.value.sequence, ...this.#claimOf(record, checked.value.hour) }
        : undefined;
    });
    let best = 0;
    claims.forEach((claim, index) => {
      const leader = claims[best];
      if (claim && (!leader || (index !== best && replaces(claim, leader)))) best = index;
    });
    return best;
  };

  /** Whose a record of the hall is. Throws for what is no listing; a room's own record is nobody's in particular. */
  #claimOf(value: Uint8Array, hour: number): Pick<Remembered, "owner" | "weight"> {
    const spot = this.#hall.spotOf(value, hour);
    if (!spot) return { owner: "", weight: 0 };
    const listing = openListing(this.#crypto, spot, value, this.#clock?.now() ?? millis(hour * 3_600_000));
    if (!listing) throw new Error("record listing");
    return { owner: toHex(listing.tag), weight: listing.workBits };
  }

  #hours(): { readonly from: number; readonly to: number } | undefined {
    if (this.#clock === undefined) return undefined;
    const hour = recordHour(this.#clock.now());
    return { from: hour - recordHourTolerance, to: hour + recordHourTolerance };
  }

  #remember(name: string, claim: Remembered): void {
    const known = this.#remembered.get(name);
    if (known && !replaces(claim, known))
      throw new Error(claim.owner === known.owner ? "record older" : "record taken");
    this.#remembered.delete(name);
    this.#remembered.set(name, claim);
    if (this.#remembered.size <= rememberedKeysMax) return;
    const oldest = this.#remembered.keys().next();
    if (oldest.done !== true) this.#remembered.delete(oldest.value);
  }
}

/** Of one owner the newest counts; of two in the hall the one that cost more, and nobody's place is taken for the same. */
function replaces(claim: Remembered, known: Remembered): boolean {
  return claim.owner === known.owner ? claim.sequence >= known.sequence : claim.weight > known.weight;
}

/** What discovery needs of the node. */
export interface DiscoveryNode {
  readonly libp2p: Libp2p;
  /** Undefined when the node takes no part in the DHT. */
  readonly dht: KadDHT | undefined;
  /** True when at least one server of the DHT is known. `again`: dial the bootstrap addresses in any case. */
  join(again?: boolean): Promise<boolean>;
}

/** Rejects when the signal aborts, so that a wait without a signal of its own does not outlast it. */
const beforeAbort = async <Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> => {
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", onAbort));
};

/**
 * The Discovery port over kad-dht 16, whose own `get` and `put` it leaves aside: `get` gives the value only at the end and
 * throws when one peer refuses to be corrected, and both walk too short a way. It asks with kad-dht's messages, and reads
 * each answer as it comes.
 */
class KadDiscovery implements Discovery {
  readonly #node: DiscoveryNode;
  readonly #crypto: Crypto;

  constructor(node: DiscoveryNode, crypto: Crypto) {
    this.#node = node;
    this.#crypto = crypto;
  }

  async publish(key: Uint8Array, value: Uint8Array, signal: AbortSignal): Promise<void> {
    const { dht } = this.#node;
    let answers = 0;
    let takers = 0;
    for (let round = 0; round < 2 && answers === 0; round++) {
      const isJoined = await beforeAbort(this.#node.join(round > 0), signal);
      if (dht === undefined || !isJoined) break;
      const walk = this.#walk(dht, key, signal);
      for await (const _ of walk.run("FIND_NODE")) answers++;
      takers = await walk.put(value);
      signal.throwIfAborted();
    }
    if (dht?.getMode() === "server" && takers === answers) takers += await storeOwn(dht, dhtKey(key), value, signal);
    if (takers === 0) throw new Error(answers > 0 ? "refused" : "unreachable");
  }

  async *lookup(key: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { dht } = this.#node;
    const seen: Uint8Array[] = [];
    for (let round = 0, answers = 0; round < 2 && answers === 0; round++) {
      // Nobody answered: everyone we knew is gone. Then those we were told of at the beginning are asked.
      const isJoined = await beforeAbort(this.#node.join(round > 0), signal).catch(() => false);
      if (dht === undefined || !isJoined) return;
      for await (const { record } of this.#walk(dht, key, signal).run("GET_VALUE")) {
        answers++;
        const value = record?.value;
        if (value === undefined || seen.some((other) => equal(other, value))) continue;
        if (seen.length >= lookupValuesMax || !checkRecord(this.#crypto, key, value).ok) continue;
        seen.push(copy(value));
        yield copy(value);
      }
    }
  }

  #walk(dht: KadDHT, key: Uint8Array, signal: AbortSignal): Walk {
    return new Walk(this.#node.libp2p, dht, this.#crypto, dhtKey(key), signal);
  }
}

/**
 * Puts a value into a server's own store, from which it answers others: `put` does that first, and nobody else is told
 * when it is not asked for more than its first event. The number of copies made: none when a newer one is known.
 */
const storeOwn = async (dht: KadDHT, key: Uint8Array, value: Uint8Array, signal: AbortSignal): Promise<0 | 1> => {
  try {
    await dht.validators[recordNamespace]?.(key, value);
    for await (const _ of dht.put(key, value, { signal })) break;
    return 1;
  } catch {
    return 0;
  }
};

/** Discovery over the node's DHT. Values must be records of core/discovery: servers take nothing else. */
export const createDiscovery = (node: DiscoveryNode, crypto: Crypto): Discovery => new KadDiscovery(node, crypto);
