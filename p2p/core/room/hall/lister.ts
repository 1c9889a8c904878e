import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { Crypto } from "../../crypto.ts";
import { recordHour } from "../../discovery/record.ts";
import { branchOf } from "../asking/petition.ts";
import type { Invite } from "../invite/invite.ts";
import type { Authority } from "../keeper/authority.ts";
import type { RoomState } from "../state/state.ts";
import type { Publication } from "./records.ts";
import { encodeListing, type HallSpot, spotKey, paymentOf, spotsOf, workIn } from "./listing.ts";

/** A listing is put again this often, as a room's record is, with who is there by then. */
const putEveryMs = 10 * 60_000;
/** Work is done in pieces of about two milliseconds, so often. */
const triesAtOnce = 1_000;
const pieceEveryMs = 10;
/** An invite is listed for so long; whoever came by it stays for the rest of its week. */
const inviteEveryMs = 24 * 3_600_000;
/** Those that are good yet: one for each day of their week, and as many of links that were replaced. */
const listedMax = 16;

interface Spot extends HallSpot {
  /** What was tried last, 8 bytes. */
  readonly work: Uint8Array;
  isPaid: boolean;
}

/** Lists an open room in the hall, for as long as it is open and somebody acts for it. */
export class Lister {
  readonly #crypto: Crypto;
  #hour = -1;
  #spots: readonly Spot[] = [];
  #dueAt: Millis | undefined;
  #invite: { readonly invite: Invite; readonly generation: number; readonly at: Millis } | undefined;

  /** Invites that were listed, by their branches. */
  #listed: Uint8Array[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** When there is something to do next; undefined while the room is not open. */
  get dueAt(): Millis | undefined {
    return this.#dueAt;
  }

  /** Pays for places, a piece at a time, and says what is to be put there. `members`: who is here. */
  run(
    authority: Authority | undefined,
    members: number,
    issue: () => Invite | undefined,
    now: Millis,
    time: Millis,
  ): Publication[] {
    if (!authority || authority.state.access !== "open" || authority.state.ended || authority.carrying.length === 0) {
      this.#dueAt = undefined;
      return [];
    }
    this.#dueAt ??= now;
    if (now < this.#dueAt) return [];
    const tag = authority.keys.carriage.key;
    this.#draw(tag, recordHour(time));
    if (!this.#pay(tag)) {
      this.#dueAt = millis(now + pieceEveryMs);
      return [];
    }
    const hourEndsAt = (this.#hour + 1) * 3_600_000;
    this.#dueAt = millis(now + Math.min(putEveryMs, Math.max(pieceEveryMs, hourEndsAt - time)));
    const { seed, capability } = authority.keys.session;
    const invite = this.#inviteOf(authority, issue, time);
    if (!invite) return [];
    const listing = { title: authority.state.title, members, invite: { ...invite, hints: authority.hints } };
    return this.#spots.map((spot) => ({
      key: spotKey(this.#crypto, spot),
      value: encodeListing(this.#crypto, spot, listing, spot.work, { seed, capability }, time),
    }));
  }

  /** Invites that everybody could read here and that end with the room's being open: each is named once. */
  takeEnded(state: Pick<RoomState, "access"> | undefined): readonly Uint8Array[] {
    if (!state || state.access === "open") return [];
    this.#invite = undefined;
    return this.#listed.splice(0);
  }

  #draw(tag: Uint8Array, hour: number): void {
    if (hour === this.#hour) return;
    this.#hour = hour;
    const spots = spotsOf(this.#crypto, tag, hour);
    this.#spots = spots.map((spot) => ({ ...spot, work: this.#crypto.randomBytes(8), isPaid: false }));
  }

  /** True when all is paid. */
  #pay(tag: Uint8Array): boolean {
    const spot = this.#spots.find(({ isPaid }) => !isPaid);
    if (!spot) return true;
    const payment = paymentOf(tag, spot, spot.work);
    const counter = new DataView(payment.buffer, payment.byteOffset + payment.length - 4, 4);
    for (let tries = 0; tries < triesAtOnce && !spot.isPaid; tries++) {
      counter.setUint32(0, (counter.getUint32(0) + 1) >>> 0);
      spot.isPaid = workIn(this.#crypto, payment) >= limits.hallWorkBits;
    }
    spot.work.set(payment.subarray(-spot.work.length));
    return this.#spots.every(({ isPaid }) => isPaid);
  }

  /** One for a day, unless the link was replaced: each is a door more. */
  #inviteOf({ state }: Authority, issue: () => Invite | undefined, time: Millis): Invite | undefined {
    const known = this.#invite;
    if (known?.generation === state.generation && time - known.at < inviteEveryMs) return known.invite;
    const invite = issue();
    if (invite) this.#listed.push(branchOf(this.#crypto, this.#crypto.publicKey(invite.inviteSeed)));
    this.#listed = this.#listed.slice(-listedMax);
    this.#invite = invite && { invite, generation: state.generation, at: time };
    return invite;
  }
}
