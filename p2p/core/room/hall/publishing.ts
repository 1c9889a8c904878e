import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import { earlier } from "../../machine.ts";
import type { PeerOutput } from "../../peer-io.ts";
import type { Authority } from "../keeper/authority.ts";
import type { Keeping } from "../keeper/keeping.ts";
import { Lister } from "./lister.ts";

/** What whoever speaks for a room puts into the DHT: the room's own records, and its listing while it is open. */
export class Publishing {
  readonly #lister: Lister;
  readonly #emit: (output: PeerOutput) => void;

  constructor(crypto: Crypto, emit: (output: PeerOutput) => void) {
    this.#lister = new Lister(crypto);
    this.#emit = emit;
  }

  /** Puts what is due. `time`: the best known, which names the hour. */
  run(keeping: Keeping, members: number, now: Millis, time: Millis): void {
    const { authority } = keeping;
    for (const branch of this.#lister.takeEnded(authority?.state))
      keeping.carryOut({ kind: "events", events: [{ kind: "revoke", branch }] }, now);
    const listings = this.#lister.run(authority, members, () => keeping.inviteForAll(now), now, time);
    for (const record of [...(authority?.publish(time) ?? []), ...listings]) this.#emit({ kind: "publish", ...record });
  }

  dueAt(authority: Authority | undefined): Millis | undefined {
    return authority && earlier(authority.publishAt, this.#lister.dueAt);
  }
}
