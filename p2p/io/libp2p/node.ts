import type { RequestListener } from "node:http";
import { randomBytes } from "node:crypto";
import { noise } from "@chainsafe/libp2p-noise";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import type { ComponentLogger, Libp2p, Logger } from "@libp2p/interface";
import { kadDHT } from "@libp2p/kad-dht";
import type { KadDHT } from "@libp2p/kad-dht";
import { ping } from "@libp2p/ping";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { isPrivate } from "@libp2p/utils";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import type { Libp2pOptions } from "libp2p";
import type { Profile } from "../../api/engine.ts";
import { TeahouseError } from "../../api/errors.ts";
import type { PeerId } from "../../api/ids.ts";
import type { Sockets } from "../../api/socket.ts";
import type { Crypto } from "../../core/crypto.ts";
import { toHex } from "../../core/bytes.ts";
import { limits } from "../../api/limits.ts";
import type { Clock } from "../../engine/ports.ts";
import { plainSite } from "../site/plain.ts";
import { Routes } from "../routes/routes.ts";
import { wsSockets } from "../sockets/ws.ts";
import { selfSignedCertificate } from "./certificate.ts";
import type { Certificate, ChangingCertificate } from "./certificate.ts";
import { BoundedDatastore } from "./datastore.ts";
import { RecordGuard, recordNamespace, rememberedKeysMax } from "./discovery.ts";
import { echo } from "./echo.ts";
import { createGater } from "./gater.ts";
import { Membership } from "./membership.ts";
import { dhtTokenOf } from "./path-token.ts";
import { tokenSuffix } from "./socket-listener.ts";
import { socketTarget, socketTransport } from "./socket-transport.ts";
import type { SocketFault, SocketTransportFactory } from "./socket-transport.ts";

/** Prefix of every protocol, and the agent string: the same for all, so that it tells no version and no platform. */
const name = "teahouse";
const dhtProtocol = `/${name}/kad/1`;

/** Connections a second from one address: a hundred listeners behind one NAT arrive together; each retries once. */
const arrivalsPerSecondMax = 200;
/** Connections that Noise has not finished on: those hundred, and others. */
const pendingMax = 256;
/** Peers remembered: the routing table has at most 64 buckets of 20, and each peer about 1 KiB. */
const peersMax = 4_096;
/** Streams that one connection may hold open: links of several rooms, DHT queries, signalling. */
const streamsMax = 256;
/** Noise and yamux have this long after the token was shown: a relay that a whole audience reaches at once is busy. */
const upgradeMsMax = 10_000;

/** How a node is made. */
export interface NodeOptions {
  /** Seed of the node's Ed25519 identity, 32 bytes; fresh for every run. */
  readonly privateKey: Uint8Array;
  readonly profile: Profile;
  /** `server`: holds records for others. `client`: asks and publishes only. */
  readonly dht: "server" | "client" | "off";
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Multiaddrs to listen on, as `/ip4/0.0.0.0/tcp/443/tls/ws`; port 0 takes a free one. */
  readonly listen?: readonly string[];
  /** Multiaddrs to tell instead of those listened on; the path token is added where it is missing. */
  readonly announce?: readonly string[];
  /** Multiaddrs of servers of the DHT. */
  readonly bootstrap?: readonly string[];
  /** The path token of a relay, 16 bytes. Drawn when left out. */
  readonly token?: Uint8Array;
  /** Made at start when left out. */
  readonly certificate?: Certificate | ChangingCertificate;
  /** What visitors without the token see. */
  readonly site?: RequestListener;
  /** How TLS WebSockets are opened; natively when left out. */
  readonly sockets?: Sockets;
  /** Whether and how anything is dialed; made for this node when left out. */
  readonly routes?: Routes;
  /** Plain TCP, which any censor recognises: for tests, and on a LAN. Default: profile `lan`. */
  readonly tcp?: boolean;
}

/** A node that is up. */
export interface TeahouseNode {
  readonly libp2p: Libp2p;
  /** Undefined with `dht: "off"`. */
  readonly dht: KadDHT | undefined;
  readonly peerId: PeerId;
  /** The path token it listens under. */
  readonly token: Uint8Array;
  /** Where those who are given its card reach it, with the card's token and peer id; empty when it does not listen. */
  addresses(): string[];
  /** What sockets were cut off for, so far. */
  readonly faults: ReadonlyMap<SocketFault, number>;
  /** True when at least one server of the DHT is known, after dialing if need be. Never rejects. */
  join(again?: boolean): Promise<boolean>;
  /** Says goodbye to everybody and closes everything. */
  stop(): Promise<void>;
}

const silent: Logger = Object.assign(() => undefined, {
  enabled: false,
  error: () => undefined,
  trace: () => undefined,
  newScope: () => silent,
});

/** libp2p's logs name peers and addresses: there are none, whatever DEBUG says. */
const silence: ComponentLogger = { forComponent: () => silent };

/** Puts the token into an address of TLS WebSockets, in the place of another if need be. */
const withToken = (text: string, token: Uint8Array): string =>
  socketTarget(multiaddr(text)) === undefined
    ? text
    : text.replace(/(?:\/http-path\/[^/]*)?(\/p2p\/.*)?$/, (_, peer?: string) => tokenSuffix(token) + (peer ?? ""));

const listenError = (error: unknown): TeahouseError => {
  const text = error instanceof Error ? error.message : "";
  if (text.includes("EADDRINUSE")) {
    return new TeahouseError("port-taken", "Another program uses this port: close it, or choose another port.");
  }
  return new TeahouseError("address-unusable", "This address cannot be listened on: choose another address or port.", {
    cause: error,
  });
};

const createDatastore = (self: string): BoundedDatastore =>
  // Provider records have no place here: nobody uses them, and strangers could fill the memory with them.
  new BoundedDatastore(
    [
      { prefix: "/peers/", entriesMax: peersMax },
      { prefix: "/dht/record/", entriesMax: rememberedKeysMax },
    ],
    new Set([`/peers/${self}`]),
  );

const refuse = (): never => {
  throw new Error("not stored here");
};

const createDht = (options: NodeOptions): ReturnType<typeof kadDHT> => {
  const isServer = options.dht === "server";
  const guard = new RecordGuard(options.crypto, isServer ? options.clock : undefined);
  return kadDHT({
    protocol: dhtProtocol,
    clientMode: !isServer,
    // Public keys, which kad-dht would store for anybody, have no place here either.
    validators: { [recordNamespace]: guard.validate, pk: refuse },
    selectors: { [recordNamespace]: guard.select },
    // The gater decides which addresses are kept; the default drops private ones, and with them every LAN and test.
    peerInfoMapper: (peer) => peer,
    // Kademlia's own figure. The default of ten paths with ten questions each makes a lookup conspicuous.
    alpha: 3,
    // One answer may name thousands of nodes, each of which would be dialed: a bucket's worth is enough at a time.
    routingTableUpdateMaxQueueSize: 128,
    pingNewContactMaxQueueSize: 32,
    // A question may be 4 MiB long before kad-dht refuses it, and nothing but this bounds how many are under way.
    maxInboundStreams: 16,
    // Without it a query with an empty routing table waits for ever instead of ending.
    allowQueryWithZeroPeers: true,
    querySelfInterval: isServer ? 300_000 : 3_600_000,
  });
};

type Transports = NonNullable<Libp2pOptions["transports"]>;

/** The transports besides our own; loaded only where they may be used. */
const lanTransports = async ({ profile, tcp, listen = [], bootstrap = [] }: NodeOptions): Promise<Transports> => {
  const transports: Transports = [];
  if (tcp ?? profile === "lan") {
    const { tcp: create } = await import("@libp2p/tcp");
    // No idle timeout: a backup link is silent for long.
    transports.push(create({ inboundSocketInactivityTimeout: 0, outboundSocketInactivityTimeout: 0 }));
  }
  if (profile === "lan" && [...listen, ...bootstrap].some((address) => address.includes("/webrtc-direct"))) {
    const { webRTCDirect } = await import("@libp2p/webrtc");
    transports.push(webRTCDirect({ rtcConfiguration: { iceServers: [] } }));
  }
  return transports;
};

/** What to tell others: as given, or all that is listened on; private addresses only while there is no public one. */
const announced = (addresses: readonly Multiaddr[], options: NodeOptions): Multiaddr[] => {
  const isPublicOnly = options.profile !== "lan" && addresses.some((address) => !isPrivate(address));
  const texts = new Set(addresses.filter((address) => !isPublicOnly || !isPrivate(address)).map(String));
  return [...texts].map((text) => multiaddr(text));
};

/**
 * What libp2p tells everybody it is connected to. Servers of the DHT must be found by strangers, so they tell an address with
 * a token of its own; nobody else's address is anybody's business, and the card's token goes nowhere this way.
 */
const toldToAll = (reach: readonly Multiaddr[], token: Uint8Array, dht: NodeOptions["dht"]): Multiaddr[] =>
  dht === "server" ? reach.map((address) => multiaddr(withToken(address.toString(), dhtTokenOf(token)))) : [];

/** Ends what this node dialed: whoever came to it is not asked to go another way. */
const hangUp = (libp2p: Libp2p): void => {
  const dialed = libp2p.getConnections().filter(({ direction }) => direction === "outbound");
  for (const connection of dialed) connection.abort(new Error("another way"));
};

const checkAddresses = (texts: readonly string[]): void => {
  try {
    for (const text of texts) multiaddr(text);
  } catch (error) {
    throw listenError(error);
  }
};

/** Everything of libp2p that is the same for every node. */
const common = {
  nodeInfo: { name, version: "1", userAgent: name },
  logger: silence,
  connectionEncrypters: [noise()],
  // Limits on what one peer can make us hold; no pings: TCP asks in silence whether the far end is there.
  streamMuxers: [yamux({ enableKeepAlive: false, maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax })],
  connectionMonitor: { enabled: false },
  connectionManager: {
    maxConnections: limits.relayConnectionsMax,
    inboundConnectionThreshold: arrivalsPerSecondMax,
    maxIncomingPendingConnections: pendingMax,
    inboundUpgradeTimeout: upgradeMsMax,
    // The DHT marks its nearest neighbours as to be kept; whether to dial them again is for the next query to say.
    reconnectRetries: 0,
    // No names are resolved behind our back: /dnsaddr asks in clear.
    resolvers: {},
  },
} satisfies Libp2pOptions;

const createSockets = (
  options: NodeOptions,
  token: Uint8Array,
  routes: Routes,
  faults: Map<SocketFault, number>,
): SocketTransportFactory =>
  socketTransport({
    sockets: routes.sockets(options.sockets ?? wsSockets),
    certificate: () => options.certificate ?? selfSignedCertificate(options.clock.now()),
    token,
    site: options.site ?? plainSite,
    randomBytes: (length) => options.crypto.randomBytes(length),
    now: () => options.clock.now(),
    onFault: (fault) => void faults.set(fault, (faults.get(fault) ?? 0) + 1),
  });

/**
 * Brings up a libp2p node: Noise and yamux over our TLS WebSockets, the DHT, and nothing that speaks by itself but what
 * these need. Rejects with TeahouseError `port-taken` or `address-unusable`.
 */
export const createNode = async (options: NodeOptions): Promise<TeahouseNode> => {
  const { listen = [], announce = [], bootstrap = [], dht } = options;
  checkAddresses([...listen, ...announce, ...bootstrap]);
  const token = options.token ?? new Uint8Array(randomBytes(16));
  const privateKey = await generateKeyPairFromSeed("Ed25519", options.privateKey);
  const self = peerIdFromPrivateKey(privateKey);
  const faults = new Map<SocketFault, number>();
  const routes = options.routes ?? new Routes(options);
  const sockets = createSockets(options, token, routes, faults);
  const ours = (): Multiaddr[] => sockets.addresses().map((address) => address.encapsulate(`/p2p/${self.toString()}`));
  let reach: readonly Multiaddr[] = [];
  const libp2p: Libp2p = await createLibp2p({
    ...common,
    start: false,
    privateKey,
    datastore: createDatastore(self.toCID().toString()),
    addresses: {
      listen: [...listen],
      announce: announce.map((address) => withToken(address, token)),
      // libp2p holds a public address back until somebody has dialed it to prove it, which nobody here does.
      announceFilter: (known) => {
        reach = announced(announce.length > 0 ? known : [...ours(), ...known], options);
        return toldToAll(reach, token, dht);
      },
    },
    connectionGater: createGater(routes, () => libp2p.getConnections()),
    transports: [
      routes.guard(sockets.create, "sockets"),
      ...(await lanTransports(options)).map((create) => routes.guard(create, "lan")),
    ],
    services: {
      identify: identify({ protocolPrefix: name }),
      ping: ping({ protocolPrefix: name }),
      ...(dht === "off" ? {} : { dht: createDht(options) }),
    },
  });
  try {
    await libp2p.start();
  } catch (error) {
    throw listenError(error);
  }
  const service = (libp2p.services as { readonly dht?: KadDHT }).dht;
  routes.attach({
    addresses: () => reach,
    hangUp: () => hangUp(libp2p),
    transfer: (peer, bytes, signal) => echo(libp2p, `/${name}/ping/1.0.0`, peer, bytes, signal),
  });
  const addresses = bootstrap.map((address) => multiaddr(address));
  const membership = service === undefined ? undefined : new Membership(libp2p, service, dhtProtocol, addresses);
  void membership?.join();
  return {
    libp2p,
    dht: service,
    peerId: toHex(privateKey.publicKey.raw) as PeerId,
    token,
    addresses: () => {
      // It passes the filter above, which alone is told of addresses that libp2p knows: LAN and announced ones.
      libp2p.getMultiaddrs();
      return reach.map(String);
    },
    faults,
    join: async (again) => (await membership?.join(again)) ?? false,
    stop: async () => {
      membership?.stop();
      await libp2p.stop();
    },
  };
};
