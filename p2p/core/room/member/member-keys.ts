import { earlier } from "../../machine.ts";
import { type Millis, millis, type PeerId, type RoomTag } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { KeyReader } from "../../overlay/news/key-notices.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import { PacketOpener, PacketSealer } from "../../packet/seal.ts";
import { type Commit, parseCommit } from "../epoch/commit.ts";
import { handOverBytes } from "../epoch/hand-over.ts";
import { EpochHolder } from "../epoch/holder.ts";
import { EpochKeeper, type KeeperRules, type KeyHistory } from "../epoch/keeper.ts";
import { createKeyPair, type Epoch, firstEpoch, type HostSession } from "../rights/keys.ts";
import { doorsOf } from "./entry.ts";
import { passHolds, proveDoor } from "../rights/doors.ts";
import { type Pass, serialOf, signPass } from "../rights/pass.ts";
import { markOf, type RoomState } from "../state/state.ts";
import type { RelayView } from "../state/view.ts";
import { RetiringVoices } from "./retiring.ts";
import { equal, toHex } from "../../bytes.ts";
import { assert } from "../../assert.ts";
import type { Hello } from "../../session/frames.ts";
import type { Seat } from "./seat.ts";

/** Signs keys papers, grants and passes. */
type Signer = Pick<HostSession, "seed" | "key" | "certificate">;

/** Who may act for the room asks at most this often for what only whoever does can tell: it may not know either. */
const serialsEveryMs = 60_000;

/** Who is on stage by a voice key from before asks to be there by the one in use, no more often than petitions are repeated. */
const askAgainMs = 2_000;

/** What keys need of their member. */
export interface KeysWires extends Omit<KeeperRules, "handedOver" | "handed" | "wasInside" | "passFor"> {
  /** Whether somebody may act for the room one day. */
  mayLead(identityKey: Uint8Array): boolean;
  /** Whether by this era's secret something opens that could not be read. */
  opens(era: Epoch): boolean;
  /** What could not be opened before may open now. */
  secretsCame(now: Millis): void;
  readonly self: PeerId;
  /** The room, where our voice key may be another one: not a host's, nor while we ask for something by it. */
  voiceState(): RoomState | undefined;
  /** We are on stage by a voice key from before. */
  speakAgain(now: Millis): void;
  /** We sit here by another voice key. */
  reseat(seat: Seat): void;
  /** The best time known here. */
  time(now: Millis): Millis;
}

/**
 * A member's media keys: it seals and opens by the epoch in force, asks for keys and follows them; and keeps everybody's while
 * its person leads the room.
 */
export class MemberKeys implements KeyReader {
  readonly opener: PacketOpener;
  /** By the voice key in use: another one after each time on stage. */
  sealer: PacketSealer;
  /** Voice keys that were let go: ours, and where we keep the room those that others handed over. */
  readonly #retiring: RetiringVoices;
  /** Whether the voice key in use was on stage. */
  #wasOnStage = false;
  /** When to ask next to be on stage by the voice key in use. */
  #askAgainAt = millis(0);
  readonly #crypto: Crypto;
  #seat: Seat;
  readonly #node: RoomNode;
  readonly #holder: EpochHolder;
  readonly #wires: KeysWires;
  #keeper: EpochKeeper | undefined;
  /** By whose key the keys paper was signed last. */
  #session: Signer | undefined;
  #serialsAskedAt: Millis | undefined;
  #epoch: Epoch;

  constructor(crypto: Crypto, seat: Seat, node: RoomNode, wires: KeysWires, now: Millis) {
    this.#crypto = crypto;
    this.#seat = seat;
    this.#node = node;
    this.#wires = wires;
    this.#retiring = new RetiringVoices(crypto);
    const first = firstEpoch(crypto, seat.secret, seat.tag);
    const start = seat.keys ?? { ...first.epoch, era: first.era };
    this.#epoch = { number: start.number, secret: start.secret.slice() };
    this.opener = new PacketOpener(crypto, start);
    this.sealer = new PacketSealer(crypto, seat.tag, seat.voice.seed, start);
    const { identity, door, chain, pass } = seat;
    const self = { identity, door, chain, pass, papers: seat.secrets.papers };
    this.#holder = new EpochHolder(crypto, seat, self, seat.keys);
    const { words, papers } = seat.secrets;
    if (seat.keys || seat.authority) {
      words.take(start, now);
      papers.take(start.era, now);
    } else {
      // An open room's papers are read at once; what is sealed waits for the word that it still is open.
      words.lend(start, now);
      papers.lend(start.era, now);
    }
    // Everybody has a copy.
    first.epoch.secret.fill(0);
    first.era.secret.fill(0);
  }

  /** What another engine, or whoever takes the keys over, goes on from; undefined as long as they follow from the invite. */
  get history(): KeyHistory | undefined {
    const keeper = this.#keeper;
    return keeper?.mode === "tree" ? { ...keeper.epoch, era: keeper.era } : this.#holder.history;
  }

  /** Low 8 bits of the epoch that a leader's view names. */
  get epochOfView(): number {
    return (this.#keeper?.epoch.number ?? this.#holder.roomEpoch) % 256;
  }

  /** The same person, by another invite: keys are asked for by that one. */
  reseat(seat: Seat): void {
    this.#seat = seat;
    this.#holder.reseat(seat.chain);
  }

  /** A voice key of our own for each time on stage; and on stage by that one, not by one from before ([RM63]). */
  #freshenVoice(now: Millis): void {
    const state = this.#wires.voiceState();
    if (!state) return;
    const { voice, identity } = this.#seat;
    const own = state.stage.find(({ identityKey }) => equal(identityKey, identity.key));
    if (own && !equal(own.voiceKey, voice.key)) {
      if (now < this.#askAgainAt) return;
      this.#askAgainAt = millis(now + askAgainMs);
      return this.#wires.speakAgain(now);
    }
    this.#wasOnStage ||= own !== undefined;
    const isAsked = state.hands.some(({ person }) => equal(person.voiceKey, voice.key));
    if (this.#wasOnStage && !own && !isAsked) this.#changeVoice(now);
  }

  /** The same person by another voice key; the one before waits to be published. */
  #changeVoice(now: Millis): void {
    this.#retiring.add(this.#seat.voice.seed, now);
    this.#seat = { ...this.#seat, voice: createKeyPair(this.#crypto) };
    this.#wasOnStage = false;
    this.sealer.wipe();
    this.sealer = new PacketSealer(this.#crypto, this.#seat.tag, this.#seat.voice.seed, this.#epoch);
    this.#wires.reseat(this.#seat);
  }

  /** The word that its person was inside. */
  get pass(): Pass | undefined {
    return this.#holder.pass;
  }

  doors(relay: PeerId, session: Uint8Array, now: Millis): Pick<Hello, "doors" | "pass"> {
    const context = { tag: toHex(this.#seat.tag) as RoomTag, relay, host: this.#wires.self, session };
    // Whoever keeps the room gives it to themselves.
    const signer = this.#session ?? this.#seat.authority?.keys.session;
    const { identity, door } = this.#seat;
    const at = this.#wires.time(now);
    const pass = signer ? this.#passOf(signer, identity.key, door.key, at) : this.#holder.pass;
    const doors = doorsOf(this.#crypto, this.#seat, pass).map((each) => proveDoor(this.#crypto, each, context));
    return { doors, pass };
  }

  /** May act for the room one day, and has to know what serials are made of: asks whoever does now. */
  wantSerials(now: Millis): void {
    if (this.#keeper || this.#seat.secrets.serials || now < (this.#serialsAskedAt ?? now)) return;
    this.#serialsAskedAt = millis(now + serialsEveryMs);
    this.#holder.askAgain(now);
  }

  /** When something is to be done here next. */
  get dueAt(): Millis | undefined {
    const { dueAt } = this.#seat.secrets;
    return earlier(earlier(this.#keeper ? this.#keeper.dueAt : this.#holder.askAt, dueAt), this.#retiring.dueAt);
  }

  /** Keeps everybody's keys from now on. The epoch may be another one by it: the view that names it is to be issued next. */
  lead(now: Millis): void {
    if (this.#keeper) return;
    const { roomKey, secret, tag } = this.#seat;
    this.#keeper = new EpochKeeper(
      this.#crypto,
      { roomKey, secret, tag },
      false,
      this.#rules,
      this.#holder.history,
      now,
    );
    this.#keeper.catchUp(this.#holder.roomEpoch, now);
    this.#keeper.runDue(now);
    this.#useOwn(now);
  }

  /** Tells everybody where to enrol, under a session that is new. After the view that names it. */
  announce(session: Signer, now: Millis): void {
    if (this.#session === session) return;
    this.#session = session;
    this.tell(now);
  }

  /** Another leads. */
  stepDown(): void {
    const keeper = this.#keeper;
    if (keeper?.mode === "tree") this.#holder.resume({ ...keeper.epoch, era: keeper.era });
    keeper?.wipe();
    this.#keeper = undefined;
    this.#session = undefined;
  }

  /** A fresh epoch, without those who may hold keys no more. The view that names it is to be issued next, and then `tell` called. */
  rekey(now: Millis): void {
    this.#keeper?.rekey(now);
    this.#useOwn(now);
  }

  /** Tells the commit that was made, and gives keys to who came by it. */
  tell(now: Millis): void {
    const [keeper, session] = [this.#keeper, this.#session];
    if (!keeper || !session) return;
    const bytes = keeper.paper(session, now);
    const commit = parseCommit(bytes);
    if (commit) this.#node.notices.keys.adopt(commit, bytes, now);
    for (const grant of keeper.granted(session.seed)) this.#node.notices.keys.passGrant(grant, now);
  }

  /** Asks for our own keys when it is time. When an epoch began by itself, `began` issues the view that names it, and calls `tell`. */
  run(now: Millis, began: () => void): void {
    this.#seat.secrets.forget(now);
    this.#freshenVoice(now);
    if (!this.#seat.secrets.words.hasPast) this.opener.forgetPrevious();
    if (this.#keeper?.runDue(now)) {
      this.#useOwn(now);
      began();
    }
    const enrolment = this.#keeper ? undefined : this.#holder.enrol(now);
    if (enrolment) this.#node.notices.keys.passEnrolment(enrolment, undefined, now);
    for (const seed of this.#retiring.due(this.#node.view, now)) this.#node.notices.retired.publish(seed, now);
  }

  taken(commit: Commit, now: Millis): void {
    if (this.#keeper) this.#keeper.catchUp(commit.epoch, now);
    else if (this.#holder.takeCommit(commit, now)) this.#useHeld(now);
  }

  enrolmentSeen(bytes: Uint8Array, now: Millis): void {
    if (!this.#keeper || !this.#session) return;
    if (bytes.length === handOverBytes) return this.#takeVoice(this.#keeper, bytes, now);
    const answer = this.#keeper.take(bytes, this.#session.seed, this.#wires.time(now));
    if (answer === "refused") this.#node.spread.reject("enrolment");
    else if (answer) this.#node.notices.keys.passGrant(answer, now);
  }

  /** Somebody who left hands over their voice key: it is published when nobody accepts it any more, if it ever spoke here. */
  #takeVoice(keeper: EpochKeeper, bytes: Uint8Array, now: Millis): void {
    const seed = keeper.takeVoice(bytes);
    const isVoice = seed && this.#node.notices.retired.wasOnStage(this.#crypto.publicKey(seed));
    if (!isVoice || !this.#retiring.add(seed, now)) this.#node.spread.reject("voice-hand-over");
    seed?.fill(0);
  }

  grantCame(bytes: Uint8Array, now: Millis): void {
    const { secrets } = this.#seat;
    const changed = this.#holder.takeGrant(bytes, now, (serials) => secrets.takeSerials(serials));
    if (changed === undefined) this.#node.spread.reject("grant");
    else if (changed) this.#useHeld(now);
  }

  /** What is sealed from now on is sealed for the view's epoch, as soon as it is known. */
  viewTaken(view: RelayView, now: Millis): void {
    this.#retiring.takeView(view, now);
    if (view.epoch === this.#epoch.number % 256) this.sealer.setEpoch(this.#epoch);
  }

  /** Says that we go for good, and overwrites every secret. */
  leave(now: Millis): void {
    this.#handOverVoices(now);
    const enrolment = this.#keeper ? undefined : this.#holder.leave();
    if (enrolment) this.#node.notices.keys.passEnrolment(enrolment, undefined, now);
    this.stepDown();
    this.#holder.wipe();
    this.#retiring.wipe();
    this.sealer.wipe();
    this.opener.wipe();
    this.#epoch.secret.fill(0);
    this.#seat.secrets.wipe();
    this.#seat.identity.seed.fill(0);
    this.#seat.door.seed.fill(0);
  }

  /** Whoever keeps the room publishes ours; where that is us, nobody does. */
  #handOverVoices(now: Millis): void {
    if (this.#keeper) return;
    const own = this.#wasOnStage ? [this.#seat.voice.seed] : [];
    for (const seed of [...this.#retiring.seeds, ...own]) {
      // What is sealed is a copy, which does not outlive it.
      const sealed = this.#holder.handOver(seed.slice());
      if (sealed) this.#node.notices.keys.passEnrolment(sealed, undefined, now);
    }
  }

  get #rules(): KeeperRules {
    const { papers } = this.#seat.secrets;
    const { mayHold, isShut, keepsRoom, use } = this.#wires;
    return {
      mayHold,
      use,
      isShut,
      keepsRoom,
      handed: () => papers.lent,
      handedOver: ({ identityKey, eras }, isInside, now) => {
        // Of others only what helps: nobody fills up what is kept.
        const useful = isInside ? eras.filter((era) => this.#wires.opens(era)) : [];
        const lent = keepsRoom(identityKey) ? eras : useful;
        const isNews = lent.map((era) => papers.lend(era, now)).includes(true);
        if (isNews) this.#wires.secretsCame(now);
      },
      wasInside: ({ identityKey, door, pass }) => pass !== undefined && this.#isPassOf(pass, identityKey, door),
      passFor: ({ identityKey, door }, now) => {
        assert(this.#session !== undefined, "who keeps keys was announced");
        const pass = this.#passOf(this.#session, identityKey, door, now);
        return { pass, serials: this.#wires.mayLead(identityKey) ? this.#serials : undefined };
      },
    };
  }

  /** With who keeps the room and was told none, its own. */
  get #serials(): Uint8Array {
    const { secrets } = this.#seat;
    if (!secrets.serials) secrets.takeSerials(this.#crypto.randomBytes(32));
    assert(secrets.serials !== undefined, "taken just now");
    return secrets.serials;
  }

  #serialOf(identityKey: Uint8Array): Uint8Array {
    return serialOf(this.#crypto, this.#serials, markOf(identityKey));
  }

  #passOf(signer: Signer, identityKey: Uint8Array, door: Uint8Array, now: Millis): Pass {
    return signPass(this.#crypto, signer, this.#seat.tag, door, this.#serialOf(identityKey), now);
  }

  #isPassOf(pass: Pass, identityKey: Uint8Array, door: Uint8Array): boolean {
    const { view } = this.#node;
    if (!view || !equal(pass.serial, this.#serialOf(identityKey))) return false;
    return passHolds(this.#crypto, view, door, pass);
  }

  #useOwn(now: Millis): void {
    if (this.#keeper) this.#use(this.#keeper.epoch, this.#keeper.era, now);
  }

  #useHeld(now: Millis): void {
    const { epoch, era } = this.#holder;
    if (epoch && era) this.#use(epoch, era, now);
  }

  /** Opens by these from now on, and seals sound once the view in force names the epoch: relays pass on nothing else. */
  #use(epoch: Epoch, era: Epoch, now: Millis): void {
    const { words, papers } = this.#seat.secrets;
    const isNews = [words.take(epoch, now), papers.take(era, now)].includes(true);
    if (epoch.number > this.#epoch.number) {
      this.#epoch.secret.fill(0);
      this.#epoch = { number: epoch.number, secret: epoch.secret.slice() };
      this.opener.setEpoch(this.#epoch);
      if (this.#node.view) this.viewTaken(this.#node.view, now);
    }
    if (isNews) this.#wires.secretsCame(now);
  }
}
