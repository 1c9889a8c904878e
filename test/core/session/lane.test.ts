import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { equal } from "../../../p2p/core/bytes.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { fragmentBytes, type LaneFrame, laneMessageBytesMax, ReliableLane } from "../../../p2p/core/session/lane.ts";

const seeds = Array.from({ length: 40 }, (_, index) => `lane ${index}`);

/** Two lanes, and between them a network that loses, doubles and delays by the seed, and is replaced now and then. */
class Wire {
  now = 0;
  readonly sent = { left: [] as Uint8Array[], right: [] as Uint8Array[] };
  readonly got = { left: [] as Uint8Array[], right: [] as Uint8Array[] };
  readonly lanes = { left: this.#lane("right"), right: this.#lane("left") };
  readonly #flying: { at: number; to: "left" | "right"; frame: LaneFrame; link: number }[] = [];
  readonly #rng: Rng;
  #link = 0;
  loss: number;

  constructor(seed: string) {
    this.#rng = new Rng(seed);
    this.loss = this.#rng.next() * 0.5;
  }

  send(side: "left" | "right", message: Uint8Array): void {
    expect(this.lanes[side].send(message, millis(this.now))).toBe(true);
    this.sent[side].push(message);
  }

  /** A new link takes the place of the old one, which takes what was on it along. */
  replace(): void {
    this.#link++;
    this.lanes.left.resume(millis(this.now));
    this.lanes.right.resume(millis(this.now));
  }

  step(ms: number): void {
    this.now += ms;
    const due = this.#flying.filter((frame) => frame.at <= this.now).sort((a, b) => a.at - b.at);
    for (const each of due) {
      this.#flying.splice(this.#flying.indexOf(each), 1);
      if (each.link === this.#link) this.#deliver(each.to, each.frame);
    }
    for (const side of ["left", "right"] as const) this.lanes[side].handleTimeout(millis(this.now));
  }

  #deliver(to: "left" | "right", frame: LaneFrame): void {
    if (frame.kind === "ack") return this.lanes[to].acknowledge(frame.next, millis(this.now));
    const messages = this.lanes[to].receive(frame.sequence, frame.last, frame.bytes);
    if (messages === "overflow") throw new Error("overflow");
    this.got[to].push(...messages);
  }

  #lane(to: "left" | "right"): ReliableLane {
    return new ReliableLane((frame) => {
      const copies = 1 + Number(this.#rng.next() < 0.1);
      for (let copy = 0; copy < copies; copy++) {
        if (this.#rng.next() < this.loss) continue;
        this.#flying.push({ at: this.now + 10 + this.#rng.int(200), to, frame, link: this.#link });
      }
    });
  }
}

function sameMessages(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return (
    left.length === right.length && left.every((message, index) => equal(message, right[index] ?? new Uint8Array(0)))
  );
}

describe("the reliable lane", () => {
  it.each(seeds)("[SS1] is a plain queue, whatever links lose, repeat, reorder or end (%s)", (seed) => {
    const wire = new Wire(seed);
    const rng = new Rng(seed).fork("load");
    for (let step = 0; step < 150; step++) {
      const side = rng.int(2) === 0 ? "left" : "right";
      if (rng.int(3) === 0)
        wire.send(side, rng.bytes(rng.int(4) === 0 ? rng.int(laneMessageBytesMax + 1) : rng.int(60)));
      if (rng.int(20) === 0) wire.replace();
      wire.step(10 + rng.int(100));
      // At no time has anything arrived that was not sent in this order.
      expect(sameMessages(wire.got.right, wire.sent.left.slice(0, wire.got.right.length))).toBe(true);
      expect(sameMessages(wire.got.left, wire.sent.right.slice(0, wire.got.left.length))).toBe(true);
    }
    wire.loss = 0;
    for (let step = 0; step < 2000 && !(isDone(wire) && step > 10); step++) wire.step(50);
    expect(wire.sent.left.length + wire.sent.right.length).toBeGreaterThan(10);
    expect(sameMessages(wire.got.right, wire.sent.left)).toBe(true);
    expect(sameMessages(wire.got.left, wire.sent.right)).toBe(true);
  });

  it("[SS1] empty messages and those of exactly one fragment arrive as they are", () => {
    const wire = new Wire("edges");
    wire.loss = 0;
    for (const length of [0, 1, fragmentBytes - 1, fragmentBytes, fragmentBytes + 1, laneMessageBytesMax]) {
      wire.send("left", new Rng(length).bytes(length));
    }
    for (let step = 0; step < 100; step++) wire.step(20);
    expect(sameMessages(wire.got.right, wire.sent.left)).toBe(true);
  });

  it("[SS2] sends again after a second, then after three round trips, doubling up to four seconds", () => {
    const frames: LaneFrame[] = [];
    const lane = new ReliableLane((frame) => frames.push(frame));
    lane.send(Uint8Array.of(1), millis(0));
    expect(lane.deadline()?.at).toBe(1000);
    lane.handleTimeout(millis(999));
    expect(frames).toHaveLength(1);
    lane.handleTimeout(millis(1000));
    expect(frames).toHaveLength(2);
    expect(lane.deadline()?.at).toBe(1000 + 2000);
    lane.handleTimeout(millis(3000));
    expect(lane.deadline()?.at).toBe(3000 + 4000);
    lane.handleTimeout(millis(7000));
    expect(lane.deadline()?.at).toBe(7000 + 4000);
    // An answer to something sent twice says nothing of the round trip (Karn).
    lane.acknowledge(1, millis(7010));
    expect(lane.deadline()).toBeUndefined();
    lane.send(Uint8Array.of(2), millis(8000));
    expect(lane.deadline()?.at).toBe(9000);
    lane.acknowledge(2, millis(8100));
    lane.send(Uint8Array.of(3), millis(9000));
    expect(lane.deadline()?.at).toBe(9000 + 300);
    // Smoothed by eighths: 100 and 20 make 90.
    lane.acknowledge(3, millis(9020));
    lane.send(Uint8Array.of(4), millis(10_000));
    expect(lane.deadline()?.at).toBe(10_000 + 270);
    for (let sequence = 4; sequence < 60; sequence++) {
      lane.acknowledge(sequence, millis(10_000 + sequence));
      lane.send(Uint8Array.of(4), millis(10_000 + sequence));
    }
    // Never sooner than after 200 ms, however short the round trip.
    expect((lane.deadline()?.at ?? 0) - 10_059).toBe(200);
  });

  it("[SS3] takes messages up to 64 KiB and no longer, also in pieces without a byte", () => {
    const receive = (lengths: readonly number[]): string => {
      const lane = new ReliableLane(() => undefined);
      for (const [sequence, length] of lengths.entries()) {
        if (lane.receive(sequence, false, new Uint8Array(length)) === "overflow") return `overflow at ${sequence}`;
      }
      return "ok";
    };
    expect(laneMessageBytesMax).toBe(64 * 1024);
    expect(receive([32_768, 32_768])).toBe("ok");
    expect(receive([...new Array<number>(57).fill(fragmentBytes), 65_536 - 57 * fragmentBytes])).toBe("ok");
    expect(receive([32_768, 32_768, 1])).toBe("overflow at 2");
    expect(receive(new Array<number>(10_000).fill(0))).toMatch(/^overflow/);
    expect(receive(new Array<number>(10_000).fill(1))).toMatch(/^overflow/);
  });

  it("[SS3] lets 512 fragments wait for somebody who reads nothing, and says so at the next", () => {
    const lane = new ReliableLane(() => undefined);
    for (let count = 0; count < 512; count++) expect(lane.send(Uint8Array.of(1), millis(0))).toBe(true);
    expect(lane.send(Uint8Array.of(1), millis(0))).toBe(false);
    lane.acknowledge(1, millis(10));
    expect(lane.send(Uint8Array.of(1), millis(10))).toBe(true);
    expect(lane.send(Uint8Array.of(1), millis(10))).toBe(false);
    // Two fragments do not fit where one does.
    lane.acknowledge(2, millis(10));
    expect(lane.send(new Uint8Array(fragmentBytes + 1), millis(10))).toBe(false);
  });

  it("keeps few out of order, and believes no acknowledgement of what was not sent", () => {
    const frames: LaneFrame[] = [];
    const lane = new ReliableLane((frame) => frames.push(frame));
    expect(lane.receive(32, true, Uint8Array.of(9))).toEqual([]);
    for (let sequence = 0; sequence < 32; sequence++) lane.receive(sequence, true, Uint8Array.of(1));
    // 32 was too far ahead to be kept: it is waited for.
    expect(frames.at(-1)).toEqual({ kind: "ack", next: 32 });
    lane.acknowledge(0xffffffff, millis(0));
    for (let count = 0; count < 40; count++) lane.send(Uint8Array.of(2), millis(0));
    lane.acknowledge(0xffffffff, millis(1));
    const sequences = frames.flatMap((frame) => (frame.kind === "fragment" ? [frame.sequence] : []));
    expect(sequences).toEqual(Array.from({ length: 40 }, (_, sequence) => sequence));
  });
});

function isDone(wire: Wire): boolean {
  return wire.got.left.length === wire.sent.right.length && wire.got.right.length === wire.sent.left.length;
}
