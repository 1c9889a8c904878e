import type { ErrorCode } from "../api/errors.ts";
import type {
  Hand,
  HeardPacket,
  HostOptions,
  JoinStep,
  Layer,
  PlaceRelay,
  Power,
  Profile,
  Role,
  SpokenPacket,
  StagePerson,
  VoiceStrength,
  VolunteerOptions,
} from "../api/engine.ts";
import type { Act, InviteTerms, IssuedInvite, Reaction, RoomFacts } from "../api/room.ts";
import type { DialId, LinkId, Millis, PeerId, RoomKey, VoiceKey } from "../api/ids.ts";
import type { LinkCloseReason, LinkKind, RelayAddress } from "../api/link.ts";
import type { Capsule } from "./room/keeper/capsule.ts";
import type { Invite } from "./room/invite/invite.ts";

/** What a person or the composition root asks of the peer. */
export type Command =
  | { readonly kind: "volunteer"; readonly options: VolunteerOptions; readonly cardSecret: Uint8Array }
  /** Ends carrying for others. */
  | { readonly kind: "stop-lending" }
  | { readonly kind: "power"; readonly power: Power }
  | { readonly kind: "host"; readonly options: HostOptions; readonly relays: readonly HostRelay[] }
  | { readonly kind: "join"; readonly invite: Invite; readonly name: string }
  /** Comes back as who we were. */
  | { readonly kind: "resume"; readonly capsule: Capsule }
  | { readonly kind: "admit"; readonly hand: string }
  | { readonly kind: "dismiss"; readonly hand: string }
  | { readonly kind: "remove-from-stage"; readonly voice: VoiceKey }
  /** Answered by an event of this number. */
  | { readonly kind: "act"; readonly id: number; readonly act: Act }
  | { readonly kind: "invite"; readonly id: number; readonly terms: InviteTerms }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "raise-hand" }
  | { readonly kind: "lower-hand" }
  /** The network is another one, or the person wants it: media is asked for again where it froze. */
  | { readonly kind: "try-again" }
  /** The layer wanted of every voice from now on. */
  | { readonly kind: "prefer-layer"; readonly layer: Layer }
  | { readonly kind: "leave" };

/** A relay that a host may ask: its address, and the card's secret that proves the host holds the card itself. */
export interface HostRelay {
  readonly address: RelayAddress;
  readonly secret: Uint8Array;
}

/** Everything that goes into the machine. */
export type PeerInput =
  | { readonly kind: "command"; readonly command: Command }
  /** A link is open. `dial` names our own dial; absent when the remote opened it. */
  | {
      readonly kind: "link-opened";
      readonly link: LinkId;
      readonly remote: PeerId;
      readonly linkKind: LinkKind;
      readonly dial?: DialId;
    }
  /** `afterMs`: it makes no sense to dial there sooner. */
  | { readonly kind: "dial-failed"; readonly dial: DialId; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: "link-closed"; readonly link: LinkId; readonly reason: LinkCloseReason }
  | { readonly kind: "message"; readonly link: LinkId; readonly bytes: Uint8Array }
  /** 40 ms of our own Opus. */
  | ({ readonly kind: "speak" } & SpokenPacket)
  /** A value the DHT gave for `lookup`; checked here, believed only when it opens and verifies. */
  | { readonly kind: "record"; readonly value: Uint8Array }
  | { readonly kind: "lookup-ended" }
  | { readonly kind: "timeout" };

/** Everything that comes out. The engine carries each out and decides nothing. */
export type PeerOutput =
  | { readonly kind: "send"; readonly link: LinkId; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly link: LinkId }
  /** `fresh`: an open connection to the target is not to be used, because it froze or was cut. */
  | { readonly kind: "dial"; readonly dial: DialId; readonly target: RelayAddress; readonly fresh: boolean }
  /** Asks for a WebRTC link to a peer that already has a stream link with us. */
  | { readonly kind: "upgrade"; readonly dial: DialId; readonly remote: PeerId }
  | { readonly kind: "cancel-dial"; readonly dial: DialId }
  | { readonly kind: "publish"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "lookup"; readonly keys: readonly Uint8Array[] }
  | { readonly kind: "heard"; readonly packet: HeardPacket }
  | { readonly kind: "event"; readonly event: PeerEvent };

/** What the peer reports; the engine turns it into the API's events. */
export type PeerEvent =
  | {
      readonly event: "hosting";
      readonly invites: Readonly<Record<Exclude<Role, "host">, Invite>>;
      readonly room: RoomKey;
    }
  | {
      readonly event: "joined";
      readonly room: RoomKey;
      readonly role: Role;
      readonly hops: number;
      readonly parents: readonly PeerId[];
    }
  | { readonly event: "sound"; readonly speaker: VoiceKey }
  | { readonly event: "role"; readonly role: Role; readonly by: string }
  | {
      readonly event: "cover" | "move";
      readonly reason: string;
      readonly gapMs: number;
      readonly packetsRecovered: number;
    }
  | {
      readonly event: "stage";
      readonly title: string;
      readonly people: readonly StagePerson[];
      readonly hands: readonly Hand[];
    }
  | ({ readonly event: "room-state" } & RoomFacts)
  | { readonly event: "invites-issued"; readonly invites: readonly IssuedInvite[] }
  /** What came of `act` or `invite`: no code means done. */
  | {
      readonly event: "answered";
      readonly id: number;
      readonly code: ErrorCode | undefined;
      readonly invite: Invite | undefined;
    }
  /** The invite by which we are in is another now. */
  | { readonly event: "link-replaced"; readonly invite: Invite }
  | {
      readonly event: "reaction";
      readonly identity: string;
      readonly name: string;
      readonly reaction: Reaction;
      readonly self: boolean;
    }
  | {
      readonly event: "text";
      readonly identity: string;
      readonly name: string;
      readonly text: string;
      readonly at: Millis;
      readonly self: boolean;
    }
  | {
      readonly event: "place";
      readonly hops: number;
      readonly relays: readonly PlaceRelay[];
      readonly below: readonly PlaceRelay[];
    }
  | { readonly event: "step"; readonly step: JoinStep }
  | { readonly event: "left" }
  | { readonly event: "strength"; readonly strength: VoiceStrength }
  | { readonly event: "members"; readonly speakers: number; readonly listeners: number; readonly relays: number }
  | { readonly event: "short"; readonly short: boolean; readonly free: number; readonly listeners: number }
  /** The room or the way into it failed for good (`fatal`), or is in trouble and being mended. */
  | { readonly event: "trouble"; readonly code: ErrorCode; readonly fatal: boolean };

/** The answer where nobody sits who could do it. */
export function unanswered(id: number): PeerEvent {
  return { event: "answered", id, code: "not-allowed", invite: undefined };
}

/** What a peer is, fixed at its making. */
export interface PeerOptions {
  /** Our own libp2p key, 32 bytes, and how others reach us, when we listen. */
  readonly self: { readonly peer: PeerId; readonly address: RelayAddress | undefined };
  readonly profile: Profile;
  /** Whether the DHT may be asked and told. */
  readonly discovery: boolean;
}
