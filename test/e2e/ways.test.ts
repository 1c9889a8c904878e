import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { fromMultiaddrs } from "../../p2p/io/libp2p/address.ts";
import { peerKey } from "../contract/nodes.ts";
import { startHttpProxy, startSocksProxy } from "../io/proxy/proxies.ts";
import { clip, type HostUp, Processes, type RelayUp, strayInvite } from "./rooms.ts";

const crypto = createCrypto();
const processes = new Processes();
const sockets = new Set<Socket>();
let relay: RelayUp;
let host: HostUp;

beforeAll(async () => {
  relay = await processes.relay("--no-dht");
  host = await processes.host([relay], "--no-dht", "--audio", clip, "--loop");
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await processes.end();
});

const portOf = ({ addresses: [address = ""] }: RelayUp): number => Number(/\/tcp\/(\d+)/.exec(address)?.[1]);
const hintTo = (port: number) =>
  fromMultiaddrs(peerKey(), crypto.randomBytes(16), [`/ip4/127.0.0.1/tcp/${port}/tls/ws`]);

describe.each([
  ["SOCKS5", startSocksProxy],
  ["HTTP", startHttpProxy],
] as const)("through a %s proxy", (_, start) => {
  it("a listener hears the room, over nothing but the proxy, whose password nobody prints", async () => {
    const proxy = await start({ credentials: { user: "ana", password: "hunter2" } });
    const url = `${proxy.proxy.kind}://ana:hunter2@127.0.0.1:${proxy.proxy.port}`;
    const listener = processes.listener(host.invite, "--proxy", url, "--no-dht");
    await listener.next("sound");
    expect(new Set(proxy.asked)).toEqual(new Set([`127.0.0.1:${portOf(relay)}`]));
    expect((await listener.next("way"))["rung"]).toBe("proxy");
    expect((await listener.next("stats"))["links"]).not.toHaveProperty("webrtc");
    await listener.end();
    expect(JSON.stringify(listener.lines)).not.toContain("hunter2");
    await proxy.stop();
  });

  it("probe says when it is the proxy that does not work", async () => {
    const proxy = await start({ fault: "refuse" });
    const url = `${proxy.proxy.kind}://127.0.0.1:${proxy.proxy.port}`;
    const probe = processes.start(["probe", "-", "--no-dht", "--proxy", url], { stdin: host.invite });
    expect((await probe.exited).code).toBe(3);
    expect(probe.lines.find(({ event }) => event === "explanation")).toMatchObject({ code: "proxy-dead" });
    expect(probe.lines.find(({ event }) => event === "probe")).toMatchObject({ failure: "proxy refused" });
    await proxy.stop();
  });
});

describe("probe", () => {
  it("walks every rung of a room that works, and explains", async () => {
    const probe = processes.start(["probe", "-", "--no-dht"], { stdin: host.invite });
    expect((await probe.exited).code).toBe(0);
    expect(probe.lines.filter(({ event }) => event === "probe").map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(probe.lines.find(({ event }) => event === "explanation")).toMatchObject({ code: "works" });
  });

  it("says when whoever answers is no relay, after one request to it", async () => {
    let visits = 0;
    const server = createServer((socket) => {
      visits++;
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const invite = strayInvite([hintTo(port), hintTo(port), hintTo(port)]);
    const probe = processes.start(["probe", "-", "--no-dht"], { stdin: invite });
    expect((await probe.exited).code).toBe(3);
    expect(probe.lines.find(({ event }) => event === "explanation")).toMatchObject({ code: "strangers" });
    expect(visits).toBe(1);
    const listener = processes.listener(invite, "--no-dht");
    expect((await listener.exited).code).toBe(3);
    expect(visits).toBe(2);
    server.close();
  });

  it("says when an invite leads only where it may not", async () => {
    const nowhere = fromMultiaddrs(peerKey(), crypto.randomBytes(16), [
      "/ip4/169.254.169.254/tcp/80/tls/ws",
      "/dns4/localhost/tcp/443/tls/ws",
    ]);
    const probe = processes.start(["probe", "-", "--no-dht"], { stdin: strayInvite([nowhere]) });
    expect((await probe.exited).code).toBe(3);
    expect(probe.lines.find(({ event }) => event === "explanation")).toMatchObject({ code: "lan-only" });
  });
});
