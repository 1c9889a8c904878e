import type { Libp2p, PeerId, PeerInfo } from "@libp2p/interface";
import { MessageType } from "@libp2p/kad-dht";
import type { KadDHT, PeerResponseEvent, QueryEvent } from "@libp2p/kad-dht";
import { Libp2pRecord } from "@libp2p/record";
import { compare, equal } from "../../core/bytes.ts";
import type { Crypto } from "../../core/crypto.ts";

/** Nodes nearest to a key that hold its value: Kademlia's k, and kad-dht's. */
const nearestMax = 20;
/** Questions under way at once: Kademlia's alpha, doubled, since a dead node keeps its place for `answerMsMax`. */
const parallelMax = 6;
/** Questions of one walk at most, so that liars cannot lead it on for ever. */
const questionsMax = 80;
/** How long dialing a node and its answer may take. */
const answerMsMax = 4_000;
/** Addresses of one node that are believed. */
const addressesMax = 8;

/** What kad-dht's types do not show of it, and what is used here. Checked against 16.4. */
export interface DhtInternals {
  readonly routingTable: {
    readonly size: number;
    closestPeers(kadId: Uint8Array, options: { readonly count: number }): PeerId[];
    addEventListener(type: "peer:add", listener: () => void): void;
    removeEventListener(type: "peer:add", listener: () => void): void;
  };
  readonly network: {
    sendRequest(
      to: PeerId,
      message: { readonly type: MessageType; readonly key: Uint8Array; readonly record?: Uint8Array },
      options: { readonly signal: AbortSignal; readonly path: PeerResponseEvent["path"] },
    ): AsyncIterable<QueryEvent>;
  };
}

/** Opens kad-dht's inside. */
export const internalsOf = (dht: KadDHT): DhtInternals => dht as unknown as DhtInternals;

interface Candidate {
  readonly peer: PeerInfo;
  readonly distance: Uint8Array;
  state: "new" | "asked" | "answered";
}

/** No path of kad-dht's own queries: these are ours. */
const noPath = { index: -1, queued: 0, running: 0, total: 0 } as const;

/**
 * A walk through the DHT towards one key. kad-dht's own goes only to nodes nearer than the one that named them, and so
 * misses values while routing tables are young; this one asks the nearest known until all of them were asked.
 */
export class Walk {
  readonly #libp2p: Libp2p;
  readonly #dht: DhtInternals;
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  readonly #kadId: Uint8Array;
  readonly #signal: AbortSignal;
  /** Nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #names = new Set<string>();

  constructor(libp2p: Libp2p, dht: KadDHT, crypto: Crypto, key: Uint8Array, signal: AbortSignal) {
    this.#libp2p = libp2p;
    this.#dht = internalsOf(dht);
    this.#crypto = crypto;
    this.#key = key;
    this.#kadId = crypto.sha256(key);
    this.#signal = signal;
    this.#names.add(libp2p.peerId.toString());
    for (const id of this.#dht.routingTable.closestPeers(this.#kadId, { count: nearestMax })) {
      this.#add({ id, multiaddrs: [] });
    }
  }

  /** Yields each answer as it comes; ends when the nearest have been asked, or the signal aborts. Never throws. */
  async *run(type: "GET_VALUE" | "FIND_NODE"): AsyncGenerator<PeerResponseEvent, void, undefined> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#signal, ended.signal]);
    const running = new Map<Candidate, Promise<{ candidate: Candidate; answer: PeerResponseEvent | undefined }>>();
    const message = { type: MessageType[type], key: this.#key };
    try {
      for (let questions = 0; ;) {
        while (running.size < parallelMax && questions < questionsMax && !signal.aborted) {
          const candidate = this.#next();
          if (candidate === undefined) break;
          candidate.state = "asked";
          questions++;
          const asked = this.#ask(candidate.peer, message, signal);
          running.set(
            candidate,
            asked.then((answer) => ({ candidate, answer })),
          );
        }
        if (running.size === 0) return;
        const { candidate, answer } = await Promise.race(running.values());
        running.delete(candidate);
        if (answer === undefined) continue;
        candidate.state = "answered";
        for (const peer of answer.closer.slice(0, nearestMax)) this.#add(peer);
        yield answer;
      }
    } finally {
      ended.abort();
    }
  }

  /** Gives the value to the nearest that answered; the number of those that took it. */
  async put(value: Uint8Array): Promise<number> {
    const record = new Libp2pRecord(this.#key, value, new Date()).serialize();
    const message = { type: MessageType.PUT_VALUE, key: this.#key, record };
    const nearest = this.#candidates.filter(({ state }) => state === "answered").slice(0, nearestMax);
    const answers = await Promise.all(nearest.map(({ peer }) => this.#ask(peer, message, this.#signal)));
    return answers.filter((answer) => answer?.record !== undefined && equal(answer.record.value, value)).length;
  }

  /** The nearest that has not been asked, unless enough nearer ones have answered. */
  #next(): Candidate | undefined {
    let answered = 0;
    for (const candidate of this.#candidates) {
      if (candidate.state === "new") return candidate;
      if (candidate.state === "answered" && ++answered === nearestMax) return undefined;
    }
    return undefined;
  }

  #add(peer: PeerInfo): void {
    const name = peer.id.toString();
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const kadId = this.#crypto.sha256(peer.id.toMultihash().bytes);
    const distance = kadId.map((byte, index) => byte ^ (this.#kadId[index] ?? 0));
    const index = this.#candidates.findIndex((other) => compare(distance, other.distance) < 0);
    this.#candidates.splice(index === -1 ? this.#candidates.length : index, 0, { peer, distance, state: "new" });
  }

  async #ask(
    peer: PeerInfo,
    message: Parameters<DhtInternals["network"]["sendRequest"]>[1],
    until: AbortSignal,
  ): Promise<PeerResponseEvent | undefined> {
    const signal = AbortSignal.any([until, AbortSignal.timeout(answerMsMax)]);
    try {
      const multiaddrs = peer.multiaddrs.slice(0, addressesMax);
      // The dial reads the peer store, where the gater has its say.
      if (multiaddrs.length > 0) await this.#libp2p.peerStore.merge(peer.id, { multiaddrs }, { signal });
      for await (const event of this.#dht.network.sendRequest(peer.id, message, { signal, path: noPath })) {
        if (event.name === "PEER_RESPONSE") return event;
      }
    } catch {
      // A peer's fault, or an abort: no answer.
    }
    return undefined;
  }
}
