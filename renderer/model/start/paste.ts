import { limits } from "../../../p2p/api/limits.ts";

/** What a pasted text, a dropped file or an opened link seems to be. The engine has the last word. */
export type Pasted = "invite" | "card" | "other-version" | "unknown" | "empty" | "too-long";

/** What chat programs and mail put into a long line, as in the engine's own reader. */
const noise = /[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"'`<>«»‘-‟‹›「-』＂＇]/gu;
/** The only version of both texts that this window speaks. */
const version = "1";

/** Tells an invite from a card by its first letters, so that each can be sent where it belongs. */
export function lookAt(text: string): Pasted {
  if (text.length > limits.inviteCharactersMax) return "too-long";
  const clean = text.replace(noise, "");
  if (clean === "") return "empty";
  const match = /th(?<kind>[ic])(?<version>\d{1,4})-/i.exec(clean);
  if (match?.groups === undefined) return "unknown";
  if (match.groups["version"] !== version) return "other-version";
  return match.groups["kind"]?.toLowerCase() === "i" ? "invite" : "card";
}

/**
 * The relay cards of a text that is a card or several, each with whatever follows it. Never none: who pasted a card must
 * not become the relay.
 */
export function cardsIn(text: string): readonly string[] {
  const cards = text.split(/(?=thc\d{1,4}-)/i).filter((piece) => lookAt(piece) === "card");
  return cards.length === 0 ? [text] : cards;
}
