import type { Hello } from "../../session/frames.ts";
import type { Millis, PeerId } from "../../../api/ids.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { checkCommit, type Commit } from "../../room/epoch/commit.ts";
import { enrolmentIdBytes } from "../../room/epoch/enrolment.ts";
import type { RelayView } from "../../room/state/view.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper, type Paper } from "./papers.ts";

/** How long a grant may take on its way back: its keeper may wait 5 s for the next epoch. */
const wayMs = 15_000;
/** Enrolments on their way at once: a full room that comes to another keeper within 10 s. */
const waysMax = 16_384;
/**
 * Enrolments from one neighbour: for each who hangs below it one, and four more, which may come at once, as when another keeper
 * takes over; and all of them again within half a minute. Who repeats without an answer asks four times in it ([RM45]).
 */
const enrolmentsSpare = 4;
/** Of a relay that the view names; of a member who lends, who may claim what it likes, as many as may hang below one. */
const enrolmentsMax = 8_192;
const enrolmentsOfMemberMax = 256;
const refillSeconds = 30;

/** The member of this room on this node, as far as keys go. */
export interface KeyReader {
  /** What the acting authority says of the room's keys. */
  taken(commit: Commit, now: Millis): void;
  /** Somebody's wish for keys came by. */
  enrolmentSeen(bytes: Uint8Array, now: Millis): void;
  /** The answer to ours. */
  grantCame(bytes: Uint8Array, now: Millis): void;
  /** What opens the room's door at this relay, in this session. */
  doors(relay: PeerId, session: Uint8Array, now: Millis): Pick<Hello, "doors" | "pass">;
  /** It goes for good: says so where that makes a difference, and overwrites every secret. */
  leave(now: Millis): void;
}

/** What keys' papers need from the room they are posted in. */
export interface KeyWires {
  view(): RelayView | undefined;
  /** Who reads them here; undefined at a relay. */
  keys(): KeyReader | undefined;
  /** A neighbour passed on what does not hold; counted, and charged to it. */
  fault(reason: string, from: Edge, now: Millis): void;
  reject(reason: string): void;
  end(edge: Edge): void;
}

type KeyPaper = Extract<Paper, { kind: "keys" | "enrol" | "grant" }>;

interface Way {
  /** Where the enrolment came from; undefined: it is our own. */
  readonly edge: Edge | undefined;
  readonly at: Millis;
  /** It went back; the enrolment may still come by another way. */
  answered: boolean;
}

interface Bucket {
  tokens: number;
  at: Millis;
}

/**
 * How keys travel ([OV60]): the keys paper to everybody, as view and state do; enrolments up, across and to the host session, as
 * petitions do; and each grant back the way by which its enrolment came, so that a relay learns of neither more than its size.
 */
export class KeyNotices {
  readonly #crypto: Crypto;
  readonly #edges: Edges;
  readonly #wires: KeyWires;
  readonly #ways = new Map<string, Way>();
  readonly #buckets = new WeakMap<Edge, Bucket>();
  /** The keys paper in force, and the edge by which it came: there the authority is. */
  #held: { readonly commit: Commit; readonly bytes: Uint8Array; from: Edge | undefined } | undefined;

  constructor(crypto: Crypto, edges: Edges, wires: KeyWires) {
    this.#crypto = crypto;
    this.#edges = edges;
    this.#wires = wires;
  }

  /** Takes a keys paper that is known to be good, and tells everybody but the one it came from. */
  adopt(commit: Commit, bytes: Uint8Array, now: Millis, from?: Edge): void {
    this.#held = { commit, bytes, from };
    const paper = encodePaper({ kind: "keys", bytes });
    for (const edge of this.#edges.all.slice()) {
      if (edge !== from && edge.welcomed && !edge.session.sendReliable(paper, now)) this.#wires.end(edge);
    }
    this.#wires.keys()?.taken(commit, now);
  }

  handle(edge: Edge, paper: KeyPaper, now: Millis): void {
    if (paper.kind === "keys") this.#offer(paper.bytes, edge, now);
    else if (paper.kind === "grant") this.passGrant(paper.bytes, now);
    else if (!this.#mayEnrol(edge, now)) this.#wires.reject("enrolment-rate");
    else this.passEnrolment(paper.bytes, edge, now);
  }

  /** Sends an enrolment towards whoever keeps the keys. Without `from` it is our own. */
  passEnrolment(bytes: Uint8Array, from: Edge | undefined, now: Millis): void {
    const id = idOf(bytes);
    this.#forgetOld(now);
    if (this.#ways.has(id)) return;
    if (this.#ways.size >= waysMax) return this.#wires.reject("enrolments-full");
    this.#ways.set(id, { edge: from, at: now, answered: false });
    if (from) this.#wires.keys()?.enrolmentSeen(bytes, now);
    const paper = encodePaper({ kind: "enrol", bytes });
    for (const edge of this.#towardsAuthority(from)) edge.session.sendReliable(paper, now);
  }

  /** Sends a grant back the way of its enrolment, once. */
  passGrant(bytes: Uint8Array, now: Millis): void {
    const id = idOf(bytes);
    const way = this.#ways.get(id);
    if (!way || way.answered) return this.#wires.reject("stray-grant");
    way.answered = true;
    if (!way.edge) return this.#wires.keys()?.grantCame(bytes, now);
    if (this.#edges.all.includes(way.edge)) way.edge.session.sendReliable(encodePaper({ kind: "grant", bytes }), now);
  }

  /** The newest commit, as it came. */
  get held(): Uint8Array | undefined {
    return this.#held?.bytes;
  }

  /** Gives a new neighbour what is held. */
  show(edge: Edge, now: Millis): void {
    if (this.#held) edge.session.sendReliable(encodePaper({ kind: "keys", bytes: this.#held.bytes }), now);
  }

  #offer(bytes: Uint8Array, from: Edge, now: Millis): void {
    const view = this.#wires.view();
    if (!view) return;
    const verdict = checkCommit(this.#crypto, view, bytes, this.#held?.commit);
    if (verdict === "bad") this.#wires.fault("keys", from, now);
    else if (verdict === "foreign" || verdict === "jump") this.#wires.reject(`keys-${verdict}`);
    else if (verdict !== "older") this.adopt(verdict, bytes, now, from);
    else if (this.#held && this.#held.from === undefined) this.#offerOwn(bytes, from, view, now);
    else if (this.#held?.from && !this.#edges.all.includes(this.#held.from)) this.#held.from = from;
  }

  /** A paper of our own from before a crash: the room may be further than we know. */
  #offerOwn(bytes: Uint8Array, from: Edge, view: RelayView, now: Millis): void {
    const own = checkCommit(this.#crypto, view, bytes, undefined);
    if (own === "bad") this.#wires.fault("keys", from, now);
    else if (typeof own !== "string") this.#wires.keys()?.taken(own, now);
  }

  /** Nowhere from where the authority is; else where the keys paper came from; while that edge is gone, wherever a petition would go. */
  #towardsAuthority(from: Edge | undefined): Edge[] {
    if (this.#held && this.#held.from === undefined) return [];
    const known = this.#held?.from;
    if (known && known !== from && this.#edges.all.includes(known)) return [known];
    const { above } = this.#edges;
    return this.#edges.all.filter((edge) => {
      const up = edge === above || (edge.direction === "mesh" && from?.direction !== "mesh");
      return edge !== from && (up || edge.authority);
    });
  }

  #mayEnrol(edge: Edge, now: Millis): boolean {
    const most = edge.role === "member" ? enrolmentsOfMemberMax : enrolmentsMax;
    const burst = Math.min(most, Math.max(1, edge.census.listeners) + enrolmentsSpare);
    const bucket = this.#buckets.get(edge) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000 / refillSeconds) * burst);
    bucket.at = now;
    this.#buckets.set(edge, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** In the order in which they came, the oldest first. */
  #forgetOld(now: Millis): void {
    for (const [id, way] of this.#ways) {
      if (now - way.at < wayMs) return;
      this.#ways.delete(id);
    }
  }
}

function idOf(bytes: Uint8Array): string {
  return toHex(bytes.subarray(0, enrolmentIdBytes));
}
