import { describe, expect, it } from "vitest";
import { errorEvent, joinedEvent, placeEvent, stepEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

/** Somebody on stage, heard by the room. */
function speaking(): WindowDouble {
  const window = new WindowDouble();
  window.engine.emit(joinedEvent("listener"));
  window.engine.emit({ event: "role", role: "speaker", by: "host" });
  window.room.toggleMuted();
  expect(window.microphone.live).toBe(true);
  return window;
}

describe("an engine that broke and came back", () => {
  it("leaves who was heard to be heard once the stage is given again", () => {
    const window = speaking();
    window.engine.emit(joinedEvent("listener"));
    expect(window.microphone.live).toBe(false);
    window.timers.pass(9000);
    window.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(window.microphone.live).toBe(true);
    expect(window.room.voice.state.get()).toBe("live");
  });

  it("opens no microphone that was muted", () => {
    const window = speaking();
    window.room.toggleMuted();
    window.engine.emit(joinedEvent("listener"));
    window.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(window.room.voice.state.get()).toBe("muted");
  });

  it("opens none for who came back on stage, and was taken off and put back by the host later", () => {
    const window = speaking();
    window.engine.emit(joinedEvent("speaker"));
    expect(window.microphone.live).toBe(true);
    window.timers.pass(60_000);
    const said: unknown[] = [];
    window.room.announcement.subscribe(() => said.push(window.room.announcement.get()?.key));
    window.engine.emit({ event: "role", role: "listener", by: "host" });
    window.timers.pass(2000);
    window.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(window.room.voice.state.get()).toBe("muted");
    expect(said).toContain("announce.off-stage");
  });

  it("does not call itself connected meanwhile", () => {
    const window = speaking();
    window.engine.emit(placeEvent(2, { kind: "webrtc", feeds: true }));
    expect(window.room.connection.get().mood).toBe("good");
    window.engine.emit(stepEvent("asking-relays"));
    expect(window.room.connection.get()).toMatchObject({ mood: "bad", sentence: { key: "link.restarting" } });
    window.engine.emit(stepEvent("joined"));
    window.engine.emit(joinedEvent("listener"));
    expect(window.room.connection.get().mood).toBe("good");
  });

  it("says why, on the first screen, when there is no way back", () => {
    const window = speaking();
    window.engine.emit(errorEvent("stalled"));
    window.engine.emit(stepEvent("asking-relays"));
    window.engine.emit(errorEvent("room-not-found"));
    window.engine.emit({ event: "left" });
    expect(window.start.inviteProblem.get()).toEqual({ key: "fault.room-not-found" });

    const leaving = speaking();
    leaving.engine.emit(errorEvent("stalled"));
    leaving.room.leave();
    expect(leaving.start.inviteProblem.get()).toBeUndefined();
  });

  it("opens none when the stage comes much later, or was taken by the host in between", () => {
    const late = speaking();
    late.engine.emit(joinedEvent("listener"));
    late.timers.pass(11_000);
    late.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(late.room.voice.state.get()).toBe("muted");

    const removed = speaking();
    removed.engine.emit({ event: "role", role: "listener", by: "host" });
    removed.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(removed.room.voice.state.get()).toBe("muted");
  });
});
