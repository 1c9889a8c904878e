import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { LendModel } from "../../renderer/model/lend.ts";
import { Scope } from "../../renderer/model/scope.ts";
import { factsOf, stageEvent, textEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const lending = { event: "lending", paused: null, children: 2, childrenMax: 6, kbps: 130, kbpsMax: 1024 } as const;

/** A window whose clock is so many minutes behind UTC. */
function lendAt(offsetMinutes: number): { readonly window: WindowDouble; readonly lend: LendModel } {
  const window = new WindowDouble();
  return {
    window,
    lend: new LendModel(
      window.app.session,
      () => () => undefined,
      new Scope(),
      () => offsetMinutes,
    ),
  };
}

describe("helping to carry a room", () => {
  it("lends within modest limits at first, and not where it may cost or run out", async () => {
    const { app, engine } = new WindowDouble();
    await app.lend.turn(true);
    expect(engine.lent).toEqual({ maxChildren: 6, maxKbps: 1024, notOnBattery: true, notOnMetered: true });
    expect(app.lend.isOn.get()).toBe(true);
    await app.lend.turn(false);
    expect([engine.lent, app.lend.isOn.get()]).toEqual([null, false]);
  });

  it("puts another limit in force at once, and only while it lends", async () => {
    const { app, engine } = new WindowDouble();
    await app.lend.limit(app.lend.maxChildren, 12);
    expect(engine.lent).toBeUndefined();
    await app.lend.turn(true);
    await app.lend.limit(app.lend.maxKbps, 0);
    expect(engine.lent).toEqual({ maxChildren: 12, notOnBattery: true, notOnMetered: true });
  });

  it.each([
    [0, { fromMinute: 1320, toMinute: 60 }],
    [-480, { fromMinute: 840, toMinute: 1020 }],
    [300, { fromMinute: 180, toMinute: 360 }],
  ])("tells hours of the local day as UTC, %d minutes away", async (offset, hours) => {
    const { lend, window } = lendAt(offset);
    lend.fromMinute.set(1320);
    lend.toMinute.set(60);
    await lend.turn(true);
    expect(window.engine.lent).toMatchObject({ hours });
  });

  it("says why it cannot, and stays off", async () => {
    const { app, engine } = new WindowDouble();
    engine.failure = new TeahouseError("proxy-hides", "x");
    await app.lend.turn(true);
    expect([app.lend.isOn.get(), app.lend.problem.get()?.key]).toEqual([false, "fault.proxy-hides"]);
  });

  it("is found on by a window that opens late, and follows the engine", () => {
    const { app, engine } = new WindowDouble((double) => double.emit({ ...lending, on: true }));
    expect(app.lend.isOn.get()).toBe(true);
    engine.emit({ ...lending, on: false });
    expect(app.lend.isOn.get()).toBe(false);
  });

  it("is asked for when the room runs short, once, and not of who carries already", async () => {
    const window = new WindowDouble();
    window.app.open("thi1-abc");
    await window.lobby.enter();
    const { app, engine } = window;
    const short = { event: "short", short: true, free: 1, listeners: 90 } as const;
    engine.emit(short);
    expect(app.lend.isAsked.get()).toBe(true);
    engine.emit({ ...short, short: false });
    expect(app.lend.isAsked.get()).toBe(false);
    engine.emit(short);
    await app.lend.turn(true);
    expect(app.lend.isAsked.get()).toBe(false);
    await app.lend.turn(false);
    app.lend.decline();
    engine.emit({ ...short, short: false });
    engine.emit(short);
    expect(app.lend.isAsked.get()).toBe(false);
    window.room.leave();
    app.open("thi1-abc");
    await window.lobby.enter();
    engine.emit(short);
    expect(app.lend.isAsked.get()).toBe(true);
  });

  it("hears how the computer is fed", () => {
    const window = new WindowDouble();
    window.tellPower({ onBattery: true, metered: false });
    expect(window.engine.powers).toEqual([{ onBattery: true, metered: false }]);
  });
});

describe("wiping everything", () => {
  it("shuts the microphone, empties the window and tells the engine, before it returns and without a question", async () => {
    const window = new WindowDouble();
    window.start.invite.set("thi1-abc");
    window.start.join();
    window.lobby.name.set("Mei");
    await window.lobby.enter();
    window.engine.emit({ event: "role", role: "speaker", by: "" });
    window.room.toggleMuted();
    window.engine.emit(stageEvent("Secret title", []));
    window.engine.emit(textEvent(1, "A", "secret words"));
    window.engine.emit({ event: "room-state", ...factsOf({ title: "Secret title" }) });
    window.app.way.setAddress("socks5://mei:secret@127.0.0.1:9050");
    const { app } = window;
    app.panic();
    expect(window.engine.calls.at(-1)).toBe("wipe");
    expect([window.microphone.live, window.microphone.isStarted, window.speakers.isStarted]).toEqual([
      false,
      false,
      false,
    ]);
    expect([window.start.invite.get(), app.settings.name.get(), app.probe.invite.get()]).toEqual(["", "", undefined]);
    const { session } = app;
    expect([session.texts.get(), session.stage.get().title, session.facts.get()]).toEqual([[], "", undefined]);
    expect([app.way.address.get(), app.way.user.get(), app.way.password.get()]).toEqual(["", "", ""]);
    expect([session.sharing.get(), window.wipedAround, window.timers.waiting]).toEqual([{ invites: {} }, 1, 0]);
  });

  it("works from every screen, also while entering, and the next room can be entered", async () => {
    const window = new WindowDouble();
    window.app.panic();
    expect(window.app.screen.get().kind).toBe("start");
    window.app.open("thi1-abc");
    window.engine.gate = new Promise(() => undefined);
    void window.lobby.enter();
    window.app.panic();
    expect(window.start.invite.get()).toBe("");
    window.engine.gate = Promise.resolve();
    window.app.open("thi1-abc");
    await window.lobby.enter();
    expect(window.app.screen.get().kind).toBe("room");
  });
});
