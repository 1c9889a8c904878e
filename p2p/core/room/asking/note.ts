import { type Reaction, reactions } from "../../../api/room.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { KnownSecrets } from "../epoch/secrets.ts";
import { type Epoch, withKey } from "../rights/keys.ts";
import { decodeUtf8, encodeUtf8 } from "../../utf8.ts";
import { nameBytesMax } from "../state/state.ts";

const noteVersion = 3;
const nonceBytes = 12;
const signatureBytes = 64;
/** Characters of one typed message: what is read aloud in half a minute. */
export const noteCharactersMax = 280;
/** Four bytes of UTF-8 each, at the most. */
const textBytesMax = noteCharactersMax * 4;
/** A sealed note on the wire. */
export const noteBytesMax = 1 + 1 + 8 + 32 + 1 + 1 + nameBytesMax + 2 + textBytesMax + signatureBytes + nonceBytes + 16;
const noteLabel = encodeUtf8("teahouse note 1");
const keyLabel = encodeUtf8("teahouse note key 1");

/** Something typed to the room, or a reaction, which has no text. */
export interface Note {
  readonly reaction: Reaction | undefined;
  /** 8 random bytes: a note is shown once, however often it comes. */
  readonly id: Uint8Array;
  readonly name: string;
  readonly text: string;
}

/** Seals a note: `epoch, low 8 bits | nonce | AES-256-GCM of (version | id | identity key | name | text | signature)` ([RM28]). */
export function sealNote(
  crypto: Crypto,
  epoch: Epoch,
  roomKey: Uint8Array,
  identitySeed: Uint8Array,
  note: Note,
): Uint8Array {
  const writer = new ByteWriter().u8(noteVersion).bytes(note.id).bytes(crypto.publicKey(identitySeed));
  writer.sized8(encodeUtf8(note.name)).u8(note.reaction === undefined ? 0 : 1 + reactions.indexOf(note.reaction));
  const body = writer.sized16(encodeUtf8(note.text)).finish();
  const signature = crypto.sign(identitySeed, concat(noteLabel, roomKey, body));
  const nonce = crypto.randomBytes(nonceBytes);
  const mark = Uint8Array.of(epoch.number % 256);
  const plain = concat(body, signature);
  const seal = (key: Uint8Array): Uint8Array => crypto.seal(key, nonce, concat(roomKey, mark), plain, 16);
  return concat(mark, nonce, withKey(crypto, epoch.secret, keyLabel, seal));
}

/** A note with who signed it. */
type SignedNote = Note & { readonly identityKey: Uint8Array };

/** A note and who signed it; undefined when it does not open, parse, or verify. "closed": the epoch's secret is not known here. */
export function openNote(
  crypto: Crypto,
  epochs: KnownSecrets,
  roomKey: Uint8Array,
  bytes: Uint8Array,
): SignedNote | "closed" | undefined {
  const secrets = epochs.find(bytes[0] ?? 0);
  if (secrets.length === 0) return "closed";
  const start = 1 + nonceBytes;
  const aad = concat(roomKey, bytes.subarray(0, 1));
  for (const secret of secrets) {
    const open = (key: Uint8Array): Uint8Array | undefined =>
      crypto.open(key, bytes.subarray(1, start), aad, bytes.subarray(start), 16);
    const plain = withKey(crypto, secret, keyLabel, open);
    if (plain) return parseNote(crypto, roomKey, plain);
  }
  return undefined;
}

function parseNote(crypto: Crypto, roomKey: Uint8Array, plain: Uint8Array): SignedNote | undefined {
  if (plain.length < signatureBytes) return undefined;
  const body = plain.subarray(0, plain.length - signatureBytes);
  const reader = new ByteReader(body);
  const version = reader.u8();
  const id = reader.bytes(8);
  const identityKey = reader.bytes(32);
  const nameBytes = reader.sized8();
  const mark = reader.u8();
  const textBytes = reader.sized16();
  if (version !== noteVersion || !reader.ended) return undefined;
  const reaction = reactions[mark - 1];
  if (nameBytes.length > nameBytesMax || textBytes.length > textBytesMax) return undefined;
  // A text has letters and a reaction has none.
  if ((mark === 0) !== textBytes.length > 0 || (mark !== 0 && reaction === undefined)) return undefined;
  const name = decodeUtf8(nameBytes);
  const text = decodeUtf8(textBytes);
  if (name === undefined || text === undefined || Array.from(text).length > noteCharactersMax) return undefined;
  const signed = concat(noteLabel, roomKey, body);
  return crypto.verify(identityKey, signed, plain.subarray(body.length))
    ? { id, name, text, reaction, identityKey }
    : undefined;
}
