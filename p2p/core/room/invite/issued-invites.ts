import { type Millis, millis } from "../../../api/ids.ts";
import type { InviteTerms, IssuedInvite } from "../../../api/room.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { Authority } from "../keeper/authority.ts";
import type { Invite } from "./invite.ts";
import { branchOf } from "../asking/petition.ts";
import { hasRoomForUse, useOf } from "../state/lists.ts";
import { hasKey, type RoomState } from "../state/state.ts";

/** Invites that one engine remembers having given out. */
const issuedMax = 256;

type Remembered = IssuedInvite & { readonly branch: Uint8Array };

/** The invites that one person gave out, so that they can be taken back. Their texts are not among it. */
export class IssuedInvites {
  readonly #crypto: Crypto;
  readonly #list: Remembered[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Newest last, with what became of them. */
  in(state: RoomState | undefined): readonly IssuedInvite[] {
    const revoked = state?.revoked ?? [];
    return this.#list.map(({ branch, ...invite }) => ({ ...invite, revoked: hasKey(revoked, branch) }));
  }

  /** Makes one and remembers it, or says why not. */
  issue(authority: Authority | undefined, terms: InviteTerms, now: Millis): Invite | "not-allowed" | "list-full" {
    if (!authority) return "not-allowed";
    if (terms.singleUse && !hasRoomForUse(authority.state, this.#outstanding(authority.state, now))) return "list-full";
    const invite = authority.issueInvite(terms, now);
    const last = invite.chain.at(-1);
    if (!last) return "not-allowed";
    const branch = branchOf(this.#crypto, last.grantee);
    const { role, singleUse } = terms;
    const hasPassphrase = terms.passphrase !== undefined;
    const expires = millis(last.expires * 1000);
    this.#list.push({ id: toHex(branch), role, expires, singleUse, hasPassphrase, revoked: false, branch });
    if (this.#list.length > issuedMax) this.#list.shift();
    return invite;
  }

  /** Invites for one that somebody may still come by: the room has to remember each that was used. */
  #outstanding(state: RoomState, now: Millis): number {
    const isOpen = ({ singleUse, expires, branch }: Remembered): boolean =>
      singleUse && expires > now && !hasKey(state.revoked, branch) && useOf(state, branch) === undefined;
    return this.#list.filter(isOpen).length;
  }
}
