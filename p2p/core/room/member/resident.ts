import type { Layer, SpokenPacket } from "../../../api/engine.ts";
import type { Millis, PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { Deadline } from "../../machine.ts";
import type { RoomNode } from "../../overlay/room-node.ts";
import type { RoomResident } from "../../overlay/room-wires.ts";
import type { Command, PeerOptions, PeerOutput } from "../../peer-io.ts";
import type { Capsule } from "../keeper/capsule.ts";
import type { Doings } from "./doings.ts";
import type { Hearing } from "../hearing/hearing.ts";
import type { Wish } from "../asking/petition.ts";

/** What a resident is given by its peer. */
export interface ResidentWires {
  readonly self: PeerId;
  /** Whether the DHT may be asked and told. */
  readonly discovery: boolean;
  emit(output: PeerOutput): void;
}

/** What is said of a hand, or of a voice on stage. */
export type Ruling = Extract<Command, { kind: "admit" | "dismiss" | "remove-from-stage" }>;

/** What is answered by number. */
export type Question = Extract<Command, { kind: "act" | "invite" }>;

/** The person in a room, as the peer sees it. */
export interface Resident extends RoomResident {
  /** It failed for good, and said so: it is to be shown out. */
  readonly over: boolean;
  start(now: Millis): void;
  raiseHand(wish: Wish, now: Millis): void;
  /** What it does in the room by its person's wish. */
  readonly doings: Doings;
  capsule(): Capsule | undefined;
  /** Sends 40 ms of our own voice. False while the stage is not ours. */
  speak(spoken: SpokenPacket, now: Millis): boolean;
  /** Asks for this layer of every voice from now on. */
  preferLayer(layer: Layer, now: Millis): void;
  record(value: Uint8Array, now: Millis): void;
  lookupEnded(now: Millis): void;
  handleTimeout(now: Millis): void;
  deadline(): Deadline | undefined;
  /** What it hears, in numbers. */
  readonly hearing: Hearing;
}

/** A place in a room, ready to be taken. */
export interface SeatOffer {
  readonly tag: Uint8Array;
  /** Relays to try first. */
  readonly hints: readonly RelayAddress[];
  take(node: RoomNode, wires: ResidentWires, now: Millis): Resident;
}

/**
 * Makes residents. A port, injected: whoever has it can open packets, and a relay is built without it.
 */
export type SeatMaker = (
  command: Extract<Command, { kind: "host" | "join" | "resume" }>,
  options: PeerOptions,
  now: Millis,
) => SeatOffer;
