import { networkInterfaces } from "node:os";
import { multiaddr } from "@multiformats/multiaddr";
import type { EngineApi, Profile } from "./api/engine.ts";
import { TeahouseError } from "./api/errors.ts";
import type { Millis, PeerId } from "./api/ids.ts";
import type { RelayAddress } from "./api/link.ts";
import { fromHex, toHex } from "./core/bytes.ts";
import type { Crypto } from "./core/crypto.ts";
import { openRecord } from "./core/discovery/record.ts";
import { cardSecretBytes } from "./core/room/card.ts";
import { type Invite, parseInvite } from "./core/room/invite.ts";
import { createSeats } from "./core/room/seats.ts";
import { encodeUtf8 } from "./core/utf8.ts";
import { createEngine } from "./engine/engine.ts";
import type { Clock, Network, Presence } from "./engine/ports.ts";
import { inviteFaults } from "./engine/sentences.ts";
import { createClock } from "./io/clock.ts";
import { createCrypto } from "./io/crypto.ts";
import { fromMultiaddrs } from "./io/libp2p/address.ts";
import { createDiscovery } from "./io/libp2p/discovery.ts";
import { createNode, type TeahouseNode } from "./io/libp2p/node.ts";
import { createLinks, type NodeLinks } from "./io/links/links.ts";
import { packageVersion } from "./version.ts";

/** How an engine is made. */
export interface HostSetup {
  readonly profile: Profile;
  /** Multiaddrs; empty: nobody can dial this node. */
  readonly listen: readonly string[];
  /** Multiaddrs that others are told instead of those it listens on. */
  readonly announce: readonly string[];
  /** Multiaddrs of nodes through which the DHT is entered. */
  readonly bootstrap: readonly string[];
  readonly dht: "server" | "client" | "off";
  /** PEM texts; undefined: a certificate is made at start and kept in memory. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** 32 bytes that everything lasting about this node derives from; undefined: fresh. */
  readonly seed: Uint8Array | undefined;
  /** Carries only: the engine is made without the part that can open packets. */
  readonly blind: boolean;
  /** Instead of the system's: a clock that is wrong, in tests. */
  readonly clock?: Clock;
}

/** A node that tries ways without joining. */
export interface ProbeKit {
  readonly crypto: Crypto;
  now(): Millis;
  /** Throws `TeahouseError` with the invite's fault. */
  readInvite(text: string): Invite;
  /** An address as people write it, without what is secret in it. */
  addressText(address: Uint8Array): string;
  /** Opens and closes a link. Rejects with an Error whose message says what failed; so do the next two. */
  dial(target: RelayAddress, signal: AbortSignal): Promise<void>;
  /** Opens and closes a data channel to a relay that was just dialed. */
  upgrade(target: RelayAddress, signal: AbortSignal): Promise<void>;
  /** Resolves when the DHT gave a record under this key that opens with the secret. */
  findRecord(key: Uint8Array, secret: Uint8Array, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const seedBytes = 32;
const tokenBytes = 16;

/** The engine on the real world: the one place where both are joined. It does nothing until `start`. */
export async function createHost(setup: HostSetup): Promise<EngineApi> {
  const clock = setup.clock ?? createClock();
  const crypto = createCrypto();
  const network = createNetwork(setup, clock, crypto);
  const seats = setup.blind ? undefined : createSeats(crypto);
  const { seed } = setup;
  return createEngine(
    { clock, crypto, network, seats },
    {
      profile: setup.profile,
      version: await packageVersion(),
      ...(seed === undefined ? {} : { cardSecret: derived(crypto, seed, "card", cardSecretBytes) }),
    },
  );
}

/** A node for `teahouse probe`, up. Rejects as the engine's `start` does. */
export async function createProbe(setup: HostSetup): Promise<ProbeKit> {
  const clock = setup.clock ?? createClock();
  const crypto = createCrypto();
  const network = createNetwork(setup, clock, crypto);
  const { links, discovery } = await network.start();
  return {
    crypto,
    now: () => clock.now(),
    readInvite: (text) => readInvite(crypto, text),
    addressText: (address) => multiaddr(address).toString(),
    dial: async (target, signal) => (await links.dial(target, signal)).close(),
    upgrade: async (target, signal) => {
      // A data channel is agreed upon over a connection, which lives as long as a link on it.
      const link = await links.dial(target, signal);
      try {
        (await links.upgrade(toHex(target.key) as PeerId, signal)).close();
      } finally {
        link.close();
      }
    },
    findRecord: async (key, secret, signal) => {
      for await (const value of discovery?.lookup(key, signal) ?? []) {
        if (openRecord(crypto, secret, value).ok) return;
      }
      throw new Error("no record");
    },
    stop: () => network.stop(),
  };
}

function readInvite(crypto: Crypto, text: string): Invite {
  const invite = parseInvite(crypto, text);
  if (invite.ok) return invite.value;
  const [code, sentence] = inviteFaults[invite.reason];
  throw new TeahouseError(code, sentence);
}

/** The real network under an engine: tests put one between the real engine and a peer that misbehaves. */
export function createNetwork(setup: HostSetup, clock: Clock, crypto: Crypto): Network {
  return new NodeNetwork(setup, clock, crypto);
}

/** A secret of its own for each use, from the one that is kept. */
function derived(crypto: Crypto, seed: Uint8Array, use: string, length: number): Uint8Array {
  return crypto.hkdf(seed, encodeUtf8(`teahouse kept ${use} 1`), length);
}

/** The engine's `Network` over libp2p. */
class NodeNetwork implements Network {
  readonly #setup: HostSetup;
  readonly #clock: Clock;
  readonly #crypto: Crypto;
  #node: TeahouseNode | undefined;
  #links: NodeLinks | undefined;
  #starting: Promise<Presence> | undefined;

  constructor(setup: HostSetup, clock: Clock, crypto: Crypto) {
    this.#setup = setup;
    this.#clock = clock;
    this.#crypto = crypto;
  }

  async start(): Promise<Presence> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async stop(): Promise<void> {
    // Whoever leaves while it comes up waits until there is something to take down.
    await this.#starting?.catch(() => undefined);
    await this.#links?.stop();
    await this.#node?.stop();
  }

  async #start(): Promise<Presence> {
    const { profile, listen, announce, bootstrap, dht, tls, seed } = this.#setup;
    const crypto = this.#crypto;
    const node = await createNode({
      privateKey: seed === undefined ? crypto.randomBytes(seedBytes) : derived(crypto, seed, "node", seedBytes),
      profile,
      dht,
      crypto,
      clock: this.#clock,
      listen,
      announce,
      bootstrap,
      ...(seed === undefined ? {} : { token: derived(crypto, seed, "token", tokenBytes) }),
      ...(tls === undefined ? {} : { certificate: { cert: tls.certificate, key: tls.key } }),
    });
    this.#node = node;
    this.#links = createLinks(node.libp2p, {
      webrtc: profile === "webrtc" || profile === "auto",
      ...(isLoopbackOnly(listen) ? { bindAddress: "127.0.0.1" } : {}),
    });
    await this.#links.start();
    const addresses = reachable(node.addresses());
    return {
      peer: node.peerId,
      addresses,
      reach: addresses.length === 0 ? undefined : fromMultiaddrs(fromHex(node.peerId), node.token, addresses),
      links: this.#links,
      discovery: dht === "off" ? undefined : createDiscovery(node, crypto),
    };
  }
}

/** Loopback leads nobody here but ourselves: it is told only when there is nothing else. */
function reachable(addresses: readonly string[]): string[] {
  const elsewhere = addresses.filter((address) => !isLoopback(address));
  return elsewhere.length > 0 ? elsewhere : [...addresses];
}

function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\//.test(address);
}

/** Whether WebRTC has to be told of loopback, which it leaves out by itself. */
function isLoopbackOnly(listen: readonly string[]): boolean {
  if (listen.length > 0) return listen.every(isLoopback);
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return interfaces.every(({ internal }) => internal);
}
