import { once } from "node:events";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { socketBufferedBytesMax, socketMessageBytesMax } from "../../p2p/api/socket.ts";
import type { Socket, SocketCloseReason, Sockets } from "../../p2p/api/socket.ts";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { routeOf } from "../io/libp2p/routes.ts";
import { wsOptions, wsSocket } from "../../p2p/io/sockets/ws.ts";

interface Heard {
  readonly messages: Uint8Array[];
  readonly closed: Promise<SocketCloseReason>;
  readonly drained: Promise<void>;
  closes: number;
}

const hear = (socket: Socket, enough?: { readonly count: number; readonly reached: () => void }): Heard => {
  let onClose: (reason: SocketCloseReason) => void = () => undefined;
  let onDrain: () => void = () => undefined;
  const heard: Heard = {
    messages: [],
    closed: new Promise((resolve) => (onClose = resolve)),
    drained: new Promise((resolve) => (onDrain = resolve)),
    closes: 0,
  };
  socket.attach({
    onMessage: (bytes) => {
      heard.messages.push(bytes);
      if (heard.messages.length === enough?.count) enough.reached();
    },
    onDrain,
    onClose: (reason) => {
      heard.closes++;
      onClose(reason);
    },
  });
  return heard;
};

/** What an implementation says of a connection that nobody takes. */
export interface SocketPromises {
  readonly refused: string;
}

/** The contract of `Socket` and `Sockets`, against a real TLS server. Every implementation runs it. */
export function describeSocket(name: string, sockets: () => Sockets, promises: SocketPromises): void {
  describe(`Socket contract: ${name}`, () => {
    describeSockets(sockets, promises);
  });
}

function describeSockets(sockets: () => Sockets, { refused }: SocketPromises): void {
  let server: Server;
  let accepted: Promise<WebSocket>;
  let url: string;

  beforeEach(async () => {
    server = createServer(selfSignedCertificate(Date.now()));
    const upgrades = new WebSocketServer({ ...wsOptions, noServer: true });
    accepted = new Promise((resolve) => {
      server.on("upgrade", (request, socket, head) => upgrades.handleUpgrade(request, socket, head, resolve));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const open = async (): Promise<{ readonly near: Socket; readonly far: WebSocket }> => {
    const [near, far] = await Promise.all([
      sockets().open(routeOf(url), { signal: AbortSignal.timeout(10_000) }),
      accepted,
    ]);
    return { near, far };
  };

  it("delivers whole messages both ways, also those sent before attach", async () => {
    const { near, far } = await open();
    const remote = wsSocket(far);
    near.send(Uint8Array.of(1));
    near.send(new Uint8Array(socketMessageBytesMax).fill(2));
    const heardFar = await new Promise<Heard>((resolve) => {
      const heard: Heard = hear(remote, { count: 2, reached: () => resolve(heard) });
    });
    expect(heardFar.messages.map((bytes) => [bytes.length, bytes[0]])).toEqual([
      [1, 1],
      [socketMessageBytesMax, 2],
    ]);
    const heardNear = await new Promise<Heard>((resolve) => {
      const heard: Heard = hear(near, { count: 1, reached: () => resolve(heard) });
      remote.send(Uint8Array.of(3));
    });
    expect([...(heardNear.messages[0] ?? [])]).toEqual([3]);
    near.close();
    expect(await Promise.all([heardNear.closed, heardFar.closed])).toEqual(["clean", "clean"]);
    near.close();
    near.terminate();
    near.send(Uint8Array.of(4));
    expect([heardNear.closes, heardFar.closes]).toEqual([1, 1]);
  });

  it("delivers what was sent before the goodbye", async () => {
    const { near, far } = await open();
    const heard = hear(wsSocket(far));
    for (let index = 0; index < 50; index++) near.send(Uint8Array.of(index));
    near.close();
    expect(await heard.closed).toBe("clean");
    expect(heard.messages).toHaveLength(50);
  });

  it("tells a lost far end from one that said goodbye", async () => {
    const { near, far } = await open();
    const heard = hear(near);
    wsSocket(far).terminate();
    expect(await heard.closed).toBe("lost");
  });

  it("tells the end to whoever attaches after it", async () => {
    const { near, far } = await open();
    far.terminate();
    near.terminate();
    expect(await hear(near).closed).toBe("lost");
  });

  it("cuts off a far end that sends text, nothing, or too much", async () => {
    const offences: ((far: WebSocket) => void)[] = [
      (far) => far.send("text"),
      (far) => far.send(new Uint8Array(0)),
      (far) => far.send(new Uint8Array(socketMessageBytesMax + 1)),
    ];
    for (const offend of offences) {
      accepted = new Promise((resolve) => {
        const upgrades = new WebSocketServer({ noServer: true });
        server.removeAllListeners("upgrade");
        server.on("upgrade", (request, socket, head) => upgrades.handleUpgrade(request, socket, head, resolve));
      });
      const { near, far } = await open();
      far.on("error", () => undefined);
      const heard = hear(near);
      offend(far);
      expect(await heard.closed).toBe("protocol");
      expect(heard.messages).toHaveLength(0);
    }
  });

  it("sends no server name for an address, and a name for a name", async () => {
    const names: unknown[] = [];
    server.on("secureConnection", ({ servername }) => names.push(servername));
    (await open()).near.terminate();
    const named = await sockets().open(routeOf(url.replace("127.0.0.1", "localhost")), {
      signal: AbortSignal.timeout(10_000),
    });
    named.terminate();
    expect(names).toEqual([false, "localhost"]);
  });

  it("says when there is room again", async () => {
    const { near, far } = await open();
    const heard = hear(near);
    far.pause();
    let sent = 0;
    while (near.bufferedAmount <= socketBufferedBytesMax) {
      near.send(new Uint8Array(socketMessageBytesMax));
      // Messages the kernel took at once are not buffered: let it fill up.
      if (++sent % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    far.resume();
    await heard.drained;
    expect(near.bufferedAmount).toBe(0);
    near.terminate();
    await heard.closed;
  });

  it("leaves nothing behind when opening is aborted, or refused", async () => {
    const silent = createServer(selfSignedCertificate(Date.now()));
    const closed = new Promise<void>((resolve) => {
      silent.on("upgrade", (_request, socket) => {
        controller.abort();
        socket.on("close", () => resolve());
        socket.resume();
      });
    });
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const controller = new AbortController();
    const silentUrl = `wss://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    await expect(sockets().open(routeOf(silentUrl), { signal: controller.signal })).rejects.toThrow("aborted");
    await closed;
    await expect(sockets().open(routeOf(silentUrl), { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    silent.close();
    await once(silent, "close");
    await expect(sockets().open(routeOf(silentUrl), { signal: AbortSignal.timeout(10_000) })).rejects.toThrow(refused);
  });
}
