import { describe, expect, it } from "vitest";
import type { Link, RelayAddress } from "../../p2p/api/link.ts";
import type { ProbeStep, ProbeVerdict } from "../../p2p/api/way.ts";
import type { Links, Presence } from "../../p2p/engine/ports.ts";
import { probe, verdictOf } from "../../p2p/engine/probe.ts";
import type { Invite } from "../../p2p/core/room/invite/invite.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { RouteError } from "../../p2p/io/routes/failure.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";

type Failure = NonNullable<ProbeStep["failure"]>;

const step = (rung: ProbeStep["rung"], failure?: Failure): ProbeStep => ({
  rung,
  relay: 1,
  what: "x",
  ok: failure === undefined,
  ...(failure === undefined ? {} : { failure }),
});
const relays = (...failures: readonly Failure[]): ProbeStep[] => failures.map((failure) => step("relay", failure));
const noRecord = step("dht", "no record");

describe("what a probe comes to", () => {
  it.each<[ProbeVerdict, ProbeStep[]]>([
    ["works", [step("relay"), step("transfer"), step("webrtc")]],
    ["works", [step("relay", "timeout"), step("relay"), step("transfer"), step("webrtc", "refused"), noRecord]],
    ["works", [step("relay"), step("transfer")]],
    ["udp-blocked", [step("relay"), step("transfer"), step("webrtc", "timeout")]],
    ["frozen", [step("relay"), step("transfer", "frozen"), step("relay", "timeout")]],
    ["works", [step("relay"), step("transfer", "frozen"), step("relay"), step("transfer"), step("webrtc")]],
    ["dht-only", [...relays("timeout", "stranger"), step("dht")]],
    ["offline", [...relays("unreachable", "timeout"), noRecord]],
    ["offline", [noRecord]],
    ["tls-blocked", [...relays("cut", "timeout", "cut"), noRecord]],
    ["portal", [...relays("cut", "portal"), noRecord]],
    ["strangers", [...relays("unreachable", "stranger", "wrong key"), noRecord]],
    ["relays-refuse", relays("refused", "timeout")],
    ["lan-only", relays("local address", "name", "special address")],
    ["offline", relays("local address", "timeout")],
  ])("is %s", (verdict, steps) => {
    expect(verdictOf(steps, false)).toBe(verdict);
  });

  it("is the proxy's fault when it is", () => {
    expect(verdictOf(relays("proxy unreachable", "proxy unreachable"), true)).toBe("proxy-dead");
    expect(verdictOf(relays("proxy refused"), true)).toBe("proxy-dead");
    expect(verdictOf(relays("unreachable"), true)).toBe("offline");
    expect(verdictOf([step("relay"), step("transfer")], true)).toBe("works");
  });
});

const relay = (key: number, ...addresses: readonly number[]): RelayAddress => ({
  key: new Uint8Array(32).fill(key),
  token: new Uint8Array(16),
  addresses: addresses.map((address) => Uint8Array.of(address)),
});

/** What stands at each address: a link, or why there is none. */
type Answer = (signal: AbortSignal) => Promise<Link>;

function walk(answers: Readonly<Record<number, readonly Answer[]>>, ...hints: readonly RelayAddress[]) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const steps: ProbeStep[] = [];
  const dials: number[] = [];
  const dial: Links["dial"] = ({ addresses: [address = Uint8Array.of()] }, signal) => {
    const [place = 0] = address;
    dials.push(place);
    const answer = answers[place]?.[dials.filter((each) => each === place).length - 1];
    return answer?.(signal) ?? Promise.reject(new Error("unreachable"));
  };
  const links = { dial } as Links;
  const presence = { links, discovery: undefined } as Presence;
  const invite = { hints } as unknown as Invite;
  const ground = { presence, crypto: createCrypto(), clock };
  const verdict = probe(ground, invite, (one) => void steps.push(one), stop.signal);
  return { clock, stop, steps, dials, verdict };
}

const says =
  (message: string): Answer =>
  () =>
    Promise.reject(new Error(message));
const tooSoon =
  (afterMs: number): Answer =>
  () =>
    Promise.reject(new RouteError("too soon", afterMs));
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

describe("a probe right after a join that failed", () => {
  it("waits until relays may be dialed again, and then tells what is wrong with them", async () => {
    const { clock, steps, dials, verdict } = walk(
      { 1: [tooSoon(40_000), says("cut")], 2: [says("timeout")], 3: [tooSoon(20_000), says("cut")] },
      relay(1, 1, 2),
      relay(2, 3),
    );
    await turns();
    expect(dials).toEqual([1, 2, 3]);
    clock.advance(39_999);
    await turns();
    expect(dials).toEqual([1, 2, 3]);
    clock.advance(1);
    expect(await verdict).toBe("tls-blocked");
    expect(dials).toEqual([1, 2, 3, 1, 3]);
    expect(steps.map(({ relay: number, failure }) => [number, failure])).toEqual([
      [1, "too soon"],
      [1, "timeout"],
      [2, "too soon"],
      [1, "cut"],
      [2, "cut"],
    ]);
    expect(clock.waiting).toBe(0);
  });

  it("does not wait when another relay answers, and never longer than the budget looks back", async () => {
    const link = { close: () => undefined } as Link;
    const some = walk({ 1: [tooSoon(40_000)], 2: [() => Promise.resolve(link)] }, relay(1, 1), relay(2, 2));
    expect(await some.verdict).toBe("works");
    const none = walk({ 1: [tooSoon(3_600_000), says("unreachable")] }, relay(1, 1));
    await turns();
    none.clock.advance(61_000);
    expect(await none.verdict).toBe("offline");
  });
});

describe("a probe that is stopped", () => {
  it("ends the dial under way, begins no other, and says nothing more", async () => {
    const hangs: Answer = (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    const { clock, stop, steps, dials, verdict } = walk({ 1: [hangs] }, relay(1, 1, 2), relay(2, 3));
    await turns();
    stop.abort();
    expect(await verdict).toBeUndefined();
    expect([dials, steps, clock.waiting]).toEqual([[1], [], 0]);
  });

  it("does not wait for the budget", async () => {
    const { clock, stop, dials, verdict } = walk({ 1: [tooSoon(40_000)] }, relay(1, 1));
    await turns();
    stop.abort();
    expect(await verdict).toBeUndefined();
    expect([dials, clock.waiting]).toEqual([[1], 0]);
  });
});
