import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startHop } from "../../../p2p/io/proxy/hop.ts";
import type { Hop } from "../../../p2p/io/proxy/hop.ts";
import { connectThrough } from "../../../p2p/io/proxy/connect.ts";
import { startHttpProxy, startSocksProxy } from "./proxies.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const forever = new AbortController().signal;

async function hopHere(): Promise<Hop> {
  const hop = await startHop();
  endings.push(() => hop.stop());
  return hop;
}

/** A server whose greeting says which it is; then it gives back what it gets. */
async function echo(greeting = ""): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (greeting !== "") socket.write(greeting);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endings.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const asProxy = (hop: Hop) => ({ kind: "socks5" as const, host: "127.0.0.1", port: hop.port });
const to = (port: number) => ({ host: "127.0.0.1", port, proxy: undefined });

async function through(hop: Hop, host: string, port: number): Promise<Socket> {
  const socket = await connectThrough(asProxy(hop), { host, port }, forever);
  endings.push(() => Promise.resolve(socket.destroy()));
  return socket;
}

test("a name leads where the route says, for every way of writing it, and bytes come back unchanged", async () => {
  const hop = await hopHere();
  const { port } = await echo();
  await hop.route({ name: "Relay.Example", port: 443, to: to(port) });
  const socket = await through(hop, "relay.example", 443);
  const sent = randomBytes(3_000_000);
  socket.end(sent);
  const hash = createHash("sha256");
  for await (const chunk of socket) hash.update(chunk as Buffer);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
  await hop.route({ name: "[2001:DB8::0:1]", port: 443, to: to(port) });
  (await through(hop, "2001:db8::1", 443)).destroy();
  await hop.route({ name: "203.0.113.9", port: 443, to: to(port) });
  (await through(hop, "203.0.113.9", 443)).destroy();
});

test("whatever was not registered just now is refused, loopback and the relay's own address too", async () => {
  const hop = await hopHere();
  const { port, connections } = await echo();
  await hop.route({ name: "relay.example", port: 443, to: to(port) });
  for (const [host, at] of [
    ["127.0.0.1", port],
    ["localhost", port],
    ["relay.example", port],
    ["other.example", 443],
  ] as const) {
    await expect(connectThrough(asProxy(hop), { host, port: at }, forever)).rejects.toThrow("proxy refused");
  }
  expect(connections()).toBe(0);
});

test("whoever speaks anything else than a SOCKS5 CONNECT is hung up on", async () => {
  const hop = await hopHere();
  for (const words of [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.of(4, 1, 1, 187, 127, 0, 0, 1, 0),
    Buffer.of(5, 1, 2),
    Buffer.of(5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 1, 187),
    Buffer.of(5, 1, 0, 5, 1, 0, 9, 9, 9),
  ]) {
    const socket = connect({ host: "127.0.0.1", port: hop.port });
    socket.write(words);
    socket.resume();
    await once(socket, "close");
    expect(socket.destroyed).toBe(true);
  }
});

test("the same name for two relays: the second waits until the first was reached, and each browser reaches its own", async () => {
  const hop = await hopHere();
  const [first, second] = [await echo("first"), await echo("second")];
  await hop.route({ name: "relay.example", port: 443, to: to(first.port) });
  let isSecond = false;
  const registered = hop.route({ name: "relay.example", port: 443, to: to(second.port) }).then(() => (isSecond = true));
  const one = await through(hop, "relay.example", 443);
  expect(String((await once(one, "data"))[0])).toBe("first");
  await registered;
  expect(isSecond).toBe(true);
  const two = await through(hop, "relay.example", 443);
  expect(String((await once(two, "data"))[0])).toBe("second");
});

test("routes and waiting for them are bounded", async () => {
  const hop = await hopHere();
  for (let port = 1; port <= 64; port++) await hop.route({ name: "relay.example", port, to: to(9) });
  await expect(hop.route({ name: "relay.example", port: 65, to: to(9) })).rejects.toThrow("too many routes");
  // Those that are there already can be renewed.
  await hop.route({ name: "relay.example", port: 1, to: to(9) });
});

test.each([
  ["SOCKS5", startSocksProxy],
  ["HTTP", startHttpProxy],
] as const)("a route leads through the person's own %s proxy, which is told the name", async (_, start) => {
  const hop = await hopHere();
  const { port } = await echo();
  const proxy = await start({ credentials: { user: "ana", password: "p:w d" } });
  endings.push(() => proxy.stop());
  await hop.route({ name: "front.example", port: 443, to: { host: "relay.example", port, proxy: proxy.proxy } });
  const socket = await through(hop, "front.example", 443);
  socket.write("hello");
  expect(String((await once(socket, "data"))[0])).toBe("hello");
  expect(proxy.asked).toEqual([`relay.example:${port}`]);
  expect(proxy.users).toEqual(["ana"]);
});

test("when it stops, its connections end and those who wait are told", async () => {
  const hop = await startHop();
  const { port } = await echo();
  await hop.route({ name: "relay.example", port: 443, to: to(port) });
  const socket = await connectThrough(asProxy(hop), { host: "relay.example", port: 443 }, forever);
  await hop.route({ name: "other.example", port: 443, to: to(port) });
  const waiting = hop.route({ name: "other.example", port: 443, to: to(9) });
  // Awaited below; until then a failure is no crash.
  waiting.catch(() => undefined);
  const closed = once(socket, "close");
  socket.resume();
  await hop.stop();
  await closed;
  await expect(waiting).rejects.toThrow("stopped");
});
