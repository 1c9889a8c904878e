import { describe, expect, it } from "vitest";
import { joinedEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

/** A window that opens while the engine is in a room already, as after a reload. */
function reloaded(kept: string | null | undefined): WindowDouble {
  const window = new WindowDouble(undefined, kept ?? null);
  window.engine.emit(joinedEvent("speaker"));
  window.engine.emit({ event: "role", role: "speaker", by: "host" });
  return window;
}

describe("a window that was loaded anew", () => {
  it("wears the mask that the one before wore, before anybody can be heard", () => {
    const first = reloaded('{"masked":false}');
    first.room.voice.setMasked(true);
    const second = reloaded(first.keepsake.kept);
    expect(second.room.voice.masked.get()).toBe(true);
    expect(second.microphone.masked).toBe(true);
    expect(second.microphone.live).toBe(false);
  });

  it("wears none when the one before had taken it off", () => {
    const first = reloaded('{"masked":true}');
    first.room.voice.setMasked(false);
    expect(reloaded(first.keepsake.kept).microphone.masked).toBe(false);
  });

  it("wears one when nobody can tell, or what was left cannot be read: a mask never falls off in silence", () => {
    for (const kept of [null, "", "{", "null", "[]", '{"masked":"no"}'])
      expect([kept, reloaded(kept).microphone.masked]).toEqual([kept, true]);
  });

  it("wears none when nothing was left and it enters a room itself", async () => {
    const window = new WindowDouble(undefined, null);
    await window.app.session.enter(() => Promise.resolve());
    expect(window.app.voice.masked.get()).toBe(false);
  });

  it("goes on saving data", () => {
    const first = reloaded('{"masked":false}');
    first.room.voice.setLowData(true);
    expect(first.engine.layer).toBe("low");
    const second = reloaded(first.keepsake.kept);
    expect([second.room.voice.lowData.get(), second.microphone.masked]).toEqual([true, false]);
    second.room.voice.setLowData(false);
    expect(second.engine.layer).toBe("normal");
  });
});
