import type { Millis } from "../../api/ids.ts";
import { toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import type { PeerEvent } from "../peer-io.ts";
import type { KeyPair } from "./keys.ts";
import { noteCharactersMax, openNote, sealNote } from "./note.ts";

/** Notes whose ids are remembered: four times what a relay remembers of them. */
const rememberedMax = 4096;

/** Who types, and where. */
export interface ChatSeat {
  readonly roomKey: Uint8Array;
  readonly identity: KeyPair;
  readonly name: string;
}

type TextEvent = Extract<PeerEvent, { event: "text" }>;

/** What one person types to the room, and what it reads of others, each once ([RM28]). */
export class Chat {
  readonly #crypto: Crypto;
  readonly #epochSecret: Uint8Array;
  readonly #seat: ChatSeat;
  /** Who and id of what was shown: an id is its author's alone, so that nobody takes another's. */
  readonly #shown = new Set<string>();

  constructor(crypto: Crypto, epochSecret: Uint8Array, seat: ChatSeat) {
    this.#crypto = crypto;
    this.#epochSecret = epochSecret;
    this.#seat = seat;
  }

  /** What was typed, sealed, cut to its longest, and as it is told; undefined when there is nothing in it. */
  write(typed: string, now: Millis): { readonly sealed: Uint8Array; readonly event: TextEvent } | undefined {
    const text = Array.from(typed.trim()).slice(0, noteCharactersMax).join("");
    if (text === "") return undefined;
    const { roomKey, identity, name } = this.#seat;
    const note = { id: this.#crypto.randomBytes(8), name, text };
    const sealed = sealNote(this.#crypto, this.#epochSecret, roomKey, identity.seed, note);
    return { sealed, event: this.#show(note.id, toHex(identity.key), name, text, now) };
  }

  /** A note as it is told. "shown": it was before, whatever relays have forgotten. Undefined: it is no good. */
  read(bytes: Uint8Array, now: Millis): TextEvent | "shown" | undefined {
    const note = openNote(this.#crypto, this.#epochSecret, this.#seat.roomKey, bytes);
    if (!note) return undefined;
    const identity = toHex(note.identityKey);
    if (this.#shown.has(identity + toHex(note.id))) return "shown";
    return this.#show(note.id, identity, note.name, note.text, now);
  }

  #show(id: Uint8Array, identity: string, name: string, text: string, at: Millis): TextEvent {
    this.#shown.add(identity + toHex(id));
    for (const oldest of this.#shown) {
      if (this.#shown.size <= rememberedMax) break;
      this.#shown.delete(oldest);
    }
    return { event: "text", identity, name, text, at, self: identity === toHex(this.#seat.identity.key) };
  }
}
