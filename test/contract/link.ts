import { AssertionError } from "node:assert";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limits } from "../../p2p/api/limits.ts";
import type { Link, LinkCloseReason } from "../../p2p/api/link.ts";
import { eventually } from "../eventually.ts";

/** Two ends of one link, not attached yet, and a hand on the network between them. */
export interface LinkFixture {
  readonly near: Link;
  readonly far: Link;
  /** From now on the network takes nothing from `near` that reaches `far`, until `resume`. */
  stall(): void;
  resume(): void;
  /** The far end is gone without a goodbye. */
  vanish(): void;
  /** What a hostile far end does: sends `near` one frame of this size, past all checks of its own side. */
  inject(bytes: number): void;
  /** Frees what was opened for this pair. */
  dispose(): void | Promise<void>;
}

/** What an implementation promises beyond the contract of all links. */
export interface LinkPromises {
  readonly kind: Link["kind"];
  readonly ordered: boolean;
}

/** Collects what a link tells, and lets a test wait for it. */
export class Collector {
  readonly messages: Uint8Array[] = [];
  readonly closes: LinkCloseReason[] = [];
  readonly order: ("message" | "close")[] = [];
  readonly #waiting: { met: () => boolean; resolve: () => void }[] = [];

  constructor(link: Link) {
    link.attach({
      onMessage: (message) => {
        this.messages.push(message);
        this.order.push("message");
        this.#check();
      },
      onClose: (reason) => {
        this.closes.push(reason);
        this.order.push("close");
        this.#check();
      },
    });
  }

  /** Resolves as soon as the condition holds; it is looked at after each event. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }

  count(count: number): Promise<void> {
    return this.until(() => this.messages.length >= count);
  }

  closed(): Promise<void> {
    return this.until(() => this.closes.length > 0);
  }

  #check(): void {
    for (const { met, resolve } of this.#waiting) if (met()) resolve();
  }
}

/** A message of this size that carries a number in its first four bytes (or fewer, when it is smaller). */
export function numbered(number: number, size = 100): Uint8Array {
  const message = new Uint8Array(size).fill(number & 0xff);
  if (size >= 4) new DataView(message.buffer).setUint32(0, number);
  return message;
}

export function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

/** A few turns of the event loop: room for a callback that must not come. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The contract of `Link`. Every implementation runs it, from each of its ends when these differ. */
export function describeLink(name: string, setup: () => Promise<LinkFixture>, promises: LinkPromises): void {
  describe(`Link contract: ${name}`, () => {
    let fixture: LinkFixture;
    beforeEach(async () => {
      fixture = await setup();
    });
    afterEach(async () => {
      fixture.near.close();
      fixture.far.close();
      await fixture.dispose();
    });
    itDelivers(() => fixture, promises);
    itKeepsEarlyMessages(() => fixture);
    itDropsTheOldest(() => fixture);
    itEnds(() => fixture);
    itSurvivesHostileFrames(() => fixture);
  });
}

type Get = () => LinkFixture;

function itDelivers(get: Get, promises: LinkPromises): void {
  it("names its kind and its far end", () => {
    const { near, far } = get();
    expect([near.kind, far.kind]).toEqual([promises.kind, promises.kind]);
    expect(near.remote).toMatch(/^[0-9a-f]{64}$/);
    expect(far.remote).toMatch(/^[0-9a-f]{64}$/);
    expect(near.remote).not.toBe(far.remote);
  });

  it("delivers messages of every allowed size whole, both ways at once, and counts their bytes", async () => {
    const { near, far } = get();
    const [atNear, atFar] = [new Collector(near), new Collector(far)];
    const sizes = [1, 2, 3, 255, 256, 257, 600, limits.linkMessageBytesMax - 1, limits.linkMessageBytesMax];
    sizes.forEach((size, index) => {
      expect(near.send(numbered(index, size))).toBe("sent");
      expect(far.send(numbered(index + 100, size))).toBe("sent");
    });
    await Promise.all([atNear.count(sizes.length), atFar.count(sizes.length)]);
    const bySize = (left: Uint8Array, right: Uint8Array): number => left.length - right.length;
    expect(atFar.messages.toSorted(bySize)).toEqual(sizes.map((size, index) => numbered(index, size)));
    expect(atNear.messages.toSorted(bySize)).toEqual(sizes.map((size, index) => numbered(index + 100, size)));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect([near.bytesOut, near.bytesIn, far.bytesOut, far.bytesIn]).toEqual([total, total, total, total]);
    expect([near.dropped, far.dropped]).toEqual([0, 0]);
  });

  it("hands over plain byte arrays, whose slice is a copy", async () => {
    const { near, far } = get();
    const atFar = new Collector(far);
    near.send(numbered(7));
    await atFar.count(1);
    expect(Object.getPrototypeOf(atFar.messages[0])).toBe(Uint8Array.prototype);
  });

  it("delivers each message once, in the order of sending where that is promised", async () => {
    const { near, far } = get();
    const atFar = new Collector(far);
    for (let index = 0; index < 300; index += 1) {
      near.send(numbered(index));
      if (index % 40 === 39) await atFar.count(index - 20);
    }
    await atFar.count(300);
    const arrived = atFar.messages.map(numberOf);
    const expected = Array.from({ length: 300 }, (_, index) => index);
    expect(promises.ordered ? arrived : arrived.toSorted((left, right) => left - right)).toEqual(expected);
  });

  it("asserts when a message of our own breaks the size limit, and lives on", async () => {
    const { near, far } = get();
    const atFar = new Collector(far);
    expect(() => near.send(new Uint8Array(0))).toThrow(AssertionError);
    expect(() => near.send(new Uint8Array(limits.linkMessageBytesMax + 1))).toThrow(AssertionError);
    near.send(numbered(1));
    await atFar.count(1);
    expect(atFar.messages.map(numberOf)).toEqual([1]);
  });
}

function itKeepsEarlyMessages(get: Get): void {
  it("delivers on attach what came before it, never from inside the call", async () => {
    const { near, far } = get();
    for (let index = 0; index < 3; index += 1) near.send(numbered(index));
    await eventually(() => expect(far.bytesIn).toBe(300));
    const atFar = new Collector(far);
    expect(atFar.messages).toEqual([]);
    await atFar.count(3);
    expect(atFar.messages.map(numberOf).toSorted((left, right) => left - right)).toEqual([0, 1, 2]);
  });

  it("keeps only the newest of too many early messages, and counts the others", async () => {
    const { near, far } = get();
    const sent = limits.linkQueueMessagesMax * 3;
    for (let index = 0; index < sent; index += 1) {
      near.send(numbered(index));
      if (index % 32 === 31) await eventually(() => expect(far.bytesIn).toBe((index + 1) * 100));
    }
    const atFar = new Collector(far);
    await atFar.count(limits.linkQueueMessagesMax);
    await turns();
    expect(atFar.messages).toHaveLength(limits.linkQueueMessagesMax);
    expect(far.dropped).toBe(sent - limits.linkQueueMessagesMax);
    expect(Math.max(...atFar.messages.map(numberOf))).toBe(sent - 1);
  });

  it("tells on attach of an end that came before it, after the messages", async () => {
    const { near, far } = get();
    near.send(numbered(1));
    await eventually(() => expect(far.bytesIn).toBe(100));
    const atNear = new Collector(near);
    near.close();
    await atNear.closed();
    await eventually(() => expect(far.send(numbered(2))).toBe("closed"));
    const atFar = new Collector(far);
    await atFar.closed();
    expect(atFar.order).toEqual(["message", "close"]);
    expect(atFar.closes).toEqual(["remote"]);
  });
}

function itDropsTheOldest(get: Get): void {
  it("drops the oldest waiting message under back-pressure, never the newest, and counts", async () => {
    const { near, far } = get();
    const atFar = new Collector(far);
    near.send(numbered(0, 1000));
    await atFar.count(1);
    get().stall();
    let sent = 1;
    const results = new Set<string>();
    // The bound only ends a run in which back-pressure never comes; then the next line fails.
    while (near.dropped < 100 && sent < 20_000) {
      results.add(near.send(numbered(sent, 1000)));
      sent += 1;
      if (sent % 64 === 0) await turns(1);
    }
    expect(near.dropped).toBeGreaterThanOrEqual(100);
    expect([...results].toSorted()).toEqual(["dropped", "sent"]);
    get().resume();
    await atFar.until(() => atFar.messages.some((message) => numberOf(message) === sent - 1));
    const arrived = new Set(atFar.messages.map(numberOf));
    expect(arrived.size).toBe(atFar.messages.length);
    expect(arrived.size).toBeLessThanOrEqual(sent - near.dropped);
    // Whatever waited last is at most one queue old: all of it must have come through, the gap lies before it.
    const newest = Array.from({ length: limits.linkQueueMessagesMax / 2 }, (_, index) => sent - 1 - index);
    await atFar.until(() => newest.every((number) => atFar.messages.some((message) => numberOf(message) === number)));
    const oldestKept = sent - limits.linkQueueMessagesMax;
    expect([...Array(oldestKept).keys()].some((number) => !arrived.has(number))).toBe(true);
    // The link works on.
    near.send(numbered(sent, 1000));
    await atFar.until(() => atFar.messages.some((message) => numberOf(message) === sent));
    expect(near.bytesOut).toBe((sent + 1 - near.dropped) * 1000);
  });
}

function itEnds(get: Get): void {
  it("close: both ends are told once, with whose doing it was", async () => {
    const { near, far } = get();
    const [atNear, atFar] = [new Collector(near), new Collector(far)];
    near.send(numbered(1));
    await atFar.count(1);
    near.close();
    expect(atNear.closes, "not from inside the call").toEqual([]);
    near.close();
    await Promise.all([atNear.closed(), atFar.closed()]);
    near.close();
    far.close();
    await turns();
    expect(atNear.closes).toEqual(["local"]);
    expect(atFar.closes).toEqual(["remote"]);
  });

  it("send after the end is `closed`, and nothing is delivered after it", async () => {
    const { near, far } = get();
    const [atNear, atFar] = [new Collector(near), new Collector(far)];
    far.send(numbered(1));
    near.close();
    expect(near.send(numbered(2))).toBe("closed");
    await Promise.all([atNear.closed(), atFar.closed()]);
    expect(far.send(numbered(3))).toBe("closed");
    await turns();
    expect(atNear.order).toEqual(["close"]);
    expect(atFar.order).toEqual(["close"]);
  });

  it("close before attach is told on attach", async () => {
    const { near } = get();
    near.close();
    const atNear = new Collector(near);
    await atNear.closed();
    expect(atNear.closes).toEqual(["local"]);
  });

  it("an owner may close from inside onMessage, and hears no more", async () => {
    const { near, far } = get();
    const heard: string[] = [];
    const ended = new Promise<void>((resolve) => {
      near.attach({
        onMessage: () => {
          heard.push("message");
          near.close();
        },
        onClose: (reason) => {
          heard.push(reason);
          resolve();
        },
      });
    });
    const atFar = new Collector(far);
    for (let index = 0; index < 5; index += 1) far.send(numbered(index));
    await Promise.all([ended, atFar.closed()]);
    expect(heard).toEqual(["message", "local"]);
  });

  it("a far end that vanishes is `lost`", async () => {
    const { near } = get();
    const atNear = new Collector(near);
    get().vanish();
    await atNear.closed();
    await turns();
    expect(atNear.closes).toEqual(["lost"]);
    expect(near.send(numbered(1))).toBe("closed");
  });
}

function itSurvivesHostileFrames(get: Get): void {
  for (const bytes of [0, limits.linkMessageBytesMax + 1, limits.linkMessageBytesMax + 500]) {
    it(`a frame of ${bytes} bytes from a hostile far end closes with \`protocol\` and is not delivered`, async () => {
      const { near, far } = get();
      const [atNear, atFar] = [new Collector(near), new Collector(far)];
      get().inject(bytes);
      await Promise.all([atNear.closed(), atFar.closed()]);
      await turns();
      expect(atNear.order).toEqual(["close"]);
      expect(atNear.closes).toEqual(["protocol"]);
      expect(atFar.closes).toEqual(["lost"]);
      expect(near.bytesIn).toBe(0);
    });
  }
}
