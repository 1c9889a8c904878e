import type { Crypto } from "../../crypto.ts";
import type { Hand, JoinStep, PlaceRelay, Role, StagePerson as SeenPerson } from "../../../api/engine.ts";
import type { IssuedInvite } from "../../../api/room.ts";
import type { Millis, VoiceKey } from "../../../api/ids.ts";
import { equal, toHex } from "../../bytes.ts";
import type { Edge } from "../../overlay/edge.ts";
import type { Census } from "../../overlay/news/papers.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import type { PeerEvent } from "../../peer-io.ts";
import { factsOf, type Skeleton } from "../state/facts.ts";
import type { Seat } from "./seat.ts";
import { presentOnStage, type RoomState } from "../state/state.ts";
import { StrengthChoice } from "../hearing/strength.ts";

/** Neighbours below that are told of: more than a picture can show. How many there are is among the counts. */
const belowMax = 64;

/** What of a seat shows in what is told. */
export interface Oneself {
  readonly identityKey: Uint8Array;
  /** Our own petition that waits, if there is one. */
  readonly hand: Uint8Array | undefined;
}

/** Free slots are few below this share of the listeners, and enough again at so many times that. */
const fewShare = 1 / 20;
const enoughTimes = 3;
/** Who looks at the room, and what they are in it. */
export interface Self extends Pick<Seat, "roomKey" | "identity"> {
  readonly role: Role;
  readonly keptBy: Uint8Array | undefined;
}

/** Tells the window who is on stage, where we are and how far joining is: each only when it changed. */
export class Teller {
  readonly #tell: (event: PeerEvent) => void;
  readonly #skeleton: Skeleton;
  #stage = "";
  #facts = "";
  #issued = "[]";
  #place = "";
  #members = "";
  #short: boolean | undefined;
  #census: Census | undefined;
  readonly #strength: StrengthChoice;
  #step: JoinStep | undefined;

  constructor(tell: (event: PeerEvent) => void, skeleton: Skeleton, now: Millis) {
    this.#tell = tell;
    this.#skeleton = skeleton;
    this.#strength = new StrengthChoice(now);
  }

  /** Who listens or speaks here, as far as it was counted. */
  get listeners(): number {
    return Math.max(1, this.#census?.listeners ?? 0);
  }

  step(step: JoinStep): void {
    if (step === this.#step) return;
    this.#step = step;
    this.#tell({ event: "step", step });
  }

  stage(known: RoomState, self: Oneself): void {
    const state = this.#asSeen(known, self.identityKey);
    const people = presentOnStage(state).map((person): SeenPerson => ({
      voice: toHex(person.voiceKey) as VoiceKey,
      identity: toHex(person.identityKey),
      name: person.name,
      role: person.role,
      self: equal(person.identityKey, self.identityKey),
    }));
    const isOwn = (id: Uint8Array): boolean => self.hand !== undefined && equal(id, self.hand);
    const hands = state.hands.map(({ id, person }): Hand => ({ id: toHex(id), name: person.name, self: isOwn(id) }));
    const seen = JSON.stringify([state.title, people, hands]);
    if (seen === this.#stage) return;
    this.#stage = seen;
    this.#tell({ event: "stage", title: state.title, people, hands });
  }

  /** What the room is like, when that changed. */
  facts(crypto: Crypto, known: RoomState, self: Self): void {
    const { roomKey, identity } = self;
    const identityKey = identity.key;
    const state = this.#asSeen(known, identityKey);
    const keptBy = this.#census?.kept === false && self.role !== "host" ? undefined : self.keptBy;
    const keeper = state.keepers.find((each) => equal(each.identityKey, identityKey));
    const role = keeper?.role ?? self.role;
    const keyHolders = this.listeners;
    const facts = factsOf(crypto, state, { roomKey, identityKey, role, keyHolders, keptBy }, this.#skeleton);
    const seen = JSON.stringify(facts);
    if (seen === this.#facts) return;
    this.#facts = seen;
    this.#tell({ event: "room-state", ...facts });
  }

  /** What invites were given out, when that changed. */
  issued(invites: readonly IssuedInvite[]): void {
    const seen = JSON.stringify(invites);
    if (seen === this.#issued) return;
    this.#issued = seen;
    this.#tell({ event: "invites-issued", invites });
  }

  /** Nobody is left who could say that the host is gone: then everybody sees it by what relays say. */
  #asSeen(state: RoomState, self: Uint8Array): RoomState {
    const host = state.stage.find(({ role }) => role === "host")?.identityKey;
    if (this.#census?.kept !== false || !host || equal(host, self)) return state;
    return { ...state, away: [...state.away, host] };
  }

  /** What was counted; without a count the last one stands, and only who speaks has changed. */
  members(census: Census | undefined, speakers: number): void {
    this.#census = census ?? this.#census;
    this.#strength.learn(this.#census, speakers);
    if (!this.#census) return;
    const listeners = Math.max(0, this.#census.listeners - speakers);
    const { relays } = this.#census;
    this.#shortage(this.#census);
    const seen = JSON.stringify([speakers, listeners, relays]);
    if (seen === this.#members) return;
    this.#members = seen;
    this.#tell({ event: "members", speakers, listeners, relays });
  }

  /** Slots run out, or there are enough of them again: not at the same number, so that nobody is asked every second. */
  #shortage({ free, listeners }: Census): void {
    const few = listeners * fewShare;
    const short = free <= (this.#short === true ? enoughTimes * few : few);
    if (short === (this.#short ?? false)) return;
    this.#short = short;
    this.#tell({ event: "short", short, free, listeners });
  }

  /** Where we are; and how voices are to be made, once all was well for long enough. */
  place(node: RoomNode, hops: number, now: Millis): void {
    if (this.#strength.judge(now)) this.#tell({ event: "strength", strength: this.#strength.strength });
    const { parent, ups, downs } = node.edges;
    const neighbour = ({ peer, session }: Edge, feeds: boolean): PlaceRelay => ({
      peer,
      kind: session.mediaKind ?? "stream",
      feeds,
    });
    const relays = ups.filter((edge) => edge.welcomed).map((edge) => neighbour(edge, edge === parent));
    const below = downs.slice(0, belowMax).map((edge) => neighbour(edge, edge.feed));
    const seen = JSON.stringify([hops, relays, below]);
    if (seen === this.#place) return;
    this.#place = seen;
    this.#tell({ event: "place", hops, relays, below });
  }
}
