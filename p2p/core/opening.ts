import { type LinkId, type Millis, millis, type PeerId } from "../api/ids.ts";
import type { Deadline } from "./machine.ts";

/** A link that has said nothing sensible for this long is closed. */
const openingMs = 5000;
/** Links that may be open without having proved anything. */
const openingMax = 256;
/** And of one peer. */
const openingPerPeerMax = 8;

/** Links that have proved nothing yet, in the order in which they were opened ([SS9]). */
export class OpeningLinks {
  readonly #links = new Map<LinkId, { readonly remote: PeerId; readonly openedAt: Millis }>();

  add(link: LinkId, remote: PeerId, now: Millis): void {
    this.#links.set(link, { remote, openedAt: now });
  }

  delete(link: LinkId): void {
    this.#links.delete(link);
  }

  /** Which has to go because `link` came: one peer's silent links go first, then the oldest of all. */
  surplus(link: LinkId, remote: PeerId): LinkId | undefined {
    let own = 0;
    for (const known of this.#links.values()) if (known.remote === remote) own++;
    if (own > openingPerPeerMax) return link;
    return this.#links.size > openingMax ? this.#links.keys().next().value : undefined;
  }

  /** Those that have been silent for too long. */
  overdue(now: Millis): LinkId[] {
    return [...this.#links].flatMap(([link, { openedAt }]) => (now >= openedAt + openingMs ? [link] : []));
  }

  deadline(): Deadline | undefined {
    const first = this.#links.values().next().value;
    return first && { at: millis(first.openedAt + openingMs), reason: "a link that says nothing" };
  }
}
