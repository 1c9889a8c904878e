import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { ViewDoors } from "../rights/doors.ts";
import { isMarkOut } from "../state/lists.ts";
import { serialOf } from "../rights/pass.ts";
import { hasKey, markOf, type RoomState } from "../state/state.ts";
import { doorsMax, type RelayView, shutMax } from "../state/view.ts";

/** For invites whose end is not known, because somebody else gave them out. */
const lastSecond = 0xffff_ffff;

/** An invite that was given out, as relays come to know it. */
export interface InviteDoor {
  readonly name: Uint8Array;
  /** Of the room's link. */
  readonly generation: number;
  /** Unix seconds. */
  readonly expires: number;
}

/** What outlives the engine of a host. */
export interface KeptDoors {
  readonly invites: readonly InviteDoor[];
  /** Invites up to this generation may be open that are not among them. */
  readonly unlisted: number | undefined;
}

/** By what somebody comes in, as whoever acts for the room remembers it ([RM49]). */
export class RoomDoors {
  readonly #crypto: Crypto;
  readonly #state: () => RoomState;
  readonly #serials: () => Uint8Array | undefined;
  readonly #invites = new Map<string, InviteDoor>();
  #unlisted: number | undefined;
  /** Those that were known before this engine began. */
  #before: ReadonlySet<string> = new Set();
  /** What somebody else who acted said last. */
  #theirs: Pick<RelayView, "doors"> | undefined;
  /** Passes that somebody else who acted shut, by serial in hex. */
  readonly #shutByOthers = new Map<string, Uint8Array>();

  /** `serials`: what those of passes are made of; undefined as long as it is not known. */
  constructor(crypto: Crypto, state: () => RoomState, serials: () => Uint8Array | undefined) {
    this.#crypto = crypto;
    this.#state = state;
    this.#serials = serials;
  }

  /** An invite was given out. Where there are too many, those that are over go first; then the oldest is no longer named. */
  add(door: InviteDoor): void {
    this.#invites.set(toHex(door.name), door);
    if (this.#invites.size <= doorsMax) return;
    for (const [name, known] of this.#invites) if (!this.#isOpen(known)) this.#invites.delete(name);
    for (const [name, { generation }] of this.#invites) {
      if (this.#invites.size <= doorsMax) return;
      this.#invites.delete(name);
      this.#unlist(generation);
    }
  }

  /** Forgets those that are over by everybody's clock. */
  prune(now: Millis): void {
    for (const [name, { expires }] of this.#invites) {
      if (now > expires * 1000 + limits.clockToleranceMs) this.#invites.delete(name);
    }
  }

  get kept(): KeptDoors {
    return { invites: [...this.#invites.values()], unlisted: this.#unlisted };
  }

  /** Goes on where another engine fell. */
  restore({ invites, unlisted }: KeptDoors): void {
    for (const door of invites) this.add(door);
    this.#before = new Set(this.#invites.keys());
    if (unlisted !== undefined) this.#unlist(unlisted);
  }

  /**
   * Goes on after a later view, of whoever acted meanwhile: what was given out since is open, and what it names no more was
   * closed.
   */
  follow(view: Pick<RelayView, "doors">): void {
    const named = new Set(view.doors?.invites.map(toHex));
    if (view.doors?.unlisted === false) {
      for (const name of this.#before) if (!named.has(name)) this.#invites.delete(name);
    }
    this.meet(view);
  }

  /** Somebody else acts or acted, beside us or before: what they gave out lets in as ours does. */
  meet(view: Pick<RelayView, "doors">): void {
    this.#theirs = view;
    for (const serial of view.doors?.shut ?? []) this.#shutByOthers.set(toHex(serial), serial);
    for (const name of this.#shutByOthers.keys()) {
      if (this.#shutByOthers.size <= shutMax) break;
      this.#shutByOthers.delete(name);
    }
    this.#take(view, this.#state().generation, false);
  }

  /** Their state is known as well, and so to which link of the room their invites belong. */
  date(generation: number): void {
    if (this.#theirs) this.#take(this.#theirs, generation, true);
  }

  /** What the view says. */
  get named(): ViewDoors {
    const state = this.#state();
    const invites = [...this.#invites.values()].filter((door) => this.#isOpen(door)).map(({ name }) => name);
    const unlisted = this.#unlisted !== undefined && this.#unlisted >= state.generation;
    return { invites, unlisted, own: ownDoorsOf(state), shut: this.#shut(state) };
  }

  /** Whether the passes of somebody were shut by another who acted. */
  isShut(identityKey: Uint8Array): boolean {
    const serial = this.#shutByOthers.size > 0 ? this.#serialOf(markOf(identityKey)) : undefined;
    return serial !== undefined && this.#shutByOthers.has(toHex(serial));
  }

  /** Somebody may come in again. */
  forgive(identityKey: Uint8Array): void {
    const serial = this.#serialOf(markOf(identityKey));
    if (serial) this.#shutByOthers.delete(toHex(serial));
  }

  /** Of those who were put out, the newest: what is older stands before what is newer in each list. */
  #shut({ keptBans, bans, kicked }: RoomState): Uint8Array[] {
    const marks = [
      ...keptBans.map(({ mark }) => mark),
      ...bans.map(({ identityKey }) => markOf(identityKey)),
      ...kicked,
    ];
    const own = marks.slice(-shutMax).flatMap((mark) => this.#serialOf(mark) ?? []);
    const all = new Map([...this.#shutByOthers.values(), ...own].map((serial) => [toHex(serial), serial]));
    return [...all.values()].slice(-shutMax);
  }

  #serialOf(mark: Uint8Array): Uint8Array | undefined {
    const serials = this.#serials();
    return serials && serialOf(this.#crypto, serials, mark);
  }

  #take({ doors }: Pick<RelayView, "doors">, generation: number, isKnown: boolean): void {
    if (!doors || doors.unlisted) this.#unlist(generation);
    for (const name of doors?.invites ?? []) {
      const known = this.#invites.get(toHex(name));
      const isTheirs = known?.expires === lastSecond;
      if (!known || (isKnown && isTheirs)) this.add({ name, generation, expires: lastSecond });
    }
  }

  #unlist(generation: number): void {
    this.#unlisted = Math.max(this.#unlisted ?? generation, generation);
  }

  /** By the room's state, whether it is locked or not. */
  #isOpen({ name, generation }: InviteDoor): boolean {
    const { generation: current, revoked, used } = this.#state();
    return generation >= current && !hasKey(revoked, name) && !used.some(({ branch }) => toHex(branch) === toHex(name));
  }
}

/** Who came by an invite for one comes in by their own door, from when it was used until they are put out. */
function ownDoorsOf(state: RoomState): Uint8Array[] {
  return state.used.filter(({ user }) => !isMarkOut(state, user)).map(({ door }) => door);
}
