import type { Millis, RoomTag } from "../../api/ids.ts";
import { ByteReader, concat } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { checkState } from "../room/state.ts";
import { newer, parseView, type RelayView, verifyView } from "../room/view.ts";
import { type Edge, type Edges, takePetition } from "./edge.ts";
import { KeyNotices, type KeyWires } from "./key-notices.ts";
import { encodePaper, type Paper } from "./papers.ts";
import { noteRepeatMs, Passersby, petitionRepeatMs } from "./passersby.ts";

/** What notices need from the room they are posted in. */
export interface NoticeWires extends Omit<KeyWires, "view"> {
  viewTaken(view: RelayView, now: Millis): void;
  stateTaken(bytes: Uint8Array, now: Millis): void;
  /** A petition came by: our own, or somebody else's. */
  petitionSeen(bytes: Uint8Array, now: Millis): void;
  /** The best time known here. */
  time(now: Millis): Millis;
  /** Something typed came by. */
  noteSeen(bytes: Uint8Array, now: Millis): void;
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
  #state: Uint8Array | undefined;
  readonly #tag: RoomTag;
  readonly #crypto: Crypto;
  readonly #edges: Edges;
  readonly #wires: NoticeWires;
  readonly #petitions: Passersby;
  readonly #notes: Passersby;

  constructor(tag: RoomTag, crypto: Crypto, edges: Edges, wires: NoticeWires) {
    this.#tag = tag;
    this.#crypto = crypto;
    this.#edges = edges;
    this.#wires = wires;
    this.keys = new KeyNotices(crypto, edges, { ...wires, view: () => this.view });
    this.#petitions = new Passersby(crypto, petitionRepeatMs);
    this.#notes = new Passersby(crypto, noteRepeatMs);
  }

  /** Takes a view that is known to be good, and tells everybody but the one it came from. */
  adoptView(view: RelayView, now: Millis, from?: Edge): void {
    this.view = view;
    this.#tell({ kind: "view", bytes: view.encoded }, from, now);
    this.#wires.viewTaken(view, now);
  }

  /** Takes a sealed state that is known to be good, likewise. */
  adoptState(bytes: Uint8Array, now: Millis, from?: Edge): void {
    this.#state = bytes;
    this.#tell({ kind: "state", bytes }, from, now);
    this.#wires.stateTaken(bytes, now);
  }

  /** Takes one of these papers from a neighbour. */
  handle(
    edge: Edge,
    paper: Extract<Paper, { kind: "view" | "state" | "petition" | "note" | "keys" | "enrol" | "grant" }>,
    now: Millis,
  ): void {
    if (paper.kind === "view") this.#offerView(paper.bytes, edge, now);
    else if (paper.kind === "state") this.#offerState(paper.bytes, edge, now);
    else if (paper.kind === "keys" || paper.kind === "enrol" || paper.kind === "grant")
      this.keys.handle(edge, paper, now);
    else if (!takePetition(edge, now)) this.#wires.reject("petition-rate");
    else if (paper.kind === "note") this.passNote(paper.bytes, edge, now);
    else this.passPetition(paper.bytes, edge, now);
  }

  /** Sends a petition up, across, and to the host session. Without `from` it is our own. */
  passPetition(bytes: Uint8Array, from: Edge | undefined, now: Millis): void {
    if (!this.#petitions.isNew(bytes, now)) return;
    this.#wires.petitionSeen(bytes, now);
    const paper = encodePaper({ kind: "petition", bytes });
    const { above } = this.#edges;
    for (const edge of this.#edges.all) {
      if (edge === from) continue;
      const up = edge === above || (edge.direction === "mesh" && from?.direction !== "mesh");
      if (up || edge.authority) edge.session.sendReliable(paper, now);
    }
  }

  /** Sends something typed to everybody ([OV13]). Without `from` it is our own. */
  passNote(bytes: Uint8Array, from: Edge | undefined, now: Millis): void {
    if (!this.#notes.isNew(bytes, now)) return;
    if (from) this.#wires.noteSeen(bytes, now);
    const paper = encodePaper({ kind: "note", bytes });
    const { above } = this.#edges;
    for (const edge of this.#edges.all) {
      if (edge === from) continue;
      const below = edge.direction === "down" && (edge.feed || edge.session.quiet);
      const across = edge.direction === "mesh" && from?.direction !== "mesh" && from !== above;
      if (below || across || (edge === above && from?.direction !== "mesh")) edge.session.sendReliable(paper, now);
    }
  }

  /** A number that tells whether two neighbours hold the same: they differ when it does. */
  get mark(): number {
    const held = [this.view?.encoded, this.#state, this.keys.held].map((bytes) => bytes ?? new Uint8Array(0));
    return new ByteReader(this.#crypto.sha256(concat(...held))).u32();
  }

  /** Gives a new neighbour what is held. */
  show(edge: Edge, now: Millis): void {
    if (this.view) edge.session.sendReliable(encodePaper({ kind: "view", bytes: this.view.encoded }), now);
    if (this.#state) edge.session.sendReliable(encodePaper({ kind: "state", bytes: this.#state }), now);
    this.keys.show(edge, now);
  }

  #offerView(bytes: Uint8Array, from: Edge, now: Millis): void {
    const parsed = parseView(bytes);
    if (!parsed.ok || parsed.value.tagHex !== this.#tag) return this.#wires.fault("view", from, now);
    if (this.view && !newer(parsed.value, this.view)) {
      // Who shows us what is older lacks what we have.
      if (from.direction === "up" && newer(this.view, parsed.value)) this.show(from, now);
      return;
    }
    if (!verifyView(this.#crypto, parsed.value, this.#wires.time(now)).ok) return this.#wires.fault("view", from, now);
    this.adoptView(parsed.value, now, from);
  }

  #offerState(bytes: Uint8Array, from: Edge, now: Millis): void {
    if (!this.view) return;
    const verdict = checkState(this.#crypto, this.view, bytes, this.#state);
    if (verdict === "newer") this.adoptState(bytes, now, from);
    else if (verdict === "bad") this.#wires.fault("state", from, now);
  }

  #tell(paper: Paper, from: Edge | undefined, now: Millis): void {
    const bytes = encodePaper(paper);
    for (const edge of this.#edges.all.slice()) {
      if (edge !== from && edge.welcomed && !edge.session.sendReliable(bytes, now)) this.#wires.end(edge);
    }
  }
}
