/**
 * Trouble that a person can meet. The message is one sentence that says what to do; the code is stable.
 */
export type ErrorCode =
  | "usage"
  | "invite-damaged"
  | "invite-expired"
  | "invite-version"
  | "invite-not-yet"
  | "card-damaged"
  | "card-version"
  | "proxy-damaged"
  | "proxy-hides"
  | "port-taken"
  | "address-unusable"
  | "no-network"
  | "room-not-found"
  | "refused-by-relay"
  | "refused-relay-full"
  | "refused-only-own"
  | "banned"
  | "locked"
  | "wrong-version"
  | "kicked"
  | "ended"
  | "not-allowed"
  | "not-here"
  | "stage-full"
  | "list-full"
  | "slow-mode"
  | "silenced"
  | "forked"
  | "invite-revoked"
  | "invite-used"
  | "not-let-in"
  | "passphrase-needed"
  | "passphrase-wrong"
  | "audio-missing"
  | "audio-unreadable"
  | "audio-empty"
  | "file-unreadable"
  | "stalled"
  | "frozen"
  | "internal";

/** Process exit codes, from the command-line contract. */
export const exitCodes: Record<ErrorCode, 2 | 3 | 4 | 5 | 70> = {
  usage: 2,
  "invite-damaged": 2,
  "invite-version": 4,
  "invite-expired": 4,
  "invite-not-yet": 4,
  "card-damaged": 2,
  "card-version": 4,
  "proxy-damaged": 2,
  "proxy-hides": 2,
  "port-taken": 2,
  "address-unusable": 2,
  "no-network": 3,
  "room-not-found": 3,
  "refused-by-relay": 4,
  "refused-relay-full": 4,
  "refused-only-own": 4,
  banned: 4,
  locked: 4,
  "wrong-version": 4,
  kicked: 4,
  ended: 4,
  "not-allowed": 4,
  "not-here": 4,
  "stage-full": 4,
  "list-full": 4,
  "slow-mode": 4,
  silenced: 4,
  forked: 4,
  "invite-revoked": 4,
  "invite-used": 4,
  "not-let-in": 4,
  "passphrase-needed": 2,
  "passphrase-wrong": 2,
  "audio-missing": 5,
  "audio-unreadable": 5,
  "audio-empty": 5,
  "file-unreadable": 5,
  stalled: 3,
  frozen: 3,
  internal: 70,
};

/** An error meant for a person: thrown by API calls and composition, never by the pure core. */
export class TeahouseError extends Error {
  override readonly name = "TeahouseError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
