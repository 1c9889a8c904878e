import type { RelayAddress } from "../../../api/link.ts";
import type { Authority } from "../keeper/authority.ts";
import type { Crypto } from "../../crypto.ts";
import { type Capability, issueCapability, rights } from "../rights/capability.ts";
import type { Capsule } from "../keeper/capsule.ts";
import { fittingHints, type Invite } from "../invite/invite.ts";
import type { KeyHistory } from "../epoch/keeper.ts";
import type { RoomSecrets } from "../epoch/secrets.ts";
import type { KeyPair } from "../rights/keys.ts";
import type { Pass } from "../rights/pass.ts";

/** Who sits here: a room, and what this person holds of it. */
export interface Seat {
  readonly roomKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
  /** Relays to try first. */
  readonly hints: readonly RelayAddress[];
  /** A fresh key for this room and run. */
  readonly identity: KeyPair;
  /** Its own door in this room. */
  readonly door: KeyPair;
  /** Root first; the last grantee is `identity`. */
  readonly chain: readonly Capability[];
  /** Fresh for this run and never used again: nonces depend on it ([PK6]). */
  readonly voice: KeyPair;
  readonly name: string;
  /** What papers are sealed and opened with. */
  readonly secrets: RoomSecrets;
  /** The keys that somebody had who comes back, where keys are given. */
  readonly keys: KeyHistory | undefined;
  /** And the word that it was inside. */
  readonly pass: Pass | undefined;
  /** Only with a host. */
  readonly authority: Authority | undefined;
  /** By which a guest came; undefined with a host. */
  readonly invite: Invite | undefined;
  /** Whether to ask for the stage at once: somebody comes back who was there. */
  readonly returnsToStage: boolean;
  /** Somebody comes back who was in the room. */
  readonly comesBack: boolean;
}

/** The last link of a chain: everything the parent gives but the right to give it on. */
export function delegate(
  crypto: Crypto,
  roomKey: Uint8Array,
  seed: Uint8Array,
  parent: Capability,
  grantee: Uint8Array,
): Capability {
  const { role, notBefore, expires } = parent;
  const terms = { role, rights: parent.rights & ~rights.grant, notBefore, expires, sequence: 0, grantee };
  return issueCapability(crypto, roomKey, seed, terms, parent);
}

/** What another engine needs to come back as this person; a host comes back to all of its room. */
export function capsuleOf(
  { authority, identity, invite, name, secrets }: Seat,
  relays: readonly RelayAddress[] | undefined,
  onStage: boolean,
  history: KeyHistory | undefined,
  pass: Pass | undefined,
): Capsule | undefined {
  const keys = history && copyOf(history);
  if (authority) return authority.capsule(identity.seed.slice(), keys);
  if (!invite) return undefined;
  const hints = fittingHints(relays ?? invite.hints);
  return {
    kind: "guest",
    invite: { ...invite, hints },
    identitySeed: identity.seed.slice(),
    name,
    onStage,
    history: keys,
    pass,
    serials: secrets.serials?.slice(),
  };
}

function copyOf({ number, secret, era }: KeyHistory): KeyHistory {
  return { number, secret: secret.slice(), era: { number: era.number, secret: era.secret.slice() } };
}

/** The same person, by another invite. */
export function reseated(crypto: Crypto, seat: Seat, invite: Invite): Seat {
  const last = invite.chain.at(-1);
  if (!last) return seat;
  const own = delegate(crypto, seat.roomKey, invite.inviteSeed, last, seat.identity.key);
  return { ...seat, invite, chain: [...invite.chain, own] };
}
