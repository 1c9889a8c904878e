import { afterEach, describe, expect, it } from "vitest";
import type { ChannelHandlers } from "../../p2p/api/channel.ts";
import { type SocketRoute, urlOfRoute } from "../../p2p/api/socket.ts";
import { absentLenderMsMax, borrow } from "../../p2p/port/borrower.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import type { RouteBoard } from "../../p2p/port/lending-desk.ts";
import { channelBounds, lendingThingsMax, socketBounds } from "../../p2p/port/lending.ts";
import { Lender, type Thing, type ThingEvents } from "../../renderer/net/lender.ts";
import { never, type Page, PlayedThing, quiet, settled, Stage, straight } from "./lending-stage.ts";

let stage: Stage;
const begin = (): Stage => (stage = new Stage());
afterEach(() => stage.end());

/** An open socket, and the thing behind it. */
async function openSocket(page: Page) {
  const opening = stage.borrower.sockets.open(straight, { signal: never });
  await settled();
  const thing = page.things.at(-1) as PlayedThing;
  thing.events.opened();
  const socket = await opening;
  const heard = { messages: [] as Uint8Array[], drains: 0, closes: [] as string[] };
  socket.attach({
    onMessage: (bytes) => void heard.messages.push(bytes),
    onDrain: () => (heard.drains += 1),
    onClose: (reason) => void heard.closes.push(reason),
  });
  return { socket, thing, heard };
}

/** A channel that answers, and what it told. */
async function answer(page: Page) {
  const heard: unknown[] = [];
  const handlers: ChannelHandlers = {
    onOpen: () => heard.push("open"),
    onMessage: (bytes) => heard.push(bytes),
    onRoom: () => heard.push("room"),
    onClose: (reason) => heard.push(reason),
  };
  const channel = stage.borrower.channels.answer("offer", handlers);
  await settled();
  return { channel, thing: page.things.at(-1) as PlayedThing, heard };
}

describe("lending", () => {
  it("opens what the engine asks for, carries both ways, and ends as told", async () => {
    const page = await begin().page();
    const { socket, thing, heard } = await openSocket(page);
    expect(thing.what).toBe(urlOfRoute(straight));
    socket.send(Uint8Array.of(1, 2));
    thing.events.arrived(Uint8Array.of(3));
    await settled();
    expect([thing.sent, heard.messages]).toEqual([[Uint8Array.of(1, 2)], [Uint8Array.of(3)]]);
    expect(Object.getPrototypeOf(heard.messages[0])).toBe(Uint8Array.prototype);
    socket.close();
    await settled();
    expect([thing.end, heard.closes]).toEqual(["close", []]);
    thing.events.closed("clean");
    await settled();
    expect([heard.closes, page.lender.count]).toEqual([["clean"], 0]);
  });

  it("answers an offer, adds candidates, and tells a channel's ends apart", async () => {
    const page = await begin().page();
    for (const [reason, told] of [
      ["clean", "remote"],
      ["lost", "lost"],
      ["protocol", "protocol"],
    ] as const) {
      const { channel, thing, heard } = await answer(page);
      thing.events.answered("answer");
      expect(await channel.description).toBe("answer");
      channel.addCandidates(["candidate:1"]);
      expect(channel.send(Uint8Array.of(1)), "not open yet").toBe(false);
      thing.events.opened();
      await settled();
      expect([channel.send(Uint8Array.of(1)), thing.candidates]).toEqual([true, ["candidate:1"]]);
      thing.events.closed(reason);
      await settled();
      expect(heard).toEqual(["open", told]);
      expect(channel.send(Uint8Array.of(1))).toBe(false);
    }
  });

  it("waits for a page for a while, then says that there is none", async () => {
    begin();
    const opening = stage.borrower.sockets.open(straight, { signal: never });
    const page = await stage.page();
    page.things[0]?.events.opened();
    await opening;
    page.lender.close();
    await settled();
    const vain = stage.borrower.sockets.open(straight, { signal: never });
    stage.clock.pass(absentLenderMsMax);
    await expect(vain).rejects.toThrow(/^no window$/);
    await expect(stage.borrower.channels.answer("offer", quiet).description).rejects.toThrow(/^no window$/);
    const aborter = new AbortController();
    const aborted = stage.borrower.sockets.open(straight, { signal: aborter.signal });
    aborter.abort();
    await expect(aborted).rejects.toThrow("aborted");
  });

  it("loses everything with the page, and lends anew from the next", async () => {
    const page = await begin().page();
    const { heard } = await openSocket(page);
    const channel = await answer(page);
    page.lender.close();
    await settled();
    expect([heard.closes, channel.heard, stage.borrower.hasLender]).toEqual([["lost"], ["lost"], false]);
    await openSocket(await stage.page());
  });

  it("lends from one page at a time: the newest, and what the older had is lost", async () => {
    const first = await begin().page();
    const { heard, thing } = await openSocket(first);
    const second = await stage.page();
    expect([heard.closes, thing.end, first.lender.count]).toEqual([["lost"], "drop", 0]);
    await openSocket(second);
    expect([first.things.length, second.things.length]).toEqual([1, 1]);
  });

  it("hangs up on the page when the engine is gone, and a page that came meanwhile serves the next one", async () => {
    const page = await begin().page();
    const { thing } = await openSocket(page);
    const [near, far] = createPortPair();
    stage.end();
    await settled();
    expect([thing.end, page.lender.count]).toEqual(["drop", 0]);
    const next = await stage.page();
    const again = borrow(near, stage.clock.after);
    stage.desk.serve(far);
    const opening = again.sockets.open(straight, { signal: never });
    await settled();
    next.things[0]?.events.opened();
    await opening;
    near.close();
  });

  it("opens nothing for a socket that was given up while its way was being prepared", async () => {
    let ready = (): void => undefined;
    const board = { route: () => new Promise<void>((resolve) => (ready = resolve)) };
    const page = await begin().page(board);
    const aborter = new AbortController();
    const opening = stage.borrower.sockets.open(straight, { signal: aborter.signal });
    await settled();
    aborter.abort();
    await expect(opening).rejects.toThrow("aborted");
    ready();
    await settled();
    // The page never hears of it, and nobody is connected to.
    expect([page.things.length, page.lender.count]).toEqual([0, 0]);
  });
});

describe("routes", () => {
  const named: SocketRoute = { ...straight, serverName: "relay.example" };
  const proxied: SocketRoute = { ...straight, proxy: { kind: "socks5", host: "192.0.2.9", port: 9050 } };

  it("need a browser of ours when they give another name, or use a proxy", async () => {
    await begin().page();
    for (const route of [named, proxied]) {
      const opening = stage.borrower.sockets.open(route, { signal: never });
      await expect(opening).rejects.toThrow(/^not in this browser$/);
    }
  });

  it("are registered before the page hears of the address, which is all it hears", async () => {
    const registered: unknown[] = [];
    const page = await begin().page({ route: (entry) => Promise.resolve(void registered.push(entry)) });
    void stage.borrower.sockets.open({ ...proxied, serverName: "relay.example" }, { signal: never });
    await settled();
    expect(registered).toEqual([
      {
        name: "relay.example",
        port: 443,
        to: { host: "192.0.2.1", port: 443, path: "/a", serverName: "relay.example", proxy: proxied.proxy },
        onFailed: expect.any(Function),
      },
    ]);
    expect(page.things.map(({ what }) => what)).toEqual(["wss://relay.example:443/a"]);
  });

  it("that Chromium would take past every proxy are refused where they need one", async () => {
    await begin().page({ route: () => Promise.resolve() });
    for (const host of ["127.0.0.1", "localhost", "a.localhost", "::1", "169.254.1.1", "fe80::1"]) {
      const opening = stage.borrower.sockets.open({ ...proxied, host }, { signal: never });
      await expect(opening).rejects.toThrow(/^not in this browser$/);
    }
  });

  it("that led to no relay say why, which the page cannot; of a socket that is open it means nothing", async () => {
    const entries: Parameters<RouteBoard["route"]>[0][] = [];
    const page = await begin().page({ route: (entry) => Promise.resolve(void entries.push(entry)) });
    const opening = stage.borrower.sockets.open(named, { signal: never });
    opening.catch(() => undefined);
    await settled();
    entries[0]?.onFailed("stranger");
    await expect(opening).rejects.toThrow(/^stranger$/);
    const { socket, heard } = await openSocket(page);
    entries[1]?.onFailed("cut");
    await settled();
    expect(heard.closes).toEqual([]);
    socket.close();
  });

  it("that the hop has no room for are refused", async () => {
    await begin().page({ route: () => Promise.reject(new Error("too many routes")) });
    await expect(stage.borrower.sockets.open(named, { signal: never })).rejects.toThrow(/^too many$/);
  });
});

describe("back-pressure of what is lent", () => {
  it("a socket's: what the network has not taken counts, and the end of it is told", async () => {
    const { socket, thing, heard } = await openSocket(await begin().page());
    const message = new Uint8Array(socketBounds.messageMax);
    while (socket.bufferedAmount <= socketBounds.bufferedMax) socket.send(message);
    await settled();
    expect(socket.bufferedAmount).toBe(thing.bufferedAmount);
    thing.bufferedAmount = 1;
    stage.clock.pass(20);
    await settled();
    expect([socket.bufferedAmount, heard.drains]).toEqual([1, 0]);
    thing.bufferedAmount = 0;
    stage.clock.pass(20);
    await settled();
    expect([socket.bufferedAmount, heard.drains]).toEqual([0, 1]);
  });

  it("a socket's that is not full is told seldom, and never more than a quarter late", async () => {
    const { socket, thing } = await openSocket(await begin().page());
    for (let index = 0; index < 1000; index += 1) {
      socket.send(new Uint8Array(300));
      await settled();
      thing.bufferedAmount = 0;
      expect(socket.bufferedAmount).toBeLessThanOrEqual(socketBounds.bufferedMax / 4 + 600);
    }
  });

  it("a channel's: room is told when half is gone, by its own word or by the clock", async () => {
    const { channel, thing, heard } = await answer(await begin().page());
    thing.events.opened();
    await settled();
    const message = new Uint8Array(1000);
    while (channel.bufferedAmount <= channelBounds.bufferedMax) channel.send(message);
    await settled();
    thing.bufferedAmount = channelBounds.bufferedMax / 2 + 1;
    thing.events.drained();
    await settled();
    expect(heard).toEqual(["open"]);
    thing.bufferedAmount = channelBounds.bufferedMax / 2;
    stage.clock.pass(20);
    await settled();
    expect(heard).toEqual(["open", "room"]);
  });

  it("an engine that takes nothing: a socket ends, a channel's messages fall, and both are bounded", async () => {
    begin();
    const [near, far] = createPortPair();
    const things: PlayedThing[] = [];
    const make = (what: string, events: ThingEvents): Thing => {
      const thing = new PlayedThing(what, events);
      things.push(thing);
      return thing;
    };
    const lender = new Lender(near, { openSocket: make, answer: make, after: stage.clock.after });
    let bytes = 0;
    far.attach({
      onMessage: (message) => {
        if (message instanceof Uint8Array) bytes += message.length;
      },
      onClose: () => undefined,
    });
    far.postMessage('{"kind":"socket","id":2,"url":"wss://192.0.2.1/"}');
    far.postMessage('{"kind":"channel","id":3,"offer":"o"}');
    await settled();
    const [socket, channel] = things;
    for (let index = 0; index < 200; index += 1) socket?.events.arrived(new Uint8Array(socketBounds.messageMax));
    for (let index = 0; index < 2000; index += 1) channel?.events.arrived(new Uint8Array(1000));
    await settled();
    expect([socket?.end, channel?.end, lender.count]).toEqual(["drop", undefined, 1]);
    expect(bytes).toBeLessThan(socketBounds.underwayMax + channelBounds.underwayMax + 200_000);
    lender.close();
  });

  it("an engine that gives without counting: the thing ends", async () => {
    const page = await begin().page();
    const { channel, thing, heard } = await answer(page);
    thing.events.opened();
    await settled();
    for (let index = 0; index < 400; index += 1) channel.send(new Uint8Array(1000));
    await settled();
    expect([thing.end, heard, page.lender.count]).toEqual(["drop", ["open", "lost"], 0]);
  });

  it("no more things are lent than the bound", async () => {
    const page = await begin().page();
    for (let index = 0; index < lendingThingsMax; index += 1) {
      stage.borrower.sockets.open(straight, { signal: never }).catch(() => undefined);
    }
    await settled();
    expect(page.lender.count).toBe(lendingThingsMax);
    await expect(stage.borrower.sockets.open(straight, { signal: never })).rejects.toThrow(/^too many$/);
    await expect(stage.borrower.channels.answer("offer", quiet).description).rejects.toThrow(/^too many$/);
  });
});
