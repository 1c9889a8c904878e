import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import type { Link, RelayAddress } from "../../p2p/api/link.ts";
import { fromMultiaddrs, hexOf } from "../../p2p/io/libp2p/address.ts";
import { joinFrames } from "../../p2p/io/links/frames.ts";
import { createLinks, type NodeLinks } from "../../p2p/io/links/links.ts";
import { parseSignal, signalProtocol, Signalling, type SignalMessage } from "../../p2p/io/links/signal.ts";
import { NativeChannels } from "../../p2p/io/links/native-channel.ts";
import { linkProtocol } from "../../p2p/io/links/stream.ts";
import { negotiateOffer } from "../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc, nativeObjectsAlive, type NativeWebRtc } from "../../p2p/io/links/wrtc.ts";
import { eventually } from "../eventually.ts";
import { Collector, numbered } from "./link.ts";
import { addressOf, loopbackNode, peerKey } from "./nodes.ts";

const loopback = { bindAddress: "127.0.0.1" };
const never = new AbortController().signal;
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

let listener: Libp2p;
let volunteer: Libp2p;
let mine: NodeLinks;
let theirs: NodeLinks;
let incoming: Link[];
let arrivals: ((link: Link) => void)[];

beforeEach(async () => {
  [listener, volunteer] = await Promise.all([loopbackNode(), loopbackNode()]);
  mine = createLinks(listener, loopback);
  theirs = createLinks(volunteer, loopback);
  incoming = [];
  arrivals = [];
  theirs.onLink((link) => {
    incoming.push(link);
    for (const arrived of arrivals.splice(0)) arrived(link);
  });
  await Promise.all([mine.start(), theirs.start()]);
});

afterEach(async () => {
  await mine.stop();
  // Every far end has heard the goodbye.
  await eventually(() => expect(nativeObjectsAlive()).toBe(0));
  await theirs.stop();
  await Promise.all([listener.stop(), volunteer.stop()]);
});

const arrival = (): Promise<Link> => new Promise((resolve) => arrivals.push(resolve));
const nameOf = (node: Libp2p): PeerId => hexOf(node.peerId) as PeerId;

describe("dial", () => {
  it("opens a stream link whose far end is the pinned key", async () => {
    const arriving = arrival();
    const link = await mine.dial(addressOf(volunteer), never);
    const far = await arriving;
    expect([link.kind, far.kind]).toEqual(["stream", "stream"]);
    expect([link.remote, far.remote]).toEqual([nameOf(volunteer), nameOf(listener)]);
    const [atLink, atFar] = [new Collector(link), new Collector(far)];
    link.send(numbered(1));
    far.send(numbered(2));
    await Promise.all([atLink.count(1), atFar.count(1)]);
  });

  it("hangs up what is there when a fresh connection is asked for, and makes another", async () => {
    const first = new Collector(await mine.dial(addressOf(volunteer), never));
    const [old] = listener.getConnections();
    const arriving = arrival();
    const link = await mine.dial(addressOf(volunteer), never, true);
    await arriving;
    await first.closed();
    const [connection, ...others] = listener.getConnections();
    expect(others).toEqual([]);
    expect(connection?.id).not.toBe(old?.id);
    link.close();
  });

  it("makes a new link with every call, over one connection", async () => {
    const links = await Promise.all([1, 2, 3].map(() => mine.dial(addressOf(volunteer), never)));
    links.push(await mine.dial(addressOf(volunteer), never));
    expect(new Set(links.map((link) => link.id)).size).toBe(4);
    await eventually(() => expect(incoming).toHaveLength(4));
    expect(listener.getConnections()).toHaveLength(1);
    const [first, second] = links.map((link) => new Collector(link));
    links[0]?.close();
    await first?.closed();
    expect(second?.closes).toEqual([]);
  });

  it("is `wrong key` when somebody else answers at the address", async () => {
    const other = peerKey();
    const target = { ...addressOf(volunteer), key: other };
    await expect(mine.dial(target, never)).rejects.toThrow(/^wrong key$/);
    expect(listener.getConnections()).toEqual([]);
  });

  it("is `unreachable` when nobody listens, the address makes no sense, or the key is none", async () => {
    const key = peerKey();
    const token = new Uint8Array(16);
    const dead = fromMultiaddrs(key, token, [`/ip4/127.0.0.1/tcp/${await unusedPort()}`]);
    const strange: RelayAddress[] = [
      dead,
      { key, token, addresses: [] },
      { key, token, addresses: [Uint8Array.of(1, 2, 3), new Uint8Array(300)] },
      { key: new Uint8Array(31), token, addresses: dead.addresses },
      { key, token, addresses: [multiaddr("/dnsaddr/example.invalid").bytes] },
      addressOf(listener),
    ];
    for (const target of strange) await expect(mine.dial(target, never)).rejects.toThrow(/^unreachable$/);
  });

  it("is `cut`, not `wrong key`, when somebody hangs up during the handshake", async () => {
    const rude = createServer((socket) => socket.on("error", () => undefined).destroy());
    await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
    const { port } = rude.address() as { port: number };
    const target = fromMultiaddrs(peerKey(), new Uint8Array(16), [`/ip4/127.0.0.1/tcp/${port}`]);
    await expect(mine.dial(target, never)).rejects.toThrow(/^cut$/);
    await new Promise((resolve) => rude.close(resolve));
  });

  it("is `protocol` at a node that does not speak ours, which is then left", async () => {
    const stranger = await loopbackNode();
    await expect(mine.dial(addressOf(stranger), never)).rejects.toThrow(/^protocol$/);
    await stranger.stop();
  });

  it("is `aborted` or `timeout` by its signal, and leaves nothing half open", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const target = fromMultiaddrs(peerKey(), new Uint8Array(16), [`/ip4/127.0.0.1/tcp/${port}`]);
    const abort = new AbortController();
    const dialling = mine.dial(target, abort.signal);
    const gone = new Promise((resolve) =>
      silent.once("connection", (socket) => {
        socket.on("close", resolve);
        abort.abort();
      }),
    );
    await expect(dialling).rejects.toThrow(/^aborted$/);
    await gone;
    await expect(mine.dial(target, AbortSignal.timeout(50))).rejects.toThrow(/^timeout$/);
    await expect(mine.dial(target, AbortSignal.abort())).rejects.toThrow(/^aborted$/);
    expect(listener.getConnections()).toEqual([]);
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe("upgrade", () => {
  it("opens a WebRTC link beside the stream link; the volunteer is told of it", async () => {
    const stream = await mine.dial(addressOf(volunteer), never);
    const arriving = eventually(() => expect(incoming).toHaveLength(2));
    const link = await mine.upgrade(stream.remote, never);
    await arriving;
    const far = incoming[1] as Link;
    expect([link.kind, far.kind]).toEqual(["webrtc", "webrtc"]);
    expect([link.remote, far.remote]).toEqual([nameOf(volunteer), nameOf(listener)]);
    expect(link.id).not.toBe(stream.id);
    const [atLink, atFar] = [new Collector(link), new Collector(far)];
    link.send(numbered(1));
    far.send(numbered(2));
    await Promise.all([atLink.count(1), atFar.count(1)]);
    stream.close();
    link.send(numbered(3));
    await atFar.count(2);
    link.close();
    await atFar.closed();
    expect(atFar.closes).toEqual(["remote"]);
  });

  it("ends the signalling in peace once the channel is open", async () => {
    const stream = await mine.dial(addressOf(volunteer), never);
    await mine.upgrade(stream.remote, never);
    const protocols = (): string[] =>
      [...listener.getConnections(), ...volunteer.getConnections()].flatMap(({ streams }) =>
        streams.map(({ protocol }) => protocol),
      );
    await eventually(() => expect(protocols().includes(signalProtocol)).toBe(false));
    expect(protocols().filter((protocol) => protocol === linkProtocol)).toHaveLength(2);
  });

  it("is `unreachable` without a connection", async () => {
    await expect(mine.upgrade(nameOf(volunteer), never)).rejects.toThrow(/^unreachable$/);
  });

  it("is `refused` by a volunteer without WebRTC, and possible there for nobody", async () => {
    const [node, plain] = await withLinks({ webrtc: false });
    const stream = await mine.dial(addressOf(node), never);
    await expect(mine.upgrade(stream.remote, never)).rejects.toThrow(/^refused$/);
    const back = node.getConnections()[0]?.remotePeer;
    await expect(plain.upgrade(hexOf(back as never) as PeerId, never)).rejects.toThrow(/^refused$/);
    await plain.stop();
    await node.stop();
  });

  it("is `refused` when the volunteer holds enough WebRTC links, until one ends", async () => {
    const [node, full] = await withLinks({ ...loopback, webrtcLinksMax: 1 });
    const taken: Collector[] = [];
    full.onLink((link) => link.kind === "webrtc" && taken.push(new Collector(link)));
    const stream = await mine.dial(addressOf(node), never);
    const first = await mine.upgrade(stream.remote, never);
    await expect(mine.upgrade(stream.remote, never)).rejects.toThrow(/^refused$/);
    await eventually(() => expect(taken).toHaveLength(1));
    first.close();
    await taken[0]?.closed();
    const second = await mine.upgrade(stream.remote, never);
    expect(second.kind).toBe("webrtc");
    await full.stop();
    await node.stop();
  });

  it("aborted, it leaves nothing behind on either side", async () => {
    const stream = await mine.dial(addressOf(volunteer), never);
    const abort = new AbortController();
    const upgrading = mine.upgrade(stream.remote, abort.signal);
    await eventually(() => expect(nativeObjectsAlive()).toBeGreaterThan(0), 1);
    abort.abort();
    await expect(upgrading).rejects.toThrow(/^aborted$/);
    await eventually(() => expect(nativeObjectsAlive()).toBe(0));
  });
});

describe("signalling", () => {
  let native: NativeWebRtc;
  beforeAll(async () => {
    native = (await loadNativeWebRtc()) as NativeWebRtc;
  });

  it("lets no address of the hiding side out: not a byte of it is in what is sent", async () => {
    const sent: Uint8Array[] = [];
    const [node, address] = await bareVolunteer((stream, connection) => {
      stream.addEventListener("message", (event) => sent.push(event.data.subarray().slice()));
      void volunteerByHand(native, stream, connection);
    });
    const stream = await mine.dial(address, never);
    const link = await mine.upgrade(stream.remote, never);
    const text = Buffer.concat(sent).toString("latin1");
    // Both messages of the hiding side were seen, or this test has looked at nothing.
    expect(text).toContain(`{"type":"please"}`);
    expect(text).toContain(`{"type":"answer"`);
    const answer = JSON.parse(text.slice(text.lastIndexOf(`{"type":"answer"`))) as Record<string, unknown>;
    expect(Object.keys(answer).toSorted()).toEqual(["fingerprint", "pwd", "setup", "type", "ufrag"]);
    expect(text).not.toMatch(/candidate/i);
    const own = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address: ip }) => ip));
    expect(own.length).toBeGreaterThan(0);
    for (const ip of own) expect(text).not.toContain(ip);
    // An answer is made of ICE and DTLS secrets alone: neither a dotted address nor a port is left when they are taken out.
    const rest = [answer["ufrag"], answer["pwd"], answer["fingerprint"]].reduce<string>(
      (left, secret) => left.replaceAll(secret as string, ""),
      text,
    );
    expect(rest).not.toMatch(/\d+\.\d+|[0-9a-f]*::|\d{4,5}/i);
    link.close();
    await node.stop();
  });

  const good = {
    type: "offer",
    ufrag: "abcd",
    pwd: "abcdefghijklmnopqrstuv",
    fingerprint: Array(32).fill("AB").join(":"),
  };
  const candidate = { address: "127.0.0.1", port: 9, priority: 1 };
  const told = (...candidates: unknown[]): Uint8Array => encode({ type: "candidates", candidates });

  it("reads exactly what it writes", () => {
    const messages: SignalMessage[] = [
      { type: "please" },
      { type: "refuse", reason: "full" },
      good as SignalMessage,
      { type: "candidates", candidates: [candidate] },
      { ...good, type: "answer", setup: "active" },
    ];
    for (const message of messages) expect(parseSignal(encode(message))).toEqual(message);
  });

  it.each([
    ["no JSON", new TextEncoder().encode("{")],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["no object", encode(["please"])],
    ["null", encode(null)],
    ["unknown type", encode({ type: "pretty please" })],
    ["one field too many", encode({ type: "please", candidate: "x" })],
    ["refusal of no known kind", encode({ type: "refuse", reason: "mood" })],
    ["a short password", encode({ ...good, pwd: "abc" })],
    ["a name with a line break", encode({ ...good, ufrag: "abcd\r\na=candidate:1" })],
    ["a fingerprint of another hash", encode({ ...good, fingerprint: "AB:CD" })],
    ["a host name as candidate", told({ ...candidate, address: "relay.example" })],
    ["a port beyond", told({ ...candidate, port: 65_536 })],
    ["a port that is text", told({ ...candidate, port: "9" })],
    ["a scoped address", told({ ...candidate, address: "fe80::1%eth0" })],
    ["nine candidates", told(...Array(9).fill(candidate))],
    ["an answer with candidates", encode({ ...good, type: "answer", setup: "active", candidates: [] })],
    ["an answer that will not decide", encode({ ...good, type: "answer", setup: "actpass" })],
  ])("refuses %s", (_what, bytes) => {
    expect(parseSignal(bytes)).toBeUndefined();
  });

  it.each<[string, (stream: Stream) => void]>([
    ["noise", (stream) => stream.send(joinFrames([Uint8Array.of(1, 2, 3)]))],
    ["an empty frame", (stream) => stream.send(Uint8Array.of(0, 0))],
    ["a frame beyond 16 KiB", (stream) => stream.send(Uint8Array.of(0x40, 0x01))],
    [
      "an answer before the question",
      (stream) => stream.send(joinFrames([encode({ ...good, type: "answer", setup: "active" })])),
    ],
    ["the same question without end", (stream) => stream.send(joinFrames(Array(33).fill(encode({ type: "please" }))))],
    ["an offer of its own", (stream) => stream.send(joinFrames([encode({ type: "please" }), encode(good)]))],
  ])("is ended by the volunteer on %s, who serves the next", async (_what, attack) => {
    await mine.dial(addressOf(volunteer), never);
    const stream = await listener.dialProtocol(volunteer.peerId, signalProtocol);
    const closed = new Promise<Error | undefined>((resolve) =>
      stream.addEventListener("close", (event) => resolve(event.error)),
    );
    attack(stream);
    expect(await closed).toBeInstanceOf(Error);
    expect((await mine.upgrade(nameOf(volunteer), never)).kind).toBe("webrtc");
  });

  it.each<[string, (stream: Stream) => void, RegExp]>([
    ["noise", (stream) => stream.send(joinFrames([Uint8Array.of(1)])), /^protocol$/],
    [
      "an answer",
      (stream) => stream.send(joinFrames([encode({ ...good, type: "answer", setup: "active" })])),
      /^protocol$/,
    ],
    ["a closed stream", (stream) => void stream.close(), /^unreachable$/],
    ["a reset", (stream) => stream.abort(new Error("no")), /^unreachable$/],
  ])("fails at a volunteer that replies with %s", async (_what, attack, reason) => {
    const [node, address] = await bareVolunteer((stream) => {
      stream.addEventListener("message", () => attack(stream), { once: true });
    });
    const stream = await mine.dial(address, never);
    await expect(mine.upgrade(stream.remote, never)).rejects.toThrow(reason);
    expect(nativeObjectsAlive()).toBe(0);
    await node.stop();
  });

  it("gives up at a volunteer that says nothing, in time", async () => {
    const [node, address] = await bareVolunteer(() => undefined);
    const stream = await mine.dial(address, never);
    await expect(mine.upgrade(stream.remote, AbortSignal.timeout(100))).rejects.toThrow(/^timeout$/);
    await node.stop();
  });

  it("tries a second time when the first connect fails, as cold ones sometimes do", async () => {
    let tries = 0;
    const [node, address] = await bareVolunteer((stream, connection) => {
      tries += 1;
      if (tries === 1) stream.abort(new Error("cold"));
      else void volunteerByHand(native, stream, connection);
    });
    const stream = await mine.dial(address, never);
    expect((await mine.upgrade(stream.remote, never)).kind).toBe("webrtc");
    expect(tries).toBe(2);
    await node.stop();
  });
});

describe("stop", () => {
  it("closes every link with a goodbye and gives up what is being made", async () => {
    const stream = await mine.dial(addressOf(volunteer), never);
    const link = await mine.upgrade(stream.remote, never);
    await eventually(() => expect(incoming).toHaveLength(2));
    const ends = [stream, link, ...incoming].map((each) => new Collector(each));
    const upgrading = mine.upgrade(stream.remote, never);
    const stopped = mine.stop();
    await expect(upgrading).rejects.toThrow(/^aborted$/);
    await stopped;
    await Promise.all(ends.map((end) => end.closed()));
    expect(ends.flatMap((end) => end.closes)).toEqual(["local", "local", "remote", "remote"]);
    await expect(mine.dial(addressOf(volunteer), never)).rejects.toThrow(/^aborted$/);
  });

  it("refuses links that others open afterwards", async () => {
    await theirs.stop();
    await expect(mine.dial(addressOf(volunteer), never)).rejects.toThrow(/^protocol$/);
    expect(incoming).toEqual([]);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function withLinks(options: Parameters<typeof createLinks>[1]): Promise<[Libp2p, NodeLinks]> {
  const node = await loopbackNode();
  const links = createLinks(node, options);
  links.onLink(() => undefined);
  await links.start();
  return [node, links];
}

/** A node that takes stream links and does with a request for WebRTC whatever the test wants. */
async function bareVolunteer(
  onSignal: (stream: Stream, connection: Connection) => void,
): Promise<[Libp2p, RelayAddress]> {
  const node = await loopbackNode();
  await node.handle(linkProtocol, () => undefined);
  await node.handle(signalProtocol, onSignal);
  return [node, addressOf(node)];
}

/** What an honest volunteer does, step by step. */
async function volunteerByHand(native: NativeWebRtc, stream: Stream, connection: Connection): Promise<void> {
  const signalling = new Signalling(stream);
  await signalling.next(["please"], never);
  const remote = hexOf(connection.remotePeer) as PeerId;
  const negotiation = negotiateOffer(new NativeChannels(native, loopback), { id: linkId(99), remote });
  signalling.send(await negotiation.description);
  negotiation.accept(await signalling.next(["answer"], never));
  signalling.send(negotiation.candidates());
  await negotiation.link;
  signalling.close();
}
