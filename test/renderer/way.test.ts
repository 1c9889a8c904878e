import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import type { Rung, Way, WayChoice } from "../../p2p/api/way.ts";
import { parseProxy } from "../../p2p/io/proxy/url.ts";
import { failedSentence, type WayModel, type WayPick } from "../../renderer/model/start/way.ts";
import { joinedEvent, wayEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const wayOf = (rung: Rung | null, rest: Partial<Omit<Way, "rung">> = {}): Way => {
  const { event: _, ...way } = wayEvent(rung, rest) as Extract<ReturnType<typeof wayEvent>, { event: "way" }>;
  return way;
};
const fallback = { rung: "auto", proxy: "fallback" } as const;

/** Chooses, as a person would. */
async function choose(way: WayModel, pick: WayPick, change: (way: WayModel) => void = () => undefined): Promise<void> {
  way.open();
  way.pick.set(pick);
  change(way);
  await way.apply();
}

describe("the way in use", () => {
  it("names what carries sound, and keeps in mind what carries the rest", () => {
    const { app, engine } = new WindowDouble();
    expect([app.way.way.get(), app.way.control.get()]).toEqual([undefined, undefined]);
    engine.emit(wayEvent(null));
    expect(app.way.control.get()).toBeUndefined();
    engine.emit(wayEvent("lan"));
    engine.emit(wayEvent("webrtc"));
    expect([app.way.way.get()?.rung, app.way.control.get()]).toEqual(["webrtc", "lan"]);
  });

  it("is known to a window that opens late, its choice too, and its control by what UDP goes beside", () => {
    const chosen = { rung: "webrtc", proxy: "none" } as const;
    const { app } = new WindowDouble((engine) => engine.emit(wayEvent("webrtc", { chosen })));
    expect([app.way.control.get(), app.way.inUse.get()]).toEqual(["wss", "udp"]);
    const proxied = new WindowDouble((engine) => engine.emit(wayEvent("proxy", { chosen: fallback })));
    proxied.app.way.open();
    expect([proxied.app.way.pick.get(), proxied.app.way.proxyUse.get()]).toEqual(["proxy", "fallback"]);
  });

  it.each<[string | undefined, Way]>([
    [undefined, wayOf("wss")],
    [undefined, wayOf(null, { failures: { wss: { timeout: 3 } } })],
    [undefined, wayOf("wss", { failures: { wss: { "too soon": 3, "local address": 1, name: 1, other: 1 } } })],
    ["way.failed-some", wayOf("wss", { failures: { wss: { cut: 1 } } })],
    ["way.failed-udp", wayOf("wss", { failures: { wss: { cut: 1 }, webrtc: { timeout: 1 } } })],
    [undefined, wayOf("webrtc", { failures: { webrtc: { timeout: 1 } } })],
    ["way.failed-straight", wayOf("proxy", { chosen: fallback, failures: { wss: { timeout: 1 } } })],
    [undefined, wayOf("proxy", { chosen: { rung: "proxy", proxy: "always" }, failures: { wss: { timeout: 1 } } })],
    ["way.failed-proxy", wayOf("wss", { chosen: fallback, failures: { proxy: { "proxy refused": 1 } } })],
  ])("says in one line what was tried and failed: %s", (key, way) => {
    expect(failedSentence(way)?.key).toBe(key);
  });
});

describe("choosing a way", () => {
  it("leaves nothing behind when everything is wiped before the engine answered", async () => {
    const { app, engine } = new WindowDouble();
    let answer: () => void = () => undefined;
    engine.gate = new Promise<void>((resolve) => (answer = resolve));
    const chosen = choose(app.way, "proxy", (way) => way.setAddress("socks5://127.0.0.1:9050"));
    app.panic();
    expect([app.way.isChanging.get(), app.way.inUse.get()]).toEqual([false, "auto"]);
    answer();
    await chosen;
    expect([app.way.isChanging.get(), app.way.inUse.get(), app.way.problem.get()]).toEqual([false, "auto", undefined]);
  });

  it.each<[WayPick, WayChoice]>([
    ["auto", { rung: "auto" }],
    ["web", { rung: "wss" }],
    ["udp", { rung: "webrtc" }],
  ])("%s", async (pick, choice) => {
    const { app, engine } = new WindowDouble();
    await choose(app.way, pick);
    expect([engine.way, app.way.inUse.get(), app.way.isOpen.get()]).toEqual([choice, pick, false]);
  });

  it("a proxy, always or when nothing else works", async () => {
    const { app, engine } = new WindowDouble();
    await choose(app.way, "proxy", (way) => way.setAddress(" socks5://127.0.0.1:9050 "));
    expect(engine.way).toEqual({ rung: "proxy", proxy: "socks5://127.0.0.1:9050", proxyUse: "always" });
    await choose(app.way, "proxy", (way) => way.proxyUse.set("fallback"));
    expect(engine.way).toEqual({ rung: "auto", proxy: "socks5://127.0.0.1:9050", proxyUse: "fallback" });
    await choose(app.way, "auto");
    expect([engine.way, app.way.inUse.get()]).toEqual([{ rung: "auto" }, "auto"]);
  });

  it.each([
    ["http://me:p%40ss:w%3Aord@proxy.example:8080", "http://proxy.example:8080", "me", "p@ss:w:ord"],
    ["me:secret@127.0.0.1:1080", "127.0.0.1:1080", "me", "secret"],
    ["socks5://a%zz:b@host:1", "socks5://host:1", "a%zz", "b"],
    ["socks5://host:1080", "socks5://host:1080", "", ""],
  ])("takes name and password out of %s, so that they are not shown", (text, address, user, password) => {
    const { app } = new WindowDouble();
    app.way.setAddress(text);
    expect([app.way.address.get(), app.way.user.get(), app.way.password.get()]).toEqual([address, user, password]);
  });

  it("gives the engine an address that it reads as it was meant, whatever the password holds", async () => {
    const { app, engine } = new WindowDouble();
    await choose(app.way, "proxy", (way) => {
      way.setAddress("socks5://[2001:db8::1]:1080");
      way.user.set("me");
      way.password.set("@:/%?# ü");
    });
    expect(parseProxy(engine.way?.proxy ?? "")).toEqual({
      kind: "socks5",
      host: "2001:db8::1",
      port: 1080,
      credentials: { user: "me", password: "@:/%?# ü" },
    });
  });

  it("says what is wrong in a sentence of the window's, and changes nothing", async () => {
    const { app, engine } = new WindowDouble();
    await choose(app.way, "proxy");
    expect([app.way.problem.get(), engine.calls]).toEqual([{ key: "fault.proxy-missing" }, []]);
    engine.failure = new TeahouseError("proxy-damaged", "in English");
    await choose(app.way, "proxy", (way) => way.setAddress("gopher://x"));
    expect([app.way.problem.get(), app.way.inUse.get(), app.way.isOpen.get()]).toEqual([
      { key: "fault.proxy-damaged" },
      "auto",
      true,
    ]);
    app.way.open();
    expect([app.way.problem.get(), app.way.pick.get()]).toEqual([undefined, "auto"]);
  });

  it("leaves a proxy alone whose address this window was never told", async () => {
    const { app, engine } = new WindowDouble((before) => before.emit(wayEvent("proxy", { chosen: fallback })));
    app.way.open();
    await app.way.apply();
    expect([engine.calls, app.way.isOpen.get()]).toEqual([[], false]);
    await choose(app.way, "proxy", (way) => way.proxyUse.set("always"));
    expect(app.way.problem.get()?.key).toBe("fault.proxy-missing");
  });
});

describe("a window out of sight", () => {
  it("is muted, unmutes for nothing, and stays muted when it is back", async () => {
    const window = new WindowDouble();
    window.engine.emit(joinedEvent("speaker"));
    await Promise.resolve();
    window.room.toggleMuted();
    expect(window.microphone.live).toBe(true);
    window.app.voice.setHidden(true);
    expect([window.microphone.live, window.app.voice.state.get()]).toEqual([false, "muted"]);
    window.room.toggleMuted();
    window.room.holdToTalk(true);
    expect([window.microphone.live, window.app.voice.state.get()]).toEqual([false, "muted"]);
    window.app.voice.setHidden(false);
    expect(window.microphone.live).toBe(false);
    window.room.toggleMuted();
    expect(window.microphone.live).toBe(true);
  });

  it("lets go of the key that was held, and is not heard when the stage comes back after the engine broke", () => {
    const window = new WindowDouble();
    window.engine.emit(joinedEvent("speaker"));
    window.room.holdToTalk(true);
    window.app.voice.setHidden(true);
    expect([window.microphone.live, window.app.voice.state.get()]).toEqual([false, "muted"]);
    window.app.voice.setHidden(false);
    window.room.toggleMuted();
    window.engine.emit({ event: "step", step: "asking-relays" });
    window.engine.emit(joinedEvent("listener"));
    window.app.voice.setHidden(true);
    window.engine.emit({ event: "role", role: "speaker", by: "" });
    expect([window.microphone.live, window.app.voice.state.get()]).toEqual([false, "muted"]);
  });
});
