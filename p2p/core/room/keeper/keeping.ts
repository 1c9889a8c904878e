import type { ErrorCode } from "../../../api/errors.ts";
import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { Act, InviteTerms, IssuedInvite } from "../../../api/room.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import { showOffice } from "../../overlay/news/offices.ts";
import type { HostProof } from "../../session/frames.ts";
import { type Authority, inviteMs } from "./authority.ts";
import { ClosedState } from "./closed-state.ts";
import { openEvent } from "../chain/chain.ts";
import { codeOfVoid, type Deed, deedOf } from "../asking/deeds.ts";
import type { RoomEvent } from "../chain/event.ts";
import { History } from "../chain/history.ts";
import type { Invite } from "../invite/invite.ts";
import { doorOf } from "../rights/doors.ts";
import type { Epoch } from "../rights/keys.ts";
import { IssuedInvites } from "../invite/issued-invites.ts";
import { Leading, type LeadingWires } from "./leading.ts";
import { writeEvent } from "../chain/pen.ts";
import { Dating } from "../asking/dating.ts";
import { NewestSaid } from "../asking/newest-said.ts";
import { inviteOf, openPetition, type Petitioner, sealPetition, type Wish } from "../asking/petition.ts";
import { isForOne } from "../rights/capability.ts";
import type { Void } from "../chain/reduce.ts";
import { earlier } from "../../machine.ts";
import { Requests } from "../asking/requests.ts";
import { isVouchedFor, openState, readStateHead } from "../state/sealed-state.ts";
import { delegate, type Seat } from "../member/seat.ts";
import { handBytes, hasHand, hasPerson, type Keeper, keepersMax, type RoomState } from "../state/state.ts";
import { faultOfChain } from "../member/entry.ts";
import { hereEveryMs } from "./presence.ts";
import { isSettled, useOnce } from "./reception.ts";
import { hasEnded, Succession } from "./succession.ts";
import { proveOffice, successorOf } from "./successor.ts";
import type { RelayView } from "../state/view.ts";

/** What keeping a room needs from the person who sits in it. */
export interface KeepingWires extends LeadingWires {
  readonly self: PeerId;
  /** The room is another one than before. */
  changed(now: Millis): void;
  /** Somebody in charge said two things in one breath. */
  forked(): void;
  /** A link took the place of all before; it is ours from now on. */
  linkReplaced(link: Pick<Invite, "inviteSeed" | "chain">): void;
  /** Counts what was refused. */
  reject(reason: string): void;
}

/**
 * One person's part in keeping a room: what they know of it, what they do in it, and, with a host or an heir that acts for
 * one, what they answer and sign for everybody.
 */
export class Keeping {
  readonly requests: Requests;
  readonly #crypto: Crypto;
  #seat: Seat;
  readonly #node: RoomNode;
  readonly #wires: KeepingWires;
  readonly #succession: Succession;
  #history: History | undefined;
  /** Who acts: a host from the beginning, an heir while the host is silent. */
  readonly #leading: Leading;
  readonly #issued: IssuedInvites;
  #hereAt: Millis | undefined;
  readonly #dating = new Dating();
  /** What each keeper said last: a recording of a beat is none. */
  readonly #beats = new NewestSaid(2 * keepersMax);
  #isClosed = false;
  /** Of who acted while we were away. */
  readonly #closed: ClosedState;

  constructor(crypto: Crypto, seat: Seat, node: RoomNode, wires: KeepingWires, now: Millis) {
    this.#crypto = crypto;
    this.#seat = seat;
    this.#node = node;
    this.#wires = wires;
    this.#leading = new Leading(seat, node, wires);
    this.#closed = new ClosedState(crypto, seat.tag);
    this.#issued = new IssuedInvites(crypto);
    this.#history = seat.authority?.history;
    this.#succession = new Succession(now);
    this.requests = new Requests(crypto, seat.identity.key, inviteOf(crypto, seat.chain).branch);
  }

  /** The same person, by another invite. */
  reseat(seat: Seat): void {
    this.#seat = seat;
  }

  /** Whoever acts for the room, if that is us. */
  get authority(): Authority | undefined {
    return this.#leading.authority;
  }

  /** The room as far as it is known here. */
  get state(): RoomState | undefined {
    return this.#history?.state;
  }

  /** Whether this is the host or somebody who may act for one. */
  get mayAct(): boolean {
    return this.authority !== undefined || this.#office !== undefined;
  }

  /** Who keeps the room going now. */
  get keptBy(): Uint8Array | undefined {
    const key = this.authority?.keys.session.key ?? this.#node.view?.session.key;
    return this.state?.keepers.find((keeper) => key !== undefined && equal(keeper.key, key))?.identityKey;
  }

  get issued(): readonly IssuedInvite[] {
    return this.#issued.in(this.state);
  }

  /** Our own right to speak: a host's session is a new one every day. */
  get #chain(): Seat["chain"] {
    const { authority, chain, roomKey, identity } = this.#seat;
    if (!authority) return chain;
    const { capability, seed } = authority.keys.session;
    return [capability, delegate(this.#crypto, roomKey, seed, capability, identity.key)];
  }

  get #own(): Keeper | undefined {
    return this.state?.keepers.find(({ identityKey }) => equal(identityKey, this.#seat.identity.key));
  }

  get #office(): Keeper["office"] {
    return this.#own?.role === "heir" ? this.#own.office : undefined;
  }

  /** Why whoever acts would not hear us, if so: our invite is over, and we have no place here that no longer hangs on it. */
  whyUnheard(now: Millis): ErrorCode | undefined {
    const { state } = this;
    if (!state || isSettled(state, this.#seat.identity.key)) return undefined;
    return faultOfChain(this.#crypto, this.#seat, this.#wires.time(now));
  }

  /** Signs view and state for everybody. */
  issue(now: Millis): void {
    this.#leading.issue(now);
  }

  /** Goes for good: is listed nowhere where it is not. */
  leave(now: Millis): void {
    const { identity } = this.#seat;
    if (this.#leading.leave(identity.key, now)) return this.#leading.publish(now);
    const { state } = this;
    const isListed = state && (hasPerson(state.stage, identity.key) || hasHand(state, identity.key));
    if (isListed && !this.authority) this.ask("leave-stage", this.#crypto.randomBytes(handBytes), now);
  }

  /** A host begins: one that comes back signs nothing until it has looked around. */
  open(now: Millis): void {
    this.#leading.open(now);
  }

  /** A host takes up its room: with what happened meanwhile, when it comes back. */
  takeUp(now: Millis): void {
    this.#leading.takeUp(this.#seat.comesBack, now);
  }

  /** Does something, or says why not. */
  act(act: Exclude<Act, { kind: "react" }>, now: Millis): ErrorCode | undefined {
    const { state, authority } = this;
    if (!state) return "not-allowed";
    const doer = {
      identityKey: this.#seat.identity.key,
      state,
      office: (key: Uint8Array, at: Millis) => authority?.officeOf(key, at),
      newLink: (at: Millis) => authority?.newLink(at),
    };
    return this.carryOut(deedOf(act, doer, now), now);
  }

  /** An invite for others, or why not. */
  issueInvite(terms: InviteTerms, now: Millis): Invite | "not-allowed" | "list-full" {
    const invite = this.#issued.issue(this.authority, terms, this.#wires.time(now));
    if (typeof invite === "object") this.#leading.invited(now);
    return invite;
  }

  /** A listener's invite for whoever finds the room. */
  inviteForAll(now: Millis): Invite | undefined {
    const terms = { role: "listener", expiresInMs: inviteMs, singleUse: false } as const;
    const invite = this.authority?.issueInvite(terms, this.#wires.time(now));
    this.#leading.invited(now);
    return invite;
  }

  /** A petition came to whoever acts. */
  petition(bytes: Uint8Array, now: Millis): void {
    const time = this.#wires.time(now);
    if (!this.authority) return this.#takeBeat(bytes, now, time);
    if (this.authority.handlePetition(bytes, time) === "refused") this.#wires.reject("petition");
    this.#publish(now);
  }

  /** Asks whoever acts, by a petition of this id. */
  ask(wish: Wish, id: Uint8Array, now: Millis): void {
    const { roomKey, identity, voice, name, secrets, door } = this.#seat;
    const epoch = secrets.words.current;
    // Asked again when it is known what the room is sealed with.
    if (!epoch) return;
    const petition = {
      ...{ id, wish, voiceKey: voice.key, name, chain: this.#chain },
      at: this.#dating.next(this.#wires.time(now)),
      door: doorOf(this.#crypto, door.key),
    };
    const sealed = sealPetition(this.#crypto, epoch, roomKey, identity.seed, petition);
    // Who acts is asked without a way round.
    if (this.authority && wish !== "beat") this.petition(sealed, now);
    else this.#node.notices.passPetition(sealed, undefined, now);
  }

  /** Whether somebody was put out by who acted meanwhile, as their view says. */
  isShut(identityKey: Uint8Array): boolean {
    return this.authority?.doors.isShut(identityKey) ?? false;
  }

  /** Somebody comes by this chain: whether an invite for one is theirs. It is used with this, and everybody is told. */
  useOnce(comer: Pick<Petitioner, "identityKey" | "chain" | "door">, now: Millis): boolean {
    if (!isForOne(comer.chain)) return this.authority !== undefined;
    const isTheirs = this.authority ? useOnce(this.#crypto, this.authority, comer, this.#wires.time(now)) : false;
    this.#publish(now);
    return isTheirs;
  }

  view(view: RelayView, now: Millis): void {
    if (this.#leading.givesWay(view, now) || !this.authority) this.#succession.heard(view.session.key, now);
  }

  /** Takes a state that opens and that somebody vouches for. */
  takeState(bytes: Uint8Array, now: Millis): void {
    const session = this.#node.view?.session.key;
    const { authority } = this;
    const { isAtWork } = this.#leading;
    if (authority && session && equal(session, authority.keys.session.key) && isAtWork) return;
    const state = openState(this.#crypto, this.#seat.secrets.papers, this.#seat.tag, bytes);
    if (!session) return;
    if (state === "closed") return this.#noteClosed(bytes, session, now);
    if (!state || !isVouchedFor(this.#crypto, this.#seat.roomKey, state, session, this.#wires.time(now))) {
      return this.#wires.reject("state");
    }
    if (this.#history?.reaches(state) === false) return this.#wires.reject("state-jump");
    if (authority) this.#leading.adopt(state, now);
    else if (!this.#history) this.#history = new History(state);
    else {
      if (!this.#history.rebase(state)) this.#wires.forked();
      this.#leading.resume(this.#history, now);
    }
    this.#heardFrom(session, now);
    this.#wires.changed(now);
  }

  /** Whether there is a state or an event that does not open here yet. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  #noteClosed(bytes: Uint8Array, session: Uint8Array, now: Millis): void {
    this.#isClosed = true;
    this.#closed.note(bytes, session);
    // Numbers go on beyond it, whatever it says.
    const head = readStateHead(bytes);
    if (head) this.authority?.countBeyond({ state: head.sequence });
    this.#heardFrom(session, now);
  }

  #heardFrom(session: Uint8Array, now: Millis): void {
    this.#succession.heard(session, now);
    showOffice(this.#node.edges, (relay, id) => this.officeProof(relay, id), now);
  }

  /** A secret came that may open what is held here and could not be read. */
  readAgain(now: Millis): void {
    if (!this.#isClosed) return;
    this.#isClosed = false;
    const { state, events } = this.#node.notices;
    if (state) this.takeState(state, now);
    this.#takeLate(now);
    for (const event of events) this.event(event, now);
  }

  /** Whether what could not be opened opens by this era's secret. */
  opensClosed(era: Epoch): boolean {
    return this.#closed.opensBy(era);
  }

  /** Who came back and could not wait for it hears at last what whoever acted meanwhile left. */
  #takeLate(now: Millis): void {
    const late = this.#leading.isAtWork ? this.#closed.take(this.#seat.secrets.papers) : undefined;
    if (!late || this.#history?.reaches(late.state) === false) return;
    const { state, session } = late;
    if (!isVouchedFor(this.#crypto, this.#seat.roomKey, state, session, this.#wires.time(now))) return;
    this.#leading.adopt(state, now);
    this.#wires.changed(now);
  }

  /** Another epoch began by itself. */
  epochBegan(now: Millis): void {
    this.#leading.epochBegan(now);
  }

  /** Somebody in charge did something. */
  event(bytes: Uint8Array, now: Millis): void {
    const history = this.#history;
    if (!history) return;
    const event = openEvent(this.#crypto, this.#seat.secrets.papers, this.#seat.tag, bytes);
    if (event === "closed") return void (this.#isClosed = true);
    if (!event) return this.#wires.reject("event-sealed");
    const forks = history.forks.length;
    const taken = history.offer(event);
    if (history.forks.length > forks) this.#wires.forked();
    const reason = taken === "applied" || taken === "void" ? history.voidOf(event) : undefined;
    if (reason !== undefined) this.#wires.reject(`event-${reason}`);
    this.#leading.note(event);
    const counted = history.takeCounted(event, taken).map(({ content }) => content);
    for (const content of counted) {
      this.authority?.noteDone(content);
      this.#noticed(content, now);
    }
    if (counted.length > 0) this.#publish(now, counted);
  }

  /** Two things were signed under one number. */
  forked(): void {
    this.#wires.forked();
  }

  /** Whether it is about something now, and goes on with what waits by itself. */
  get isBusy(): boolean {
    return this.#ticking;
  }

  #ticking = false;

  /** Everything that waits for a time. `reached`: whether the room can hear us. */
  tick(reached: boolean, now: Millis): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#tick(reached, now);
    this.#ticking = false;
  }

  #tick(reached: boolean, now: Millis): void {
    this.#succession.waits(this.#office !== undefined, now);
    if (!reached) this.#leading.excuse(now);
    // Whose office is over signs nothing that anybody would take.
    if (!reached || hasEnded(this.#office, this.#wires.time(now))) this.#succession.excuse(now);
    const { state } = this;
    if (!state) return;
    this.#leading.tick(now);
    if (this.#office) this.#wires.keys.wantSerials(now);
    for (const { wish, id } of this.requests.due(state, now)) this.ask(wish, id, now);
    if (this.#leading.isAtWork) {
      this.#hereAt = undefined;
      if (this.#leading.missSomebody(this.#seat.identity.key, now)) this.#publish(now);
      return this.#beat(state, now);
    }
    this.#sayHere(state, now);
    const dueAt = this.#office && this.#succession.dueAt(state, this.#seat.identity.key);
    if (reached && dueAt !== undefined && now >= dueAt && !this.authority) this.#succeed(now);
  }

  deadline(): Millis | undefined {
    const { state } = this;
    if (!state) return undefined;
    const own = !this.authority && this.#office !== undefined;
    const dueAt = own ? this.#succession.dueAt(state, this.#seat.identity.key) : undefined;
    return earlier(earlier(this.#leading.dueAt, dueAt), earlier(this.requests.nextAt, this.#hereAt));
  }

  /** What proves an heir to a relay on an edge that is open. */
  officeProof(relay: PeerId, session: Uint8Array): HostProof | undefined {
    const office = this.#office;
    return office && proveOffice(this.#crypto, this.#seat, office, { relay, host: this.#wires.self, session });
  }

  /** Events of our own, written and sent, or a request. */
  carryOut(deed: Deed, now: Millis): ErrorCode | undefined {
    if (deed.kind === "refused") return deed.code;
    if (deed.kind === "wish") {
      if (deed.wish === "leave-stage") this.ask(deed.wish, this.#crypto.randomBytes(handBytes), now);
      else if (deed.wish !== "speak" && deed.wish !== "beat" && deed.wish !== "here") this.requests.ask(deed.wish, now);
      this.tick(true, now);
      return undefined;
    }
    for (const event of deed.events) {
      const reason = this.#write(event, this.#wires.time(now));
      if (reason !== undefined) return codeOfVoid(reason);
      this.#noticed(event, now);
    }
    this.#publish(now, deed.events);
    return undefined;
  }

  #write(content: RoomEvent, now: Millis): Void | undefined {
    if (this.authority) return this.authority.write(content, now);
    if (!this.#history) return "not-allowed";
    const desk = { crypto: this.#crypto, tag: this.#seat.tag, era: this.#seat.secrets.papers.sealing };
    const event = writeEvent(desk, this.#history, this.#seat.identity, content, now);
    if (typeof event === "string") return event;
    this.#node.notices.passEvent(event.encoded, now);
    return undefined;
  }

  #noticed(event: RoomEvent, now: Millis): void {
    if (event.kind === "replace-link") this.#wires.linkReplaced(event);
    if (event.kind === "appoint") showOffice(this.#node.edges, (relay, id) => this.officeProof(relay, id), now);
  }

  #publish(now: Millis, done: readonly RoomEvent[] = []): void {
    this.#leading.publish(now, done);
    this.#wires.changed(now);
  }

  #beat(state: RoomState, now: Millis): void {
    if (!this.#leading.beats(state, this.#seat.identity.key, now)) return;
    this.ask("beat", this.#crypto.randomBytes(handBytes), now);
  }

  /** Who is on stage is missed there unless they say that they are here ([RM54]). */
  #sayHere(state: RoomState, now: Millis): void {
    if (this.authority || !hasPerson(state.stage, this.#seat.identity.key)) this.#hereAt = undefined;
    else if (this.#hereAt === undefined || now >= this.#hereAt) {
      this.#hereAt = millis(now + hereEveryMs(state));
      this.ask("here", this.#crypto.randomBytes(handBytes), now);
    }
  }

  #takeBeat(bytes: Uint8Array, now: Millis, time: Millis): void {
    const beat = openPetition(this.#crypto, this.#seat.secrets.words, this.#seat.roomKey, bytes, time);
    if (beat?.wish !== "beat" || beat.isOver) return;
    const keeper = this.state?.keepers.find(({ identityKey }) => equal(identityKey, beat.identityKey));
    if (keeper && keeper.role !== "moderator" && this.#beats.isNews(beat)) this.#succession.heard(keeper.key, now);
  }

  /** Acts for a host that is silent ([RM36]). */
  #succeed(now: Millis): void {
    const office = this.#office;
    const { view } = this.#node;
    if (!office || !view || !this.#history) return;
    const authority = successorOf(this.#crypto, this.#seat, office, view, this.#history);
    this.#leading.begin(authority, now);
    this.#node.runUpkeep(now);
    this.#wires.changed(now);
  }
}
