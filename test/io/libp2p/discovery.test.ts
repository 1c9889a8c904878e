import type { KadDHT } from "@libp2p/kad-dht";
import { kadDHT } from "@libp2p/kad-dht";
import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { afterEach, describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { encodeRecord, recordHour, recordKeys } from "../../../p2p/core/discovery/record.ts";
import { encodeListing, type HallSpot, paymentOf, spotKey, workIn } from "../../../p2p/core/room/hall/listing.ts";
import { issueInvite } from "../../../p2p/core/room/invite/invite.ts";
import { rightsOfRole } from "../../../p2p/core/room/rights/capability.ts";
import { createRoomKeys } from "../../../p2p/core/room/rights/keys.ts";
import { RecordGuard, createDiscovery, rememberedKeysMax } from "../../../p2p/io/libp2p/discovery.ts";
import type { NodeOptions, TeahouseNode } from "../../../p2p/io/libp2p/node.ts";
import { eventually } from "../../eventually.ts";
import { Nodes, addressOf, clock, crypto, tcpAddress, tlsAddress } from "./nodes.ts";

const nodes = new Nodes();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  await nodes.stop();
});

const overTcp: Partial<NodeOptions> = { tcp: true, listen: [tcpAddress] };
const overTls: Partial<NodeOptions> = { listen: [tlsAddress] };
const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const namespaced = (key: Uint8Array): Uint8Array => Buffer.concat([Buffer.from("/teahouse/"), key]);

interface Room {
  readonly keys: readonly Uint8Array[];
  readonly key: Uint8Array;
  /** A record whose age is `ageMs` before now. */
  record(ageMs?: number, hoursLate?: number): Uint8Array;
}

const createRoom = (): Room => {
  const secret = crypto.randomBytes(32);
  const now = Date.now();
  const hour = recordHour(millis(now));
  const keys = recordKeys(crypto, secret, hour);
  const [key] = keys;
  if (key === undefined) throw new Error("a room has keys");
  return {
    keys,
    key,
    record: (ageMs = 0, hoursLate = 0) =>
      encodeRecord(crypto, secret, { hour: hour + hoursLate, sequence: now - ageMs, payload: crypto.randomBytes(9) }),
  };
};

const lookup = async (node: TeahouseNode, key: Uint8Array): Promise<Uint8Array[]> => {
  const found: Uint8Array[] = [];
  for await (const value of createDiscovery(node, crypto).lookup(key, signal())) found.push(value);
  return found;
};

/** Servers, each of which was told of one or two earlier ones. */
const createServers = async (count: number, options: Partial<NodeOptions>): Promise<TeahouseNode[]> => {
  const servers: TeahouseNode[] = [];
  for (let index = 0; index < count; index++) {
    const known = [servers[Math.floor(index / 2)], servers[index - 1]].filter((server) => server !== undefined);
    const bootstrap = known.map(addressOf);
    const server = await nodes.create({ ...options, dht: "server", bootstrap });
    await server.join();
    servers.push(server);
  }
  return servers;
};

const createClient = (options: Partial<NodeOptions>, server: TeahouseNode | undefined): Promise<TeahouseNode> =>
  nodes.create({ ...options, listen: [], dht: "client", bootstrap: server === undefined ? [] : [addressOf(server)] });

/** A server that runs the real DHT with its checks off, and stores whatever it is given. */
const createHostile = async (bootstrap: TeahouseNode): Promise<KadDHT> => {
  const libp2p = await createLibp2p({
    addresses: { listen: [tcpAddress] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify({ protocolPrefix: "teahouse" }),
      ping: ping({ protocolPrefix: "teahouse" }),
      dht: kadDHT({
        protocol: "/teahouse/kad/1",
        clientMode: false,
        allowQueryWithZeroPeers: true,
        peerInfoMapper: (peer) => peer,
        validators: { teahouse: () => undefined },
        selectors: { teahouse: () => 0 },
      }),
    },
  });
  cleanups.push(async () => libp2p.stop());
  await libp2p.dial(multiaddr(addressOf(bootstrap)));
  return libp2p.services.dht;
};

/** Resolves when the server's routing table knows as many others. */
const whenKnown = async (node: TeahouseNode, count: number): Promise<void> => {
  const { routingTable } = node.dht as unknown as {
    readonly routingTable: EventTarget & { readonly size: number };
  };
  while (routingTable.size < count) {
    await new Promise((resolve) => routingTable.addEventListener("peer:add", resolve, { once: true }));
  }
};

describe("discovery over kad-dht", () => {
  it("finds what another client published, each knowing one server of 20, though 5 have died", async () => {
    const servers = await createServers(20, overTcp);
    const room = createRoom();
    const publisher = await createClient(overTcp, servers[3]);
    await Promise.all(
      // A busy machine answers one by one, each too late: whoever publishes for real tries again too.
      room.keys.map((key) =>
        eventually(() => createDiscovery(publisher, crypto).publish(key, room.record(), signal())),
      ),
    );
    const dying = servers.slice(8, 13);
    for (const connection of dying.flatMap(({ libp2p }) => libp2p.getConnections()))
      connection.abort(new Error("died"));
    await Promise.all(dying.map((server) => server.stop()));
    const reader = await createClient(overTcp, servers[17]);
    await eventually(async () => {
      const found = await Promise.all(room.keys.map((key) => lookup(reader, key)));
      expect(found.map((values) => values.length)).toEqual(room.keys.map(() => 1));
    });
    expect(reader.libp2p.getProtocols()).not.toContain("/teahouse/kad/1");
    expect(await lookup(reader, crypto.randomBytes(32))).toEqual([]);
  });

  it("works over TLS WebSockets", async () => {
    const servers = await createServers(5, overTls);
    const room = createRoom();
    const record = room.record();
    const publisher = await createClient(overTls, servers[0]);
    await createDiscovery(publisher, crypto).publish(room.key, record, signal());
    const reader = await createClient(overTls, servers[4]);
    expect((await lookup(reader, room.key)).map((value) => Buffer.from(value).equals(record))).toEqual([true]);
  });

  it("[DS9] an older valid record does not replace a newer one", async () => {
    const servers = await createServers(4, overTcp);
    const room = createRoom();
    const [newer, older] = [room.record(0), room.record(60_000)];
    const publisher = createDiscovery(await createClient(overTcp, servers[0]), crypto);
    await publisher.publish(room.key, newer, signal());
    const pusher = createDiscovery(await createClient(overTcp, servers[1]), crypto);
    await expect(pusher.publish(room.key, older, signal())).rejects.toThrow("refused");
    const reader = await createClient(overTcp, servers[2]);
    expect((await lookup(reader, room.key)).map((value) => Buffer.from(value).equals(newer))).toEqual([true]);
    const newest = room.record(-1);
    await publisher.publish(room.key, newest, signal());
    expect((await lookup(reader, room.key)).map((value) => Buffer.from(value).equals(newest))).toContain(true);
  });

  it("[DS8] servers that store anything can add nothing that is not valid", async () => {
    const [server] = await createServers(1, overTcp);
    if (server === undefined) throw new Error("there is a server");
    const room = createRoom();
    const record = room.record();
    const forged = new Uint8Array(record);
    forged[700] = (forged[700] ?? 0) ^ 1;
    const values = [
      forged,
      new Uint8Array(0),
      crypto.randomBytes(1024),
      createRoom().record(),
      new Uint8Array(100_000),
    ];
    for (const value of values) {
      const hostile = await createHostile(server);
      // Its own store takes it; what the others answer to its put is their affair.
      for await (const _ of hostile.put(namespaced(room.key), value)) continue;
    }
    await whenKnown(server, values.length);
    const reader = await createClient(overTcp, server);
    expect(await lookup(reader, room.key)).toEqual([]);
    await createDiscovery(await createClient(overTcp, server), crypto).publish(room.key, record, signal());
    const found = await lookup(reader, room.key);
    expect(found.map((value) => Buffer.from(value).equals(record))).toEqual([true]);
  });

  it("survives a server that answers garbage, and one that never answers", async () => {
    const [server] = await createServers(1, overTcp);
    if (server === undefined) throw new Error("there is a server");
    const answers: ((bytes: (data: Uint8Array) => void) => void)[] = [
      (send) => send(crypto.randomBytes(5_000)),
      (send) => send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f)),
      (send) => send(Uint8Array.of(3, 1, 2, 3)),
      () => undefined,
    ];
    for (const answer of answers) {
      const garbage = await nodes.create({ ...overTcp, dht: "server" });
      await garbage.libp2p.unhandle("/teahouse/kad/1");
      await garbage.libp2p.handle("/teahouse/kad/1", (stream) => {
        stream.addEventListener("message", () => answer((data) => stream.send(data)));
      });
      await garbage.libp2p.dial(multiaddr(addressOf(server)));
    }
    await whenKnown(server, answers.length);
    const room = createRoom();
    await createDiscovery(await createClient(overTcp, server), crypto).publish(room.key, room.record(), signal());
    const reader = await createClient(overTcp, server);
    const values = createDiscovery(reader, crypto).lookup(room.key, signal())[Symbol.asyncIterator]();
    // At once, though the walk is not over while a peer is silent.
    expect((await values.next()).value).toHaveLength(1024);
    await values.return?.();
  });

  it("comes back by its bootstrap address when everybody it knew is gone", async () => {
    const [first, second] = await createServers(2, overTcp);
    if (first === undefined || second === undefined) throw new Error("there are servers");
    const room = createRoom();
    const reader = await nodes.create({
      ...overTcp,
      listen: [],
      dht: "client",
      bootstrap: [addressOf(first), addressOf(second)],
    });
    await reader.join();
    await first.stop();
    const publisher = await createClient(overTcp, second);
    await createDiscovery(publisher, crypto).publish(room.key, room.record(), signal());
    expect(await lookup(reader, room.key)).toHaveLength(1);
  });

  it("a server that is alone holds its own record, and still no older one", async () => {
    const server = await nodes.create({ ...overTcp, dht: "server" });
    const room = createRoom();
    await createDiscovery(server, crypto).publish(room.key, room.record(), signal());
    const client = await createClient(overTcp, server);
    expect(await lookup(client, room.key)).toHaveLength(1);
    await expect(createDiscovery(server, crypto).publish(room.key, room.record(9000), signal())).rejects.toThrow();
    await expect(createDiscovery(client, crypto).publish(room.key, room.record(9000), signal())).rejects.toThrow(
      "refused",
    );
  });

  it("publishing rejects, and a lookup ends, when nobody can be reached", async () => {
    const room = createRoom();
    const lonely = createDiscovery(await createClient(overTcp, undefined), crypto);
    await expect(lonely.publish(room.key, room.record(), signal())).rejects.toThrow("unreachable");
    const dead = await nodes.create({ ...overTcp, dht: "server" });
    const client = await createClient(overTcp, dead);
    await client.join();
    await dead.stop();
    await expect(createDiscovery(client, crypto).publish(room.key, room.record(), signal())).rejects.toThrow(
      "unreachable",
    );
    expect(await lookup(client, room.key)).toEqual([]);
    const off = createDiscovery(await nodes.create(), crypto);
    await expect(off.publish(room.key, room.record(), signal())).rejects.toThrow("unreachable");
    await expect(off.publish(room.key, room.record(), AbortSignal.abort())).rejects.toThrow("abort");
  });
});

describe("record guard", () => {
  it("[DS9] remembers the highest sequence of the newest keys only", () => {
    const guard = new RecordGuard(crypto, clock);
    const room = createRoom();
    const key = namespaced(room.key);
    void guard.validate(key, room.record(1000));
    void guard.validate(key, room.record(500));
    void guard.validate(key, room.record(500));
    expect(() => guard.validate(key, room.record(501))).toThrow("older");
    expect(rememberedKeysMax).toBeGreaterThan(0);
  });

  it("[DS9] of several records the highest sequence is the best", () => {
    const guard = new RecordGuard(crypto, clock);
    const room = createRoom();
    const records = [room.record(20), room.record(10), room.record(30), new Uint8Array(1024)];
    expect(guard.select(namespaced(room.key), records)).toBe(1);
  });

  it("[DS7] a server refuses hours far from its clock; a reader, whose clock may lie, does not", () => {
    const room = createRoom();
    const key = namespaced(room.key);
    const late = { ...clock, now: () => millis(Date.now() + 50 * 3_600_000) };
    expect(() => new RecordGuard(crypto, late).validate(key, room.record())).toThrow("hour");
    void new RecordGuard(crypto, undefined).validate(key, room.record());
    expect(() => new RecordGuard(crypto, clock).validate(Buffer.from("/teahouse/short"), room.record())).toThrow("key");
  });

  it("[DS13] takes only listings in the hall, and gives nobody's place to another for the same price", () => {
    const now = millis(Date.now());
    const spot = { hour: recordHour(now), place: 5 };
    const key = namespaced(spotKey(crypto, spot));
    const [first, second] = [listingIn(spot, now), listingIn(spot, now)];
    const guard = new RecordGuard(crypto, clock);
    void guard.validate(key, first.record(0));
    void guard.validate(key, first.record(2));
    expect(() => guard.validate(key, first.record(1))).toThrow("older");
    const cheap = first.bits >= second.bits ? second : first;
    const dear = cheap === second ? first : second;
    const fair = new RecordGuard(crypto, clock);
    void fair.validate(key, dear.record(0));
    expect(() => fair.validate(key, cheap.record(9))).toThrow("taken");
    const secret = crypto.sha256(Buffer.concat([Buffer.from("teahouse hall place 1"), Uint8Array.of(spot.place)]));
    const junk = encodeRecord(crypto, secret, { hour: spot.hour, sequence: now + 99, payload: crypto.randomBytes(30) });
    expect(() => fair.validate(key, junk)).toThrow("listing");
    expect(fair.select(key, [dear.record(3), dear.record(7), dear.record(5)])).toBe(1);
  });
});

/** A room's listing in this place, paid for, and what it cost. */
function listingIn(
  spot: HallSpot,
  now: Millis,
): { readonly bits: number; readonly record: (laterMs: number) => Uint8Array } {
  const keys = createRoomKeys(crypto, now);
  const notBefore = Math.floor(now / 1000) - 60;
  const times = { notBefore, expires: notBefore + 3_600, sequence: 0 };
  const invite = issueInvite(crypto, keys, { role: "listener", rights: rightsOfRole.listener, ...times }, []);
  const payment = Buffer.from(paymentOf(invite.tag, spot, new Uint8Array(8)));
  let bits = 0;
  for (let counter = 0; (bits = workIn(crypto, payment)) < limits.hallWorkBits; counter++)
    payment.writeUInt32BE(counter, payment.length - 4);
  const work = new Uint8Array(payment.subarray(-8));
  const listing = { title: "T", members: 1, invite };
  return {
    bits,
    record: (laterMs) => encodeListing(crypto, spot, listing, work, keys.session, millis(now + laterMs)),
  };
}
