import { once } from "node:events";
import { createServer as createTlsSite } from "node:https";
import type { RequestListener } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { RelayAddress } from "../../../p2p/api/link.ts";
import { createNetwork } from "../../../p2p/host.ts";
import type { HostSetup } from "../../../p2p/host.ts";
import type { Presence } from "../../../p2p/engine/ports.ts";
import { createClock } from "../../../p2p/io/clock.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { fromMultiaddrs } from "../../../p2p/io/libp2p/address.ts";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import type { Routes } from "../../../p2p/io/routes/routes.ts";
import { millis } from "../../../p2p/api/ids.ts";
import { peerKey } from "../../contract/nodes.ts";
import { eventually } from "../../eventually.ts";
import { startHttpProxy, startSocksProxy } from "../proxy/proxies.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const never = new AbortController().signal;
const setup: HostSetup = {
  profile: "wss",
  listen: [],
  announce: [],
  bootstrap: [],
  dht: "off",
  tls: undefined,
  seed: undefined,
  blind: true,
};

async function up(changes: Partial<HostSetup> = {}): Promise<Presence & { readonly ways: Routes }> {
  const network = createNetwork({ ...setup, ...changes }, createClock(), createCrypto());
  const presence = await network.start();
  endings.push(() => network.stop());
  return presence as Presence & { readonly ways: Routes };
}

async function relayUp(): Promise<RelayAddress> {
  const { reach } = await up({ listen: ["/ip4/127.0.0.1/tcp/0/tls/ws"] });
  if (reach === undefined) throw new Error("a relay listens");
  return reach;
}

/** Somebody who is no relay, and how often it was connected to. */
async function strange(server: Server): Promise<{ readonly target: RelayAddress; readonly visits: () => number }> {
  let visits = 0;
  server.on("connection", (socket) => {
    visits++;
    socket.on("error", () => undefined);
    endings.push(() => Promise.resolve(socket.destroy()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endings.unshift(async () => {
    server.close();
    await once(server, "close");
  });
  return { target: at((server.address() as AddressInfo).port), visits: () => visits };
}

const at = (port: number, key = peerKey()): RelayAddress =>
  fromMultiaddrs(key, new Uint8Array(16), [`/ip4/127.0.0.1/tcp/${port}/tls/ws`]);

const site = (answer: RequestListener): Server => {
  const { cert, key } = selfSignedCertificate(millis(Date.now()));
  return createTlsSite({ cert, key }, answer).on("upgrade", (request, socket) => {
    // As sites do that know no upgrades.
    socket.end(`HTTP/1.1 ${request.headers.host === undefined ? 400 : 404} No\r\nContent-Length: 0\r\n\r\n`);
  });
};

/** How a dial ends. */
async function dialing({ links }: Presence, target: RelayAddress): Promise<string> {
  try {
    (await links.dial(target, never)).close();
    return "linked";
  } catch (error) {
    return error instanceof Error ? error.message : "?";
  }
}

describe("whoever an invite names and is no relay", () => {
  it.each<[string, string, () => Server]>([
    ["a site", "stranger", () => site((_, answer) => answer.end("hello"))],
    [
      "a portal",
      "portal",
      () => {
        const { cert, key } = selfSignedCertificate(millis(Date.now()));
        return createTlsSite({ cert, key }).on("upgrade", (_, socket) => {
          socket.end("HTTP/1.1 302 Found\r\nLocation: http://login.invalid/\r\nContent-Length: 0\r\n\r\n");
        });
      },
    ],
    ["a mail server", "stranger", () => createServer((socket) => void socket.write("220 mail ESMTP\r\n"))],
  ])("sees one request, however many hints lead there: %s", async (_, reason, server) => {
    const { target, visits } = await strange(server());
    const guest = await up();
    const others = [peerKey(), peerKey(), peerKey()].map((key) => ({ ...target, key }));
    const hints = [target, ...others, target];
    guest.ways.enter(hints);
    const ends = await Promise.all(hints.map((hint) => dialing(guest, hint)));
    expect(ends).toContain(reason);
    for (const hint of hints) expect(await dialing(guest, hint)).toBe("stranger");
    // Looked at again on the way into the same room, also by a node that comes later.
    const later = await up({ routes: guest.ways });
    guest.ways.enter(hints);
    expect(await dialing(later, target)).toBe("stranger");
    expect(visits()).toBe(1);
    expect(guest.ways.failures.wss).toMatchObject({ [reason]: 1 });
  });

  it("and a relay with another key, too", async () => {
    const relay = await relayUp();
    const guest = await up();
    const wrong = { ...relay, key: peerKey() };
    guest.ways.enter([wrong]);
    expect(await dialing(guest, wrong)).toBe("wrong key");
    expect(await dialing(guest, wrong)).toBe("stranger");
    // Another invite, in which it is named rightly.
    guest.ways.enter([relay]);
    expect(await dialing(guest, relay)).toBe("linked");
  });

  it("a connection that is cut is dialed again, within the budget", async () => {
    const { target, visits } = await strange(
      createServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
    );
    const guest = await up();
    guest.ways.enter([target]);
    const ends: string[] = [];
    for (let count = 0; count < 5; count++) ends.push(await dialing(guest, target));
    expect(ends).toEqual(["cut", "cut", "cut", "too soon", "too soon"]);
    expect(visits()).toBe(3);
  });

  it("is not reached at all where an invite may not send us", async () => {
    const { target, visits } = await strange(createServer());
    const guest = await up();
    const far = fromMultiaddrs(peerKey(), new Uint8Array(16), ["/ip4/8.8.8.8/tcp/443/tls/ws"]);
    guest.ways.enter([far, target]);
    expect(await dialing(guest, target)).toBe("local address");
    expect(visits()).toBe(0);
  });
});

describe("the dial budget of a node", () => {
  it("costs nothing while there is a connection", async () => {
    const relay = await relayUp();
    const guest = await up();
    guest.ways.enter([relay]);
    const links = [];
    for (let count = 0; count < 8; count++) links.push(await guest.links.dial(relay, never));
    expect(guest.ways.failures).toEqual({});
  });
});

describe("a choice", () => {
  it("ends what is being dialed by the one before, so that nothing stays beside a proxy", async () => {
    const silent = await strange(createServer());
    const guest = await up();
    guest.ways.enter([silent.target]);
    const dial = dialing(guest, silent.target);
    await eventually(() => expect(silent.visits()).toBe(1));
    guest.ways.choose({ rung: "proxy", proxy: "socks5://127.0.0.1:9" });
    expect(await dial).toBe("aborted");
    expect(await dialing(guest, { ...silent.target, key: peerKey() })).toBe("proxy unreachable");
    expect(silent.visits()).toBe(1);
  });
});

describe.each([
  ["SOCKS5", startSocksProxy],
  ["HTTP", startHttpProxy],
] as const)("through a %s proxy", (_, start) => {
  it("everything goes there, by name or number, and nothing beside it", async () => {
    const relay = await relayUp();
    const proxy = await start({ credentials: { user: "ana", password: "secret" } });
    endings.push(() => proxy.stop());
    const url = `${proxy.proxy.kind}://ana:secret@127.0.0.1:${proxy.proxy.port}`;
    const guest = await up({ way: { rung: "auto", proxy: url }, profile: "auto" });
    guest.ways.enter([relay]);
    const link = await guest.links.dial(relay, never);
    expect(proxy.asked).toHaveLength(1);
    expect(guest.ways.stream).toBe("proxy");
    await guest.ways.transfer(link.remote, 24_576, never);
    await expect(guest.links.upgrade(link.remote, never)).rejects.toThrow("refused");
    link.close();
    await proxy.stop();
    endings.pop();
    guest.ways.choose({ rung: "auto", proxy: url });
    expect(await dialing(guest, relay)).toBe("proxy unreachable");
  });

  it("only when nothing else works, if that is the choice; then first, and gone again when told", async () => {
    const relay = await relayUp();
    const proxy = await start();
    endings.push(() => proxy.stop());
    const url = `${proxy.proxy.kind}://127.0.0.1:${proxy.proxy.port}`;
    // Nobody is there, but the proxy knows a way.
    const gone = at(9, relay.key);
    const guest = await up({ way: { rung: "auto", proxy: url, proxyUse: "fallback" } });
    guest.ways.enter([relay, gone]);
    expect(await dialing(guest, relay)).toBe("linked");
    expect([guest.ways.stream, proxy.asked.length]).toEqual(["wss", 0]);
    const other = await up({ routes: guest.ways });
    await dialing(other, { ...gone, key: peerKey() });
    expect(proxy.asked).toEqual(["127.0.0.1:9"]);
    expect(guest.ways.failures.wss).toMatchObject({ unreachable: 1 });
  });
});
