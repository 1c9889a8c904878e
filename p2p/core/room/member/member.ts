import type { ErrorCode } from "../../../api/errors.ts";
import type { Layer, Role, SpokenPacket } from "../../../api/engine.ts";
import { type Millis, millis, type PeerId, type RoomKey } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { lookupKeys } from "../../discovery/record.ts";
import { type Deadline, due, soonest } from "../../machine.ts";
import type { Edge } from "../../overlay/edge.ts";
import type { Census } from "../../overlay/news/papers.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import type { Passed } from "../../overlay/media/spread.ts";
import type { PeerEvent } from "../../peer-io.ts";
import type { HostProof, Refusal } from "../../session/frames.ts";
import type { Capsule } from "../keeper/capsule.ts";
import { Asking } from "../asking/asking.ts";
import { Chat } from "../asking/chat.ts";
import { Doings } from "./doings.ts";
import { barredFrom, faultOfChain, codeOfClosed, keyRulesOf, presentsItself, waitsForUse, whyNotIn } from "./entry.ts";
import { ClockCheck } from "./clock-check.ts";
import { CutOff } from "./cut-off.ts";
import { Finding } from "./finding.ts";
import { Publishing } from "../hall/publishing.ts";
import { Hearing } from "../hearing/hearing.ts";
import { hintsOfRecord } from "../invite/hints.ts";
import { MemberKeys } from "./member-keys.ts";
import type { Invite } from "../invite/invite.ts";
import { capsuleOf, reseated, type Seat } from "./seat.ts";
import type { Wish } from "../asking/petition.ts";
import type { Skeleton } from "../state/facts.ts";
import { Opening } from "../keeper/opening.ts";
import { Sound } from "../hearing/sound.ts";
import { Lookout } from "./lookout.ts";
import { Keeping } from "../keeper/keeping.ts";
import type { Resident, ResidentWires } from "./resident.ts";
import { Teller } from "./teller.ts";
import type { RelayView } from "../state/view.ts";

/** A room that we end is told to everybody for this long before we are out ourselves. */
const farewellMs = 1500;

/** One person in one room: verifies, opens, counts, asks, speaks. */
export class Member implements Resident {
  readonly hearing = new Hearing();
  readonly doings: Doings;
  readonly #crypto: Crypto;
  #seat: Seat;
  readonly #keeping: Keeping;
  readonly #node: RoomNode;
  readonly #wires: ResidentWires;
  readonly #sound: Sound;
  readonly keys: MemberKeys;
  readonly #clock = new ClockCheck();
  readonly #teller: Teller;
  readonly #finding: Finding;
  readonly #opening: Opening;
  #role: Role = "listener";
  #joined = false;
  readonly #isHost: boolean;
  #hosting = false;
  #over = false;
  /** A room that we ended is told to everybody before we leave it. */
  #endsAt: Millis | undefined;
  readonly #cutOff = new CutOff();
  readonly #asking: Asking;
  readonly #publishing: Publishing;
  readonly #lookout = new Lookout();

  constructor(crypto: Crypto, seat: Seat, node: RoomNode, wires: ResidentWires, skeleton: Skeleton, now: Millis) {
    this.#crypto = crypto;
    this.#seat = seat;
    this.#node = node;
    this.#wires = wires;
    this.#opening = new Opening(seat.comesBack, now);
    const keyWires = {
      time: (at: Millis) => this.#clock.now(at),
      secretsCame: (at: Millis) => this.#readAgain(at),
      voiceState: () => (this.#isHost || this.#asking.wish !== undefined ? undefined : this.#keeping.state),
      speakAgain: (at: Millis) => this.#asking.raise("speak", at),
      reseat: (changed: Seat) => this.#keeping.reseat((this.#seat = changed)),
    };
    const rules = { self: wires.self, ...keyRulesOf(crypto, () => this.#keeping) };
    this.keys = new MemberKeys(crypto, seat, node, { ...rules, ...keyWires }, now);
    this.#sound = new Sound(crypto, this.keys);
    this.#isHost = seat.authority !== undefined;
    if (this.#isHost) this.#role = "host";
    this.#teller = new Teller((event) => this.#tell(event), skeleton, now);
    this.#asking = new Asking(crypto);
    this.#publishing = new Publishing(crypto, (output) => wires.emit(output));
    this.#keeping = new Keeping(crypto, seat, node, this.#keepingWires(), now);
    this.doings = new Doings({
      crypto,
      keeping: this.#keeping,
      chat: new Chat(crypto, seat.secrets.words, seat),
      notices: node.notices,
      isInside: () => this.#joined,
      tell: (event) => this.#tell(event),
      reject: (reason) => node.spread.reject(reason),
      done: (at) => this.#changed(at),
    });
    if (presentsItself(seat)) this.#keeping.requests.ask("present", now);
    if (seat.returnsToStage) this.#asking.raise("speak", now);
    this.#finding = new Finding(wires.discovery && !seat.authority, node.relays.length > 0, now, codeOfClosed(seat));
  }

  /** Whether petitions are for us: a host, or an heir that acts for one or may. */
  get authority(): boolean {
    return this.#keeping.mayAct;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The best time we know. */
  time(now: Millis): Millis {
    return this.#clock.now(now);
  }

  get layer(): Layer {
    return this.hearing.wanted;
  }

  preferLayer(layer: Layer, now: Millis): void {
    this.hearing.wanted = layer;
    this.#node.runUpkeep(now);
  }

  /** Takes the seat: a host issues its first papers. */
  start(now: Millis): void {
    this.#teller.step("asking-relays");
    if (this.#isHost) this.#keeping.open(now);
    this.#node.runUpkeep(now);
    this.#advance(now);
  }

  note(bytes: Uint8Array, now: Millis): void {
    this.doings.note(bytes, now);
  }

  event(bytes: Uint8Array, now: Millis): void {
    this.#keeping.event(bytes, now);
  }

  forked(): void {
    this.#keeping.forked();
  }

  office(relay: PeerId, session: Uint8Array): HostProof | undefined {
    return this.#keeping.officeProof(relay, session);
  }

  /** What another engine needs to come back as the same person. */
  capsule(): Capsule | undefined {
    const { wish } = this.#asking;
    const onStage = wish === undefined ? this.#role !== "listener" : wish === "speak";
    return capsuleOf(this.#seat, this.#node.view?.relays, onStage, this.keys.history, this.keys.pass);
  }

  speaks(): boolean {
    // An heir is near the top, where it hears at once that nobody acts.
    return this.#role !== "listener" || this.#asking.wish === "speak" || this.#keeping.mayAct;
  }

  /** Relays that edges are kept to whatever the plan says: those a host asked to carry. */
  wanted(): readonly PeerId[] {
    return this.#keeping.authority?.candidates ?? [];
  }

  proof(relay: PeerId, session: Uint8Array): HostProof | undefined {
    return this.#keeping.authority?.proof(relay, this.#wires.self, session);
  }

  raiseHand(wish: Wish, now: Millis): void {
    if (this.#isHost) return;
    const unheard = this.#joined && wish === "speak" ? this.#keeping.whyUnheard(now) : undefined;
    if (unheard) return this.doings.refuse(unheard);
    this.#asking.raise(wish, now);
    this.#advance(now);
  }

  /** Sends 40 ms of our own voice, in one layer or both. False while the stage is not ours. */
  speak(spoken: SpokenPacket, now: Millis): boolean {
    const sealed = this.#mayBeHeard() ? this.#sound.seal(spoken) : undefined;
    if (!sealed || !this.#node.originate(sealed, now)) return false;
    this.hearing.framesSent += limits.packetMs / limits.frameMs;
    return true;
  }

  packet(passed: Passed, now: Millis): void {
    if (!this.hearing.isNews(passed)) return;
    const opened = this.#sound.open(passed, now);
    if (!opened.ok) return this.#node.spread.reject(opened.reason);
    const { opus, capturedAt } = opened.value;
    if (this.hearing.heard(passed, capturedAt, now)) this.#tell({ event: "sound", speaker: passed.voice });
    const { voice: speaker, sequence, layer } = passed;
    this.#wires.emit({ kind: "heard", packet: { speaker, sequence, layer, opus, capturedAt, receivedAt: now } });
  }

  view(view: RelayView, now: Millis): void {
    this.#sound.takeView(view);
    this.keys.viewTaken(view, now);
    this.#teller.members(undefined, view.voices.length);
    this.#keeping.view(view, now);
    this.#updateRole();
    this.#advance(now);
  }

  state(bytes: Uint8Array, now: Millis): void {
    this.#keeping.takeState(bytes, now);
  }

  petition(bytes: Uint8Array, now: Millis): void {
    this.#keeping.petition(bytes, now);
  }

  census(census: Census): void {
    this.#teller.members(census, this.#node.view?.voices.length ?? 0);
    this.#updateRole();
  }

  welcomed(edge: Edge, time: number, now: Millis): void {
    this.#clock.learn(time, now);
    this.#opening.welcomed(edge.peer, now);
    if (!this.#joined) this.#teller.step("waiting-for-papers");
    // Until all have answered, each answer would show the relays another order, and they would keep what they found in it.
    if (this.#keeping.authority?.setCarrying(edge.peer, true) && this.#hosting) this.#keeping.issue(now);
    this.#advance(now);
  }

  refused(peer: PeerId, reason: Refusal, now: Millis): void {
    this.#finding.refused(reason);
    this.#opening.answered(peer);
    const isOut = this.#joined && this.#isCutOff() && this.#node.upkeep.exhausted(this.#node.relays);
    if (isOut && (reason === "locked" || reason === "closed")) return this.#fail(this.#finding.codeOf(reason));
    // It carried before this host fell, and does no more.
    if (!this.#hosting && this.#seat.authority?.setCarrying(peer, false) && !this.#seat.comesBack)
      this.#keeping.issue(now);
    this.#advance(now);
  }

  unreachable(peer: PeerId, now: Millis): void {
    this.#opening.answered(peer);
    const lost = this.#seat.authority?.setCarrying(peer, false) ?? false;
    if (lost && (this.#hosting || !this.#seat.comesBack)) this.#keeping.issue(now);
    this.#advance(now);
  }

  moved(reason: string, packets: number, now: Millis): void {
    this.#tell({ event: "move", reason, gapMs: this.hearing.moved(now), packetsRecovered: packets });
  }

  covered(reason: string, packets: number, now: Millis): void {
    this.#tell({ event: "cover", reason, gapMs: this.hearing.covered(now), packetsRecovered: packets });
  }

  muted(): void {
    this.#tell({ event: "trouble", code: "frozen", fatal: false });
  }

  /** The DHT gave a value: relays, if a session of this room stands behind it. */
  record(value: Uint8Array, now: Millis): void {
    const hints = hintsOfRecord(this.#crypto, this.#seat, value, this.#clock.now(now));
    if (!hints) return this.#node.spread.reject("record");
    this.#node.learnHints(hints.relays);
    this.#node.runUpkeep(now);
  }

  lookupEnded(now: Millis): void {
    this.#finding.lookupEnded(now);
    this.#advance(now);
  }

  lost(now: Millis): void {
    this.#cutOff.lost(now);
  }

  handleTimeout(now: Millis): void {
    if (this.#joined && this.#lookout.rests(this.#node.wakes.changes, () => this.deadline(), now)) return;
    if (this.hearing.settle(now)) this.#node.runUpkeep(now);
    if (this.hearing.losses.poor) this.#node.places.seeker.doubt(now);
    if (this.#joined) this.#teller.place(this.#node, this.hearing.hops, now);
    this.#advance(now);
  }

  deadline(): Deadline | undefined {
    if (this.#over) return undefined;
    const isCutOff = this.#isCutOff();
    const publishes = this.#mayPublish ? this.#keeping.authority : undefined;
    return soonest(
      this.#joined ? undefined : due(this.#finding.endsAt, "find the room"),
      this.#joined && isCutOff ? due(this.#cutOff.dueAt, "cut off") : undefined,
      isCutOff ? due(this.#finding.lookupAt, "look the room up") : undefined,
      this.#isHost && !this.#hosting ? due(this.#opening.dueAt, "slow relays") : undefined,
      this.#joined ? due(this.#asking.nextAt, "repeat a petition") : undefined,
      due(this.keys.dueAt, "keys"),
      this.#joined ? due(this.hearing.losses.dueAt, "count losses") : undefined,
      due(publishes?.renewAt, "renew the session"),
      this.#wires.discovery ? due(this.#publishing.dueAt(publishes), "publish") : undefined,
      due(this.#keeping.deadline(), "keep the room"),
      due(this.#endsAt, "end the room"),
    );
  }

  /** One step of everything that waits for something else: called after every change. */
  #advance(now: Millis): void {
    if (this.#over) return;
    if (this.#cutOff.isDue(this.#isCutOff(), now)) this.#tell({ event: "trouble", code: "stalled", fatal: false });
    if (this.#isHost && !this.#hosting) this.#settle(now);
    if (!this.#joined) this.#tryJoin(now);
    const asked = this.#joined ? this.#asking.due(this.#keeping.state, this.#role, now) : undefined;
    if (asked) this.#keeping.ask(asked.wish, asked.id, now);
    this.#keeping.tick(!this.#isCutOff(), now);
    if (this.#mayPublish && this.#keeping.authority?.renew(now)) this.#keeping.issue(now);
    this.keys.run(now, () => this.#keeping.epochBegan(now));
    if (this.#endsAt !== undefined && now >= this.#endsAt) return this.#fail("ended");
    if (this.#mayPublish && this.#wires.discovery)
      this.#publishing.run(this.#keeping, this.#teller.listeners, now, this.#clock.now(now));
    if (!this.#joined) this.#giveUp(now);
    this.#lookUp(now);
  }

  #settle(now: Millis): void {
    const authority = this.#seat.authority;
    if (!authority) return;
    const knows = this.#node.notices.state !== undefined;
    const settled = this.#opening.isSettled(authority.candidates, knows, this.#keeping.isClosed, now);
    if (!settled || authority.carrying.length === 0) return;
    this.#hosting = true;
    const room = toHex(this.#seat.roomKey) as RoomKey;
    this.#tell({ event: "hosting", invites: authority.issueInvites(this.#clock.now(now)), room });
    this.#keeping.takeUp(now);
  }

  #tryJoin(now: Millis): void {
    const parent = this.#node.edges.parent;
    const placed = parent !== undefined || this.#node.relays.includes(this.#wires.self);
    const { state } = this.#keeping;
    const { view } = this.#node;
    if (!placed || !view || (this.#isHost && !this.#hosting)) return;
    const barred = whyNotIn(this.#crypto, this.#seat, state, view, this.#clock.now(now));
    if (barred) return this.#fail(barred);
    if (!state || waitsForUse(this.#crypto, this.#seat, state)) return;
    this.#joined = true;
    this.#teller.step("joined");
    const [room, parents] = [toHex(this.#seat.roomKey) as RoomKey, parent ? [parent.peer] : []];
    this.#tell({ event: "joined", room, role: this.#role, hops: parent?.hops ?? 0, parents });
    if (this.#role !== "listener") this.#tell({ event: "role", role: this.#role, by: "host" });
  }

  #giveUp(now: Millis): void {
    // Who is the room's relay has found it; what is missing is on its way.
    if (this.#node.relays.includes(this.#wires.self)) return;
    const { upkeep, relays, edges } = this.#node;
    const tried = upkeep.exhausted(this.#seat.authority?.candidates ?? relays) && edges.ups.every((edge) => !edge.feed);
    if (tried) this.#finding.hurry(now);
    const found = this.#finding.verdict(tried, now);
    const code = found === "no-network" && this.#keeping.isClosed ? "not-let-in" : found;
    // An invite that is over is the better answer than a relay that is gone.
    if (code) this.#fail(faultOfChain(this.#crypto, this.#seat, this.#clock.now(now)) ?? code);
  }

  #fail(code: ErrorCode): void {
    this.#over = true;
    this.#tell({ event: "trouble", code, fatal: true });
  }

  #isCutOff(): boolean {
    return !this.#node.edges.isReached && !this.#node.relays.includes(this.#wires.self);
  }

  #lookUp(now: Millis): void {
    if (this.#isHost || !this.#isCutOff() || !this.#finding.startLookup(now)) return;
    this.#wires.emit({ kind: "lookup", keys: lookupKeys(this.#crypto, this.#seat.secret, this.#clock.now(now)) });
    if (!this.#joined) this.#teller.step("asking-dht");
  }

  /** Whether we speak for the room: a host that has its relays, or an heir that acts. */
  get #mayPublish(): boolean {
    return this.#hosting || (!this.#isHost && this.#keeping.authority !== undefined);
  }

  #keepingWires(): ConstructorParameters<typeof Keeping>[3] {
    return {
      self: this.#wires.self,
      keys: this.keys,
      time: (now) => this.#clock.now(now),
      changed: (now) => this.#changed(now),
      forked: () => this.#tell({ event: "trouble", code: "forked", fatal: false }),
      linkReplaced: (link) => this.#takeLink(link),
      reject: (reason) => this.#node.spread.reject(reason),
    };
  }

  /** The room is another one than before. */
  #changed(now: Millis): void {
    const state = this.#keeping.state;
    if (!state || this.#over) return;
    const barred = this.#joined ? barredFrom(this.#crypto, this.#seat, state, true) : undefined;
    // Who ended it tells everybody first.
    if (barred === "ended" && this.#keeping.mayAct) this.#endsAt ??= millis(now + farewellMs);
    else if (barred) return this.#fail(barred);
    this.#updateRole();
    if (!this.#keeping.isBusy) this.#advance(now);
  }

  /** The room's link was replaced while we were in: ours is the new one from now on. */
  #takeLink(link: Pick<Invite, "inviteSeed" | "chain">): void {
    if (!this.#seat.invite) return;
    const invite = { ...this.#seat.invite, ...link };
    this.#seat = reseated(this.#crypto, this.#seat, invite);
    this.#keeping.reseat(this.#seat);
    this.keys.reseat(this.#seat);
    this.#tell({ event: "link-replaced", invite });
  }

  /** Another secret is known: what was closed may open now. */
  #readAgain(now: Millis): void {
    if (this.#over) return;
    this.#keeping.readAgain(now);
    this.doings.readAgain(now);
  }

  #tellFacts(): void {
    const state = this.#keeping.state;
    if (!state || !this.#joined) return;
    const { keptBy, issued } = this.#keeping;
    this.#teller.facts(this.#crypto, state, { ...this.#seat, role: this.#role, keptBy });
    this.#teller.issued(issued);
  }

  #mayBeHeard(): boolean {
    return this.#node.view?.voices.some((voice) => equal(voice.key, this.#seat.voice.key)) ?? false;
  }

  #updateRole(): void {
    const role = this.#asking.answered(this.#keeping.state, this.#seat.identity.key, this.#mayBeHeard());
    if (!this.#isHost && role !== this.#role) {
      this.#role = role;
      if (this.#joined) this.#tell({ event: "role", role, by: "host" });
    }
    const self = { identityKey: this.#seat.identity.key, hand: this.#asking.id };
    if (this.#keeping.state) this.#teller.stage(this.#keeping.state, self);
    this.#tellFacts();
  }

  #tell(event: PeerEvent): void {
    this.#wires.emit({ kind: "event", event });
  }
}
