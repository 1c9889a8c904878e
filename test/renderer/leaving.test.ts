import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { joinedEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const invite = "thi1-abc";

/** A window that waits to be let in; `end` settles what it waits for. */
async function entering() {
  const window = new WindowDouble();
  window.app.open(invite);
  let end = { resolve: (): void => undefined, reject: (_error: Error): void => undefined };
  window.engine.gate = new Promise((resolve, reject) => (end = { resolve, reject }));
  const done = window.lobby.enter();
  await window.engine.called("join");
  return { window, done, end };
}

describe("leaving", () => {
  it("before it was joined lets that invite say nothing about the next one", async () => {
    const { window, done, end } = await entering();
    window.lobby.cancel();
    window.app.open(`${invite}2`);
    window.engine.gate = new Promise(() => undefined);
    void window.lobby.enter();
    end.reject(new TeahouseError("stalled", "x"));
    await done;
    expect(window.app.session.phase.get()).toBe("entering");
  });

  it("in the moment of joining opens no room and no microphone", async () => {
    const { window, done, end } = await entering();
    const screens: string[] = [];
    window.app.screen.subscribe(() => screens.push(window.app.screen.get().kind));
    window.lobby.cancel();
    window.engine.emit(joinedEvent("speaker"));
    end.resolve();
    await done;
    expect(screens).toEqual(["start"]);
    expect(window.microphone.isStarted).toBe(false);
  });

  it("without a line to the engine is said when there is one again, and the next room opens", async () => {
    const window = new WindowDouble();
    window.engine.emit(joinedEvent("speaker"));
    window.line.set("restarting");
    window.room.leave();
    // The line is up again, and what still held comes first.
    window.engine.emit(joinedEvent("speaker"));
    expect(window.app.screen.get().kind).toBe("start");
    const goodbyes = (): number => window.engine.calls.filter((call) => call === "leave").length;
    expect(goodbyes()).toBe(1);
    window.line.set("open");
    expect(goodbyes()).toBe(2);
    window.app.open(invite);
    await window.lobby.enter();
    expect(window.app.screen.get().kind).toBe("room");
  });
});
