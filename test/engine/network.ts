import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import type { Link, RelayAddress } from "../../p2p/api/link.ts";
import { toHex } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";
import type { Discovery, Links, Network, Presence } from "../../p2p/engine/ports.ts";
import { type MemoryLinkPair, memoryLinkPair } from "../../p2p/io/links/memory.ts";

/** A network in one process: nodes find each other by their keys, and talk over links in memory. */
export class MemoryNet {
  readonly pairs: MemoryLinkPair[] = [];
  /** What was published: every replica of every key. */
  readonly values = new Map<string, Uint8Array>();
  readonly nodes = new Map<PeerId, MemoryNode>();
  readonly #rng: Rng;
  #nextLink = 1;

  constructor(seed: string) {
    this.#rng = new Rng(seed);
  }

  /** A node that is up when its engine has started; `listens`: it has an address. */
  node(listens: boolean, discovers = false): MemoryNode {
    const reach = {
      key: this.#rng.bytes(32),
      token: this.#rng.bytes(16),
      addresses: [Uint8Array.of(4, 127, 0, 0, 1, 6, 1, 187)],
    };
    return new MemoryNode(this, toHex(reach.key) as PeerId, listens ? reach : undefined, discovers);
  }

  /** Opens a link between two nodes that are up. */
  connect(from: MemoryNode, to: MemoryNode): Link {
    const ids = [linkId(this.#nextLink++), linkId(this.#nextLink++)] as const;
    const pair = memoryLinkPair({ ids, peers: [from.peer, to.peer] });
    this.pairs.push(pair);
    to.accept(pair.ends[1]);
    return pair.ends[0];
  }
}

/** One node of a `MemoryNet`. */
export class MemoryNode implements Network {
  stopped = 0;
  readonly peer: PeerId;
  readonly reach: RelayAddress | undefined;
  readonly #net: MemoryNet;
  readonly #discovers: boolean;
  #listener: ((link: Link) => void) | undefined;

  constructor(net: MemoryNet, peer: PeerId, reach: RelayAddress | undefined, discovers: boolean) {
    this.#net = net;
    this.peer = peer;
    this.reach = reach;
    this.#discovers = discovers;
  }

  start(): Promise<Presence> {
    this.#net.nodes.set(this.peer, this);
    const { peer, reach } = this;
    const addresses = reach ? [`/memory/${peer}`] : [];
    const discovery = this.#discovers ? this.#discovery() : undefined;
    return Promise.resolve({ peer, addresses, reach, links: this.#links(), discovery });
  }

  stop(): Promise<void> {
    this.stopped++;
    this.#net.nodes.delete(this.peer);
    return Promise.resolve();
  }

  accept(link: Link): void {
    this.#listener?.(link);
  }

  #links(): Links {
    return {
      dial: (target, signal) => {
        const node = this.#net.nodes.get(toHex(target.key) as PeerId);
        if (signal.aborted || !node?.reach) return Promise.reject(new Error("nobody listens there"));
        return Promise.resolve(this.#net.connect(this, node));
      },
      upgrade: () => Promise.reject(new Error("no data channels in memory")),
      onLink: (listener) => void (this.#listener = listener),
    };
  }

  #discovery(): Discovery {
    const { values } = this.#net;
    return {
      publish: (key, value) => {
        values.set(toHex(key), value);
        return Promise.resolve();
      },
      lookup: async function* lookup(key) {
        const value = await Promise.resolve(values.get(toHex(key)));
        if (value) yield value;
      },
    };
  }
}
