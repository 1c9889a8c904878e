import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import type { ProbeStep, ProbeVerdict } from "../../p2p/api/way.ts";
import { verdictShape } from "../../p2p/port/events.ts";
import { adviceOn, doing, type ProbeModel } from "../../renderer/model/start/probe.ts";
import { languages } from "../../renderer/model/settings.ts";
import { errorEvent, joinedEvent, tryOf } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

// The compiler holds both lists to the contract: one that is missing or too many is an error.
const verdicts = Object.keys({
  works: true,
  "udp-blocked": true,
  "dht-only": true,
  frozen: true,
  portal: true,
  "tls-blocked": true,
  strangers: true,
  "relays-refuse": true,
  "proxy-dead": true,
  "lan-only": true,
  offline: true,
} satisfies Record<ProbeVerdict, true>) as ProbeVerdict[];
const failures = Object.keys({
  unreachable: true,
  timeout: true,
  cut: true,
  stranger: true,
  portal: true,
  "wrong key": true,
  "local address": true,
  name: true,
  "special address": true,
  "too soon": true,
  "proxy unreachable": true,
  "proxy refused": true,
  "proxy broken": true,
  "proxy only": true,
  refused: true,
  "no record": true,
  frozen: true,
  other: true,
} satisfies Record<NonNullable<ProbeStep["failure"]>, true>);

const invite = "thi1-abc";

/** A window whose try to join has failed. */
async function turnedAway(): Promise<WindowDouble> {
  const window = new WindowDouble();
  window.app.open(invite);
  window.engine.failure = new TeahouseError("no-network", "not for people");
  await window.lobby.enter();
  window.engine.failure = undefined;
  return window;
}

/** Resolves when looking has ended. */
function ended(probe: ProbeModel): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => void (probe.phase.get()?.kind !== "running" && resolve());
    probe.phase.subscribe(look);
    look();
  });
}

describe("every explanation", () => {
  it.each(languages)("has its sentence and what to do next in %s", (language) => {
    const file = new URL(`../../renderer/ui/locales/${language}.json`, import.meta.url);
    const texts = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    for (const verdict of verdicts) {
      expect(verdictShape(verdict)).toBe(true);
      const next = [true, false].flatMap((isInside) => adviceOn(verdict, isInside));
      const said = [`probe.verdict-${verdict}`, ...next.map((one) => `probe.advice-${one}`)];
      expect(said.length).toBeGreaterThan(2);
      for (const key of said) expect([key, /[.。]$/.test(texts[key] ?? "")]).toEqual([key, true]);
    }
    for (const failure of failures) {
      const key = `probe.failed-${failure}`;
      expect([key, /[.。]$/.test(texts[key] ?? "")]).toEqual([key, true]);
    }
  });
});

describe("why can't I connect", () => {
  it("looks with the invite at hand, and shows each try as it comes, then what it comes to", async () => {
    const { app, engine, lobby } = await turnedAway();
    expect(app.probe.explains(lobby.problem.get())).toBe(true);
    engine.probeSteps = [tryOf("relay", 1, "timeout"), tryOf("relay", 2), tryOf("transfer", 2)];
    engine.verdict = "udp-blocked";
    app.probe.start();
    expect(app.probe.phase.get()).toEqual({ kind: "running" });
    await ended(app.probe);
    expect(engine.probedWith).toBe(invite);
    expect(app.probe.phase.get()).toEqual({ kind: "done", verdict: "udp-blocked" });
    expect(app.probe.steps.get().map(({ rung, what, ok }) => [rung, what, ok])).toEqual([
      ["relay", "192.0.2.1:443", false],
      ["relay", "192.0.2.2:443", true],
      ["transfer", "transfer", true],
    ]);
  });

  it("puts a second try in the place of the first, and says meanwhile that it waits", async () => {
    const { app, engine } = await turnedAway();
    const waits = [tryOf("relay", 1, "too soon"), tryOf("relay", 2, "timeout")];
    expect(doing(waits).key).toBe("probe.now-waiting");
    expect(doing([...waits, tryOf("relay", 3)]).key).toBe("probe.now");
    engine.probeSteps = [...waits, tryOf("relay", 1, "cut")];
    app.probe.start();
    await ended(app.probe);
    expect(app.probe.steps.get().map(({ failure }) => failure)).toEqual(["cut", "timeout"]);
  });

  it("can be stopped, keeps what was found, and is not overtaken by what comes late", async () => {
    const { app, engine } = await turnedAway();
    let finish = (): void => undefined;
    engine.probeGate = new Promise((resolve) => (finish = resolve));
    app.probe.start();
    await engine.called("probe");
    await Promise.resolve();
    app.probe.stop();
    expect(engine.calls.at(-1)).toBe("stopProbe");
    engine.emit({ event: "probe", ...tryOf("relay", 2) });
    app.probe.again();
    engine.emit({ event: "probe", ...tryOf("relay", 3) });
    expect(engine.calls.filter((name) => name === "probe")).toHaveLength(1);
    engine.probeSteps = [tryOf("dht", 0, "no record")];
    engine.verdict = "offline";
    finish();
    await ended(app.probe);
    expect(app.probe.steps.get()).toEqual([tryOf("dht", 0, "no record")]);
    expect(app.probe.phase.get()).toEqual({ kind: "done", verdict: "offline" });
    app.probe.close();
    expect([app.probe.phase.get(), app.probe.steps.get()]).toEqual([undefined, []]);
  });

  it("says what is wrong with the invite, and when somebody went in meanwhile", async () => {
    const { app, engine } = await turnedAway();
    engine.failure = new TeahouseError("invite-expired", "not for people");
    app.probe.start();
    await ended(app.probe);
    expect(app.probe.phase.get()).toEqual({ kind: "failed", problem: { key: "fault.invite-expired" } });
    engine.failure = new TeahouseError("stalled", "not for people");
    app.probe.again();
    await ended(app.probe);
    expect(app.probe.phase.get()).toEqual({ kind: "stopped" });
  });

  it("is of no use where it explains nothing, and without an invite", async () => {
    const { app } = await turnedAway();
    expect(app.probe.explains({ key: "fault.banned" })).toBe(false);
    expect(app.probe.explains(undefined)).toBe(false);
    expect(new WindowDouble().app.probe.explains({ key: "fault.no-network" })).toBe(false);
  });

  it("is at hand in a room that is lost, on the first screen after it, and forgets the invite of a room that was left", async () => {
    const window = new WindowDouble();
    window.app.open(invite);
    await window.lobby.enter();
    window.engine.emit(errorEvent("stalled"));
    const { probe, session } = window.app;
    expect(probe.explains(session.trouble.get())).toBe(true);
    window.engine.emit({ event: "left" });
    expect(window.start.inviteProblem.get()).toEqual({ key: "fault.no-network" });
    expect(probe.explains(window.start.inviteProblem.get())).toBe(true);
    window.start.invite.set(invite);
    window.start.join();
    await window.lobby.enter();
    window.room.leave();
    expect(probe.invite.get()).toBeUndefined();
  });

  it("is at hand in a window that opened late, by the invite of the room", () => {
    const window = new WindowDouble((engine) => {
      engine.emit(joinedEvent("listener"));
      engine.emit({ event: "invite", invite: "thi1-late" });
    });
    window.engine.emit(errorEvent("frozen"));
    expect(window.app.probe.explains(window.app.session.trouble.get())).toBe(true);
    window.app.probe.start();
    expect(window.app.probe.phase.get()).toEqual({ kind: "running" });
  });

  it("takes the place of joining when asked for while it lasts", async () => {
    const window = new WindowDouble();
    window.app.open(invite);
    window.engine.gate = new Promise(() => undefined);
    void window.lobby.enter();
    await window.engine.called("join");
    window.lobby.stopEntering();
    window.app.probe.start();
    await window.engine.called("probe");
    expect(window.engine.calls.slice(-2)).toEqual(["leave", "probe"]);
    expect([window.app.session.phase.get(), window.lobby.purpose.kind]).toEqual(["outside", "join"]);
  });
});
