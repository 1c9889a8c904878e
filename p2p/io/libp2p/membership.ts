import type { Libp2p } from "@libp2p/interface";
import type { KadDHT } from "@libp2p/kad-dht";
import type { Multiaddr } from "@multiformats/multiaddr";
import { internalsOf } from "./walk.ts";
import type { DhtInternals } from "./walk.ts";

/** How long a dial may take over a slow network. */
const dialMsMax = 10_000;
/** How long somebody connected may take to be identified, and to answer the ping that puts it into the routing table. */
const greetingMsMax = 5_000;
/** How often a node that fell out of the DHT tries to come back. */
const rejoinMs = 30_000;

/** Gets a node into the DHT by addresses it was given, and back in when it fell out. */
export class Membership {
  readonly #libp2p: Libp2p;
  readonly #table: DhtInternals["routingTable"];
  readonly #protocol: string;
  readonly #bootstrap: readonly Multiaddr[];
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<boolean> | undefined;

  /** `protocol`: by which the DHT's servers are known. */
  constructor(libp2p: Libp2p, dht: KadDHT, protocol: string, bootstrap: readonly Multiaddr[]) {
    this.#libp2p = libp2p;
    this.#protocol = protocol;
    this.#table = internalsOf(dht).routingTable;
    this.#bootstrap = bootstrap;
    this.#timer = setInterval(() => void this.join(), rejoinMs);
    this.#timer.unref();
  }

  /** Servers of the DHT that are known to have answered. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Resolves true once at least one server is known, dialing the bootstrap addresses if none is (or, with `again`, in any
   * case); false when none could be reached. Never rejects.
   */
  async join(again = false): Promise<boolean> {
    if (this.#table.size > 0 && !again) return true;
    if (this.#stopped.signal.aborted) return false;
    this.#running ??= this.#dial().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  async #dial(): Promise<boolean> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialMsMax)]);
    const dials = this.#bootstrap.map((address) => this.#libp2p.dial(address, { signal }));
    const first = await Promise.any(dials).catch(() => undefined);
    if (first === undefined && !(await this.#mayBeServed())) return this.#table.size > 0;
    await this.#whenKnown(AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(greetingMsMax)]));
    return this.#table.size > 0;
  }

  /**
   * Whether somebody who is connected already, by a link, is a server or has not yet said what it is. libp2p believes that
   * whoever asks by a protocol also answers by it; but those who only ask have no address.
   */
  async #mayBeServed(): Promise<boolean> {
    const peers = this.#libp2p.getPeers().map((peer) => this.#libp2p.peerStore.get(peer).catch(() => undefined));
    return (await Promise.all(peers)).some((peer) => {
      if (peer === undefined || peer.protocols.length === 0) return true;
      return peer.protocols.includes(this.#protocol) && peer.addresses.length > 0;
    });
  }

  /** Resolves when the routing table has somebody, or when the signal aborts. */
  async #whenKnown(signal: AbortSignal): Promise<void> {
    if (this.#table.size > 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#table.removeEventListener("peer:add", end);
        signal.removeEventListener("abort", end);
        resolve();
      };
      this.#table.addEventListener("peer:add", end);
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    });
  }
}
