import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connectThrough } from "../../../p2p/io/proxy/connect.ts";
import { parseProxy } from "../../../p2p/io/proxy/url.ts";
import { startHttpProxy, startSocksProxy } from "./proxies.ts";
import type { ProxyFault, TestProxy, TestProxyOptions } from "./proxies.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const forever = new AbortController().signal;
const credentials = { user: "ana", password: "s€cret:%" };

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endings.push(async () => {
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

describe.each([
  ["SOCKS5", startSocksProxy],
  ["HTTP CONNECT", startHttpProxy],
] as const)("a way through %s", (_, startProxy) => {
  const start = async (options: TestProxyOptions = {}): Promise<TestProxy> => {
    const proxy = await startProxy(options);
    endings.push(() => proxy.stop());
    return proxy;
  };

  it.each([undefined, credentials])("leads where the name, resolved at the proxy, leads: %j", async (asked) => {
    const proxy = await start(asked === undefined ? {} : { credentials: asked });
    const port = await listening(createServer((socket) => void socket.pipe(socket)));
    // A name that no resolver knows.
    const socket = await connectThrough(proxy.proxy, { host: "relay.invalid", port }, forever);
    socket.write("hello");
    expect(String((await once(socket, "data"))[0])).toBe("hello");
    socket.destroy();
    expect(proxy.asked).toEqual([`relay.invalid:${port}`]);
    expect(proxy.users).toEqual(asked === undefined ? [] : ["ana"]);
  });

  it.each<[ProxyFault, string]>([
    ["garbage", "proxy broken"],
    ["hang up", "proxy broken"],
    ["refuse", "proxy refused"],
    ["no way", "unreachable"],
  ])("says why when the proxy does this: %s", async (fault, reason) => {
    const proxy = await start({ fault });
    const asking = connectThrough(proxy.proxy, { host: "relay.invalid", port: 9 }, forever);
    await expect(asking).rejects.toThrow(new RegExp(`^${reason}$`));
  });

  it("says so when the proxy wants other credentials, or any", async () => {
    const proxy = await start({ credentials });
    for (const given of [undefined, { user: "ana", password: "wrong" }]) {
      const other = { ...proxy.proxy, credentials: given };
      const { credentials: left, ...bare } = other;
      const asked = left === undefined ? bare : { ...bare, credentials: left };
      await expect(connectThrough(asked, { host: "relay.invalid", port: 9 }, forever)).rejects.toThrow("proxy refused");
    }
  });

  it("is given up when the proxy stalls, and when whoever waits has enough", async () => {
    const proxy = await start({ fault: "stall" });
    const controller = new AbortController();
    const asking = connectThrough(proxy.proxy, { host: "relay.invalid", port: 9 }, controller.signal);
    asking.catch(() => undefined);
    const stalled = connectThrough(proxy.proxy, { host: "relay.invalid", port: 9 }, forever);
    stalled.catch(() => undefined);
    while (proxy.connections < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
    await expect(stalled).rejects.toThrow("proxy broken");
  });

  it("says so when nobody is there", async () => {
    const proxy = await startProxy();
    const gone = proxy.proxy;
    await proxy.stop();
    await expect(connectThrough(gone, { host: "relay.invalid", port: 9 }, forever)).rejects.toThrow(
      "proxy unreachable",
    );
  });
});

describe("a proxy's address", () => {
  it.each([
    ["socks5://127.0.0.1:9050", { kind: "socks5", host: "127.0.0.1", port: 9050 }],
    ["socks5h://[::1]", { kind: "socks5", host: "::1", port: 1080 }],
    ["http://proxy.example", { kind: "http", host: "proxy.example", port: 80 }],
    [
      "http://a%40b:p%3Aw@h:3128/",
      { kind: "http", host: "h", port: 3128, credentials: { user: "a@b", password: "p:w" } },
    ],
  ])("is read: %s", (text, proxy) => {
    expect(parseProxy(text)).toEqual(proxy);
  });

  it.each([
    "",
    "9050",
    "127.0.0.1:9050",
    "socks4://h:1",
    "https://user:secret@h:1",
    "socks5://:secret@h:1",
    "socks5://user@h:1",
    "socks5://h:70000",
    "socks5://user:secret@h:0",
    "socks5://h:1/secret",
    "http://u%0d%0a:secret@h:1",
    `socks5://user:${"secret".repeat(50)}@h:1`,
    `socks5://${"secret".repeat(500)}:1`,
    "socks5://user:secret%zz@h:1",
    "http://user:secret@a b:1",
  ])("is refused in one sentence that repeats nothing of it: %s", (text) => {
    let message = "";
    expect(() => {
      try {
        parseProxy(text);
      } catch (error) {
        message = error instanceof Error ? error.message : "";
        throw error;
      }
    }).toThrow(expect.objectContaining({ code: "proxy-damaged" }));
    expect(message).toMatch(/^[A-Z][^\n]*\.$/);
    expect(message).not.toContain("secret");
  });
});
