import { once } from "node:events";
import { multiaddr } from "@multiformats/multiaddr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import { pathOf } from "../../../p2p/io/libp2p/path-token.ts";
import { originOf, SocketListener } from "../../../p2p/io/libp2p/socket-listener.ts";
import { plainSite } from "../../../p2p/io/site/plain.ts";

const crypto = createCrypto();
const token = crypto.randomBytes(16);
const certificate = selfSignedCertificate(Date.now());
const listener = new SocketListener(
  { certificate: () => certificate, token, site: plainSite, now: Date.now, ofOriginMax: 2 },
  () => undefined,
);
let port = 0;

beforeAll(async () => {
  await listener.listen(multiaddr("/ip4/127.0.0.1/tcp/0/tls/ws"));
  port = Number(listener.getAddrs()[0]?.getComponents()[1]?.value);
});

const open: WebSocket[] = [];

afterAll(async () => {
  for (const socket of open) socket.terminate();
  await listener.close();
});

/** Comes in by the token, from this address; the answer of the site where it does not. */
async function enter(path: string, localAddress: string): Promise<WebSocket | number> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, { rejectUnauthorized: false, localAddress });
  return new Promise((resolve, reject) => {
    open.push(socket);
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_, { statusCode = 0 }) => resolve(statusCode));
    socket.on("error", reject);
  });
}

const fresh = (): string => pathOf(token, crypto.randomBytes(12), Date.now());

describe("connections from one place", () => {
  it("are no more than a relay keeps for one: who is one too many sees the site, until somebody goes", async () => {
    const first = await enter(fresh(), "127.0.0.1");
    expect(await enter(fresh(), "127.0.0.1")).toBeInstanceOf(WebSocket);
    const path = fresh();
    expect(await enter(path, "127.0.0.1")).toBe(404);
    // Others are not kept out, and the path that was refused is still good.
    expect(await enter(fresh(), "127.0.0.2")).toBeInstanceOf(WebSocket);
    if (typeof first === "number") throw new Error("not let in");
    first.terminate();
    await once(first, "close");
    let again = await enter(path, "127.0.0.1");
    // The relay hears of the end by itself; a path that is refused is not used up.
    while (typeof again === "number") again = await enter(path, "127.0.0.1");
    expect(again).toBeInstanceOf(WebSocket);
  });

  it("are counted by address, and in IPv6 by the network that a household is given", () => {
    expect(originOf("192.0.2.7")).toBe("192.0.2.7");
    expect(originOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
    const network = originOf("2001:db8:1:2:3:4:5:6");
    expect(originOf("2001:0db8:1:2::9")).toBe(network);
    expect(originOf("2001:db8:1:2:ffff::")).toBe(network);
    expect(originOf("2001:db8:1:3::9")).not.toBe(network);
    expect(originOf("fe80::1%eth0")).toBe(originOf("fe80::2"));
    expect(originOf("::1")).toBe("0:0:0:0");
    expect(originOf("")).toBe("");
  });
});
