import type { EngineEvent } from "../api/engine.ts";
import type { ErrorCode } from "../api/errors.ts";
import type { PortCloseReason } from "../api/port.ts";
import { eventShape, faultCodes, type Mirror, mirrorShape } from "./events.ts";
import { count, exact, flag, list, nullable, object, oneOf, text, type Shape } from "./shape.ts";
import { textsMax } from "./recollection.ts";
import { readText, type ByKind, type TextFault } from "./texts.ts";

/** How window and engine speak over a port: JSON texts, and bytes for sound (sound.ts). */

/** Characters of one text from a window: the longest command brings a capsule, in hex. */
export const windowTextMax = 262_144;
/** Characters of one text from the engine: the largest stage that can be told, with every hand of a full room. */
export const engineTextMax = 4_194_304;
/** Characters of what a window leaves to the next one: a few choices. */
export const keptTextMax = 1024;
/** Requests that may wait for an answer at once; a person has a few. */
export const requestsMax = 32;
/** Messages that break the rules before the other side is hung up on. */
export const faultsMax = 64;

/** Commands that are answered. */
export const requestMethods = [
  "start",
  "volunteer",
  "lend",
  "host",
  "join",
  "chooseWay",
  "probe",
  "act",
  "issueInvite",
  "openRooms",
  "wipe",
  "leave",
  "resume",
  "stop",
] as const;
/** Commands that are not. */
export const tellMethods = [
  "power",
  "raiseHand",
  "lowerHand",
  "preferLayer",
  "admit",
  "dismiss",
  "removeFromStage",
  "say",
  "stopProbe",
] as const;

/** A command that is answered. */
export type RequestMethod = (typeof requestMethods)[number];
/** A command that is not answered. */
export type TellMethod = (typeof tellMethods)[number];

/** From window to engine. Arguments are looked at by method, in commands.ts. */
export type ToEngine =
  | {
      readonly kind: "request";
      readonly id: number;
      readonly method: RequestMethod;
      readonly arguments: readonly unknown[];
    }
  | { readonly kind: "tell"; readonly method: TellMethod; readonly arguments: readonly unknown[] }
  /** Totals of what was taken in so far. */
  | { readonly kind: "taken"; readonly events: number; readonly sounds: number }
  /** Whether opened packets are wanted. */
  | { readonly kind: "hear"; readonly on: boolean }
  | { readonly kind: "take-over" }
  /** What the window that comes next, after a reload or a crash, must know of this one: see `Seat`. */
  | { readonly kind: "keep"; readonly text: string };

/** From engine to window. */
export type ToWindow =
  /** The first word, and again when events had to be left out because the window did not keep up. */
  | {
      readonly kind: "welcome";
      readonly events: readonly EngineEvent[];
      readonly mirror: Mirror;
      /** What the window before this one left; null when it left nothing. */
      readonly kept: string | null;
    }
  | { readonly kind: "event"; readonly event: EngineEvent }
  | { readonly kind: "mirror"; readonly mirror: Mirror }
  /** `value`: a text for `volunteer` and `issueInvite`, invites for `host`, rooms for `openRooms`, null for the others. */
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "fault"; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "taken"; readonly sounds: number }
  /** Another window is open. */
  | { readonly kind: "occupied" }
  | { readonly kind: "bye"; readonly reason: PortCloseReason };

/** Why a message was dropped; counted under this name. */
export type PortFault = TextFault | "not-text-or-bytes" | "bad-sound" | "bad-count" | "unknown-id" | "too-many";

const argumentList: Shape<readonly unknown[]> = list((value): value is unknown => value !== undefined, 4);

const toEngineShapes: ByKind<ToEngine> = {
  request: exact({ kind: oneOf("request"), id: count(), method: oneOf(...requestMethods), arguments: argumentList }),
  tell: exact({ kind: oneOf("tell"), method: oneOf(...tellMethods), arguments: argumentList }),
  taken: exact({ kind: oneOf("taken"), events: count(), sounds: count() }),
  hear: exact({ kind: oneOf("hear"), on: flag }),
  "take-over": exact({ kind: oneOf("take-over") }),
  keep: exact({ kind: oneOf("keep"), text: text(keptTextMax) }),
};

/** Events of a snapshot: one of each kind, a few to spare, and what was typed. */
const snapshotEventsMax = 64 + textsMax;

const toWindowShapes: ByKind<ToWindow> = {
  welcome: object({
    kind: oneOf("welcome"),
    events: list(eventShape, snapshotEventsMax),
    mirror: mirrorShape,
    kept: nullable(text(keptTextMax)),
  }),
  event: object({ kind: oneOf("event"), event: eventShape }),
  mirror: object({ kind: oneOf("mirror"), mirror: mirrorShape }),
  answer: object({ kind: oneOf("answer"), id: count(), value: (value): value is unknown => value !== undefined }),
  fault: object({ kind: oneOf("fault"), id: count(), code: oneOf(...faultCodes), message: text(4096) }),
  taken: object({ kind: oneOf("taken"), sounds: count() }),
  occupied: object({ kind: oneOf("occupied") }),
  bye: object({ kind: oneOf("bye"), reason: oneOf("local", "lost", "replaced", "engine-gone", "protocol") }),
};

/** What a text from a window says, or why it says nothing. */
export function readFromWindow(message: string): ToEngine | PortFault {
  return readText(message, windowTextMax, toEngineShapes);
}

/** What a text from an engine says, or why it says nothing. */
export function readFromEngine(message: string): ToWindow | PortFault {
  return readText(message, engineTextMax, toWindowShapes);
}

/** The text of a message. */
export function write(message: ToEngine | ToWindow): string {
  return JSON.stringify(message);
}
