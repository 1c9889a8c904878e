import type { ErrorCode } from "../../../api/errors.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { Notices } from "../../overlay/news/notices.ts";
import type { PeerEvent } from "../../peer-io.ts";
import type { Chat, Said } from "../asking/chat.ts";
import { answerToHand, removalOf } from "../asking/deeds.ts";
import type { Keeping } from "../keeper/keeping.ts";
import type { Question, Ruling } from "./resident.ts";

/** What a person's doings need. */
export interface DoingsWires {
  readonly crypto: Crypto;
  readonly keeping: Keeping;
  readonly chat: Chat;
  readonly notices: Notices;
  /** Whether we are in the room. */
  isInside(): boolean;
  tell(event: PeerEvent): void;
  /** Counts what was not done. */
  reject(reason: string): void;
  /** Something was done that others may wait for. */
  done(now: Millis): void;
}

/** What one person does in a room, and is told of what others say. */
export class Doings {
  readonly #wires: DoingsWires;

  constructor(wires: DoingsWires) {
    this.#wires = wires;
  }

  /** An answer to a hand, or the word that somebody leaves the stage; refused where the right is missing. */
  rule(command: Ruling, now: Millis): void {
    const { keeping } = this.#wires;
    const { state } = keeping;
    if (!state) return;
    const deed =
      command.kind === "remove-from-stage"
        ? removalOf(state, command.voice)
        : answerToHand(this.#wires.crypto, state, command.hand, command.kind === "admit");
    const code = keeping.carryOut(deed, now);
    // That it is done already, or that they are gone, shows by itself.
    if (code === "not-here") this.#wires.reject(`act-${code}`);
    else if (code !== undefined) this.refuse(code);
  }

  /** Does what was asked for; the answer bears the number of the question. */
  ask(question: Question, now: Millis): void {
    const { id } = question;
    const made = question.kind === "invite" ? this.#wires.keeping.issueInvite(question.terms, now) : undefined;
    const invite = typeof made === "object" ? made : undefined;
    const code = question.kind === "act" ? this.#act(question.act, now) : typeof made === "string" ? made : undefined;
    if (code !== undefined) this.#wires.reject(`act-${code}`);
    this.#wires.tell({ event: "answered", id, code, invite });
    this.#wires.done(now);
  }

  /** Says that we go for good, to whoever would list us otherwise. */
  leave(now: Millis): void {
    if (this.#wires.isInside()) this.#wires.keeping.leave(now);
  }

  /** Types to the room; empty text is nothing. */
  say(text: string, now: Millis): void {
    const { chat, keeping } = this.#wires;
    const code = this.#wires.isInside() ? this.#send(chat.write(text, keeping.state, now), now) : undefined;
    if (code !== undefined) this.refuse(code);
  }

  /** Somebody typed, or answered without words. */
  note(bytes: Uint8Array, now: Millis): void {
    const read = this.#wires.chat.read(bytes, this.#wires.keeping.state, now);
    if (typeof read !== "string") this.#wires.tell(read);
    else if (read !== "shown" && read !== "closed") this.#wires.reject(read);
  }

  /** Another epoch is known: what came before it may be read now. */
  readAgain(now: Millis): void {
    for (const bytes of this.#wires.chat.takeClosed(now)) this.note(bytes, now);
  }

  #act(act: Extract<Question, { kind: "act" }>["act"], now: Millis): ErrorCode | undefined {
    const { chat, keeping } = this.#wires;
    if (!this.#wires.isInside()) return "not-allowed";
    return act.kind === "react" ? this.#send(chat.react(act.reaction, keeping.state, now), now) : keeping.act(act, now);
  }

  #send(said: Said, now: Millis): ErrorCode | undefined {
    if (typeof said !== "object") return said;
    this.#wires.notices.passNote(said.sealed, undefined, now);
    this.#wires.tell(said.event);
    return undefined;
  }

  /** Tells the person why something is not done. */
  refuse(code: ErrorCode): void {
    this.#wires.reject(`act-${code}`);
    this.#wires.tell({ event: "trouble", code, fatal: false });
  }
}
