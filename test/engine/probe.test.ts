import { describe, expect, it } from "vitest";
import type { ProbeStep, ProbeVerdict } from "../../p2p/api/way.ts";
import { verdictOf } from "../../p2p/engine/probe.ts";

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
