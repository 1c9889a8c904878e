import type { EngineEvent, Invites } from "../api/engine.ts";
import type { ErrorCode } from "../api/errors.ts";
import type { InviteTerms, OpenRoom } from "../api/room.ts";
import type { ProbeVerdict } from "../api/way.ts";
import { jsonLine, plainly } from "./plain.ts";
import type { StatsEvent, SummaryEvent } from "./summary.ts";

/** What `probe` found on one rung. */
export interface ProbeEvent {
  readonly event: "probe";
  /** What was tried. */
  readonly rung: string;
  readonly ok: boolean;
  /** Why not, by a code that does not change. */
  readonly failure?: string;
  readonly message: string;
}

/** An invite of the host's own terms. */
export interface IssuedEvent {
  readonly event: "issued";
  readonly role: InviteTerms["role"];
  readonly invite: string;
  readonly expiresInMs: number;
  readonly singleUse: boolean;
  readonly hasPassphrase: boolean;
}

/** A room that anybody may come into. */
export interface OpenRoomEvent extends OpenRoom {
  readonly event: "open-room";
}

/** What `probe` concludes. */
export interface ExplanationEvent {
  readonly event: "explanation";
  readonly code: ProbeVerdict;
  readonly message: string;
}

/** A sentence for people that has no event of its own; with `--json` it is not printed. */
export interface NoteEvent {
  readonly event: "note";
  readonly message: string;
}

/** Where the window is. */
export interface WindowEvent {
  readonly event: "window";
  /** Whether it was opened; else `url` opens it, once. */
  readonly open: boolean;
  readonly shell: "electron" | "browser" | "address";
  readonly url?: string;
  readonly message: string;
}

/** Everything that the command line prints. */
export type PrintedEvent =
  | Exclude<EngineEvent, { event: "stats" }>
  | StatsEvent
  | SummaryEvent
  | ProbeEvent
  | IssuedEvent
  | OpenRoomEvent
  | ExplanationEvent
  | NoteEvent
  | WindowEvent;

/** Where lines go. */
export interface Printer {
  print(event: PrintedEvent): void;
}

/** One JSON object a line; `t` is milliseconds since the process started. */
export function jsonPrinter(writeLine: (line: string) => void, sinceStartMs: () => number): Printer {
  return {
    print(event) {
      // An invite that was handed in is not handed out again, to whoever reads along.
      if (event.event === "note" || event.event === "invite") return;
      const { event: name, ...fields } = event;
      writeLine(jsonLine({ event: name, t: Math.round(sinceStartMs()), ...fields }));
    },
  };
}

/** Sentences for people; trouble goes to stderr. Names, titles and texts are strangers': they are lines, and steer nothing. */
export function textPrinter(writeLine: (line: string) => void, writeError: (line: string) => void): Printer {
  let membersSaid = "";
  let wasThere = false;
  return {
    print(event) {
      wasThere ||= event.event === "joined" || event.event === "room" || event.event === "card";
      // Who never got in has nothing to leave, and was told why.
      const isGoodbye = event.event === "summary" || event.event === "left";
      const text = isGoodbye && !wasThere ? undefined : sentence(plainly(event));
      // The same count again says nothing.
      if (text === undefined || (event.event === "members" && text === membersSaid)) return;
      if (event.event === "members") membersSaid = text;
      if (event.event === "refused" || event.event === "error") writeError(text);
      else writeLine(text);
    },
  };
}

function sentence(event: PrintedEvent): string | undefined {
  switch (event.event) {
    case "ready":
      return event.addresses.length === 0
        ? undefined
        : `This computer can be reached at ${event.addresses.join(", ")}.`;
    case "card":
      return `Give this card to hosts whose rooms you want to carry:\n${event.card}`;
    case "room":
      return invitesText(event.invites);
    case "joined":
      return `You are in the room as a ${event.role}.`;
    case "sound":
      return `You hear the room after ${seconds(event.ms)}.`;
    case "role":
      return `You are a ${event.role} now.`;
    case "cover":
      return `A gap of ${event.gapMs} ms was covered by a backup.`;
    case "move":
      return `Moved to another relay after ${event.gapMs} ms without sound.`;
    case "members":
      return `On stage: ${event.speakers}. Listening: ${event.listeners}. Relays: ${event.relays}.`;
    case "short":
      return event.short
        ? `Room for ${event.free} more: whoever can lend is asked to, with --lend.`
        : "There is room enough again.";
    case "summary":
      return summaryText(event);
    case "probe":
      // A window says it itself.
      return "message" in event ? `${event.ok ? "works" : "fails"}  ${event.rung}: ${event.message}` : undefined;
    case "issued":
      return issuedText(event);
    case "open-room":
      return `${event.title === "" ? "A room without a title" : event.title} (${event.members} there):  ${event.invite}`;
    case "note":
    case "explanation":
    case "window":
    case "refused":
    case "error":
      return event.message;
    case "text":
      return `${event.name === "" ? "Somebody" : event.name}: ${event.text}`;
    case "left":
      return "You are out of the room.";
    case "way":
    case "stats":
    case "strength":
    case "stage":
    case "room-state":
    case "invites-issued":
    case "reaction":
    case "invite":
    case "place":
    case "lending":
    case "step":
      return undefined;
    default:
      return event satisfies never;
  }
}

function invitesText(invites: Invites): string {
  return [
    "The room is open. To invite somebody, give them one of these:",
    `to listen, and raise a hand:  ${invites.listener}`,
    `to speak:                     ${invites.speaker}`,
    `to moderate:                  ${invites.moderator}`,
    `to carry the room on:         ${invites.heir}`,
    "Whoever holds an invite can come in and listen, and nobody can prevent a recording.",
  ].join("\n");
}

function issuedText({ role, invite, expiresInMs, singleUse, hasPassphrase }: IssuedEvent): string {
  const terms = [
    `good for ${Math.round(expiresInMs / 60_000)} minutes`,
    ...(singleUse ? ["for the first who comes"] : []),
    ...(hasPassphrase ? ["with the passphrase"] : []),
  ];
  return `As a ${role}, ${terms.join(", ")}:  ${invite}`;
}

function summaryText(event: SummaryEvent): string {
  if (event.framesExpected > 0) {
    const share = (100 * event.framesOnTime) / event.framesExpected;
    return `You left the room; ${share.toFixed(1)} % of ${seconds(event.framesExpected * 20)} of speech came on time.`;
  }
  if (event.packetsForwarded > 0) return `You left; ${event.packetsForwarded} packets were passed on to others.`;
  return "You left.";
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** What a printed error looks like as an event. */
export function errorEvent(
  code: ErrorCode,
  message: string,
  refused: boolean,
): Extract<EngineEvent, { code: ErrorCode }> {
  return { event: refused ? "refused" : "error", code, message };
}
