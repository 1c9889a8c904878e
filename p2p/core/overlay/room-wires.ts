import type { Layer } from "../../api/engine.ts";
import type { DialId, LinkId, Millis, PeerId } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import type { RelayView } from "../room/state/view.ts";
import type { HostProof, Refusal } from "../session/frames.ts";
import type { Edge } from "./edge.ts";
import type { Received } from "./heal/freeze.ts";
import type { KeyReader } from "./news/key-notices.ts";
import type { Census } from "./news/papers.ts";
import type { Passed } from "./media/spread.ts";

/** What a room's node is given by its peer. */
export interface RoomWires {
  readonly self: PeerId;
  /** How others dial this node; undefined when they cannot. */
  readonly address: RelayAddress | undefined;
  send(link: LinkId, bytes: Uint8Array): void;
  close(link: LinkId): void;
  /** `fresh`: what connection there is to it is not to be used. */
  dial(target: RelayAddress, fresh: boolean): DialId;
  /** What came over a link so far. */
  received(link: LinkId): Received;
  /** Asks for a data channel; undefined where the profile has none. */
  readonly upgrade: ((remote: PeerId) => DialId) | undefined;
  cancel(dial: DialId): void;
  /** Children with media over all rooms, and the volunteer's limit; undefined when this peer lends nothing. */
  slots(): { readonly used: number; readonly max: number; readonly feeding: number } | undefined;
}

/** The member of this room on this node, when there is one: told what passes. Relays have none. */
export interface RoomResident {
  /** The layer that is wanted of every voice. */
  readonly layer: Layer;
  /** Whether it loses much ([OV50]). */
  readonly hearing: { readonly losses: { readonly lossy: boolean } };
  packet(passed: Passed, now: Millis): void;
  view(view: RelayView, now: Millis): void;
  state(bytes: Uint8Array, now: Millis): void;
  petition(bytes: Uint8Array, now: Millis): void;
  note(bytes: Uint8Array, now: Millis): void;
  /** Somebody in charge did something. */
  event(bytes: Uint8Array, now: Millis): void;
  /** A session signed two views or states under one number. */
  forked(now: Millis): void;
  readonly keys: KeyReader;
  census(census: Census): void;
  /** A relay let us in; `time` is its clock. */
  welcomed(edge: Edge, time: number, now: Millis): void;
  refused(peer: PeerId, reason: Refusal, now: Millis): void;
  /** Something that it waits for may be there. */
  handleTimeout(now: Millis): void;
  /** The parent is gone; a standby may take its place at once. */
  lost(now: Millis): void;
  /** A dial to a relay failed. */
  unreachable(peer: PeerId, now: Millis): void;
  moved(reason: string, packets: number, now: Millis): void;
  /** The parent is the same; what it did not send for a moment, its backup or a new link brought. */
  covered(reason: string, packets: number, now: Millis): void;
  /** Media is not asked for any more, because every way to it freezes ([OV16]). */
  muted(): void;
  /** Whether our own microphone is or may be open. */
  speaks(): boolean;
  /** Relays that edges are kept to whatever the plan says. */
  wanted(): readonly PeerId[];
  /** The host session's proof towards one relay; undefined for everybody else. */
  proof(relay: PeerId, session: Uint8Array): HostProof | undefined;
  /** The time by which to judge expiry ([RM23]). */
  time(now: Millis): Millis;
  /** What proves an heir on an edge that is open; undefined for everybody else. */
  office(relay: PeerId, session: Uint8Array): HostProof | undefined;
  /** Whether this is somebody who acts for the room, or may: petitions are for them. */
  readonly authority: boolean;
}
