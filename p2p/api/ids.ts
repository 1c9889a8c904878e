/** Names of things, each a type of its own, so that one cannot be passed for another. */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A libp2p node: its Ed25519 public key, 64 lower-case hex digits. Fresh for every run. */
export type PeerId = Branded<string, "PeerId">;
/** A link of this engine; never sent to anybody. */
export type LinkId = Branded<number, "LinkId">;
/** A dial of this engine, named by the machine so that it can match the answer. */
export type DialId = Branded<number, "DialId">;
/** What a relay calls a room: the 32-byte carriage key, in hex. Says nothing about the room key. */
export type RoomTag = Branded<string, "RoomTag">;
/** A room's public key (Ed25519), in hex. Only members know it. */
export type RoomKey = Branded<string, "RoomKey">;
/** A speaker's voice key (Ed25519), in hex. */
export type VoiceKey = Branded<string, "VoiceKey">;
/** Unix time in milliseconds, never stepping backwards within one process. */
export type Millis = Branded<number, "Millis">;

/** A number of milliseconds as a time. */
export const millis = (value: number): Millis => value as Millis;
/** A number that only links are named by. */
export const linkId = (value: number): LinkId => value as LinkId;
/** A number that only dials are named by. */
export const dialId = (value: number): DialId => value as DialId;
