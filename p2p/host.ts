import type { RequestListener } from "node:http";
import { networkInterfaces } from "node:os";
import type { Channels } from "./api/channel.ts";
import type { EngineApi, Profile } from "./api/engine.ts";
import type { Sockets } from "./api/socket.ts";
import type { WayChoice } from "./api/way.ts";
import { fromHex } from "./core/bytes.ts";
import type { Crypto } from "./core/crypto.ts";
import { cardSecretBytes } from "./core/room/invite/card.ts";
import { lookOf } from "./io/look.ts";
import { stretchPassphrase } from "./io/passphrase.ts";
import { createSeats } from "./core/room/member/seats.ts";
import { encodeUtf8 } from "./core/utf8.ts";
import { createEngine } from "./engine/engine.ts";
import type { Clock, Network, Presence } from "./engine/ports.ts";
import { createClock } from "./io/clock.ts";
import { createCrypto } from "./io/crypto.ts";
import { fromMultiaddrs } from "./io/libp2p/address.ts";
import type { Certificate, ChangingCertificate } from "./io/libp2p/certificate.ts";
import { createDiscovery } from "./io/libp2p/discovery.ts";
import { createNode, type TeahouseNode } from "./io/libp2p/node.ts";
import { createLinks, type NodeLinks } from "./io/links/links.ts";
import { Routes } from "./io/routes/routes.ts";
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
  /** Undefined: a certificate is made at start and kept in memory. */
  readonly tls: Certificate | ChangingCertificate | undefined;
  /** What visitors without the path token see; left out: an empty server. */
  readonly site?: RequestListener;
  /** 32 bytes that everything lasting about this node derives from; undefined: fresh. */
  readonly seed: Uint8Array | undefined;
  /** Carries only: the engine is made without the part that can open packets. */
  readonly blind: boolean;
  /** The window's network, by which everything is dialed; undefined: natively. What listens is native in any case. */
  readonly lent?: { readonly sockets: Sockets; readonly channels: Channels };
  /** Whether and how anything is dialed, where it outlives this engine; made for it by `way` when left out. */
  readonly routes?: Routes;
  /** The way chosen at the start; automatic when left out. */
  readonly way?: WayChoice;
  /** Instead of the system's: a clock that is wrong, in tests. */
  readonly clock?: Clock;
}

const seedBytes = 32;
const tokenBytes = 16;

/** The engine on the real world: the one place where both are joined. It does nothing until `start`. */
export async function createHost(setup: HostSetup): Promise<EngineApi> {
  const clock = setup.clock ?? createClock();
  const crypto = createCrypto();
  const network = createNetwork(setup, clock, crypto);
  const seats = setup.blind ? undefined : createSeats(crypto, lookOf);
  const { seed } = setup;
  return createEngine(
    { clock, crypto, network, seats, stretch: stretchPassphrase },
    {
      profile: setup.profile,
      version: await packageVersion(),
      ...(seed === undefined ? {} : { cardSecret: derived(crypto, seed, "card", cardSecretBytes) }),
    },
  );
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
  readonly #routes: Routes;
  #node: TeahouseNode | undefined;
  #links: NodeLinks | undefined;
  #starting: Promise<Presence> | undefined;

  constructor(setup: HostSetup, clock: Clock, crypto: Crypto) {
    this.#setup = setup;
    this.#clock = clock;
    this.#crypto = crypto;
    this.#routes = setup.routes ?? new Routes(setup);
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
    const { profile, listen, announce, bootstrap, dht, tls, site, seed, lent } = this.#setup;
    const crypto = this.#crypto;
    const routes = this.#routes;
    const node = await createNode({
      routes,
      privateKey: seed === undefined ? crypto.randomBytes(seedBytes) : derived(crypto, seed, "node", seedBytes),
      profile,
      dht,
      crypto,
      clock: this.#clock,
      listen,
      announce,
      bootstrap,
      ...(seed === undefined ? {} : { token: derived(crypto, seed, "token", tokenBytes) }),
      ...(tls === undefined ? {} : { certificate: tls }),
      ...(site === undefined ? {} : { site }),
      ...(lent === undefined ? {} : { sockets: lent.sockets }),
    });
    this.#node = node;
    this.#links = createLinks(node.libp2p, {
      routes,
      webrtc: profile === "webrtc" || profile === "auto",
      // Who can be dialed carries for others, and offers them channels.
      ...(lent === undefined ? {} : { answers: lent.channels, offers: listen.length > 0 }),
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
      ways: routes,
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
