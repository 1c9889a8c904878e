import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { toHex } from "../../p2p/core/bytes.ts";
import type { PeerInput } from "../../p2p/core/peer-io.ts";
import type { Discovery } from "../../p2p/engine/ports.ts";
import { Records } from "../../p2p/engine/records.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";

const key = Uint8Array.of(1);

interface Bench {
  readonly records: Records;
  readonly clock: ManualClock;
  readonly inputs: PeerInput[];
  /** Values put, in order. */
  readonly puts: number[];
  readonly asked: string[];
}

/** Records over a DHT that takes what `accepts` says, and knows two values under every key. */
function bench(accepts: (put: number, signal: AbortSignal) => Promise<boolean>): Bench {
  const clock = new ManualClock();
  const inputs: PeerInput[] = [];
  const puts: number[] = [];
  const asked: string[] = [];
  const discovery: Discovery = {
    publish: async (_key, value, signal) => {
      puts.push(value[0] ?? -1);
      if (!(await accepts(puts.length, signal))) throw new Error("nobody took it");
    },
    lookup: async function* lookup(wanted) {
      asked.push(toHex(wanted));
      await setImmediate();
      yield Uint8Array.of(...wanted, 1);
      yield Uint8Array.of(...wanted, 2);
    },
  };
  return { records: new Records(discovery, clock, (input) => inputs.push(input)), clock, inputs, puts, asked };
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    await setImmediate();
    clock.advance(500);
  }
  await setImmediate();
}

describe("records", () => {
  it("[RM24] a put that nobody took is tried again, six times at most", async () => {
    const { records, clock, puts } = bench(() => Promise.resolve(false));
    records.publish(key, Uint8Array.of(7));
    await setImmediate();
    expect(puts).toEqual([7]);
    await pass(clock, 120_000);
    expect(puts).toEqual([7, 7, 7, 7, 7, 7]);
    expect(clock.waiting).toBe(0);
  });

  it("[RM24] a put that was taken is not put again", async () => {
    const { records, clock, puts } = bench((put) => Promise.resolve(put === 2));
    records.publish(key, Uint8Array.of(7));
    await pass(clock, 60_000);
    expect(puts).toEqual([7, 7]);
  });

  it("[RM24] a newer value takes the place of one that is still tried", async () => {
    const { records, clock, puts } = bench((put) => Promise.resolve(put > 2));
    records.publish(key, Uint8Array.of(7));
    await setImmediate();
    records.publish(key, Uint8Array.of(8));
    await pass(clock, 60_000);
    expect(puts).toEqual([7, 8, 8]);
  });

  it("[RM24] a put without an answer is given up after 20 s and tried again", async () => {
    const hanging = (_put: number, signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(false)));
    const { records, clock, puts } = bench(hanging);
    records.publish(key, Uint8Array.of(7));
    await pass(clock, 19_500);
    expect(puts).toEqual([7]);
    await pass(clock, 5000);
    expect(puts).toEqual([7, 7]);
    records.stop();
    await pass(clock, 120_000);
    expect(puts).toEqual([7, 7]);
    expect(clock.waiting).toBe(0);
  });

  it("[RM26] what a lookup finds is passed on as it comes, three keys at a time, and then that it ended, once", async () => {
    const { records, clock, inputs, asked } = bench(() => Promise.resolve(true));
    records.lookup([1, 2, 3, 4, 5].map((each) => Uint8Array.of(each)));
    expect(asked).toEqual(["01", "02", "03"]);
    await pass(clock, 2000);
    expect(asked).toHaveLength(5);
    const found = inputs.flatMap((input) => (input.kind === "record" ? [toHex(input.value)] : []));
    expect(found.toSorted()).toEqual(["0101", "0102", "0201", "0202", "0301", "0302", "0401", "0402", "0501", "0502"]);
    expect(inputs.filter(({ kind }) => kind === "lookup-ended")).toHaveLength(1);
    expect(inputs.at(-1)).toEqual({ kind: "lookup-ended" });
  });

  it("stopped, a lookup asks no further and says nothing", async () => {
    const { records, clock, inputs, asked } = bench(() => Promise.resolve(true));
    records.lookup([1, 2, 3, 4].map((each) => Uint8Array.of(each)));
    records.stop();
    await pass(clock, 2000);
    expect(asked).toHaveLength(3);
    expect(inputs.filter(({ kind }) => kind === "lookup-ended")).toEqual([]);
  });
});
