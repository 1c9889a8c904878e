import { afterEach, describe, expect, it } from "vitest";
import { Rng } from "../../p2p/core/rng.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import {
  channelBounds,
  lendingBytesMax,
  lendingFaultsMax,
  lendingTextMax,
  writeCarried,
} from "../../p2p/port/lending.ts";
import { Lender, type Thing, type ThingEvents } from "../../renderer/net/lender.ts";
import { never, PlayedThing, quiet, settled, Stage, straight } from "./lending-stage.ts";

let stage: Stage;
const begin = (): Stage => (stage = new Stage());
afterEach(() => stage.end());

describe("what breaks the rules", () => {
  /** Everything that is no message, and messages that say what cannot be. */
  const nonsense: readonly unknown[] = [
    "",
    "{}",
    "null",
    '{"kind":"toString"}',
    '{"kind":"opened"}',
    '{"kind":"opened","id":-1}',
    '{"kind":"opened","id":2.5}',
    '{"kind":"opened","id":2,"more":1}',
    '{"kind":"answer","id":3,"sdp":7}',
    '{"kind":"taken","id":2,"bytes":"9"}',
    '{"kind":"closed","id":2,"reason":"bored"}',
    '{"kind":"socket","id":2,"url":7}',
    new Uint8Array(0),
    Uint8Array.of(0, 0, 0, 2),
    new Uint8Array(lendingBytesMax + 1),
    "x".repeat(lendingTextMax + 1),
    7,
    null,
    { kind: "opened", id: 2 },
  ];

  it("from a page: counted, nothing thrown, everything else unharmed, and hung up on in the end", async () => {
    const { port, isClosed } = await begin().hostilePage();
    const opening = stage.borrower.sockets.open(straight, { signal: never });
    await settled();
    const mine = nonsense.filter((one) => typeof one === "string" && one.length < 100);
    for (const one of mine) port.postMessage(one as string);
    await settled();
    const counted = Object.values(stage.borrower.faults).reduce((sum, count) => sum + count, 0);
    expect([counted, isClosed()]).toEqual([mine.length, false]);
    port.postMessage('{"kind":"opened","id":2}');
    const socket = await opening;
    const closes: string[] = [];
    socket.attach({
      onMessage: () => undefined,
      onDrain: () => undefined,
      onClose: (reason) => void closes.push(reason),
    });
    for (let index = 0; index < lendingFaultsMax; index += 1) port.postMessage("nonsense");
    await settled();
    expect([isClosed(), closes, stage.borrower.hasLender]).toEqual([true, ["lost"], false]);
    expect(stage.borrower.faults["not-json"]).toBeGreaterThanOrEqual(lendingFaultsMax - mine.length);
  });

  it("from a page: what is no text or bytes, or too long, is not even passed on", async () => {
    begin();
    for (const one of nonsense.filter((each) => typeof each !== "string" || each.length > lendingTextMax)) {
      const { port, isClosed } = await stage.hostilePage();
      port.postMessage(one as string);
      await settled();
      const isPassable = one instanceof Uint8Array && one.length <= lendingBytesMax;
      expect(isClosed()).toBe(!isPassable);
    }
  });

  it("from a page: totals that cannot be, answers twice, sound of a socket that is not open, and numbers made up", async () => {
    const { port } = await begin().hostilePage();
    stage.borrower.sockets.open(straight, { signal: never }).catch(() => undefined);
    await settled();
    const heard: unknown[] = [];
    stage.borrower.channels.answer("offer", { ...quiet, onMessage: (bytes) => heard.push(bytes) });
    await settled();
    port.postMessage('{"kind":"taken","id":2,"bytes":1}');
    port.postMessage(writeCarried(2, Uint8Array.of(1)));
    port.postMessage(writeCarried(5, Uint8Array.of(1)));
    port.postMessage('{"kind":"answer","id":2,"sdp":"x"}');
    port.postMessage('{"kind":"opened","id":999}');
    port.postMessage('{"kind":"opened","id":0}');
    await settled();
    expect(stage.borrower.faults).toEqual({ "bad-count": 1, "bad-shape": 3, "unknown-id": 2 });
    expect(heard).toEqual([]);
  });

  it("from the engine: counted by the page, which opens nothing but TLS, and hung up on in the end", async () => {
    begin();
    const [near, far] = createPortPair();
    const things: string[] = [];
    const make = (what: string, events: ThingEvents): Thing => {
      things.push(what);
      return new PlayedThing(what, events);
    };
    let isOver = false;
    const tools = { openSocket: make, answer: make, after: stage.clock.after };
    const lender = new Lender(near, tools, () => (isOver = true));
    const worse = [
      '{"kind":"socket","id":2,"url":"ws://192.0.2.1/"}',
      '{"kind":"socket","id":2,"url":"https://192.0.2.1/"}',
      '{"kind":"socket","id":3,"url":"wss://192.0.2.1/"}',
      '{"kind":"channel","id":2,"offer":"o"}',
      '{"kind":"route","id":2,"route":{}}',
      writeCarried(3, new Uint8Array(channelBounds.messageMax + 1)),
    ];
    const all = [...nonsense, ...worse];
    for (const one of all) far.postMessage(one as string);
    await settled();
    const counted = Object.values(lender.faults).reduce((sum, count) => sum + count, 0);
    expect([counted, things, isOver]).toEqual([all.length, [], false]);
    for (let index = 0; index < lendingFaultsMax; index += 1) far.postMessage("nonsense");
    await settled();
    expect(isOver).toBe(true);
  });

  it("no more is taken from an engine that said goodbye, though its port may not tell that it is closed", async () => {
    const [near, far] = createPortPair();
    let things = 0;
    const openSocket = (what: string, events: ThingEvents): Thing => {
      things += 1;
      return new PlayedThing(what, events);
    };
    let ends = 0;
    const lender = new Lender(near, { openSocket, after: begin().clock.after }, () => (ends += 1));
    for (const id of [2, 4]) {
      far.postMessage(`{"kind":"socket","id":${id},"url":"wss://192.0.2.1/"}`);
      far.postMessage('{"kind":"bye"}');
    }
    await settled();
    expect([things, ends, lender.count]).toEqual([1, 1, 0]);
  });

  it("from either side at random: never a throw", async () => {
    const rng = new Rng(20_261_121);
    const reached = { opened: 0, hungUp: 0 };
    let hostile = await begin().hostilePage();
    const page = createPortPair();
    const lender = new Lender(page[0], {
      openSocket: (what, events) => new PlayedThing(what, events),
      answer: (what, events) => new PlayedThing(what, events),
      after: stage.clock.after,
    });
    const words = ["opened", "answer", "closed", "taken", "socket", "channel", "candidates", "close", "drop", "await"];
    const pick = <T>(from: readonly T[]): T => from[Math.floor(rng.next() * from.length)] as T;
    for (let index = 0; index < 3000; index += 1) {
      stage.borrower.sockets.open(straight, { signal: never }).then(
        () => (reached.opened += 1),
        () => undefined,
      );
      const id = Math.floor(rng.next() * 12);
      const text = JSON.stringify({
        kind: pick(words),
        id,
        ...(rng.next() < 0.5 ? { bytes: Math.floor(rng.next() * 9) } : {}),
        ...(rng.next() < 0.3 ? { reason: pick(["clean", "lost", "protocol"]) } : {}),
        ...(rng.next() < 0.3 ? { url: "wss://192.0.2.1/" } : {}),
        ...(rng.next() < 0.3 ? { sdp: "x", offer: "x" } : {}),
      });
      const message = rng.next() < 0.2 ? writeCarried(id, new Uint8Array(1 + Math.floor(rng.next() * 9))) : text;
      hostile.port.postMessage(message);
      page[1].postMessage(message);
      if (index % 10 === 0) await settled();
      if (!hostile.isClosed()) continue;
      reached.hungUp += 1;
      hostile = await stage.hostilePage();
    }
    await settled();
    expect([reached.opened, reached.hungUp].every((count) => count > 0)).toBe(true);
    expect(Object.keys(lender.faults)).toContain("bad-shape");
    lender.close();
  });
});
