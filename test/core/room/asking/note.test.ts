import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { Chat, type Said } from "../../../../p2p/core/room/asking/chat.ts";
import { createKeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import {
  type Note,
  noteBytesMax,
  noteCharactersMax,
  openNote,
  sealNote,
} from "../../../../p2p/core/room/asking/note.ts";
import { encodeUtf8 } from "../../../../p2p/core/utf8.ts";
import { sampleNote, sampleRoom, testNow, knowing, sealingBy } from "../../fixtures.ts";

const { crypto, keys, secret } = sampleRoom("note");
const roomKey = keys.root.key;
const author = createKeyPair(crypto);
const rng = new Rng("note");

function seal(changes: Partial<Note> = {}): Uint8Array {
  return sealNote(crypto, { number: 1, secret }, roomKey, author.seed, { ...sampleNote(), ...changes });
}

function open(bytes: Uint8Array): ReturnType<typeof openNote> {
  return openNote(crypto, knowing(secret), roomKey, bytes);
}

/** What of a note is signed, and a seal around whatever bytes. */
function resealed(body: Uint8Array, seed: Uint8Array): Uint8Array {
  const signature = crypto.sign(seed, concat(encodeUtf8("teahouse note 1"), roomKey, body));
  const [mark, nonce] = [Uint8Array.of(1), rng.bytes(12)];
  const key = crypto.hkdf(secret, encodeUtf8("teahouse note key 1"), 32);
  return concat(mark, nonce, crypto.seal(key, nonce, concat(roomKey, mark), concat(body, signature), 16));
}

function bodyOf(bytes: Uint8Array): Uint8Array {
  const key = crypto.hkdf(secret, encodeUtf8("teahouse note key 1"), 32);
  const plain = crypto.open(key, bytes.subarray(1, 13), concat(roomKey, bytes.subarray(0, 1)), bytes.subarray(13), 16);
  if (!plain) throw new Error("not under this key");
  return plain.subarray(0, -64);
}

describe("notes", () => {
  it("[RM28] open for members, with who signed them", () => {
    expect(open(seal())).toEqual({ ...sampleNote(), identityKey: author.key });
  });

  it("[RM28] show a relay nothing, and are never the same bytes", () => {
    const [one, two] = [seal(), seal()];
    expect(equal(one, two)).toBe(false);
    for (const part of [sampleNote().id, author.key, encodeUtf8("tea"), encodeUtf8("Chiyo"), roomKey]) {
      expect(Buffer.from(one).includes(Buffer.from(part))).toBe(false);
    }
    expect(openNote(crypto, knowing(rng.bytes(32)), roomKey, one)).toBeUndefined();
    expect(openNote(crypto, knowing(secret), rng.bytes(32), one)).toBeUndefined();
  });

  it("[RM28] are refused with anything changed, cut or added", () => {
    const bytes = seal();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(open(changed)).toBeUndefined();
      expect(open(bytes.subarray(0, at))).toBeUndefined();
    }
    expect(open(concat(bytes, Uint8Array.of(0)))).toBeUndefined();
  });

  it("[RM28] nobody, with the room's secret either, types in another's name", () => {
    const body = bodyOf(seal());
    expect(open(resealed(body, author.seed))).toBeDefined();
    expect(open(resealed(body, createKeyPair(crypto).seed))).toBeUndefined();
  });

  it("[RM28] the longest of any script fits what neighbours take; longer and empty ones are not read", () => {
    const widest = { name: "n".repeat(96), text: "\u{1f375}".repeat(noteCharactersMax) };
    expect(seal(widest).length).toBe(noteBytesMax);
    expect(open(seal(widest))).toMatchObject(widest);
    expect(open(seal({ text: "x".repeat(noteCharactersMax) }))).toBeDefined();
    expect(open(seal({ text: "x".repeat(noteCharactersMax + 1) }))).toBeUndefined();
    expect(open(seal({ text: "" }))).toBeUndefined();
    expect(open(seal({ name: "n".repeat(97) }))).toBeUndefined();
  });

  it("[RM28] of another version, or with more behind the text, are not read", () => {
    const body = bodyOf(seal());
    const other = body.slice();
    other[0] = 1;
    expect(open(resealed(other, author.seed))).toBeUndefined();
    expect(open(resealed(concat(body, Uint8Array.of(0)), author.seed))).toBeUndefined();
  });
});

/** What was said and is on its way. */
function sent(said: Said): Extract<Said, object> {
  if (typeof said !== "object") throw new Error(said ?? "nothing was said");
  return said;
}

describe("a chat", () => {
  const chat = (identity = createKeyPair(crypto)): Chat =>
    new Chat(crypto, sealingBy(secret).words, { roomKey, identity, name: "Chiyo" });

  it("[RM28] cuts what is typed to 280 characters and types nothing of nothing", () => {
    const own = chat();
    expect(own.write(" \n\t ", undefined, testNow)).toBeUndefined();
    const written = own.write(`  ${"\u{1f375}".repeat(300)}  `, undefined, testNow);
    expect(sent(written).event).toMatchObject({ self: true, at: testNow, text: "\u{1f375}".repeat(280) });
    expect(chat().read(sent(written).sealed, undefined, testNow)).toMatchObject({
      self: false,
      text: "\u{1f375}".repeat(280),
    });
  });

  it("[RM28] shows a note once, its own too, and another's although it has the same id", () => {
    const reader = chat(author);
    const own = reader.write("mine", undefined, testNow);
    expect(reader.read(sent(own).sealed, undefined, testNow)).toBe("shown");
    const stranger = createKeyPair(crypto);
    const theirs = sealNote(crypto, { number: 1, secret }, roomKey, stranger.seed, sampleNote());
    expect(reader.read(seal(), undefined, testNow)).toMatchObject({ self: true, text: sampleNote().text });
    expect(reader.read(theirs, undefined, testNow)).toMatchObject({ self: false, text: sampleNote().text });
    // The same note sealed anew is the same note.
    for (const bytes of [seal(), theirs]) expect(reader.read(bytes, undefined, testNow)).toBe("shown");
    expect(reader.read(concat(Uint8Array.of(1), rng.bytes(300)), undefined, testNow)).toBe("note");
    expect(reader.read(Uint8Array.of(1), undefined, testNow)).toBe("note");
  });

  it("[RM28] remembers 4,096, the oldest forgotten first", () => {
    const [reader, writer] = [chat(), chat()];
    const sealed = Array.from(
      { length: 4097 },
      (_, index) => sent(writer.write(`${index}`, undefined, testNow)).sealed,
    );
    for (const bytes of sealed) expect(reader.read(bytes, undefined, testNow)).not.toBe("shown");
    expect(reader.read(sealed[4096]!, undefined, testNow)).toBe("shown");
    expect(reader.read(sealed[1]!, undefined, testNow)).toBe("shown");
    expect(reader.read(sealed[0]!, undefined, testNow)).toMatchObject({ text: "0" });
  });
});
