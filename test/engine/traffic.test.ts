import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { dialId, linkId, type PeerId } from "../../p2p/api/ids.ts";
import type { Link, RelayAddress } from "../../p2p/api/link.ts";
import type { PeerInput } from "../../p2p/core/peer-io.ts";
import { Traffic } from "../../p2p/engine/traffic.ts";
import { type MemoryLinkPair, memoryLinkPair } from "../../p2p/io/links/memory.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";

interface Pending {
  readonly signal: AbortSignal;
  resolve(link: Link): void;
  reject(error: Error): void;
}

interface Bench {
  readonly traffic: Traffic;
  readonly clock: ManualClock;
  readonly inputs: PeerInput[];
  readonly dials: Pending[];
  /** Of each dial, whether it must not use a connection that is there. */
  readonly asked: readonly (boolean | undefined)[];
  arrive(link: Link): void;
}

const target: RelayAddress = { key: new Uint8Array(32), token: new Uint8Array(16), addresses: [] };

/** Traffic whose dials the test answers. */
function bench(): Bench {
  const clock = new ManualClock();
  const inputs: PeerInput[] = [];
  const dials: Pending[] = [];
  const asked: (boolean | undefined)[] = [];
  let arrive: (link: Link) => void = () => undefined;
  const open = (signal: AbortSignal): Promise<Link> =>
    new Promise((resolve, reject) => void dials.push({ signal, resolve, reject }));
  const links = {
    dial: (_target: RelayAddress, signal: AbortSignal, fresh?: boolean) => {
      asked.push(fresh);
      return open(signal);
    },
    upgrade: (_remote: PeerId, signal: AbortSignal) => open(signal),
    onLink: (listener: (link: Link) => void) => void (arrive = listener),
  };
  const traffic = new Traffic(links, clock, (input) => inputs.push(input));
  return { traffic, clock, inputs, dials, asked, arrive: (link) => arrive(link) };
}

function pair(first = 1): MemoryLinkPair {
  return memoryLinkPair({ ids: [linkId(first), linkId(first + 1)] });
}

describe("traffic", () => {
  it("names a link that we dialed by its dial and one that came without, and carries both ways", async () => {
    const { traffic, inputs, dials, asked, arrive } = bench();
    const [ours, theirs] = [pair(1), pair(3)];
    traffic.dial({ kind: "dial", dial: dialId(7), target, fresh: false });
    expect(asked).toEqual([false]);
    dials[0]!.resolve(ours.ends[0]);
    await setImmediate();
    arrive(theirs.ends[0]);
    expect(inputs).toMatchObject([
      { kind: "link-opened", link: 1, dial: 7, linkKind: "memory", remote: ours.ends[0].remote },
      { kind: "link-opened", link: 3 },
    ]);
    expect(inputs[1]).not.toHaveProperty("dial");
    const got: number[] = [];
    ours.ends[1].attach({ onMessage: (bytes) => got.push(bytes[0] ?? -1), onClose: () => undefined });
    ours.ends[1].send(Uint8Array.of(5));
    traffic.send(linkId(1), Uint8Array.of(6));
    await setImmediate();
    expect(inputs.at(-1)).toEqual({ kind: "message", link: 1, bytes: Uint8Array.of(5) });
    expect(got).toEqual([6]);
    traffic.close(linkId(1));
    await setImmediate();
    expect(inputs.at(-1)).toEqual({ kind: "link-closed", link: 1, reason: "local" });
    traffic.send(linkId(1), Uint8Array.of(7));
    expect(traffic.count().links).toEqual({ memory: 1 });
  });

  it("a dial that fails says why, and one that takes ten seconds is given up", async () => {
    const { traffic, clock, inputs, dials } = bench();
    traffic.dial({ kind: "upgrade", dial: dialId(1), remote: "aa".repeat(32) as PeerId });
    dials[0]!.reject(new Error("no route"));
    await setImmediate();
    expect(inputs).toEqual([{ kind: "dial-failed", dial: 1, reason: "no route" }]);
    expect(clock.waiting).toBe(0);
    traffic.dial({ kind: "dial", dial: dialId(2), target, fresh: false });
    clock.advance(9999);
    expect(dials[1]!.signal.aborted).toBe(false);
    clock.advance(1);
    expect(dials[1]!.signal.aborted).toBe(true);
  });

  it("a dial that was cancelled says nothing, and closes what it brings all the same", async () => {
    const { traffic, clock, inputs, dials } = bench();
    const late = pair();
    traffic.dial({ kind: "dial", dial: dialId(1), target, fresh: false });
    traffic.dial({ kind: "dial", dial: dialId(2), target, fresh: false });
    traffic.cancel(dialId(1));
    traffic.cancel(dialId(2));
    expect(dials.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    let closed = "";
    late.ends[1].attach({ onMessage: () => undefined, onClose: (reason) => void (closed = reason) });
    dials[0]!.resolve(late.ends[0]);
    dials[1]!.reject(new Error("aborted"));
    await setImmediate();
    expect(inputs).toEqual([]);
    expect(closed).toBe("remote");
    expect(clock.waiting).toBe(0);
  });

  it("counts the bytes of links that are gone too, once", async () => {
    const { traffic, arrive } = bench();
    const { ends, cut } = pair();
    arrive(ends[0]);
    traffic.send(linkId(1), new Uint8Array(100));
    ends[1].send(new Uint8Array(30));
    await setImmediate();
    expect(traffic.count()).toEqual({ bytesIn: 30, bytesOut: 100, links: { memory: 1 } });
    cut();
    await setImmediate();
    expect(traffic.count()).toEqual({ bytesIn: 30, bytesOut: 100, links: {} });
  });

  it("stopped, it has closed every link and ended every dial", async () => {
    const { traffic, dials, arrive } = bench();
    const { ends } = pair();
    arrive(ends[0]);
    traffic.dial({ kind: "dial", dial: dialId(1), target, fresh: false });
    traffic.stop();
    await setImmediate();
    expect(dials[0]!.signal.aborted).toBe(true);
    expect(traffic.count().links).toEqual({});
  });
});
