import type { Millis } from "../../../api/ids.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { PeerEvent } from "../../peer-io.ts";
import type { SecretRing } from "../epoch/secrets.ts";
import type { KeyPair } from "../rights/keys.ts";
import type { Reaction } from "../../../api/room.ts";
import { type Note, noteCharactersMax, openNote, sealNote } from "./note.ts";
import { isBanned, wasKicked } from "../state/lists.ts";
import { hasPerson, type RoomState } from "../state/state.ts";

/** Notes whose ids are remembered: four times what a relay remembers of them. */
const rememberedMax = 4096;

/** Who types, and where. */
export interface ChatSeat {
  readonly roomKey: Uint8Array;
  readonly identity: KeyPair;
  readonly name: string;
}

type NoteEvent = Extract<PeerEvent, { event: "text" | "reaction" }>;

/** Reactions of one person: two a second say all there is to say. */
const reactionMs = 500;
/** Of the pause between two texts: clocks and ways differ. */
const slowModeSlack = 0.8;
/** Notes that wait for their epoch, and for how long: a grant takes a few seconds. */
const closedMax = 16;
const closedMs = 15_000;
/** Authors whose last text is remembered. */
const authorsMax = 2048;

/** Why a note is not shown; counted under this name. */
type NoteFault = "note" | "note-silenced" | "note-slow";

/** Something of our own on its way, or why not; undefined: there was nothing to say. */
export type Said = { readonly sealed: Uint8Array; readonly event: NoteEvent } | "silenced" | "slow-mode" | undefined;

/** What one person types to the room, and what it reads of others, each once ([RM28]). */
export class Chat {
  readonly #crypto: Crypto;
  readonly #words: SecretRing;
  /** Notes of an epoch that is not known here yet: its paper and they come by different ways. */
  #closed: { readonly bytes: Uint8Array; readonly at: Millis }[] = [];
  readonly #seat: ChatSeat;
  /** Who and id of what was shown: an id is its author's alone, so that nobody takes another's. */
  readonly #shown = new Set<string>();
  /** When each author's last text came, and their last reaction. */
  readonly #textAt = new Map<string, Millis>();
  readonly #reactionAt = new Map<string, Millis>();

  constructor(crypto: Crypto, words: SecretRing, seat: ChatSeat) {
    this.#crypto = crypto;
    this.#words = words;
    this.#seat = seat;
  }

  /** What was typed, sealed, cut to its longest, and as it is told; undefined when there is nothing in it. */
  write(typed: string, state: RoomState | undefined, now: Millis): Said {
    const text = Array.from(typed.trim()).slice(0, noteCharactersMax).join("");
    if (text === "") return undefined;
    return this.#whyNot("text", state, now) ?? this.#send({ text, reaction: undefined }, now);
  }

  /** A reaction, likewise. */
  react(reaction: Reaction, state: RoomState | undefined, now: Millis): Said {
    return this.#whyNot("reaction", state, now) ?? this.#send({ text: "", reaction }, now);
  }

  /** Why nothing that we said would be shown ([RM38]). */
  #whyNot(kind: "text" | "reaction", state: RoomState | undefined, now: Millis): "silenced" | "slow-mode" | undefined {
    const { key } = this.#seat.identity;
    const own = toHex(key);
    const pauseMs = kind === "reaction" ? reactionMs : (state?.slowModeS ?? 0) * 1000;
    const last = (kind === "reaction" ? this.#reactionAt : this.#textAt).get(own);
    if (state && hasPerson(state.keepers, key)) return undefined;
    if (state && hasPerson(state.silenced, key)) return "silenced";
    return last !== undefined && now - last < pauseMs ? "slow-mode" : undefined;
  }

  #send(
    said: Pick<Note, "text" | "reaction">,
    now: Millis,
  ): { readonly sealed: Uint8Array; readonly event: NoteEvent } {
    const { roomKey, identity, name } = this.#seat;
    remember(said.reaction === undefined ? this.#textAt : this.#reactionAt, toHex(identity.key), now);
    const note = { id: this.#crypto.randomBytes(8), name, ...said };
    const sealed = sealNote(this.#crypto, this.#words.sealing, roomKey, identity.seed, note);
    return { sealed, event: this.#show(note, toHex(identity.key), now) };
  }

  /** Notes that came before their epoch, to be read again. */
  takeClosed(now: Millis): Uint8Array[] {
    return this.#closed.splice(0).flatMap(({ bytes, at }) => (now - at < closedMs ? [bytes] : []));
  }

  /** A note as it is told, or why it is not: "shown" was before, whatever relays have forgotten; "closed" may open later. */
  read(bytes: Uint8Array, state: RoomState | undefined, now: Millis): NoteEvent | "shown" | "closed" | NoteFault {
    const note = openNote(this.#crypto, this.#words, this.#seat.roomKey, bytes);
    if (!note) return "note";
    if (note === "closed") {
      this.#closed.push({ bytes, at: now });
      if (this.#closed.length > closedMax) this.#closed.shift();
      return note;
    }
    const identity = toHex(note.identityKey);
    if (this.#shown.has(identity + toHex(note.id))) return "shown";
    if (state && !hasPerson(state.keepers, note.identityKey)) {
      if (hasPerson(state.silenced, note.identityKey) || isBanned(state, note.identityKey)) return "note-silenced";
      // Who was put out may still know the epoch before.
      if (wasKicked(state, note.identityKey)) return "note-silenced";
      if (this.#isTooSoon(identity, note, state.slowModeS, now)) return "note-slow";
    }
    remember(note.reaction === undefined ? this.#textAt : this.#reactionAt, identity, now);
    return this.#show(note, identity, now);
  }

  #isTooSoon(identity: string, { reaction }: Note, slowModeS: number, now: Millis): boolean {
    const pauseMs = (reaction === undefined ? slowModeS * 1000 : reactionMs) * slowModeSlack;
    const last = (reaction === undefined ? this.#textAt : this.#reactionAt).get(identity);
    return last !== undefined && now - last < pauseMs;
  }

  #show({ id, name, text, reaction }: Note, identity: string, at: Millis): NoteEvent {
    this.#shown.add(identity + toHex(id));
    for (const oldest of this.#shown) {
      if (this.#shown.size <= rememberedMax) break;
      this.#shown.delete(oldest);
    }
    const self = identity === toHex(this.#seat.identity.key);
    if (reaction !== undefined) return { event: "reaction", identity, name, reaction, self };
    return { event: "text", identity, name, text, at, self };
  }
}

/** Notes the newest last, and lets the oldest go. */
function remember(known: Map<string, Millis>, name: string, at: Millis): void {
  known.delete(name);
  known.set(name, at);
  for (const oldest of known.keys()) {
    if (known.size <= authorsMax) break;
    known.delete(oldest);
  }
}
