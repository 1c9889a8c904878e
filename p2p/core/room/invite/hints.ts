import type { Millis } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { openRecord, recordPayloadBytesMax } from "../../discovery/record.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type Capability, readCapability, verifyChain, writeCapability } from "../rights/capability.ts";
import { readRelayAddress, writeRelayAddress } from "./card.ts";
import { mayLead } from "../state/sealed-state.ts";

const hintsVersion = 1;
const signatureBytes = 64;
const hintsLabel = encodeUtf8("teahouse hints 1");
/** Relays named in a record: more than anybody tries, few enough to fit. */
const relaysMax = 8;

/** What a room's record says inside its seal: where it is carried, on the word of a host session or an heir. */
export interface RecordHints {
  readonly relays: readonly RelayAddress[];
}

/** Encodes as many relays as the record has room for, signed by the session. */
export function encodeHints(
  crypto: Crypto,
  tag: Uint8Array,
  session: { readonly seed: Uint8Array; readonly capability: Capability },
  relays: readonly RelayAddress[],
  now: Millis,
): Uint8Array {
  const head = new ByteWriter().u8(hintsVersion).u48(now);
  writeCapability(head, session.capability);
  const encoded: Uint8Array[] = [];
  let length = head.length + 1 + signatureBytes;
  for (const relay of relays.slice(0, relaysMax)) {
    const writer = new ByteWriter();
    writeRelayAddress(writer, relay);
    const bytes = writer.finish();
    if (length + bytes.length > recordPayloadBytesMax) break;
    length += bytes.length;
    encoded.push(bytes);
  }
  const body = concat(head.u8(encoded.length).finish(), ...encoded);
  return concat(body, crypto.sign(session.seed, concat(hintsLabel, tag, body)));
}

/** The relays of a record that a session of this room stands behind; undefined for anything else. */
export function openHints(
  crypto: Crypto,
  roomKey: Uint8Array,
  tag: Uint8Array,
  payload: Uint8Array,
  now: Millis,
): RecordHints | undefined {
  const reader = new ByteReader(payload);
  const version = reader.u8();
  reader.u48();
  const capability = readCapability(reader);
  const count = reader.u8();
  if (version !== hintsVersion || !capability || count > relaysMax) return undefined;
  const relays: RelayAddress[] = [];
  for (let index = 0; index < count; index++) {
    const relay = readRelayAddress(reader);
    if (!relay) return undefined;
    relays.push(relay);
  }
  const end = reader.offset;
  const signature = reader.bytes(signatureBytes);
  const authority = verifyChain(crypto, roomKey, [capability], now);
  if (!reader.ended || !authority.ok || !mayLead(authority.value)) return undefined;
  const signed = concat(hintsLabel, tag, payload.subarray(0, end));
  return crypto.verify(capability.grantee, signed, signature) ? { relays } : undefined;
}

/** The relays that a record names, when it opens and somebody of this room stands behind it. */
export function hintsOfRecord(
  crypto: Crypto,
  room: { readonly roomKey: Uint8Array; readonly secret: Uint8Array; readonly tag: Uint8Array },
  value: Uint8Array,
  now: Millis,
): RecordHints | undefined {
  const opened = openRecord(crypto, room.secret, value);
  return opened.ok ? openHints(crypto, room.roomKey, room.tag, opened.value.payload, now) : undefined;
}
