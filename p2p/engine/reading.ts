import type { Invites } from "../api/engine.ts";
import { type ErrorCode, TeahouseError } from "../api/errors.ts";
import type { Millis } from "../api/ids.ts";
import type { Crypto } from "../core/crypto.ts";
import type { HostRelay } from "../core/peer-io.ts";
import { parseCard } from "../core/room/invite/card.ts";
import { encodeInvite, type Invite, parseInvite } from "../core/room/invite/invite.ts";
import { drawSalt, lockInvite, saltOf, unlockInvite } from "../core/room/invite/locked-invite.ts";
import { cardFaults, inviteFaults, sentences } from "./sentences.ts";

/** Trouble of this kind, with its sentence. */
export function fault(code: ErrorCode): TeahouseError {
  return new TeahouseError(code, sentences[code]);
}

/** The invite in a pasted text. Throws the sentence that says what is wrong with it. */
export function readInvite(crypto: Crypto, text: string): Invite {
  const invite = parseInvite(crypto, text);
  if (invite.ok) return invite.value;
  const [code, sentence] = inviteFaults[invite.reason];
  throw new TeahouseError(code, sentence);
}

/** What passphrases need: it takes a second. */
export interface Locksmith {
  readonly crypto: Crypto;
  readonly stretch?: ((passphrase: string, salt: Uint8Array) => Promise<Uint8Array>) | undefined;
}

/** The invite in a pasted text, which may ask for a passphrase. Throws like `readInvite`. */
export async function openInvite(smith: Locksmith, text: string, passphrase: string | undefined): Promise<Invite> {
  const salt = saltOf(text);
  if (!salt) return readInvite(smith.crypto, text);
  if (passphrase === undefined || passphrase === "") throw fault("passphrase-needed");
  const key = await keyOf(smith, passphrase, salt);
  const inner = unlockInvite(smith.crypto, key, text);
  key.fill(0);
  if (inner === undefined) throw fault("passphrase-wrong");
  return readInvite(smith.crypto, inner);
}

/** The invite as text, which asks for a passphrase when there is one. */
export async function writeInvite(smith: Locksmith, invite: Invite, passphrase: string | undefined): Promise<string> {
  const text = encodeInvite(smith.crypto, invite);
  if (passphrase === undefined || passphrase === "") return text;
  const salt = drawSalt(smith.crypto);
  const key = await keyOf(smith, passphrase, salt);
  const locked = lockInvite(smith.crypto, key, salt, text);
  key.fill(0);
  return locked;
}

function keyOf({ stretch }: Locksmith, passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  if (!stretch) throw fault("internal");
  return stretch(passphrase, salt);
}

/** The relay of a pasted card. Throws like `readInvite`. */
export function readCard(crypto: Crypto, text: string, now: Millis): HostRelay {
  const card = parseCard(crypto, text, now);
  if (card.ok) return card.value;
  const [code, sentence] = cardFaults[card.reason];
  throw new TeahouseError(code, sentence);
}

/** Every invite of a room as text. */
export function writeInvites(crypto: Crypto, invites: Readonly<Record<keyof Invites, Invite>>): Invites {
  const { listener, speaker, moderator, heir } = invites;
  const text = (invite: Invite): string => encodeInvite(crypto, invite);
  return { listener: text(listener), speaker: text(speaker), moderator: text(moderator), heir: text(heir) };
}
