import { type DialId, type LinkId, millis } from "../api/ids.ts";
import type { Link, LinkKind } from "../api/link.ts";
import type { PeerInput, PeerOutput } from "../core/peer-io.ts";
import type { Clock, Links } from "./ports.ts";

/** A dial that takes longer has failed: TCP, TLS, WebSocket, Noise and yamux on a path of 600 ms and loss. */
const dialMsMax = 10_000;

/** Carries links, dials and messages between the machine and the network, and counts bytes. */
export class Traffic {
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #push: (input: PeerInput) => void;
  readonly #open = new Map<LinkId, Link>();
  readonly #dials = new Map<DialId, AbortController>();
  #closedIn = 0;
  #closedOut = 0;

  constructor(links: Links, clock: Clock, push: (input: PeerInput) => void) {
    this.#links = links;
    this.#clock = clock;
    this.#push = push;
    links.onLink((link) => this.#adopt(link, undefined));
  }

  send(link: LinkId, bytes: Uint8Array): void {
    this.#open.get(link)?.send(bytes);
  }

  close(link: LinkId): void {
    this.#open.get(link)?.close();
  }

  dial(output: Extract<PeerOutput, { kind: "dial" | "upgrade" }>): void {
    const controller = new AbortController();
    this.#dials.set(output.dial, controller);
    const late = this.#clock.wakeAt(millis(this.#clock.now() + dialMsMax), () => controller.abort());
    const { signal } = controller;
    const opening =
      output.kind === "dial"
        ? this.#links.dial(output.target, signal, output.fresh)
        : this.#links.upgrade(output.remote, signal);
    opening.then(
      (link) => {
        late();
        if (this.#dials.delete(output.dial)) this.#adopt(link, output.dial);
        else link.close();
      },
      (error: unknown) => {
        late();
        if (!this.#dials.delete(output.dial)) return;
        this.#push({
          kind: "dial-failed",
          dial: output.dial,
          reason: error instanceof Error ? error.message : "unknown",
          ...(error instanceof Error && "afterMs" in error ? { afterMs: Number(error.afterMs) } : {}),
        });
      },
    );
  }

  cancel(dial: DialId): void {
    this.#dials.get(dial)?.abort();
    this.#dials.delete(dial);
  }

  /** Bytes over all links so far, and how many links of each kind are open. */
  count(): { bytesIn: number; bytesOut: number; links: Partial<Record<LinkKind, number>> } {
    const links: Partial<Record<LinkKind, number>> = {};
    let bytesIn = this.#closedIn;
    let bytesOut = this.#closedOut;
    for (const link of this.#open.values()) {
      links[link.kind] = (links[link.kind] ?? 0) + 1;
      bytesIn += link.bytesIn;
      bytesOut += link.bytesOut;
    }
    return { bytesIn, bytesOut, links };
  }

  /** Closes the links of one kind; what they carried changes over to others. */
  closeAll(kind: LinkKind): void {
    for (const link of [...this.#open.values()]) if (link.kind === kind) link.close();
  }

  /** Ends every dial and link. */
  stop(): void {
    for (const dial of [...this.#dials.keys()]) this.cancel(dial);
    for (const link of [...this.#open.values()]) link.close();
  }

  #adopt(link: Link, dial: DialId | undefined): void {
    this.#open.set(link.id, link);
    this.#push({
      kind: "link-opened",
      link: link.id,
      remote: link.remote,
      linkKind: link.kind,
      ...(dial === undefined ? {} : { dial }),
    });
    link.attach({
      onMessage: (bytes) => this.#push({ kind: "message", link: link.id, bytes }),
      onClose: (reason) => {
        this.#open.delete(link.id);
        this.#closedIn += link.bytesIn;
        this.#closedOut += link.bytesOut;
        this.#push({ kind: "link-closed", link: link.id, reason });
      },
    });
  }
}
