import type { ErrorCode } from "./errors.ts";
import type { Millis, PeerId, RoomKey, VoiceKey } from "./ids.ts";
import type { LinkKind } from "./link.ts";
import type { Act, InviteTerms, IssuedInvite, OpenRoom, Reaction, RoomFacts } from "./room.ts";
import type { ProbeStep, ProbeVerdict, Way, WayChoice } from "./way.ts";

/** A person's place in a room, lowest first. */
export type Role = "listener" | "speaker" | "moderator" | "heir" | "host";

/** Which rungs of the transport ladder may carry audio. `auto` takes the best that works. */
export type Profile = "lan" | "wss" | "webrtc" | "auto";

/** The one texts of a room that its host hands out. Each is a secret: never logged, never in an error. */
export interface Invites {
  readonly listener: string;
  readonly speaker: string;
  readonly moderator: string;
  readonly heir: string;
}

/** What a volunteer allows. Also what a host allows that is its own relay. */
export interface VolunteerOptions {
  /** Children served at most, over all rooms. */
  readonly maxChildren?: number;
  /** Upload, in kbit/s, at most. */
  readonly maxKbps?: number;
  /** Carries only for hosts that hold this relay's card; an invite's hint is not enough. */
  readonly only?: boolean;
  /** Minutes of each day, UTC, in which somebody new is taken. `from` after `to` goes over midnight. Default: always. */
  readonly hours?: { readonly fromMinute: number; readonly toMinute: number };
  /** Takes nobody new while this computer runs on its battery, or on a link that is paid by the byte: see `power`. */
  readonly notOnBattery?: boolean;
  readonly notOnMetered?: boolean;
}

/** How this computer is fed, as far as it is known. */
export interface Power {
  readonly onBattery: boolean;
  /** The link to the network is paid by the byte. */
  readonly metered: boolean;
}

/** Why a lending peer takes nobody new for now. */
export type LendingPause = "hours" | "battery" | "metered";

/** What is lent, and what of it is used. */
export interface LendingState {
  readonly on: boolean;
  readonly paused: LendingPause | null;
  /** Fed now, over all rooms, and at most. */
  readonly children: number;
  readonly childrenMax: number;
  /** All of this engine's upload over the last second, and what the person allows; null: no limit. */
  readonly kbps: number;
  readonly kbpsMax: number | null;
}

/** How a room is made. */
export interface HostOptions {
  readonly title?: string;
  /** What members see beside the host's voice; at most 64 characters. */
  readonly name?: string;
  /** Relay cards to ask. Empty: this engine is its own relay, which shows its address to everybody invited. */
  readonly via: readonly string[];
  /** Everybody who raises a hand may speak (a command-line host, or an open stage). */
  readonly letEverybodySpeak: boolean;
  /** Relays at the top of the tree, fully meshed. Default 12. */
  readonly coreSize?: number;
  /** Relays below one relay; with `coreSize` it shapes the tree for demonstrations. Default 8. */
  readonly relayFanout?: number;
  /** What this host lends when it is its own relay. */
  readonly volunteer?: VolunteerOptions;
}

/** How a room is joined. */
export interface JoinOptions {
  readonly name?: string;
  /** Of an invite that asks for one. */
  readonly passphrase?: string;
}

/** Which of the two versions of a voice: `normal`, 24 kbit/s and more, or `low`, at most 12, for narrow networks. */
export type Layer = "normal" | "low";

/**
 * How the normal layer is made. `copied`: 24 kbit/s, with a copy of each packet in its successor. `plain`: the same rate
 * without copies, where nothing is lost. `rich`: 40 kbit/s with copies, where the network spares it.
 */
export type VoiceStrength = "plain" | "copied" | "rich";

/** One packet of one's own microphone or file: 40 ms of Opus. */
export interface SpokenPacket {
  /** The normal layer. */
  readonly opus: Uint8Array;
  /** The same 40 ms in the low layer; without it, whoever wants the low layer is sent the normal one. */
  readonly low?: Uint8Array;
  /** When its first sample was captured. */
  readonly capturedAt: Millis;
}

/** One packet of somebody's voice, opened and in no particular order: the jitter buffer's food. */
export interface HeardPacket {
  readonly speaker: VoiceKey;
  /** Counts packets of 40 ms; gaps are losses, repeats never happen. */
  readonly sequence: number;
  /** The layer that this packet is of; they may alternate. */
  readonly layer: Layer;
  readonly opus: Uint8Array;
  /** Capture time by the speaker's clock. */
  readonly capturedAt: Millis;
  readonly receivedAt: Millis;
}

/** Cumulative since start unless said otherwise; frames are 20 ms of speech. See the command-line contract. */
export interface Stats {
  readonly framesExpected: number;
  readonly framesOnTime: number;
  readonly framesConcealed: number;
  readonly framesDuplicate: number;
  /** Frames of our own that we sent. */
  readonly framesSent: number;
  /** Longest run of frames not on time that touched the last interval, in ms. */
  readonly worstGapMs: number;
  readonly packetsForwarded: number;
  readonly packetsRejected: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly controlBytes: number;
  /** Median, capture to ready-to-play, over the last interval; null without sound. */
  readonly latencyMs: number | null;
  /** Links from the speaker's engine to this one; 0 without sound. */
  readonly hops: number;
  readonly children: number;
  readonly links: Readonly<Partial<Record<LinkKind, number>>>;
  /** The layer heard last; the one asked for while nothing was heard. */
  readonly layer: Layer;
}

/** Totals at leaving, beside the last `Stats`. */
export interface Totals {
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  readonly outagesMs: readonly number[];
  readonly covers: number;
  readonly moves: number;
}

/** Somebody on stage, as members see them. Text from others: show it isolated, never as markup. */
export interface StagePerson {
  readonly voice: VoiceKey;
  /** Identity key in hex: what an avatar is drawn from, and what two people can compare. */
  readonly identity: string;
  readonly name: string;
  readonly role: Role;
  /** Whether this is ourselves. */
  readonly self: boolean;
}

/** A raised hand that waits for the host. */
export interface Hand {
  readonly id: string;
  readonly name: string;
  readonly self: boolean;
}

/** One step of finding a way in: what a person sees while joining. */
export type JoinStep = "asking-relays" | "asking-dht" | "waiting-for-papers" | "joined";

/** A neighbour in the tree: above us, a relay that our sound comes or could come through; below, whoever we carry for. */
export interface PlaceRelay {
  readonly peer: PeerId;
  readonly kind: LinkKind;
  /** Whether sound flows over it now; a link without is a reserve. */
  readonly feeds: boolean;
}

/** What happens by itself: the events of the command-line contract, less `t` and what the command line adds. */
export type EngineEvent =
  | { readonly event: "ready"; readonly peer: PeerId; readonly addresses: readonly string[]; readonly version: string }
  | { readonly event: "card"; readonly card: string }
  | { readonly event: "room"; readonly room: RoomKey; readonly invites: Invites; readonly link: string }
  | {
      readonly event: "joined";
      readonly room: RoomKey;
      readonly role: Role;
      readonly hops: number;
      readonly parents: readonly PeerId[];
      readonly ms: number;
    }
  | { readonly event: "sound"; readonly ms: number; readonly speaker: VoiceKey }
  | { readonly event: "role"; readonly role: Role; readonly by: string }
  | {
      readonly event: "cover" | "move";
      readonly reason: string;
      readonly gapMs: number;
      readonly packetsRecovered: number;
    }
  | { readonly event: "members"; readonly speakers: number; readonly listeners: number; readonly relays: number }
  /**
   * Whether the room runs short of slots, so that whoever comes next may hear the low layer, or nothing: a listener who can
   * lend is asked to. `free`: slots left, over all who lend.
   */
  | { readonly event: "short"; readonly short: boolean; readonly free: number; readonly listeners: number }
  | { readonly event: "refused" | "error"; readonly code: ErrorCode; readonly message: string }
  /** How voices are to be made from now on, by what listeners lose and the room has; `copied` until it is said. */
  | { readonly event: "strength"; readonly strength: VoiceStrength }
  /** Who is on stage, whose hands are up, what the room is called. */
  | {
      readonly event: "stage";
      readonly title: string;
      readonly people: readonly StagePerson[];
      readonly hands: readonly Hand[];
    }
  /** What the room is like now, whole: told again whenever something of it changed. */
  | ({ readonly event: "room-state" } & RoomFacts)
  /** The invites that this engine issued, newest last. Their texts are only ever the answer of `issueInvite`. */
  | { readonly event: "invites-issued"; readonly invites: readonly IssuedInvite[] }
  | {
      readonly event: "reaction";
      readonly identity: string;
      readonly name: string;
      readonly reaction: Reaction;
      readonly self: boolean;
    }
  /** Somebody typed to the room. `at` is our clock at arrival. */
  | {
      readonly event: "text";
      readonly identity: string;
      readonly name: string;
      readonly text: string;
      readonly at: Millis;
      readonly self: boolean;
    }
  /** The listener's invite that we came with: ours to pass on. Whoever came with more than that has no event. */
  | { readonly event: "invite"; readonly invite: string }
  /** Where we are in the tree: `relays` are above us, `below` hangs below while we lend, 64 at most. */
  | {
      readonly event: "place";
      readonly hops: number;
      readonly relays: readonly PlaceRelay[];
      readonly below: readonly PlaceRelay[];
    }
  /** What we lend, whenever something of it changed; once a second at most. */
  | ({ readonly event: "lending" } & LendingState)
  | { readonly event: "step"; readonly step: JoinStep }
  /** Which way to the network is in use, and what failed so far. */
  | ({ readonly event: "way" } & Way)
  /** One try of a probe. */
  | ({ readonly event: "probe" } & ProbeStep)
  /** We are out of the room: left, ended, or never got in. */
  | { readonly event: "left" }
  | ({ readonly event: "stats" } & Stats);

/**
 * The one contract for window, volunteer, command line and tests. Commands reject with `TeahouseError`;
 * what happens by itself comes as events.
 */
export interface EngineApi {
  /** Brings the node up. After it, `ready` was emitted. Rejects with `port-taken` or `address-unusable`. */
  start(): Promise<void>;
  /** Begins to carry for others, and returns the card that says how to be reached. Emits `card`. */
  volunteer(options: VolunteerOptions): Promise<string>;
  /**
   * Carries for the room one is in, without a card; other options replace those of before, and null ends it: whoever hangs
   * below moves to its reserve. Others can then see this computer's address. Rejects with `address-unusable` or `proxy-hides`.
   */
  lend(options: VolunteerOptions | null): Promise<void>;
  /** Tells how this computer is fed: on mains and unmetered until it was told. */
  power(power: Power): void;
  /**
   * Makes a room and starts hosting it. Resolves when at least one relay carries it. Emits `room`, then `joined`.
   * Rejects with `card-damaged`, `card-version`, `no-network`, or a relay's refusal.
   */
  host(options: HostOptions): Promise<Invites>;
  /**
   * Joins by an invite. Resolves when joined. Rejects with the invite's fault, `no-network`, `room-not-found`, or a refusal.
   */
  join(invite: string, options: JoinOptions): Promise<void>;
  /** Asks for the stage; `role` follows when it is granted. Repeated until acknowledged. */
  raiseHand(): void;
  /** Leaves the stage, stays in the room. */
  lowerHand(): void;
  /** Speaks. Dropped, and counted, while the role does not allow it. */
  speak(packet: SpokenPacket): void;
  /** Asks for this layer of every voice from now on, in this room and the next: low saves data. Also before `start`. */
  preferLayer(layer: Layer): void;
  /** Lets somebody whose hand is up on stage, or lowers the hand. Only the host's word counts. */
  admit(hand: string): void;
  dismiss(hand: string): void;
  /** Takes somebody off the stage. */
  removeFromStage(voice: VoiceKey): void;
  /**
   * Does something in the room. Resolves when it is on its way to everybody; what it changed comes as `room-state`.
   * Rejects with why not: `not-allowed`, `not-here`, `stage-full`, `list-full`, `slow-mode`. What the room refuses later comes as `refused`.
   */
  act(act: Act): Promise<void>;
  /** Makes an invite for others; whoever may appoint to that role may. Rejects with `not-allowed` or `list-full`. */
  issueInvite(terms: InviteTerms): Promise<string>;
  /**
   * Which rooms are listed as open now, the fullest first: asks the DHT for some seconds. Whoever lets a room be open lets
   * anybody find it, its title and its relays. Rejects with `no-network`, or with `stalled` when asked again meanwhile.
   */
  openRooms(): Promise<readonly OpenRoom[]>;
  /** Types to the room: 1 to 280 characters. */
  say(text: string): void;
  /**
   * What it takes to come back as the same person after a crash: opaque, secret, for memory only. Undefined outside a room.
   */
  capsule(): Uint8Array | undefined;
  /** Comes back. Rejects like `join`. */
  resume(capsule: Uint8Array): Promise<void>;
  /** The last event of each kind that still holds, oldest first: what a window that opens late must know. */
  snapshot(): readonly EngineEvent[];
  /**
   * Takes this way to the network from now on; links that are open change over. Also before `start`. Rejects with
   * `proxy-damaged`.
   */
  chooseWay(choice: WayChoice): Promise<void>;
  /**
   * Tries every way into the room of this invite without joining it, and says what it comes to. Emits `probe` for each try.
   * Rejects with the invite's fault, or with `stalled` when it was stopped: by `stopProbe`, another probe or entering a room.
   */
  probe(invite: string): Promise<ProbeVerdict>;
  /** Ends the probe under way, if any: nothing further is tried or told. */
  stopProbe(): void;
  /**
   * Leaves at once and forgets everything: room, keys, what was lent, the way that was chosen, what a card was made of. Behind a
   * supervisor the process that held it ends with it, after a quarter of a second for its goodbyes; what goes on is a fresh
   * one. Resolves when it is gone.
   */
  wipe(): Promise<void>;
  /** Leaves the room with a goodbye; the room goes on for the others. */
  leave(): Promise<void>;
  /** Leaves, closes every link, ends every timer. Nothing is emitted after it. */
  stop(): Promise<void>;
  stats(): Stats;
  totals(): Totals;
  /** Adds a listener for events; the result removes it. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
  /** Adds a listener for opened packets; without one they are counted and not opened further. */
  hear(listener: (packet: HeardPacket) => void): () => void;
}
