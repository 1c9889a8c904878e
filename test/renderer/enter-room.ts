import type { Page } from "playwright-core";
import type { EngineEvent, Role, StagePerson } from "../../p2p/api/engine.ts";
import { millis } from "../../p2p/api/ids.ts";
import type { QueuedHand, Right } from "../../p2p/api/room.ts";
import { drive } from "./fixture-page.ts";
import {
  factsOf,
  joinedEvent,
  keyOf,
  knownOf,
  membersEvent,
  names,
  personOf,
  placeEvent,
  stageEvent,
  voiceOf,
} from "./scenes.ts";

/** An invite that the window takes for one; the scripted engine does not read it. */
export const inviteText = `thi1-${keyOf(1)}${keyOf(2)}${keyOf(3)}`;
/** Lets the engine of the page say these. */
export const emit = (page: Page, ...events: readonly EngineEvent[]): Promise<void> => drive(page, "emit", ...events);

/** A raised hand; the minute is of some evening. */
export const handOf = (number: number, name: string, minute: number): QueuedHand => ({
  id: `h${number}`,
  identity: keyOf(number + 500),
  name,
  self: false,
  raisedAt: millis(Date.UTC(2026, 10, 30, 20, minute)),
});

const rightsOf: Readonly<Record<Role, readonly Right[]>> = {
  listener: [],
  speaker: ["speak"],
  moderator: ["speak", "moderate"],
  heir: ["speak", "moderate", "appoint", "direct"],
  host: ["speak", "moderate", "appoint", "direct"],
};

/** What the room is like with these people on stage, and somebody in the audience whom it knows. */
export function roomState(
  role: Role,
  people: readonly StagePerson[],
  hands: readonly QueuedHand[],
  listeners: number,
): Extract<EngineEvent, { readonly event: "room-state" }> {
  const known = people.map(({ voice, identity, name, role: office, self }) =>
    knownOf(0, name, { voice, identity, role: office, self }),
  );
  const facts = factsOf({
    title: "夜談 · What we remember of home",
    people: [...known, knownOf(70, "Aygul")],
    hands,
    rights: rightsOf[role],
    role,
    keyHolders: listeners + people.length,
    keptBy: people[0]?.identity ?? null,
  });
  return { event: "room-state", ...facts };
}

/** Brings the page into a room with `count` people on stage. */
export async function enterRoom(page: Page, role: Role, count: number, listeners: number): Promise<void> {
  const others = names.slice(0, role === "listener" ? count : count - 1);
  const people = others.map((name, index) => {
    const place = index === 0 && role !== "host" ? "host" : index === 1 ? "moderator" : "speaker";
    return personOf(index, name, place);
  });
  if (role !== "listener") people.push(personOf(40, "Mei", role, true));
  const hands = [handOf(61, "Osman", 0), handOf(62, "張先生", 4), handOf(63, "Someone with quite a long name here", 9)];
  await emit(page, joinedEvent(role), { event: "role", role, by: "" });
  await emit(
    page,
    stageEvent("夜談 · What we remember of home", people, role === "host" ? hands : []),
    membersEvent(count, listeners, 42),
    role === "host"
      ? placeEvent(
          0,
          { kind: "webrtc", feeds: true },
          { kind: "stream", feeds: true },
          { kind: "stream", feeds: false },
        )
      : placeEvent(4, { kind: "webrtc", feeds: true }, { kind: "stream", feeds: false }),
  );
  if (role === "host") {
    const invites = { listener: inviteText, speaker: inviteText, moderator: inviteText, heir: inviteText };
    await emit(page, { event: "room", room: joinedRoom, invites, link: `teahouse://join#${inviteText}` });
  }
  await emit(page, roomState(role, people, role === "host" ? hands : [], listeners));
  await emit(page, quality);
  await page.locator(".room").waitFor();
}

const joinedRoom = (joinedEvent("host") as Extract<EngineEvent, { event: "joined" }>).room;
/** Counts of a second. */
export const quality = {
  event: "stats",
  framesExpected: 100,
  framesOnTime: 100,
  framesConcealed: 0,
  framesDuplicate: 0,
  framesSent: 0,
  worstGapMs: 0,
  packetsForwarded: 0,
  packetsRejected: {},
  bytesIn: 1,
  bytesOut: 1,
  controlBytes: 1,
  latencyMs: 186,
  hops: 4,
  children: 0,
  links: { webrtc: 1, stream: 1 },
  layer: "normal",
} as const satisfies EngineEvent;

/** Two people speak at once, one loudly. */
export const someoneSpeaks = (page: Page): Promise<void> =>
  drive(page, "hearOthers", [
    [voiceOf(0), 0.85],
    [voiceOf(2), 0.35],
  ]);
