import { type Millis, millis, type RoomTag } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import { isFork, newer, parseView, type RelayView, verifyView } from "../../room/state/view.ts";
import { banOf } from "../../room/rights/ban.ts";
import { isWithinReach } from "../../room/rights/numbers.ts";
import { checkState, readStateHead } from "../../room/state/sealed-state.ts";
import { ByteReader, concat, equal, toHex } from "../../bytes.ts";
import { Chains } from "./chains.ts";
import { type Edge, type Edges, takePetition } from "../edge.ts";
import { KeyNotices, type KeyWires } from "./key-notices.ts";
import { encodePaper, type Paper } from "./papers.ts";
import type { RoomResident } from "../room-wires.ts";
import { RetiredVoices } from "./retired-voices.ts";
import { noteRepeatMs, Passersby, petitionRepeatMs } from "./passersby.ts";

/** Of the pause between two texts: what was typed in time is not refused for being on its way a little less long. */
const slowModeSlack = 900;
/** A neighbour that says that it lacks something is shown everything, up to some hundred KiB, no more often than this. */
const showPauseMs = 2000;

/** What notices need from the room they are posted in. */
export interface NoticeWires extends Omit<KeyWires, "view"> {
  viewTaken(view: RelayView, now: Millis): void;
  /** Who sits here and is told of what comes by, if anybody. */
  resident(): RoomResident | undefined;
  /** The best time known here. */
  time(now: Millis): Millis;
}

/**
 * How a room's words spread ([OV10], [OV11]): view and state to everybody, each only when it is newer than what is held;
 * petitions towards the host session.
 */
export class Notices {
  /** The view in force, once there is one. */
  view: RelayView | undefined;
  /** Who holds which keys travels likewise. */
  readonly keys: KeyNotices;
  /** Voice keys that everybody may sign by. */
  readonly retired: RetiredVoices;
  #state: Uint8Array | undefined;
  readonly #tag: RoomTag;
  readonly #crypto: Crypto;
  readonly #edges: Edges;
  readonly #wires: NoticeWires;
  readonly #petitions: Passersby;
  readonly #notes: Passersby;
  readonly #chains: Chains;
  readonly #shownAt = new WeakMap<Edge, Millis>();
  /** Sessions whose fork was passed on: the proof is needed once. */
  readonly #forked = new Set<string>();

  constructor(tag: RoomTag, crypto: Crypto, edges: Edges, wires: NoticeWires) {
    this.#tag = tag;
    this.#crypto = crypto;
    this.#edges = edges;
    this.#wires = wires;
    this.keys = new KeyNotices(crypto, edges, { ...wires, view: () => this.view });
    this.retired = new RetiredVoices(crypto, {
      reject: (reason) => wires.reject(reason),
      spread: (paper, from, now) => this.#spread(paper, from, now),
    });
    this.#petitions = new Passersby(crypto, petitionRepeatMs);
    this.#notes = new Passersby(crypto, noteRepeatMs);
    this.#chains = new Chains(crypto);
  }

  /** Events that no state settles yet, sealed. */
  get events(): readonly Uint8Array[] {
    return this.#chains.events;
  }

  /** The state in force, sealed. */
  get state(): Uint8Array | undefined {
    return this.#state;
  }

  /** Takes a view that is known to be good, and tells everybody but the one it came from. */
  adoptView(view: RelayView, now: Millis, from?: Edge): void {
    this.view = view;
    this.retired.takeView(view);
    this.#tell({ kind: "view", bytes: view.encoded }, from, now);
    this.#wires.viewTaken(view, now);
  }

  /** Takes a sealed state that is known to be good, likewise. */
  adoptState(bytes: Uint8Array, now: Millis, from?: Edge): void {
    this.#state = bytes;
    const head = readStateHead(bytes);
    if (head) this.#chains.settle(head);
    this.#tell({ kind: "state", bytes }, from, now);
    this.#wires.resident()?.state(bytes, now);
  }

  /** Takes one of these papers from a neighbour. */
  handle(
    edge: Edge,
    paper: Extract<
      Paper,
      { kind: "view" | "state" | "petition" | "note" | "act" | "retired" | "keys" | "enrol" | "grant" }
    >,
    now: Millis,
  ): void {
    if (paper.kind === "view") this.#offerView(paper.bytes, edge, now);
    else if (paper.kind === "state") this.#offerState(paper.bytes, edge, now);
    else if (paper.kind === "act") this.#offerEvent(paper.bytes, edge, now);
    else if (paper.kind === "keys" || paper.kind === "enrol" || paper.kind === "grant")
      this.keys.handle(edge, paper, now);
    else if (!takePetition(edge, now)) this.#wires.reject("petition-rate");
    else if (paper.kind === "retired") this.retired.offer(paper.seeds, edge, now);
    else if (paper.kind === "note") this.#offerNote(paper.bytes, edge, now);
    else this.passPetition(paper.bytes, edge, now);
  }

  /** Sends a petition up, across, and to the host session. Without `from` it is our own. */
  passPetition(bytes: Uint8Array, from: Edge | undefined, now: Millis): void {
    if (!this.#petitions.isNew(bytes, now)) return;
    const resident = this.#wires.resident();
    if (resident?.authority === true) resident.petition(bytes, now);
    const paper = encodePaper({ kind: "petition", bytes });
    const { above } = this.#edges;
    for (const edge of this.#edges.all) {
      if (edge === from) continue;
      const up = edge === above || (edge.direction === "mesh" && from?.direction !== "mesh");
      if (up || edge.authority || edge.holdsOffice) edge.session.sendReliable(paper, now);
    }
  }

  /** Sends something typed to everybody ([OV13]). Without `from` it is our own. */
  passNote(bytes: Uint8Array, from: Edge | undefined, now: Millis): void {
    if (!this.#notes.isNew(bytes, now)) return;
    if (from) this.#wires.resident()?.note(bytes, now);
    this.#spread({ kind: "note", bytes }, from, now);
  }

  /** Tells everybody what we did. */
  passEvent(bytes: Uint8Array, now: Millis): void {
    this.#chains.add(bytes);
    // On every edge at once: then it is ahead of the state that settles it, whichever way that takes.
    const paper = encodePaper({ kind: "act", bytes });
    for (const edge of this.#edges.all) if (edge.welcomed) edge.session.sendReliable(paper, now);
  }

  /** A number that tells whether two neighbours hold the same: they differ when it does. */
  get mark(): number {
    const held = [this.view?.encoded, this.#state, this.keys.held, this.#chains.digest].map(
      (bytes) => bytes ?? new Uint8Array(0),
    );
    return new ByteReader(this.#crypto.sha256(concat(...held))).u32();
  }

  /** Gives a neighbour that says it holds something else what is held. */
  showAgain(edge: Edge, now: Millis): void {
    const last = this.#shownAt.get(edge);
    if (last !== undefined && now - last < showPauseMs) return this.#wires.reject("show-rate");
    this.show(edge, now);
  }

  /** Gives a new neighbour what is held. */
  show(edge: Edge, now: Millis): void {
    this.#shownAt.set(edge, now);
    if (this.view) edge.session.sendReliable(encodePaper({ kind: "view", bytes: this.view.encoded }), now);
    // By the keys it is known how the state opens.
    this.keys.show(edge, now);
    if (this.#state) edge.session.sendReliable(encodePaper({ kind: "state", bytes: this.#state }), now);
    this.retired.show(edge, now);
    for (const bytes of this.#chains.events) edge.session.sendReliable(encodePaper({ kind: "act", bytes }), now);
  }

  /** From a member below, no more texts than the room allows; what a relay brings was let through where it came in. */
  #offerNote(bytes: Uint8Array, from: Edge, now: Millis): void {
    const slowModeS = this.view?.slowModeS ?? 0;
    if (slowModeS > 0 && from.direction === "down" && from.role === "member" && !from.holdsOffice && !from.authority) {
      if (now < from.textAt) return this.#wires.reject("slow-mode");
      from.textAt = millis(now + slowModeS * slowModeSlack);
    }
    this.passNote(bytes, from, now);
  }

  #offerEvent(bytes: Uint8Array, from: Edge, now: Millis): void {
    if (!this.view) return;
    const verdict = this.#chains.judge(bytes, this.view, now);
    switch (verdict) {
      case "new":
      case "fork":
        if (verdict === "fork") this.#wires.reject("event-fork");
        this.#wires.resident()?.event(bytes, now);
        return this.#spread({ kind: "act", bytes }, from, now);
      case "late":
        return undefined;
      // Who was in charge a moment ago, or will be when the view comes: nobody is to blame.
      case "stranger":
      case "ahead":
      case "rate":
        return this.#wires.reject(`event-${verdict}`);
      case "right":
      case "signature":
      case "malformed":
        return this.#wires.fault(`event-${verdict}`, from, now);
      default:
        return verdict satisfies never;
    }
  }

  /** To everybody, once: down every edge with media, up and across like a petition. */
  #spread(paper: Paper, from: Edge | undefined, now: Millis): void {
    const bytes = encodePaper(paper);
    const { above } = this.#edges;
    for (const edge of this.#edges.all) {
      if (edge === from) continue;
      const below = edge.direction === "down" && (edge.feed || edge.session.quiet);
      const across = edge.direction === "mesh" && from?.direction !== "mesh" && from !== above;
      if (below || across || (edge === above && from?.direction !== "mesh")) edge.session.sendReliable(bytes, now);
    }
  }

  #offerView(bytes: Uint8Array, from: Edge, now: Millis): void {
    const parsed = parseView(bytes);
    if (!parsed.ok || parsed.value.tagHex !== this.#tag) return this.#wires.fault("view", from, now);
    if (this.view && isFork(parsed.value, this.view))
      return this.#offerFork({ kind: "view", bytes }, parsed.value, from, now);
    if (this.view && !newer(this.#crypto, parsed.value, this.view)) {
      // Who shows us what is older lacks what we have.
      if (from.direction === "up" && newer(this.#crypto, this.view, parsed.value)) this.showAgain(from, now);
      return;
    }
    if (this.view && !isWithinReach(this.view.sequence, parsed.value.sequence)) return this.#wires.reject("view-jump");
    if (this.view && this.#isRevoked(parsed.value)) return this.#wires.fault("view-revoked", from, now);
    if (!verifyView(this.#crypto, parsed.value, this.#wires.time(now)).ok) return this.#wires.fault("view", from, now);
    this.adoptView(parsed.value, now, from);
  }

  #offerState(bytes: Uint8Array, from: Edge, now: Millis): void {
    if (!this.view) return;
    const verdict = checkState(this.#crypto, this.view, bytes, this.#state);
    if (verdict === "newer") this.adoptState(bytes, now, from);
    else if (verdict === "bad") this.#wires.fault("state", from, now);
    else if (verdict === "foreign" || verdict === "jump") this.#wires.reject(`state-${verdict}`);
    else if (verdict === "forked") this.#passFork({ kind: "state", bytes }, from, now);
  }

  /** Another view under the number of the one in force: who signed both is not to be trusted, and everybody shall know. */
  #offerFork(paper: Paper, view: RelayView, from: Edge, now: Millis): void {
    if (!verifyView(this.#crypto, view, this.#wires.time(now)).ok) return this.#wires.fault("view", from, now);
    this.#passFork(paper, from, now);
    // So that everybody ends with the same one.
    if (this.view && newer(this.#crypto, view, this.view)) this.adoptView(view, now, from);
  }

  #passFork(paper: Paper, from: Edge, now: Millis): void {
    const session = this.view ? toHex(this.view.session.key) : "";
    if (this.#forked.has(session)) return;
    this.#forked.add(session);
    this.#wires.reject("forked");
    this.#wires.resident()?.forked(now);
    this.#tell(paper, from, now);
  }

  /** Whether the view in force says that this one's session speaks for the room no more. */
  #isRevoked(view: RelayView): boolean {
    const name = banOf(this.#crypto, view.session.key);
    return this.view?.revoked.some((revoked) => equal(revoked, name)) ?? false;
  }

  #tell(paper: Paper, from: Edge | undefined, now: Millis): void {
    const bytes = encodePaper(paper);
    const { above } = this.#edges;
    for (const edge of this.#edges.all.slice()) {
      if (edge === from || !edge.welcomed || (from && isReserve(edge, above))) continue;
      if (!edge.session.sendReliable(bytes, now)) this.#wires.end(edge);
    }
  }
}

/**
 * Whether it is an edge kept in reserve: what comes to us comes to it by another way, and it is shown what it lacks when it is to
 * be more ([OV23]). To tell it as well would bring each paper to everybody once for each backup.
 */
function isReserve(edge: Edge, above: Edge | undefined): boolean {
  if (edge.authority || edge.holdsOffice || edge.direction === "mesh") return false;
  return edge.direction === "up"
    ? edge !== above
    : !edge.feed && !edge.session.quiet && edge.role === "member" && !edge.waits;
}
