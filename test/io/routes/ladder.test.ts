import { describe, expect, it } from "vitest";
import type { Proxy } from "../../../p2p/api/socket.ts";
import { Ladder, networkFingerprint } from "../../../p2p/io/routes/ladder.ts";
import type { LadderChoice } from "../../../p2p/io/routes/ladder.ts";

const proxy: Proxy = { kind: "socks5", host: "127.0.0.1", port: 9050 };
const minuteMs = 60_000;

function bench(choice: Partial<LadderChoice> = {}) {
  const world = { at: 0, name: "home", now: () => world.at, network: () => world.name };
  const ladder = new Ladder(world, { rung: "auto", proxy: undefined, proxyUse: "always", ...choice });
  return { ladder, world };
}

describe("the ladder", () => {
  it("goes straight by itself, and asks for data channels", () => {
    const { ladder } = bench();
    expect(ladder.ways()).toEqual([undefined]);
    expect(ladder.mayUpgrade()).toBe(true);
  });

  it("with a proxy nothing goes beside it, no UDP either", () => {
    for (const choice of [{ proxy }, { proxy, rung: "proxy" as const, proxyUse: "fallback" as const }]) {
      const { ladder } = bench(choice);
      expect(ladder.proxied).toBe(true);
      expect(ladder.ways()).toEqual([proxy]);
      expect([ladder.allowsUdp, ladder.mayUpgrade()]).toEqual([false, false]);
    }
    // No way at all is better than one that shows what was to be hidden.
    expect(bench({ rung: "proxy" }).ladder.ways()).toEqual([]);
  });

  it("a proxy for when nothing else works comes second, and first once it was what worked in this network", () => {
    const { ladder, world } = bench({ proxy, proxyUse: "fallback" });
    expect(ladder.ways()).toEqual([undefined, proxy]);
    ladder.opened(proxy);
    expect(ladder.ways()).toEqual([proxy, undefined]);
    expect(ladder.mayUpgrade()).toBe(false);
    world.name = "café";
    expect(ladder.ways()).toEqual([undefined, proxy]);
    world.name = "home";
    expect(ladder.ways()).toEqual([proxy, undefined]);
    // The better way gets another chance, however often the proxy worked meanwhile.
    world.at += 9 * minuteMs;
    ladder.opened(proxy);
    world.at += 2 * minuteMs;
    expect(ladder.ways()).toEqual([undefined, proxy]);
    ladder.opened(proxy);
    ladder.opened(undefined);
    expect(ladder.ways()).toEqual([undefined, proxy]);
  });

  it("a data channel that failed is left alone in this network for some minutes, unless it is all that is wanted", () => {
    const { ladder, world } = bench();
    ladder.upgraded(false);
    expect(ladder.mayUpgrade()).toBe(false);
    expect(ladder.allowsUdp).toBe(true);
    world.name = "café";
    expect(ladder.mayUpgrade()).toBe(true);
    world.name = "home";
    world.at += 4 * minuteMs;
    expect(ladder.mayUpgrade()).toBe(false);
    world.at += minuteMs;
    expect(ladder.mayUpgrade()).toBe(true);
    ladder.upgraded(false);
    ladder.upgraded(true);
    expect(ladder.mayUpgrade()).toBe(true);
    const forced = bench({ rung: "webrtc" }).ladder;
    forced.upgraded(false);
    expect(forced.mayUpgrade()).toBe(true);
  });

  it("obeys at once", () => {
    const { ladder } = bench({ proxy, proxyUse: "fallback" });
    ladder.opened(proxy);
    ladder.choose({ rung: "wss", proxy, proxyUse: "fallback" });
    expect([ladder.ways(), ladder.allowsUdp]).toEqual([[undefined], false]);
    ladder.choose({ rung: "auto", proxy: undefined, proxyUse: "always" });
    expect([ladder.ways(), ladder.mayUpgrade()]).toEqual([[undefined], true]);
  });

  it("names the network without telling it", () => {
    expect(networkFingerprint()).toMatch(/^[\w+/]{43}=$/);
    expect(networkFingerprint()).toBe(networkFingerprint());
  });
});
