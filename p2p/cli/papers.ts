import { TeahouseError } from "../api/errors.ts";
import type { ErrorCode } from "../api/errors.ts";
import { parseCard } from "../core/room/invite/card.ts";
import { saltOf } from "../core/room/invite/locked-invite.ts";
import { parseInvite } from "../core/room/invite/invite.ts";
import { cardFaults, inviteFaults } from "../engine/sentences.ts";
import { createClock } from "../io/clock.ts";
import { createCrypto } from "../io/crypto.ts";

/**
 * Throws `TeahouseError` with the fault of a pasted invite, as `join` would: but before this computer has said
 * anything to any network.
 */
export function checkInvite(text: string): void {
  // What is in it shows when its passphrase opens it.
  if (saltOf(text)) return;
  const invite = parseInvite(createCrypto(), text);
  if (!invite.ok) throw faultOf(inviteFaults[invite.reason]);
}

/** The same for a relay's card. */
export function checkCard(text: string): void {
  const card = parseCard(createCrypto(), text, createClock().now());
  if (!card.ok) throw faultOf(cardFaults[card.reason]);
}

function faultOf([code, sentence]: readonly [ErrorCode, string]): TeahouseError {
  return new TeahouseError(code, sentence);
}
