import { describe, expect, it } from "vitest";
import { joinedEvent } from "./scenes.ts";
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
