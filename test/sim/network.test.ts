import { describe, expect, it } from "vitest";
import { dialId } from "../../p2p/api/ids.ts";
import type { DialId, LinkId, Millis, PeerId } from "../../p2p/api/ids.ts";
import { limits } from "../../p2p/api/limits.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import type { Deadline, Machine } from "../../p2p/core/machine.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { Network } from "./network.ts";
import type { LinkInput, LinkOutput, Reach } from "./network.ts";
import { Topology } from "./topology.ts";
import { World } from "./world.ts";

/** Does what it is told, once, and remembers what it is given and when. */
class Puppet implements Machine<PeerInput, PeerOutput> {
  readonly got: { readonly input: LinkInput; readonly atMs: number }[] = [];
  private readonly orders: LinkOutput[] = [];
  private readonly elapsedMs: () => number;

  constructor(elapsedMs: () => number) {
    this.elapsedMs = elapsedMs;
  }

  order(...orders: readonly LinkOutput[]): void {
    this.orders.push(...orders);
  }

  handle(input: PeerInput, _now: Millis): void {
    if (input.kind !== "timeout") this.got.push({ input: input as LinkInput, atMs: this.elapsedMs() });
  }

  poll(): PeerOutput | undefined {
    return this.orders.shift();
  }

  deadline(): Deadline | undefined {
    return undefined;
  }

  /** What came of one kind. */
  all<Kind extends LinkInput["kind"]>(kind: Kind): Extract<LinkInput, { kind: Kind }>[] {
    return this.got.flatMap(({ input }) => (input.kind === kind ? [input as Extract<LinkInput, { kind: Kind }>] : []));
  }

  atMs(kind: LinkInput["kind"]): number | undefined {
    return this.got.find(({ input }) => input.kind === kind)?.atMs;
  }
}

class Stage {
  readonly misuses: string[] = [];
  readonly world = new World<PeerInput, PeerOutput>({ kind: "timeout" }, (node, output) =>
    this.network.carry(node, output as LinkOutput),
  );
  readonly network: Network;
  readonly topology: Topology;
  private readonly puppets: Puppet[] = [];
  private readonly addresses: RelayAddress[] = [];
  private dials = 0;

  constructor(loss: number, seed = "network") {
    const rng = new Rng(seed);
    this.topology = new Topology("global", rng.fork("topology"));
    this.network = new Network(
      this.world,
      this.topology,
      rng.fork("network"),
      { loss, nat: 0.3 },
      {
        sent: () => undefined,
        delivered: () => undefined,
        linkClosed: () => undefined,
        misused: (_node, what) => void this.misuses.push(what),
      },
    );
  }

  add(listens: boolean | Reach): number {
    const key = new Uint8Array(32).fill(this.puppets.length + 1);
    this.addresses.push({ key, addresses: [], token: new Uint8Array(16) });
    this.topology.place();
    this.network.attach(
      Buffer.from(key).toString("hex") as PeerId,
      typeof listens === "string" ? listens : listens ? "public" : "none",
    );
    const puppet = new Puppet(() => this.world.elapsedMs);
    this.puppets.push(puppet);
    return this.world.add(puppet);
  }

  puppet(node: number): Puppet {
    return this.puppets[node]!;
  }

  peer(node: number): PeerId {
    return Buffer.from(this.addresses[node]!.key).toString("hex") as PeerId;
  }

  tell(node: number, ...orders: readonly LinkOutput[]): void {
    this.puppet(node).order(...orders);
    this.world.input(node, { kind: "timeout" });
  }

  dial(from: number, to: number): DialId {
    const dial = dialId(++this.dials);
    this.tell(from, { kind: "dial", dial, target: this.addresses[to]!, fresh: false });
    return dial;
  }

  /** Runs for so many more ms. */
  run(ms: number): void {
    this.world.run(this.world.elapsedMs + ms);
  }

  /** Two nodes with a stream between them. */
  pair(): { a: number; b: number; atA: LinkId; atB: LinkId } {
    const a = this.add(false);
    const b = this.add(true);
    this.dial(a, b);
    this.run(20_000);
    const atA = this.puppet(a).all("link-opened")[0]!.link;
    const atB = this.puppet(b).all("link-opened")[0]!.link;
    return { a, b, atA, atB };
  }

  upgrade(a: number, b: number): { readonly atA: LinkId; readonly atB: LinkId } {
    this.tell(a, { kind: "upgrade", dial: dialId(++this.dials), remote: this.peer(b) });
    this.run(20_000);
    return {
      atA: this.puppet(a).all("link-opened").at(-1)!.link,
      atB: this.puppet(b).all("link-opened").at(-1)!.link,
    };
  }
}

const numbered = (count: number): Uint8Array[] => Array.from({ length: count }, (_, index) => Uint8Array.of(1, index));
const numbersOf = (puppet: Puppet): number[] => puppet.all("message").map(({ bytes }) => bytes[1]!);
const isSorted = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || values[index - 1]! <= value);

describe("dialing", () => {
  it("of a machine behind a person's router fails for some pairs, always the same, and opens for the others", () => {
    const stage = new Stage(0);
    const nodes = Array.from({ length: 40 }, () => stage.add("behind-nat"));
    const pairs = nodes.flatMap((a) => nodes.filter((b) => b > a).map((b) => [a, b] as const));
    const refused = pairs.filter(([a, b]) => !stage.network.connects(a, b));
    expect(refused.length / pairs.length).toBeGreaterThan(0.25);
    expect(refused.length / pairs.length).toBeLessThan(0.35);
    const [from, to] = refused[0]!;
    expect(stage.network.connects(to, from)).toBe(false);
    const dial = stage.dial(from, to);
    stage.run(10_000);
    expect(stage.puppet(from).all("dial-failed")).toMatchObject([{ dial }]);
  });

  it("opens a stream after six round trips, at the dialed side half a round trip earlier", () => {
    const stage = new Stage(0);
    const { a, b } = stage.pair();
    const rttMs = stage.topology.rttMs(a, b);
    expect(stage.puppet(a).atMs("link-opened")).toBeCloseTo(6 * rttMs, 2);
    expect(stage.puppet(b).atMs("link-opened")).toBeCloseTo(5.5 * rttMs, 2);
    expect(stage.puppet(a).all("link-opened")[0]).toMatchObject({ remote: stage.peer(b), dial: 1, linkKind: "stream" });
    expect(stage.puppet(b).all("link-opened")[0]).not.toHaveProperty("dial");
  });

  it("adds a WebRTC link to a stream that is there, and refuses one where none is", () => {
    const stage = new Stage(0);
    const { a, b } = stage.pair();
    stage.upgrade(a, b);
    expect(
      stage
        .puppet(a)
        .all("link-opened")
        .map((input) => input.linkKind),
    ).toEqual(["stream", "webrtc"]);
    expect(
      stage
        .puppet(b)
        .all("link-opened")
        .map((input) => input.linkKind),
    ).toEqual(["stream", "webrtc"]);
    const c = stage.add(true);
    stage.tell(a, { kind: "upgrade", dial: dialId(99), remote: stage.peer(c) });
    stage.run(1000);
    expect(stage.puppet(a).all("dial-failed")).toMatchObject([{ dial: 99 }]);
  });

  it("fails at once towards who crashed or does not listen, after three seconds towards who is silent", () => {
    for (const [ending, late] of [
      ["crash", false],
      ["power-cut", true],
      [undefined, false],
    ] as const) {
      const stage = new Stage(0);
      const a = stage.add(false);
      const b = stage.add(ending !== undefined);
      if (ending !== undefined) stage.network.end(b, ending);
      const dial = stage.dial(a, b);
      stage.run(10_000);
      expect(stage.puppet(a).all("dial-failed")).toMatchObject([{ dial }]);
      expect(stage.puppet(a).atMs("dial-failed")! >= 3000, String(ending)).toBe(late);
    }
  });

  it("leaves nothing behind when a dial is taken back", () => {
    for (const atShare of [0.5, 0.95]) {
      const stage = new Stage(0);
      const a = stage.add(false);
      const b = stage.add(true);
      const dial = stage.dial(a, b);
      stage.run(6 * stage.topology.rttMs(a, b) * atShare);
      stage.tell(a, { kind: "cancel-dial", dial });
      stage.run(10_000);
      expect(stage.puppet(a).got).toEqual([]);
      expect(stage.puppet(b).all("link-opened").length).toBe(stage.puppet(b).all("link-closed").length);
    }
  });
});

describe("messages", () => {
  it("arrive in order and complete on a stream, however much is lost", () => {
    const stage = new Stage(0.3);
    const { a, b, atA, atB } = stage.pair();
    stage.tell(a, ...numbered(200).map((bytes) => ({ kind: "send", link: atA, bytes }) as const));
    stage.run(60_000);
    expect(numbersOf(stage.puppet(b))).toEqual(numbered(200).map((bytes) => bytes[1]));
    expect(
      stage
        .puppet(b)
        .all("message")
        .every(({ link }) => link === atB),
    ).toBe(true);
  });

  it("are lost and overtake each other on WebRTC", () => {
    const stage = new Stage(0.3);
    const { a, b } = stage.pair();
    const { atA } = stage.upgrade(a, b);
    stage.tell(a, ...numbered(200).map((bytes) => ({ kind: "send", link: atA, bytes }) as const));
    stage.run(5000);
    const got = numbersOf(stage.puppet(b));
    expect(got.length).toBeGreaterThan(100);
    expect(got.length).toBeLessThan(180);
    expect(new Set(got).size).toBe(got.length);
    expect(isSorted(got)).toBe(false);
  });

  it("are lost in bursts on WebRTC, at the share that was asked for", () => {
    const stage = new Stage(0.05);
    const { a, b } = stage.pair();
    const { atA } = stage.upgrade(a, b);
    const sent = 20_000;
    for (let index = 0; index < sent; index++) {
      const bytes = Uint8Array.of(1, index >> 8, index & 255);
      stage.world.planIn(index, () => stage.tell(a, { kind: "send", link: atA, bytes }), undefined);
    }
    stage.run(sent + 5000);
    const got = new Set(
      stage
        .puppet(b)
        .all("message")
        .map(({ bytes }) => bytes[1]! * 256 + bytes[2]!),
    );
    const lost = Array.from({ length: sent }, (_, index) => !got.has(index));
    const count = lost.filter(Boolean).length;
    const bursts = lost.filter((each, index) => each && lost[index - 1] !== true).length;
    expect(count / sent).toBeGreaterThan(0.04);
    expect(count / sent).toBeLessThan(0.06);
    expect(count / bursts).toBeGreaterThan(2);
    expect(count / bursts).toBeLessThan(3);
  });

  it("wait in a narrow uplink; what does not fit any more is lost on WebRTC and late on a stream", () => {
    const stage = new Stage(0);
    const { a, b, atA } = stage.pair();
    const rtc = stage.upgrade(a, b);
    stage.network.setUplink(a, 100);
    const sends = (link: LinkId): LinkOutput[] =>
      Array.from({ length: 40 }, () => ({ kind: "send", link, bytes: new Uint8Array(1000).fill(1) }));
    stage.tell(a, ...sends(rtc.atA));
    stage.run(10_000);
    const passed = stage.puppet(b).all("message").length;
    // 1,093 bytes take 87 ms: what waits longer than 200 ms is dropped.
    expect(passed).toBe(3);
    const from = stage.world.elapsedMs;
    stage.tell(a, ...sends(atA));
    stage.run(10_000);
    expect(stage.puppet(b).all("message").length).toBe(passed + 40);
    expect(stage.puppet(b).got.at(-1)!.atMs - from).toBeGreaterThan(39 * 87);
  });

  it("wait for a computer that sleeps, and are handled in order when it wakes", () => {
    const stage = new Stage(0);
    const { a, b, atA } = stage.pair();
    stage.world.suspend(b);
    stage.tell(a, ...numbered(20).map((bytes) => ({ kind: "send", link: atA, bytes }) as const));
    stage.run(5000);
    expect(stage.puppet(b).all("message")).toEqual([]);
    stage.world.resume(b);
    expect(numbersOf(stage.puppet(b))).toEqual(numbered(20).map((bytes) => bytes[1]));
  });

  it("take the way between the two, and jitter", () => {
    const stage = new Stage(0);
    const { a, b, atA } = stage.pair();
    const sentAtMs = stage.world.elapsedMs;
    stage.tell(a, { kind: "send", link: atA, bytes: Uint8Array.of(1, 0) });
    stage.run(5000);
    expect(stage.puppet(b).atMs("message")! - sentAtMs).toBeGreaterThan(stage.topology.oneWayMs(a, b));
  });

  it("assert their size", () => {
    const send = (length: number): void => {
      const stage = new Stage(0);
      const { a, atA } = stage.pair();
      stage.tell(a, { kind: "send", link: atA, bytes: new Uint8Array(length) });
    };
    send(limits.linkMessageBytesMax);
    expect(() => send(limits.linkMessageBytesMax + 1)).toThrow(/a message of/);
    expect(() => send(0)).toThrow(/a message of/);
  });
});

describe("closing", () => {
  it("is told once at both ends, after everything sent before, and nothing comes after it", () => {
    const stage = new Stage(0.2);
    const { a, b, atA, atB } = stage.pair();
    const sends = numbered(20).map((bytes) => ({ kind: "send", link: atA, bytes }) as const);
    stage.tell(a, ...sends, { kind: "close", link: atA }, { kind: "send", link: atA, bytes: Uint8Array.of(9, 9) });
    stage.tell(b, { kind: "send", link: atB, bytes: Uint8Array.of(1, 1) });
    stage.run(60_000);
    expect(stage.puppet(a).all("link-closed")).toMatchObject([{ link: atA, reason: "local" }]);
    expect(stage.puppet(b).all("link-closed")).toMatchObject([{ link: atB, reason: "remote" }]);
    expect(numbersOf(stage.puppet(b))).toEqual(sends.map(({ bytes }) => bytes[1]));
    expect(stage.puppet(b).got.at(-1)?.input.kind).toBe("link-closed");
    expect(stage.puppet(a).all("message")).toEqual([]);
    expect(stage.misuses).toEqual([]);
  });

  it("a machine that uses a link after it was told is reported", () => {
    const stage = new Stage(0);
    const { a, atA } = stage.pair();
    stage.tell(a, { kind: "close", link: atA });
    stage.run(1000);
    stage.tell(a, { kind: "send", link: atA, bytes: Uint8Array.of(1) }, { kind: "close", link: atA });
    expect(stage.misuses).toEqual(["send on a closed link", "close of a closed link"]);
  });

  it("by a crash shows on the stream at once and on WebRTC when consent expires; a power cut shows on no stream", () => {
    for (const [ending, kinds] of [
      ["crash", ["stream", "webrtc"]],
      ["power-cut", ["webrtc"]],
      ["leave", ["stream", "webrtc"]],
    ] as const) {
      const stage = new Stage(0);
      const { a, b } = stage.pair();
      stage.upgrade(a, b);
      stage.network.end(b, ending);
      stage.run(1000);
      const soon = stage.puppet(a).all("link-closed").length;
      expect(soon).toBe({ crash: 1, "power-cut": 0, leave: 2 }[ending]);
      stage.run(60_000);
      expect(stage.puppet(a).all("link-closed").length).toBe(kinds.length);
    }
  });
});

describe("a partition", () => {
  it("drops datagrams, holds streams back and delivers them when it heals", () => {
    const stage = new Stage(0);
    const { a, b, atA } = stage.pair();
    const rtc = stage.upgrade(a, b);
    stage.network.partition([a]);
    stage.tell(a, { kind: "send", link: rtc.atA, bytes: Uint8Array.of(2, 1) });
    stage.tell(a, ...numbered(5).map((bytes) => ({ kind: "send", link: atA, bytes }) as const));
    stage.run(5000);
    expect(stage.puppet(b).all("message")).toEqual([]);
    stage.network.heal();
    stage.run(5000);
    expect(numbersOf(stage.puppet(b))).toEqual([0, 1, 2, 3, 4]);
  });

  it("keeps the newest of too many messages, and a close behind them", () => {
    const stage = new Stage(0);
    const { a, b, atA } = stage.pair();
    stage.network.partition([b]);
    const sends = numbered(limits.linkQueueMessagesMax + 10).map(
      (bytes) => ({ kind: "send", link: atA, bytes }) as const,
    );
    stage.tell(a, ...sends, { kind: "close", link: atA });
    stage.run(5000);
    stage.network.heal();
    stage.run(5000);
    expect(numbersOf(stage.puppet(b))).toEqual(sends.slice(10).map(({ bytes }) => bytes[1]));
    expect(stage.puppet(b).got.at(-1)?.input).toMatchObject({ kind: "link-closed", reason: "remote" });
  });

  it("fails dials across it, and only those", () => {
    const stage = new Stage(0);
    const [a, b, c] = [stage.add(false), stage.add(true), stage.add(true)];
    stage.network.partition([a, c]);
    const across = stage.dial(a, b);
    const within = stage.dial(a, c);
    stage.run(10_000);
    expect(stage.puppet(a).all("dial-failed")).toMatchObject([{ dial: across }]);
    expect(stage.puppet(a).all("link-opened")).toMatchObject([{ dial: within }]);
  });
});
