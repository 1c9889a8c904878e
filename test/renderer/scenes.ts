import type { EngineEvent, Hand, JoinStep, PlaceRelay, Role, StagePerson } from "../../p2p/api/engine.ts";
import type { RoomFacts, RoomPerson } from "../../p2p/api/room.ts";
import type { ErrorCode } from "../../p2p/api/errors.ts";
import { millis, type PeerId, type RoomKey, type VoiceKey } from "../../p2p/api/ids.ts";
import type { ProbeStep, Way } from "../../p2p/api/way.ts";

/** A key made of a small number, for scripts. */
export function keyOf(number: number): string {
  const digits = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
  return digits.repeat(8);
}

/** The voice of the person with this number. */
export const voiceOf = (number: number): VoiceKey => keyOf(number) as VoiceKey;

/** A room key for scripts. */
export const roomOfScript = keyOf(999) as RoomKey;

/** Somebody on stage. */
export function personOf(number: number, name: string, role: Role, self = false): StagePerson {
  return { voice: voiceOf(number), identity: keyOf(number + 500), name, role, self };
}

/** Names that people in such rooms have; none is of anybody. */
export const names: readonly string[] = [
  "Lin Yue",
  "阿里木江",
  "Tenzin",
  "陳美玲",
  "Gulnar",
  "Ms. Oolong",
  "王小明",
  "فاطمة",
  "Kelsang Dolma",
  "李",
  "Bartholomew Featherstonehaugh",
  "Dilnur",
  "午夜的茶",
  "Wong Ka-yan",
  "Sandugash",
  "Night Ferry",
];

/** A `stage` event. */
export function stageEvent(title: string, people: readonly StagePerson[], hands: readonly Hand[] = []): EngineEvent {
  return { event: "stage", title, people, hands };
}

/** A `text` event. */
export function textEvent(number: number, name: string, text: string, self = false): EngineEvent {
  return { event: "text", identity: keyOf(number + 500), name, text, at: millis(1000 + number), self };
}

/** A `joined` event. */
export function joinedEvent(role: Role): EngineEvent {
  return { event: "joined", room: roomOfScript, role, hops: 2, parents: [keyOf(700) as PeerId], ms: 840 };
}

/** A `place` event: relays in the order given. */
export function placeEvent(
  hops: number,
  ...relays: readonly Omit<PlaceRelay, "peer">[]
): Extract<EngineEvent, { readonly event: "place" }> {
  return {
    event: "place",
    hops,
    relays: relays.map((relay, index) => ({ peer: keyOf(700 + index) as PeerId, ...relay })),
    below: [],
  };
}

/** Somebody below us in the tree. */
export const belowOf = (number: number, feeds: boolean): PlaceRelay => ({
  peer: keyOf(800 + number) as PeerId,
  kind: "webrtc",
  feeds,
});

/** A `step` event. */
export const stepEvent = (step: JoinStep): EngineEvent => ({ event: "step", step });

/** An `error` event. Its message is never shown: the window has sentences of its own. */
export const errorEvent = (code: ErrorCode): EngineEvent => ({ event: "error", code, message: "not for people" });

/** A `members` event. */
export function membersEvent(speakers: number, listeners: number, relays: number): EngineEvent {
  return { event: "members", speakers, listeners, relays };
}

/** A `way` event. */
export function wayEvent(rung: Way["rung"], rest: Partial<Omit<Way, "rung">> = {}): EngineEvent {
  const chosen = { rung: "auto", proxy: "none" } as const;
  return { event: "way", rung, since: millis(1000), chosen, failures: {}, ...rest };
}

/** One try of a probe; relays stand in the documentation's networks. */
export function tryOf(rung: ProbeStep["rung"], relay: number, failure?: ProbeStep["failure"]): ProbeStep {
  const what = rung === "relay" ? `/ip4/192.0.2.${relay}/tcp/443/tls/ws` : rung;
  return { rung, relay, what, ok: failure === undefined, ...(failure === undefined ? {} : { failure }) };
}

/** Somebody as the room knows them; on stage when `place` is given. */
export function knownOf(number: number, name: string, rest: Partial<RoomPerson> = {}): RoomPerson {
  return {
    identity: keyOf(number + 500),
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
    comparison: "66941 97505 20856 07951 16633 88769 47828 20410",
    ...rest,
  };
}

/** What a room is like, for a listener who sees nothing special. */
export function factsOf(rest: Partial<RoomFacts> = {}): RoomFacts {
  return {
    title: "Night talk",
    rules: "",
    links: [],
    access: "link-only",
    slowModeS: 0,
    pushToTalkOnly: false,
    people: [],
    hands: [],
    rights: [],
    role: "listener",
    keyHolders: 12,
    keptBy: null,
    ...rest,
  };
}
