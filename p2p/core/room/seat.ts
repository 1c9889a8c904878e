import type { Authority } from "./authority.ts";
import type { Capability } from "./capability.ts";
import type { Invite } from "./invite.ts";
import type { KeyPair } from "./keys.ts";

/** Who sits here: a room, and what this person holds of it. */
export interface Seat {
  readonly roomKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
  /** A fresh key for this room and run. */
  readonly identity: KeyPair;
  /** Root first; the last grantee is `identity`. */
  readonly chain: readonly Capability[];
  /** Fresh for this run and never used again: nonces depend on it ([PK6]). */
  readonly voice: KeyPair;
  readonly name: string;
  /** Only with a host. */
  readonly authority: Authority | undefined;
  /** By which a guest came; undefined with a host. */
  readonly invite: Invite | undefined;
  /** Whether to ask for the stage at once: somebody comes back who was there. */
  readonly returnsToStage: boolean;
}
