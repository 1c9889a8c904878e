import { assert } from "../../assert.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeText, findText } from "./text.ts";

/** Beside version 1, which an invite that anybody can read begins with. */
const lockedVersion = 2;
const saltBytes = 16;
const headBytes = 1 + saltBytes + 2;
const tagBytes = 16;
/** Each key locks one invite: its salt is drawn for it. */
const nonce = new Uint8Array(12);

/** A salt for the next invite that is locked. */
export function drawSalt(crypto: Crypto): Uint8Array {
  return crypto.randomBytes(saltBytes);
}

/** An invite that is nothing without its passphrase ([RM51]): `key` is what the passphrase comes to with this salt, 32 bytes. */
export function lockInvite(crypto: Crypto, key: Uint8Array, salt: Uint8Array, invite: string): string {
  const found = findText("invite", invite);
  assert(found.ok, "an invite of our own");
  const plain = found.value;
  const head = new ByteWriter()
    .u8(lockedVersion)
    .bytes(salt)
    .u16(plain.length + tagBytes)
    .finish();
  return encodeText("invite", concat(head, crypto.seal(key, nonce, head, plain, tagBytes)));
}

/** The salt of an invite that asks for a passphrase; undefined for every other text. */
export function saltOf(text: string): Uint8Array | undefined {
  return partsOf(text)?.salt;
}

/** The invite inside; undefined when the key is another's. */
export function unlockInvite(crypto: Crypto, key: Uint8Array, text: string): string | undefined {
  const parts = partsOf(text);
  const plain = parts && crypto.open(key, nonce, parts.head, parts.sealed, tagBytes);
  return plain && encodeText("invite", plain);
}

function partsOf(text: string): { head: Uint8Array; salt: Uint8Array; sealed: Uint8Array } | undefined {
  const found = findText("invite", text);
  if (!found.ok || found.value[0] !== lockedVersion) return undefined;
  const reader = new ByteReader(found.value.subarray(1));
  const salt = reader.bytes(saltBytes);
  const sealed = reader.sized16();
  return reader.failed ? undefined : { head: found.value.subarray(0, headBytes), salt, sealed };
}
