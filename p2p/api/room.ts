import type { Role } from "./engine.ts";
import type { Millis, RoomKey, VoiceKey } from "./ids.ts";

/** Who comes in: whoever finds it, whoever was given a link, or nobody more. */
export type Access = "open" | "link-only" | "locked";

/** What a person may answer without words. */
export const reactions = ["clap", "heart", "laugh", "thumbs-up", "thumbs-down", "wonder", "sad", "question"] as const;
/** One of them. */
export type Reaction = (typeof reactions)[number];

/** What one may do here, beside listening. */
export type Right = "speak" | "moderate" | "appoint" | "direct";

/**
 * What a person does in a room. People are named by their identity key, in hex. Refused at the sender, by every relay and by
 * every receiver where the right is missing.
 */
export type Act =
  /** Offers a place on stage; it holds until it is taken, declined, or taken back. */
  | { readonly kind: "invite-to-stage" | "uninvite"; readonly identity: string }
  /** Answers such an offer. */
  | { readonly kind: "accept-stage" | "decline-stage" }
  | { readonly kind: "to-audience"; readonly identity: string }
  /** Relays drop what a muted person says. Who muted themselves ends it themselves; what a moderator muted, a moderator ends. */
  | { readonly kind: "mute" | "unmute"; readonly identity: string }
  /** Out, but free to come back. */
  | { readonly kind: "kick"; readonly identity: string }
  /** Out for good, also after they left; with `branch` nobody comes in or speaks any more by the invite they came by. */
  | { readonly kind: "ban"; readonly identity: string; readonly branch: boolean }
  | { readonly kind: "unban"; readonly identity: string }
  | { readonly kind: "set-role"; readonly identity: string; readonly role: Exclude<Role, "host"> }
  /** Gives one's office back and stays. */
  | { readonly kind: "step-down" }
  /** Changes what is given and nothing else. */
  | ({ readonly kind: "set-room" } & Partial<RoomRules>)
  /** Whether somebody's typed words are shown. */
  | { readonly kind: "silence-text" | "allow-text"; readonly identity: string }
  /** Every invite so far is over; who is in stays. */
  | { readonly kind: "replace-link" }
  | { readonly kind: "revoke-invite"; readonly id: string }
  | { readonly kind: "react"; readonly reaction: Reaction }
  /** Says that one records, or no longer does. */
  | { readonly kind: "record"; readonly on: boolean }
  /** The room is over for everybody. */
  | { readonly kind: "end-room" };

/** What holds for everybody in a room. Text from others: show it isolated, never as markup. */
export interface RoomRules {
  readonly title: string;
  readonly rules: string;
  /** Links that the room's keepers show to everybody; shown as text, opened only when a person says so. */
  readonly links: readonly string[];
  readonly access: Access;
  /** Seconds between two typed texts of one person; 0: none. */
  readonly slowModeS: number;
  readonly pushToTalkOnly: boolean;
}

/** Somebody whom the room knows by name: on stage, keeper, hand up, muted, banned, recording. Nobody else is listed. */
export interface RoomPerson {
  readonly identity: string;
  readonly name: string;
  readonly role: Role;
  readonly self: boolean;
  /** Theirs while they are on stage. */
  readonly voice: VoiceKey | null;
  /** Who shut this microphone. */
  readonly muted: "no" | "self" | "keeper";
  readonly banned: boolean;
  readonly silenced: boolean;
  readonly invitedToStage: boolean;
  readonly records: boolean;
  /** The name looks like the one of somebody else who was here first. */
  readonly lookAlike: boolean;
  /** What the two of us read to each other to know that nobody stands between: the same digits on both sides. */
  readonly comparison: string;
}

/** A raised hand, in the order in which they are answered. */
export interface QueuedHand {
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly self: boolean;
  /** By the clock of who took it up. */
  readonly raisedAt: Millis;
}

/** Everything that is so in a room. */
export interface RoomFacts extends RoomRules {
  readonly people: readonly RoomPerson[];
  readonly hands: readonly QueuedHand[];
  /** Our own. */
  readonly rights: readonly Right[];
  readonly role: Role;
  /** How many hold the key and are here, ourselves included. */
  readonly keyHolders: number;
  /** Who keeps the room going now; null while nobody does. */
  readonly keptBy: string | null;
}

/** A room that whoever finds it may come into. All of it is its host's word; show the title isolated, never as markup. */
export interface OpenRoom {
  readonly room: RoomKey;
  readonly title: string;
  /** Who was there when it was listed. */
  readonly members: number;
  /** A listener's. */
  readonly invite: string;
}

/** What an invite shall be. */
export interface InviteTerms {
  readonly role: Exclude<Role, "host">;
  readonly expiresInMs: number;
  /** Good for the first who comes. */
  readonly singleUse: boolean;
  /** Asked for beside the link; it never stands in it. */
  readonly passphrase?: string;
}

/** An invite that this engine gave out. */
export interface IssuedInvite {
  readonly id: string;
  readonly role: Exclude<Role, "host">;
  readonly expires: Millis;
  readonly singleUse: boolean;
  readonly hasPassphrase: boolean;
  readonly revoked: boolean;
}
