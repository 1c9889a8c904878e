import type { ErrorCode } from "../../api/errors.ts";
import type { Layer, Role, SpokenPacket } from "../../api/engine.ts";
import { type Millis, millis, type PeerId, type RoomKey } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import { equal, toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { lookupKeys, openRecord } from "../discovery/record.ts";
import type { Deadline } from "../machine.ts";
import type { Edge } from "../overlay/edge.ts";
import type { Census } from "../overlay/papers.ts";
import type { RoomNode } from "../overlay/room-node.ts";
import type { Passed } from "../overlay/spread.ts";
import { isOpus, viewMarkOf } from "../packet/format.ts";
import type { PeerEvent } from "../peer-io.ts";
import type { HostProof, Refusal } from "../session/frames.ts";
import type { Answer, Ruling } from "./authority.ts";
import type { Capsule } from "./capsule.ts";
import { Asking } from "./asking.ts";
import { verifyChain } from "./capability.ts";
import { Chat } from "./chat.ts";
import { ClockCheck } from "./clock-check.ts";
import { CutOff } from "./cut-off.ts";
import { Finding } from "./finding.ts";
import { Hearing } from "./hearing.ts";
import { openHints } from "./hints.ts";
import { MemberKeys } from "./member-keys.ts";
import { epochSecret } from "./keys.ts";
import { fittingHints } from "./invite.ts";
import type { Seat } from "./seat.ts";
import { sealPetition, type Wish } from "./petition.ts";
import type { Resident, ResidentWires } from "./resident.ts";
import { isVouchedFor, openState, type RoomState } from "./state.ts";
import { Teller } from "./teller.ts";
import { type RelayView, viewHash } from "./view.ts";

/** A host waits this long for slow relays before it hands out invites without them. */
const settleMs = 4000;

/** One person in one room: verifies, opens, counts, asks, speaks. */
export class Member implements Resident {
  readonly hearing = new Hearing();
  readonly #crypto: Crypto;
  readonly #seat: Seat;
  readonly #node: RoomNode;
  readonly #wires: ResidentWires;
  readonly #epochSecret: Uint8Array;
  readonly keys: MemberKeys;
  readonly #clock = new ClockCheck();
  readonly #teller: Teller;
  readonly #chat: Chat;
  readonly #startedAt: Millis;
  readonly #finding: Finding;
  readonly #answered = new Set<PeerId>();
  #viewMark = 0;
  #state: RoomState | undefined;
  #role: Role = "listener";
  #joined = false;
  #hosting = false;
  #over = false;
  readonly #cutOff = new CutOff();
  /** Relays that have not answered by now are not waited for. */
  #late = false;
  readonly #asking: Asking;
  #sequence: number;

  constructor(crypto: Crypto, seat: Seat, node: RoomNode, wires: ResidentWires, now: Millis) {
    this.#crypto = crypto;
    this.#seat = seat;
    this.#node = node;
    this.#wires = wires;
    this.#startedAt = now;
    this.#epochSecret = epochSecret(crypto, seat.secret, seat.tag, 0);
    this.keys = new MemberKeys(crypto, seat, node, { mayHold: () => true, time: (at) => this.#clock.now(at) });
    this.#sequence = 0;
    if (seat.authority) this.#role = "host";
    this.#teller = new Teller((event) => this.#tell(event), now);
    this.#chat = new Chat(crypto, this.#epochSecret, seat);
    this.#asking = new Asking(crypto);
    if (seat.returnsToStage) this.#asking.raise("speak", now);
    this.#finding = new Finding(wires.discovery && !seat.authority, node.relays.length > 0, now);
  }

  get authority(): boolean {
    return this.#seat.authority !== undefined;
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
    if (this.#seat.authority) this.#issue(now);
    this.#node.runUpkeep(now);
    this.#advance(now);
  }

  /** The host's answer to a hand, or its word that somebody leaves the stage. Nobody else's does anything. */
  rule(command: Ruling, now: Millis): void {
    this.#publishAnswer(this.#seat.authority?.rule(command), now);
  }

  /** Types to the room; empty text is nothing. */
  say(text: string, now: Millis): void {
    const written = this.#joined ? this.#chat.write(text, now) : undefined;
    if (!written) return;
    this.#node.notices.passNote(written.sealed, undefined, now);
    this.#tell(written.event);
  }

  note(bytes: Uint8Array, now: Millis): void {
    const read = this.#chat.read(bytes, now);
    if (!read) this.#node.spread.reject("note");
    else if (read !== "shown") this.#tell(read);
  }

  /** What another engine needs to come back as the same person. */
  capsule(): Capsule | undefined {
    const { authority, identity, invite, name } = this.#seat;
    if (authority) return authority.capsule(identity.seed.slice());
    if (!invite) return undefined;
    const relays = this.#node.view?.relays ?? invite.hints;
    const { wish } = this.#asking;
    const onStage = wish === undefined ? this.#role !== "listener" : wish === "speak";
    return {
      kind: "guest",
      invite: { ...invite, hints: fittingHints(relays) },
      identitySeed: identity.seed.slice(),
      name,
      onStage,
    };
  }

  speaks(): boolean {
    return this.#role !== "listener" || this.#asking.wish === "speak";
  }

  /** Relays that edges are kept to whatever the plan says: those a host asked to carry. */
  wanted(): readonly PeerId[] {
    return this.#seat.authority?.candidates ?? [];
  }

  proof(relay: PeerId, session: Uint8Array): HostProof | undefined {
    return this.#seat.authority?.proof(relay, this.#wires.self, session);
  }

  raiseHand(wish: Wish, now: Millis): void {
    if (this.authority) return;
    this.#asking.raise(wish, now);
    this.#advance(now);
  }

  /** Sends 40 ms of our own voice, in one layer or both. False while the stage is not ours. */
  speak(spoken: SpokenPacket, now: Millis): boolean {
    const { opus, low, capturedAt } = spoken;
    if (!this.#mayBeHeard() || !isOpus(opus) || (low && !isOpus(low))) return false;
    const content = { sequence: this.#sequence++, capturedAt, viewMark: this.#viewMark };
    const sealed = [this.keys.sealer.seal({ ...content, layer: "normal", opus })];
    if (low) sealed.push(this.keys.sealer.seal({ ...content, layer: "low", opus: low }));
    if (!this.#node.originate(sealed, now)) return false;
    this.hearing.framesSent += limits.packetMs / limits.frameMs;
    return true;
  }

  packet(passed: Passed, now: Millis): void {
    if (!this.hearing.isNews(passed)) return;
    const opened = this.keys.opener.open(passed.packet, passed.voiceKey, now);
    if (!opened.ok) {
      this.#node.spread.reject(opened.reason);
      return;
    }
    const { opus, capturedAt } = opened.value;
    if (this.hearing.heard(passed, capturedAt, now)) this.#tell({ event: "sound", speaker: passed.voice });
    const { voice: speaker, sequence, layer } = passed;
    const packet = { speaker, sequence, layer, opus, capturedAt, receivedAt: now };
    this.#wires.emit({ kind: "heard", packet });
  }

  view(view: RelayView, now: Millis): void {
    this.#viewMark = viewMarkOf(viewHash(this.#crypto, view.encoded));
    this.keys.viewTaken(view.epoch);
    this.#teller.members(undefined, view.voices.length);
    this.#updateRole();
    this.#advance(now);
  }

  state(bytes: Uint8Array, now: Millis): void {
    const state = openState(this.#crypto, this.#epochSecret, this.#seat.tag, bytes);
    if (!state || !this.#vouched(state, now)) {
      this.#node.spread.reject("state");
      return;
    }
    this.#state = state;
    this.#updateRole();
    this.#advance(now);
  }

  petition(bytes: Uint8Array, now: Millis): void {
    const answer = this.#seat.authority?.handlePetition(bytes, this.#clock.now(now));
    if (answer === "refused") this.#node.spread.reject("petition");
    this.#publishAnswer(answer, now);
  }

  census(census: Census): void {
    this.#teller.members(census, this.#node.view?.voices.length ?? 0);
  }

  welcomed(edge: Edge, time: number, now: Millis): void {
    this.#clock.learn(time, now);
    if (!this.#joined) this.#teller.step("waiting-for-papers");
    this.#answered.add(edge.peer);
    // Until all have answered, each answer would show the relays another order, and they would keep what they found in it.
    if (this.#seat.authority?.setCarrying(edge.peer, true) && this.#hosting) this.#issue(now);
    this.#advance(now);
  }

  refused(peer: PeerId, reason: Refusal, now: Millis): void {
    this.#finding.refused(reason);
    this.#answered.add(peer);
    // It carried before this host fell, and does no more.
    if (!this.#hosting && this.#seat.authority?.setCarrying(peer, false)) this.#issue(now);
    this.#advance(now);
  }

  unreachable(peer: PeerId, now: Millis): void {
    this.#answered.add(peer);
    if (this.#seat.authority?.setCarrying(peer, false)) this.#issue(now);
    this.#advance(now);
  }

  moved(reason: string, packets: number, now: Millis): void {
    const gapMs = this.hearing.moved(now);
    this.#tell({ event: "move", reason, gapMs, packetsRecovered: packets });
  }

  covered(reason: string, packets: number, now: Millis): void {
    const gapMs = this.hearing.covered(now);
    this.#tell({ event: "cover", reason, gapMs, packetsRecovered: packets });
  }

  muted(): void {
    this.#tell({ event: "trouble", code: "frozen", fatal: false });
  }

  /** The DHT gave a value: relays, if a session of this room stands behind it. */
  record(value: Uint8Array, now: Millis): void {
    const opened = openRecord(this.#crypto, this.#seat.secret, value);
    const time = this.#clock.now(now);
    const hints = opened.ok && openHints(this.#crypto, this.#seat.roomKey, this.#seat.tag, opened.value.payload, time);
    if (!hints) {
      this.#node.spread.reject("record");
      return;
    }
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
    if (this.hearing.settle(now)) this.#node.runUpkeep(now);
    if (this.#joined) this.#teller.place(this.#node, this.hearing.hops, now);
    this.#advance(now);
  }

  deadline(): Deadline | undefined {
    if (this.#over) return undefined;
    const waits: Deadline[] = [];
    const wait = (at: Millis | undefined, reason: string): void => {
      if (at !== undefined) waits.push({ at, reason });
    };
    if (!this.#joined) wait(this.#finding.endsAt, "find the room");
    if (this.#joined && this.#isCutOff()) wait(this.#cutOff.dueAt, "cut off");
    if (this.#isCutOff()) wait(this.#finding.lookupAt, "look the room up");
    if (this.authority && !this.#hosting && !this.#late) wait(millis(this.#startedAt + settleMs), "slow relays");
    if (this.#joined) wait(this.#asking.nextAt, "repeat a petition");
    wait(this.keys.dueAt, "keys");
    if (this.#joined) wait(this.hearing.losses.dueAt, "count losses");
    if (this.#hosting) wait(this.#seat.authority?.renewAt, "renew the session");
    if (this.#hosting && this.#wires.discovery) wait(this.#seat.authority?.publishAt, "publish");
    return waits.sort((a, b) => a.at - b.at)[0];
  }

  /** One step of everything that waits for something else: called after every change. */
  #advance(now: Millis): void {
    if (this.#over) return;
    if (this.#cutOff.isDue(this.#isCutOff(), now)) this.#tell({ event: "trouble", code: "stalled", fatal: false });
    if (this.authority && !this.#hosting) this.#settle(now);
    if (!this.#joined) this.#tryJoin(now);
    this.#petition(now);
    if (this.#hosting && this.#seat.authority?.renew(now)) this.#issue(now);
    this.keys.run(now, () => this.#issue(now));
    this.#publish(now);
    if (!this.#joined) this.#giveUp(now);
    this.#lookUp(now);
  }

  #settle(now: Millis): void {
    const authority = this.#seat.authority;
    if (!authority) return;
    const asked = authority.candidates;
    this.#late ||= now >= this.#startedAt + settleMs;
    const settled = this.#late || asked.every((peer) => this.#answered.has(peer));
    if (!settled || authority.carrying.length === 0) return;
    this.#hosting = true;
    const room = toHex(this.#seat.roomKey) as RoomKey;
    this.#tell({ event: "hosting", invites: authority.issueInvites(this.#clock.now(now)), room });
    this.#issue(now);
  }

  #tryJoin(now: Millis): void {
    const parent = this.#node.edges.parent;
    const placed = parent !== undefined || this.#node.relays.includes(this.#wires.self);
    if (!placed || !this.#node.view || !this.#state || !this.#inTime(now)) return;
    if (this.authority && !this.#hosting) return;
    this.#joined = true;
    this.#teller.step("joined");
    const parents = parent ? [parent.peer] : [];
    const room = toHex(this.#seat.roomKey) as RoomKey;
    this.#tell({ event: "joined", room, role: this.#role, hops: parent?.hops ?? 0, parents });
    if (this.#role !== "listener") this.#tell({ event: "role", role: this.#role, by: "host" });
  }

  /** Whether the invite is in force by the best time we know; tells and ends when not. */
  #inTime(now: Millis): boolean {
    // A host's session is as old as its seat, whatever relays say of the time.
    if (this.authority) return true;
    const verdict = verifyChain(this.#crypto, this.#seat.roomKey, this.#seat.chain, this.#clock.now(now));
    if (verdict.ok) return true;
    this.#fail(
      verdict.reason === "expired" || verdict.reason === "not-yet" ? `invite-${verdict.reason}` : "invite-damaged",
    );
    return false;
  }

  #giveUp(now: Millis): void {
    // Who is the room's relay has found it; what is missing is on its way.
    if (this.#node.relays.includes(this.#wires.self)) return;
    const { upkeep, relays, edges } = this.#node;
    const tried = upkeep.exhausted(this.#seat.authority?.candidates ?? relays) && edges.all.length === 0;
    if (tried) this.#finding.hurry(now);
    const code = this.#finding.verdict(tried, now);
    // An invite that is over is the better answer than a relay that is gone.
    if (code && this.#inTime(now)) this.#fail(code);
  }

  #fail(code: ErrorCode): void {
    this.#over = true;
    this.#tell({ event: "trouble", code, fatal: true });
  }

  #isCutOff(): boolean {
    return !this.#node.edges.isReached && !this.#node.relays.includes(this.#wires.self);
  }

  #lookUp(now: Millis): void {
    if (this.authority || !this.#isCutOff() || !this.#finding.startLookup(now)) return;
    this.#wires.emit({ kind: "lookup", keys: lookupKeys(this.#crypto, this.#seat.secret, this.#clock.now(now)) });
    if (!this.#joined) this.#teller.step("asking-dht");
  }

  #publish(now: Millis): void {
    if (!this.#hosting || !this.#wires.discovery) return;
    const records = this.#seat.authority?.publish(this.#clock.now(now)) ?? [];
    for (const record of records) this.#wires.emit({ kind: "publish", ...record });
  }

  #petition(now: Millis): void {
    const asked = this.#joined ? this.#asking.due(this.#state, this.#role, now) : undefined;
    if (!asked) return;
    const { roomKey, identity, voice, name, chain } = this.#seat;
    const petition = { id: asked.id, wish: asked.wish, voiceKey: voice.key, name, chain };
    const sealed = sealPetition(this.#crypto, this.#epochSecret, roomKey, identity.seed, petition);
    this.#node.notices.passPetition(sealed, undefined, now);
  }

  #issue(now: Millis): void {
    // Dated by the clock that dated the session: relays compare the two ([RM16]).
    const { authority } = this.#seat;
    if (authority) this.#node.notices.adoptView(authority.issueView(now, this.keys.epochOfView), now);
    if (authority) this.keys.lead(authority.keys.session, now);
    this.#issueState(now);
  }

  #publishAnswer(answer: Answer | undefined, now: Millis): void {
    if (answer === "stage") this.#issue(now);
    if (answer === "hands") this.#issueState(now);
  }

  #issueState(now: Millis): void {
    const state = this.#seat.authority?.issueState();
    if (state) this.#node.notices.adoptState(state, now);
  }

  #mayBeHeard(): boolean {
    return this.#node.view?.voices.some((voice) => equal(voice.key, this.#seat.voice.key)) ?? false;
  }

  #updateRole(): void {
    this.#updateOwnRole();
    const self = { identityKey: this.#seat.identity.key, hand: this.#asking.id };
    if (this.#state) this.#teller.stage(this.#state, self);
  }

  #updateOwnRole(): void {
    if (this.authority) return;
    const mine = this.#state?.stage.find((person) => equal(person.identityKey, this.#seat.identity.key));
    const role: Role = mine && this.#mayBeHeard() ? mine.role : "listener";
    this.#asking.answered(this.#state, mine !== undefined, this.#mayBeHeard());
    if (role === this.#role) return;
    this.#role = role;
    if (this.#joined) this.#tell({ event: "role", role, by: "host" });
  }

  #vouched(state: RoomState, now: Millis): boolean {
    const session = this.#node.view?.session.key;
    return (
      session !== undefined && isVouchedFor(this.#crypto, this.#seat.roomKey, state, session, this.#clock.now(now))
    );
  }

  #tell(event: PeerEvent): void {
    this.#wires.emit({ kind: "event", event });
  }
}
