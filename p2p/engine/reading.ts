import type { Invites } from "../api/engine.ts";
import { type ErrorCode, TeahouseError } from "../api/errors.ts";
import type { Millis } from "../api/ids.ts";
import type { Crypto } from "../core/crypto.ts";
import type { HostRelay } from "../core/peer-io.ts";
import { parseCard } from "../core/room/card.ts";
import { encodeInvite, type Invite, parseInvite } from "../core/room/invite.ts";
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
