import { type Millis, millis } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeRecord, recordHour, recordKeys } from "../../discovery/record.ts";
import { encodeHints } from "../invite/hints.ts";
import type { RoomKeys } from "../rights/keys.ts";

/** A value for the DHT. */
export interface Publication {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A room's records of this hour and the next: where it is carried, for who holds its secret ([RM24]). */
export function recordsOf(
  crypto: Crypto,
  { secret, session, carriage }: RoomKeys,
  relays: readonly RelayAddress[],
  now: Millis,
): Publication[] {
  const sequence = Math.floor(now);
  const payload = encodeHints(crypto, carriage.key, session, relays, millis(sequence));
  const hour = recordHour(now);
  return [hour, hour + 1].flatMap((each) => {
    const value = encodeRecord(crypto, secret, { hour: each, sequence, payload });
    return recordKeys(crypto, secret, each).map((key) => ({ key, value }));
  });
}
