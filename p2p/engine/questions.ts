import type { Command, PeerEvent } from "../core/peer-io.ts";
import type { Invite } from "../core/room/invite/invite.ts";
import { fault } from "./reading.ts";

type Answer = Extract<PeerEvent, { event: "answered" }>;

/** What was asked of the room and is answered by number. */
export class Questions {
  readonly #push: (command: Command) => void;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #next = 1;

  constructor(push: (command: Command) => void) {
    this.#push = push;
  }

  /** Resolves with the invite that was made, if one was; rejects with why not. */
  ask(command: (id: number) => Command): Promise<Invite | undefined> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, ({ code, invite }) => {
        if (code === undefined) resolve(invite);
        else reject(fault(code));
      });
      this.#push(command(id));
    });
  }

  /** The answer to one of them. */
  answer(answer: Answer): void {
    const settle = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    settle?.(answer);
  }
}
