import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import { earlier } from "../../machine.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import type { Authority } from "./authority.ts";
import type { ChainEvent } from "../chain/chain.ts";
import type { RoomEvent } from "../chain/event.ts";
import type { History } from "../chain/history.ts";
import type { MemberKeys } from "../member/member-keys.ts";
import { Meanwhile, shutsMore, withShut } from "../chain/reconcile.ts";
import type { Seat } from "../member/seat.ts";
import type { RoomState } from "../state/state.ts";
import { beatMs, goesBefore, hasHeirs } from "./succession.ts";
import type { RelayView } from "../state/view.ts";

/** Events are settled by a state this long after the first of them: who joins then reads no more than one state and a few events. */
const settleEveryMs = 20_000;
/** Or when so many are open. */
const openEventsMax = 48;
/** And sooner what somebody at the door has to know: behind the event itself, so that nobody takes it for old. */
const settleSoonMs = 150;
/** Who was overruled by mistake says so again after this long. */
const reclaimMs = 700;

/** What an heir says again goes out in so many pieces a second: relays pass on 20 of one author ([RM35]). */
const saidAgainAtOnce = 8;
const sayAgainEveryMs = 500;

/** What somebody at the door has to know before they are in. */
const decidesWhoComes: ReadonlySet<RoomEvent["kind"]> = new Set([
  "rules",
  "replace-link",
  "revoke",
  "ban",
  "use",
  "end",
]);

/** After these, who was put out or kept out shall hear no more: the media epoch is another one at once. */
const putsSomebodyOut: ReadonlySet<RoomEvent["kind"]> = new Set(["kick", "ban", "revoke", "replace-link"]);

/** What leading a room needs of the person who does. */
export interface LeadingWires {
  readonly keys: Pick<MemberKeys, "epochOfView" | "lead" | "announce" | "rekey" | "tell" | "stepDown" | "wantSerials">;
  /** The best time known. */
  time(now: Millis): Millis;
}

/** Acting for a room, as its host or as an heir: what is signed and said for everybody, and when. */
export class Leading {
  readonly #node: RoomNode;
  readonly #wires: LeadingWires;
  /** A host of its own right, rather than an heir. */
  readonly #isHost: boolean;
  readonly #meanwhile = new Meanwhile();
  #authority: Authority | undefined;
  /** Whether what we sign is meant for others already; a host that comes back looks around first. */
  #isAtWork: boolean;
  /** Somebody was put out by who acted meanwhile, and knows the keys of this side. */
  #owesEpoch = false;
  #settleAt: Millis | undefined;
  #reclaimAt: Millis | undefined;
  #beatAt: Millis | undefined;
  /** What is to be said again, and when the next of it. */
  #toSayAgain: ChainEvent[] = [];
  #sayAgainAt: Millis | undefined;

  constructor(seat: Seat, node: RoomNode, wires: LeadingWires) {
    this.#node = node;
    this.#wires = wires;
    this.#authority = seat.authority;
    this.#isHost = seat.authority !== undefined;
    this.#isAtWork = !(this.#isHost && seat.comesBack);
  }

  /** Whoever acts for the room, if that is us. */
  get authority(): Authority | undefined {
    return this.#authority;
  }

  /** Whether we act for it, and have begun to. */
  get isAtWork(): boolean {
    return this.#authority !== undefined && this.#isAtWork;
  }

  /** A host begins: one that comes back signs nothing until it has looked around. */
  open(now: Millis): void {
    if (this.#isAtWork) this.issue(now);
  }

  /** A host takes up its room: with what happened meanwhile, when it comes back. */
  takeUp(comesBack: boolean, now: Millis): void {
    this.#isAtWork = true;
    this.#authority?.presence.begin(now);
    if (comesBack) {
      this.#authority?.takeNewSession(this.#wires.time(now));
      if (this.#node.view) this.#authority?.comeBackTo(this.#node.view);
    }
    this.issue(now);
  }

  /** An heir acts from now on. */
  begin(authority: Authority, now: Millis): void {
    this.#authority = authority;
    authority.presence.begin(now);
    this.#beatAt = undefined;
    this.issue(now);
  }

  /** Signs view and state for everybody. */
  issue(now: Millis): void {
    if (!this.#authority) return;
    // Dated by the clock that dated the session: relays compare the two ([RM16]).
    this.#adoptView(this.#authority, now);
    this.#node.notices.adoptState(this.#authority.issueState(this.#wires.time(now)), now);
    this.#settleAt = undefined;
    this.#reclaimAt = undefined;
  }

  /** Somebody's view came while we act; true when we do no more. */
  givesWay(view: RelayView, now: Millis): boolean {
    const authority = this.#authority;
    const { key } = view.session;
    if (!authority || equal(key, authority.keys.session.key)) return false;
    authority.countBeyond({ view: view.sequence });
    authority.doors.meet(view);
    const isAbove = !this.#isHost && goesBefore(authority.state, key, authority.keys.session.key);
    // A host's session may be a new one, which our own state does not name.
    if (isAbove || (view.session.rank === 0 && !this.#isHost)) {
      this.#authority = undefined;
      // Nobody would clear them any more.
      this.#beatAt = this.#reclaimAt = this.#settleAt = undefined;
      this.#wires.keys.stepDown();
      return true;
    }
    if (this.#isAtWork) this.#reclaimAt = millis(now + reclaimMs);
    return false;
  }

  /** Notes what is said while an heir acts. */
  note(event: ChainEvent): void {
    if (this.#authority && !this.#isHost) this.#meanwhile.note(event);
  }

  /** Who gave the room back says again what its new state does not settle: no faster than relays pass on. */
  resume(history: History, now: Millis): void {
    this.#toSayAgain.push(...this.#meanwhile.resume(history));
    // More than one state may come while it goes on.
    if (this.#sayAgainAt === undefined) this.#sayAgain(now);
  }

  /** Sends what was written, and what relays have to know of it. */
  publish(now: Millis, done: readonly RoomEvent[] = []): void {
    const authority = this.#authority;
    if (!authority) return;
    const said: RoomEvent[] = [];
    for (const event of authority.takeEvents()) {
      said.push(event.content);
      this.note(event);
      this.#node.notices.passEvent(event.encoded, now);
    }
    if (!this.#isAtWork) return;
    const locks = authority.state.access === "locked" && done.some(({ kind }) => kind === "rules");
    const needsKeys = locks || done.some(({ kind }) => putsSomebodyOut.has(kind));
    if (needsKeys) this.#wires.keys.rekey(now);
    if (needsKeys || authority.isViewStale) this.#adoptView(authority, now);
    if (needsKeys) this.#wires.keys.tell(now);
    const isSoon =
      [...done, ...said].some(({ kind }) => decidesWhoComes.has(kind)) || authority.history.size >= openEventsMax;
    const at = millis(now + (isSoon ? settleSoonMs : settleEveryMs));
    if (authority.history.size > 0) this.#settleAt = earlier(this.#settleAt, at);
    this.#reseal(authority, now);
  }

  /** Another epoch began by itself. */
  epochBegan(now: Millis): void {
    const authority = this.#authority;
    if (!authority) return;
    this.#adoptView(authority, now);
    this.#wires.keys.tell(now);
    this.#reseal(authority, now);
  }

  /** An invite was given out: relays know of it before anybody comes by it. */
  invited(now: Millis): void {
    if (this.#isAtWork && this.#authority?.isViewStale) this.#adoptView(this.#authority, now);
  }

  /** A state of somebody else who acted: with everything that is shut in it, where we were at work ourselves. */
  adopt(state: RoomState, now: Millis): void {
    const authority = this.#authority;
    if (!authority) return;
    authority.countBeyond({ state: state.sequence });
    const before = authority.state;
    authority.adopt(this.#isAtWork ? withShut(authority.state, state) : state);
    authority.doors.date(state.generation);
    this.#owesEpoch ||= shutsMore(before, authority.state);
    if (this.#isAtWork) this.#reclaimAt ??= millis(now + reclaimMs);
  }

  /** Everything that waits for a time. */
  tick(now: Millis): void {
    if (this.#sayAgainAt !== undefined && now >= this.#sayAgainAt) this.#sayAgain(now);
    if (this.#reclaimAt !== undefined && now >= this.#reclaimAt) this.#reclaim(now);
    if (this.#settleAt !== undefined && now >= this.#settleAt) this.#settle(now);
  }

  /** Whom whoever acts misses, or hears again. True when there is something to send. */
  missSomebody(self: Uint8Array, now: Millis): boolean {
    const authority = this.#authority;
    const at = authority?.presence.dueAt(authority.state);
    if (!authority || at === undefined || now < at) return false;
    const events = authority.presence.look(authority.state, self, now);
    for (const event of events) authority.write(event, this.#wires.time(now));
    return events.length > 0;
  }

  /** Who acts and goes is away for everybody; true when there is something to send. */
  leave(self: Uint8Array, now: Millis): boolean {
    const event = { kind: "away", identityKey: self, on: true } as const;
    return this.isAtWork && this.#authority?.write(event, this.#wires.time(now)) === undefined;
  }

  /** Nobody could be heard: nobody is missed for that. */
  excuse(now: Millis): void {
    this.#authority?.presence.begin(now);
  }

  /** Whether heirs are to hear now that somebody acts. */
  beats(state: RoomState, identityKey: Uint8Array, now: Millis): boolean {
    if (!hasHeirs(state, identityKey)) {
      this.#beatAt = undefined;
      return false;
    }
    if (this.#beatAt !== undefined && now < this.#beatAt) return false;
    this.#beatAt = millis(now + beatMs);
    return true;
  }

  get dueAt(): Millis | undefined {
    const lookAt = this.isAtWork ? this.#authority?.presence.dueAt(this.#authority.state) : undefined;
    const next = earlier(earlier(this.#settleAt, this.#reclaimAt), earlier(this.#beatAt, this.#sayAgainAt));
    return earlier(next, lookAt);
  }

  /** Says everything again, since somebody else was believed meanwhile. */
  #reclaim(now: Millis): void {
    if (this.#owesEpoch) this.#wires.keys.rekey(now);
    this.#owesEpoch = false;
    this.issue(now);
    this.#wires.keys.tell(now);
  }

  /** Who comes in another era reads a state that is sealed by it: behind the events, which those who are in read by the one before. */
  #reseal(authority: Authority, now: Millis): void {
    if (authority.isStateClosed) this.#settleAt = earlier(this.#settleAt, millis(now + settleSoonMs));
  }

  #adoptView(authority: Authority, now: Millis): void {
    // The epoch may be another one by it.
    this.#wires.keys.lead(now);
    this.#node.notices.adoptView(authority.issueView(now, this.#wires.keys.epochOfView), now);
    this.#wires.keys.announce(authority.keys.session, now);
  }

  #sayAgain(now: Millis): void {
    for (const event of this.#toSayAgain.splice(0, saidAgainAtOnce)) this.#node.notices.passEvent(event.encoded, now);
    this.#sayAgainAt = this.#toSayAgain.length > 0 ? millis(now + sayAgainEveryMs) : undefined;
  }

  #settle(now: Millis): void {
    this.#settleAt = undefined;
    const authority = this.#authority;
    if (!authority || (authority.history.size === 0 && !authority.isStateClosed)) return;
    this.#node.notices.adoptState(authority.issueState(this.#wires.time(now)), now);
  }
}
