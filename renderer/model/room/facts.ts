import type { Role } from "../../../p2p/api/engine.ts";
import type { QueuedHand, RoomFacts, RoomPerson } from "../../../p2p/api/room.ts";
import { cleanName, cleanText } from "../names.ts";

/** People and hands taken over: several stages; hands as many as a moderator can go through in an evening. */
const peopleMax = 600;
const handsMax = 500;
/** Links that are shown, and the longest that anybody would read before opening it. */
const linksMax = 8;
const linkCharactersMax = 300;
const rulesLinesMax = 24;

const ranks: Readonly<Record<Role, number>> = { host: 0, heir: 1, moderator: 2, speaker: 3, listener: 3 };

/** What an engine says of a room, fit to be shown: names are clean, lists bounded, links only what a browser opens safely. */
export function cleanFacts(facts: RoomFacts): RoomFacts {
  return {
    ...facts,
    title: cleanName(facts.title),
    rules: cleanRules(facts.rules),
    links: facts.links.slice(0, linksMax).filter(isWebLink),
    people: facts.people.slice(0, peopleMax).map((person) => ({ ...person, name: cleanName(person.name) })),
    hands: facts.hands.slice(0, handsMax).map((hand) => ({ ...hand, name: cleanName(hand.name) })),
  };
}

/** Rules keep their lines; each is cut like a typed text. */
function cleanRules(raw: string): string {
  const lines = raw.split(/\r?\n/).slice(0, rulesLinesMax);
  return lines.map(cleanText).join("\n").trim();
}

/** Whether a link is one that a person may open: a web address, and nothing that runs or reads here. */
export function isWebLink(link: string): boolean {
  if (link.length > linkCharactersMax || !URL.canParse(link)) return false;
  const { protocol } = new URL(link);
  return protocol === "https:" || protocol === "http:";
}

/** What one may do about somebody, in the order in which it is offered. */
export type Deed =
  | "invite-to-stage"
  | "uninvite"
  | "to-audience"
  | "mute"
  | "unmute"
  | "silence-text"
  | "allow-text"
  | "make-moderator"
  | "take-office"
  | "kick"
  | "ban"
  | "unban";

/** What we may do about this person now: what would be refused is not offered. */
export function deedsFor(facts: RoomFacts, person: RoomPerson): readonly Deed[] {
  const { rights, role } = facts;
  if (person.self || !rights.includes("moderate")) return [];
  if (person.banned) return ["unban"];
  const deeds: Deed[] = [];
  if (person.voice === null) deeds.push(person.invitedToStage ? "uninvite" : "invite-to-stage");
  if (ranks[role] >= ranks[person.role]) return deeds;
  if (person.voice !== null) {
    deeds.push("to-audience");
    deeds.push(person.muted === "keeper" ? "unmute" : "mute");
  }
  deeds.push(person.silenced ? "allow-text" : "silence-text");
  if (rights.includes("appoint")) {
    const holdsOffice = person.role === "moderator" || person.role === "heir";
    deeds.push(holdsOffice ? "take-office" : "make-moderator");
  }
  deeds.push("kick", "ban");
  return deeds;
}

/** Our own place in the queue of hands, from 1; undefined while our hand is not in it. */
export function placeInQueue(hands: readonly QueuedHand[]): number | undefined {
  const index = hands.findIndex(({ self }) => self);
  return index < 0 ? undefined : index + 1;
}

/** Somebody of whom no more is known than what a text or reaction says. */
export function strangerOf(identity: string, name: string): RoomPerson {
  return {
    identity,
    name,
    role: "listener",
    self: false,
    voice: null,
    muted: "no",
    banned: false,
    silenced: false,
    invitedToStage: false,
    records: false,
    lookAlike: false,
    comparison: "",
  };
}
