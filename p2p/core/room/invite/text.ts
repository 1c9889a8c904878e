import { limits } from "../../../api/limits.ts";
import { decodeBase64url, encodeBase64url } from "../../base64url.ts";
import { concat, equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { failed, ok, type Result } from "../../result.ts";

/** What people pass on as text: an invite, `thi1-…`, or a relay card, `thc1-…`. */
export type TextKind = "invite" | "card";

/** `missing`: no such text here. `other-kind`: it is one of the other kind. */
export type TextReason = "missing" | "other-kind" | "version" | "too-long";

/** The one version of both texts, and the first byte of both encodings. */
export const textVersion = 1;
/** A checksum against slips of hand and paper; it keeps out no forger, signatures do. */
export const checksumBytes = 4;
const letterOf: Readonly<Record<TextKind, string>> = { invite: "i", card: "c" };

/**
 * What chat programs, mail and word processors put into a line: white space, zero-width and direction marks, soft
 * hyphens, quotation marks of many languages, and the `>` of a quoted mail.
 */
const noise = /[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"'`<>«»‘-‟‹›「-』＂＇]/gu;

/** The text of an encoding. */
export function encodeText(kind: TextKind, bytes: Uint8Array): string {
  return `th${letterOf[kind]}${textVersion}-${encodeBase64url(bytes)}`;
}

/**
 * Finds a text in what a person pasted: alone, in a sentence, in any link's fragment, or broken over lines. The bytes
 * may have a tail that belongs to whatever followed; the encoding itself says where it ends.
 */
export function findText(kind: TextKind, pasted: string): Result<Uint8Array, TextReason> {
  if (pasted.length > limits.inviteCharactersMax) return failed("too-long");
  const clean = pasted.replace(noise, "");
  const match = new RegExp(`th${letterOf[kind]}(\\d{1,4})-([\\w-]*)`, "i").exec(clean);
  if (match === null) return failed(/th[ic]\d{1,4}-/i.test(clean) ? "other-kind" : "missing");
  if (match[1] !== String(textVersion)) return failed("version");
  return ok(decodeBase64url(match[2] ?? "") ?? new Uint8Array(0));
}

/** Appends the checksum of everything before it. */
export function addChecksum(crypto: Crypto, bytes: Uint8Array): Uint8Array {
  return concat(bytes, crypto.sha256(bytes).subarray(0, checksumBytes));
}

/** Whether `bytes` holds, at `length`, the checksum of the `length` bytes before. */
export function checksumFits(crypto: Crypto, bytes: Uint8Array, length: number): boolean {
  const sum = crypto.sha256(bytes.subarray(0, length)).subarray(0, checksumBytes);
  return equal(sum, bytes.subarray(length, length + checksumBytes));
}
