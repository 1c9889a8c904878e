import type { EngineEvent, Hand, Invites, PlaceRelay, Role, StagePerson, Stats, Totals } from "../api/engine.ts";
import { type ErrorCode, exitCodes } from "../api/errors.ts";
import type { Millis, PeerId, RoomKey, VoiceKey } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import type { LinkKind } from "../api/link.ts";
import type { ProbeStep, ProbeVerdict, Rung, WayFailures } from "../api/way.ts";
import {
  type IssuedInvite,
  type QueuedHand,
  type Reaction,
  reactions,
  type Right,
  type RoomPerson,
  type OpenRoom,
} from "../api/room.ts";
import { count, flag, hex, list, nullable, number, object, oneOf, optional, table, text, type Shape } from "./shape.ts";

/** Shapes of what an engine says. The compiler holds them against the contract: a field left out here is an error. */

/** Names, titles and sentences; what members may write is cut far below this before it gets here. */
const wordsMax = 16_384;
/** Hands that may be up at once: everybody in a room of 8,000. */
const handsMax = 8192;
/** People that a room may know by name: stage, keepers, hands, bans. */
const peopleMax = 1024;
/** An invite as text and as link. */
const inviteMax = 2 * limits.inviteCharactersMax;

/** Every code of the contract. */
export const faultCodes = Object.keys(exitCodes) as readonly ErrorCode[];

const peer = text<PeerId>(128);
const room = hex<RoomKey>(32);
const voice = hex<VoiceKey>(32);
const words = text(wordsMax);
const role: Shape<Role> = oneOf("listener", "speaker", "moderator", "heir", "host");
const kind: Shape<LinkKind> = oneOf("memory", "stream", "webrtc");

const rung: Shape<Rung> = oneOf("lan", "wss", "webrtc", "proxy");
const failures: Shape<WayFailures> = table(number(), 64);

/** What `probe` answers. */
export const verdictShape: Shape<ProbeVerdict> = oneOf(
  "works",
  "udp-blocked",
  "dht-only",
  "frozen",
  "portal",
  "tls-blocked",
  "strangers",
  "relays-refuse",
  "proxy-dead",
  "lan-only",
  "offline",
);

/** What `host` answers. */
export const invitesShape: Shape<Invites> = object({
  listener: text(inviteMax),
  speaker: text(inviteMax),
  moderator: text(inviteMax),
  heir: text(inviteMax),
});

/** What `openRooms` answers. */
export const listedRoomsShape: Shape<readonly OpenRoom[]> = list(
  object({ room, title: words, members: count(), invite: text(inviteMax) }),
  limits.hallRoomsMax,
);

const person: Shape<StagePerson> = object({ voice, identity: text(128), name: words, role, self: flag });
const hand: Shape<Hand> = object({ id: text(256), name: words, self: flag });
const placeRelay: Shape<PlaceRelay> = object({ peer, kind, feeds: flag });

const right: Shape<Right> = oneOf("speak", "moderate", "appoint", "direct");
const reaction: Shape<Reaction> = oneOf(...reactions);
const roomPerson: Shape<RoomPerson> = object({
  identity: text(128),
  name: words,
  role,
  self: flag,
  voice: nullable(voice),
  muted: oneOf("no", "self", "keeper"),
  banned: flag,
  silenced: flag,
  invitedToStage: flag,
  records: flag,
  lookAlike: flag,
  comparison: text(64),
});
const queuedHand: Shape<QueuedHand> = object({
  id: text(256),
  identity: text(128),
  name: words,
  self: flag,
  raisedAt: number<Millis>(),
});
const issuedInvite: Shape<IssuedInvite> = object({
  id: text(128),
  role: oneOf("listener", "speaker", "moderator", "heir"),
  expires: number<Millis>(),
  singleUse: flag,
  hasPassphrase: flag,
  revoked: flag,
});

const statsFields = {
  framesExpected: number(),
  framesOnTime: number(),
  framesConcealed: number(),
  framesDuplicate: number(),
  framesSent: number(),
  worstGapMs: number(),
  packetsForwarded: number(),
  packetsRejected: table(number(), 256),
  bytesIn: number(),
  bytesOut: number(),
  controlBytes: number(),
  latencyMs: nullable(number()),
  hops: number(),
  children: number(),
  links: object({ memory: optional(number()), stream: optional(number()), webrtc: optional(number()) }),
  layer: oneOf("normal", "low"),
} as const;

const statsShape: Shape<Stats> = object(statsFields);

const totalsShape: Shape<Totals> = object({
  latencyMs: nullable(object({ p50: number(), p95: number(), p99: number() })),
  outagesMs: list(number(), 100_000),
  covers: number(),
  moves: number(),
});

/** Bytes of a resume capsule: keys and capabilities of one person in one room, and a host's room, whole. */
export const capsuleBytesMax = 98_304;

/** What an engine says when asked without waiting; the far end keeps the latest. */
export interface Mirror {
  readonly stats: Stats | null;
  readonly totals: Totals | null;
  /** In hex; null: none, or not for windows. */
  readonly capsule: string | null;
}

/** The shape of a mirror. */
export const mirrorShape: Shape<Mirror> = object({
  stats: nullable(statsShape),
  totals: nullable(totalsShape),
  capsule: nullable(text(2 * capsuleBytesMax)),
});

type Kind = EngineEvent["event"];
type Named<E, K> = E extends { readonly event: infer N }
  ? K extends N
    ? Omit<E, "event"> & { readonly event: K }
    : never
  : never;

const refusal = { code: oneOf(...faultCodes), message: words };
const repair = { reason: words, gapMs: number(), packetsRecovered: number() };

const shapes: { readonly [K in Kind]: Shape<Named<EngineEvent, K>> } = {
  ready: object({ event: oneOf("ready"), peer, addresses: list(words, 64), version: words }),
  card: object({ event: oneOf("card"), card: text(inviteMax) }),
  room: object({ event: oneOf("room"), room, invites: invitesShape, link: text(inviteMax) }),
  joined: object({ event: oneOf("joined"), room, role, hops: count(), parents: list(peer, 64), ms: number() }),
  sound: object({ event: oneOf("sound"), ms: number(), speaker: voice }),
  role: object({ event: oneOf("role"), role, by: words }),
  cover: object({ event: oneOf("cover"), ...repair }),
  move: object({ event: oneOf("move"), ...repair }),
  strength: object({ event: oneOf("strength"), strength: oneOf("plain", "copied", "rich") }),
  short: object({ event: oneOf("short"), short: flag, free: count(), listeners: count() }),
  members: object({ event: oneOf("members"), speakers: count(), listeners: count(), relays: count() }),
  refused: object({ event: oneOf("refused"), ...refusal }),
  error: object({ event: oneOf("error"), ...refusal }),
  stage: object({ event: oneOf("stage"), title: words, people: list(person, 256), hands: list(hand, handsMax) }),
  "room-state": object({
    event: oneOf("room-state"),
    title: words,
    rules: words,
    links: list(words, 64),
    access: oneOf("open", "link-only", "locked"),
    slowModeS: count(),
    pushToTalkOnly: flag,
    people: list(roomPerson, peopleMax),
    hands: list(queuedHand, handsMax),
    rights: list(right, 16),
    role,
    keyHolders: count(),
    keptBy: nullable(text(128)),
  }),
  "invites-issued": object({ event: oneOf("invites-issued"), invites: list(issuedInvite, peopleMax) }),
  reaction: object({ event: oneOf("reaction"), identity: text(128), name: words, reaction, self: flag }),
  text: object({
    event: oneOf("text"),
    identity: text(128),
    name: words,
    text: words,
    at: number<Millis>(),
    self: flag,
  }),
  invite: object({ event: oneOf("invite"), invite: text(inviteMax) }),
  place: object({ event: oneOf("place"), hops: count(), relays: list(placeRelay, 64), below: list(placeRelay, 64) }),
  lending: object({
    event: oneOf("lending"),
    on: flag,
    paused: nullable(oneOf("hours", "battery", "metered")),
    children: count(),
    childrenMax: count(),
    kbps: number(),
    kbpsMax: nullable(number()),
  }),
  step: object({ event: oneOf("step"), step: oneOf("asking-relays", "asking-dht", "waiting-for-papers", "joined") }),
  way: object({
    event: oneOf("way"),
    rung: nullable(rung),
    chosen: object({
      rung: oneOf("auto", "lan", "wss", "webrtc", "proxy"),
      proxy: oneOf("none", "always", "fallback"),
    }),
    since: number<Millis>(),
    failures: object({
      lan: optional(failures),
      wss: optional(failures),
      webrtc: optional(failures),
      proxy: optional(failures),
    }),
  }),
  probe: object({
    event: oneOf("probe"),
    rung: oneOf("relay", "transfer", "webrtc", "dht"),
    relay: count(),
    what: words,
    ok: flag,
    failure: optional(text<NonNullable<ProbeStep["failure"]>>(64)),
  }),
  left: object({ event: oneOf("left") }),
  stats: object({ event: oneOf("stats"), ...statsFields }),
};

/** Any event of the contract. */
export const eventShape: Shape<EngineEvent> = (value): value is EngineEvent => {
  const name: unknown = typeof value === "object" && value !== null && "event" in value ? value.event : undefined;
  return typeof name === "string" && Object.hasOwn(shapes, name) && shapes[name as Kind](value);
};
