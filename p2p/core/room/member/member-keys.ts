import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { KeyReader } from "../../overlay/news/key-notices.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import { PacketOpener, PacketSealer } from "../../packet/seal.ts";
import { type Commit, parseCommit } from "../epoch/commit.ts";
import { EpochHolder } from "../epoch/holder.ts";
import { EpochKeeper, type KeeperRules } from "../epoch/keeper.ts";
import { type Epoch, epochSecret, type KeyPair } from "../rights/keys.ts";
import type { Seat } from "./seat.ts";

/** What keys need of their member. */
export interface KeysWires extends KeeperRules {
  /** The best time known here. */
  time(now: Millis): Millis;
}

/**
 * A member's media keys: it seals and opens by the epoch in force, asks for keys and follows them; and keeps everybody's while
 * its person leads the room.
 */
export class MemberKeys implements KeyReader {
  readonly opener: PacketOpener;
  readonly sealer: PacketSealer;
  readonly #crypto: Crypto;
  readonly #seat: Seat;
  readonly #node: RoomNode;
  readonly #holder: EpochHolder;
  readonly #wires: KeysWires;
  #keeper: EpochKeeper | undefined;
  /** By whose key the keys paper was signed last. */
  #session: KeyPair | undefined;
  #epoch: Epoch;

  constructor(crypto: Crypto, seat: Seat, node: RoomNode, wires: KeysWires) {
    this.#crypto = crypto;
    this.#seat = seat;
    this.#node = node;
    this.#wires = wires;
    this.#epoch = { number: 0, secret: epochSecret(crypto, seat.secret, seat.tag, 0) };
    this.opener = new PacketOpener(crypto, this.#epoch);
    this.sealer = new PacketSealer(crypto, seat.tag, seat.voice.seed, this.#epoch);
    this.#holder = new EpochHolder(crypto, seat, { identity: seat.identity, chain: seat.chain });
  }

  /** Low 8 bits of the epoch that a leader's view names. */
  get epochOfView(): number {
    return (this.#keeper?.epoch.number ?? this.#holder.roomEpoch) % 256;
  }

  /** The same person, by another invite: keys are asked for by that one. */
  reseat(chain: Seat["chain"]): void {
    this.#holder.reseat(chain);
  }

  /** When something is to be done here next. */
  get dueAt(): Millis | undefined {
    return this.#keeper ? this.#keeper.dueAt : this.#holder.askAt;
  }

  /** Leads from now on, or goes on under a new session: tells everybody where to enrol. After the view that names the session. */
  lead(session: KeyPair, now: Millis): void {
    if (this.#session === session) return;
    this.#session = session;
    const { roomKey, secret, tag } = this.#seat;
    const room = { roomKey, secret, tag };
    this.#keeper ??= new EpochKeeper(this.#crypto, room, false, this.#wires, this.#holder.history, now);
    this.#keeper.catchUp(this.#holder.roomEpoch, now);
    this.tell(now);
  }

  /** Another leads. */
  stepDown(): void {
    this.#keeper?.wipe();
    this.#keeper = undefined;
    this.#session = undefined;
  }

  /** A fresh epoch, without those who may hold keys no more. The view that names it is to be issued next, and then `tell` called. */
  rekey(now: Millis): void {
    this.#keeper?.rekey(now);
  }

  /** Tells the commit that was made, and gives keys to who came by it. */
  tell(now: Millis): void {
    const [keeper, session] = [this.#keeper, this.#session];
    if (!keeper || !session) return;
    const bytes = keeper.paper(session, now);
    this.#use(keeper.epoch);
    const commit = parseCommit(bytes);
    if (commit) this.#node.notices.keys.adopt(commit, bytes, now);
    for (const grant of keeper.granted(session.seed)) this.#node.notices.keys.passGrant(grant, now);
  }

  /** Asks for our own keys when it is time. When an epoch is due by itself, `issue` issues the view that names it. */
  run(now: Millis, issue: () => void): void {
    if (this.#keeper?.runDue(now)) {
      issue();
      this.tell(now);
    }
    const enrolment = this.#keeper ? undefined : this.#holder.enrol(now);
    if (enrolment) this.#node.notices.keys.passEnrolment(enrolment, undefined, now);
  }

  taken(commit: Commit, now: Millis): void {
    if (this.#keeper) this.#keeper.catchUp(commit.epoch, now);
    else if (this.#holder.takeCommit(commit, now)) this.#use(this.#holder.epoch);
  }

  enrolmentSeen(bytes: Uint8Array, now: Millis): void {
    if (!this.#keeper || !this.#session) return;
    const answer = this.#keeper.take(bytes, this.#session.seed, this.#wires.time(now));
    if (answer === "refused") this.#node.spread.reject("enrolment");
    else if (answer) this.#node.notices.keys.passGrant(answer, now);
  }

  grantCame(bytes: Uint8Array): void {
    const changed = this.#holder.takeGrant(bytes);
    if (changed === undefined) this.#node.spread.reject("grant");
    else if (changed) this.#use(this.#holder.epoch);
  }

  /** What is sealed from now on is sealed for the view's epoch, as soon as it is known. */
  viewTaken(epoch: number): void {
    if (epoch === this.#epoch.number % 256) this.sealer.setEpoch(this.#epoch);
  }

  /** Says that we go for good, and overwrites every secret. */
  leave(now: Millis): void {
    const enrolment = this.#keeper ? undefined : this.#holder.leave();
    if (enrolment) this.#node.notices.keys.passEnrolment(enrolment, undefined, now);
    this.stepDown();
    this.#holder.wipe();
    this.sealer.wipe();
    this.opener.wipe();
    this.#seat.identity.seed.fill(0);
  }

  /** Opens by it from now on, and seals by it once the view in force names it: relays pass on nothing else. */
  #use(epoch: Epoch | undefined): void {
    if (!epoch || epoch.number <= this.#epoch.number) return;
    this.#epoch = { number: epoch.number, secret: epoch.secret.slice() };
    this.opener.setEpoch(this.#epoch);
    if (this.#node.view) this.viewTaken(this.#node.view.epoch);
  }
}
