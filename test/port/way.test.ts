import { describe, expect, it } from "vitest";
import { millis } from "../../p2p/api/ids.ts";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import { requestCall } from "../../p2p/port/commands.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { createPortClient } from "../../p2p/port/client.ts";
import { eventShape } from "../../p2p/port/events.ts";
import { servePort } from "../../p2p/port/server.ts";
import { EngineDouble } from "../doubles/engine-double.ts";

async function bench() {
  const [near, far] = createPortPair();
  const double = new EngineDouble();
  await double.start();
  servePort(far, double, { rights: "window" });
  return { double, client: createPortClient(near) };
}

describe("the way, over a port", () => {
  it("is chosen, and kept for an engine that has to be told again", async () => {
    const { double, client } = await bench();
    expect(client.way).toBeUndefined();
    const choice = { rung: "auto", proxy: "socks5://127.0.0.1:9050", proxyUse: "fallback" } as const;
    await client.chooseWay(choice);
    expect(double.way).toEqual(choice);
    expect(client.way).toEqual(choice);
  });

  it("a probe answers with what it came to, after its steps", async () => {
    const { double, client } = await bench();
    double.verdict = "udp-blocked";
    const events: EngineEvent[] = [];
    client.subscribe((event) => void events.push(event));
    expect(await client.probe("thi1-x")).toBe("udp-blocked");
    expect(events.filter(({ event }) => event === "probe")).toHaveLength(1);
  });

  it.each([
    [],
    [{}],
    [{ rung: "udp" }],
    [{ rung: "auto", proxy: 7 }],
    [{ rung: "auto", proxyUse: "sometimes" }],
    [{ rung: "auto", more: 1 }],
    [{ rung: "auto", proxy: "x".repeat(20_000) }],
    [{ rung: "auto" }, 1],
  ])("what does not fit is no choice: %j", (...given) => {
    expect(requestCall(new EngineDouble(), "chooseWay", given)).toBeUndefined();
  });

  it("an event tells the way in use, and nothing but counts of what failed", () => {
    const chosen = { rung: "auto", proxy: "none" };
    const way = { event: "way", rung: "wss", chosen, since: millis(1), failures: { webrtc: { timeout: 2 } } };
    expect(eventShape(way)).toBe(true);
    expect(eventShape({ ...way, rung: null, failures: {} })).toBe(true);
    expect(eventShape({ ...way, rung: "udp" })).toBe(false);
    expect(eventShape({ ...way, chosen: { rung: "auto", proxy: "socks5://192.0.2.1:1080" } })).toBe(false);
    expect(eventShape({ ...way, failures: { webrtc: { timeout: "192.0.2.1" } } })).toBe(false);
  });
});
