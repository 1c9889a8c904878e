import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { assert } from "../../assert.ts";
import { ByteReader, ByteWriter } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { failed, ok, type Result } from "../../result.ts";
import { addChecksum, checksumBytes, checksumFits, encodeText, findText, textVersion } from "./text.ts";

const keyBytes = 32;
const tokenBytes = 16;
/** A card's own secret: 128 bits, known to nobody who only saw a hint. */
export const cardSecretBytes = 16;

/** By what a volunteer is reached, and what proves that somebody was given it by the volunteer. */
export interface RelayCard {
  readonly address: RelayAddress;
  /** `cardSecretBytes` that hints and views never hold. */
  readonly secret: Uint8Array;
  /** Unix seconds; 0 for never. */
  readonly expires: number;
}

/** Why a text is no card, each with a sentence of its own in the app. */
export type CardReason = "not-a-card" | "is-an-invite" | "version" | "truncated" | "damaged" | "too-long" | "expired";

/** The card as text, `thc1-…`. A secret: it is shown, never logged. */
export function encodeCard(crypto: Crypto, card: RelayCard): string {
  assert(card.secret.length === cardSecretBytes, "a card's secret");
  const writer = new ByteWriter().u8(textVersion);
  writeRelayAddress(writer, card.address);
  return encodeText("card", addChecksum(crypto, writer.bytes(card.secret).u32(card.expires).finish()));
}

/** Reads what a person pasted. */
export function parseCard(crypto: Crypto, text: string, now: Millis): Result<RelayCard, CardReason> {
  const found = findText("card", text);
  if (!found.ok) return failed(cardReasons[found.reason]);
  const reader = new ByteReader(found.value);
  const version = reader.u8();
  const address = readRelayAddress(reader);
  const card = { secret: reader.bytes(cardSecretBytes), expires: reader.u32() };
  const length = reader.offset;
  reader.bytes(checksumBytes);
  if (address === undefined) return failed("damaged");
  if (reader.failed) return failed("truncated");
  if (!checksumFits(crypto, found.value, length)) return failed("damaged");
  if (version !== textVersion) return failed("version");
  if (card.expires !== 0 && now > card.expires * 1000) return failed("expired");
  return ok({ address, ...card });
}

/** Writes a relay's address. One that breaks a limit is our own bug: assert. Layout: SPEC.md, "Relay address". */
export function writeRelayAddress(writer: ByteWriter, relay: RelayAddress): void {
  assert(relay.key.length === keyBytes && relay.token.length === tokenBytes, "a relay's key and token");
  assert(relay.addresses.length <= limits.cardAddressesMax, "addresses of one relay");
  writer.bytes(relay.key).bytes(relay.token).u8(relay.addresses.length);
  for (const address of relay.addresses) {
    assert(address.length >= 1 && address.length <= limits.multiaddrBytesMax, "a multiaddr within its limit");
    writer.sized16(address);
  }
}

/** Reads a relay's address; undefined when it breaks a limit. Underrun: see `ByteReader`. */
export function readRelayAddress(reader: ByteReader): RelayAddress | undefined {
  const key = reader.bytes(keyBytes);
  const token = reader.bytes(tokenBytes);
  const count = reader.u8();
  if (count > limits.cardAddressesMax) return undefined;
  const addresses: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.u16();
    const address = reader.bytes(length);
    if (!reader.failed && (length < 1 || length > limits.multiaddrBytesMax)) return undefined;
    addresses.push(address);
  }
  return { key, token, addresses };
}

const cardReasons = {
  missing: "not-a-card",
  "other-kind": "is-an-invite",
  version: "version",
  "too-long": "too-long",
} as const;
