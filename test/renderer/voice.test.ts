import { describe, expect, it } from "vitest";
import { errorEvent, joinedEvent, personOf, placeEvent, stageEvent, voiceOf } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

/** Somebody on stage, muted. */
function onStage(): WindowDouble {
  const window = new WindowDouble();
  window.engine.emit(joinedEvent("listener"));
  window.engine.emit({ event: "role", role: "speaker", by: "host" });
  return window;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const stateOf = (window: WindowDouble): string => window.room.voice.state.get();
const back = placeEvent(2, { kind: "webrtc", feeds: true });

describe("a computer that sleeps", () => {
  /** Sleeps, and wakes with everything where it was: by the wall clock alone, or by both. */
  const sleep = (window: WindowDouble, ms: number): void => {
    window.sleptMs += ms;
  };

  it.each(["live", "held", "hushed", "paused"])("wakes muted when the microphone was %s, and says why", (state) => {
    const window = onStage();
    const said: (string | undefined)[] = [];
    window.room.announcement.subscribe(() => said.push(window.room.announcement.get()?.key));
    if (state !== "held") window.room.toggleMuted();
    if (state === "held" || state === "hushed") window.room.holdToTalk(true);
    if (state === "paused") window.engine.emit(errorEvent("stalled"));
    expect(stateOf(window)).toBe(state);
    sleep(window, 3_600_000);
    // The engine is back at once, and gives the voice back to who was stopped for a moment; not to who slept.
    window.timers.pass(1000);
    window.engine.emit(back);
    expect([stateOf(window), window.microphone.live, window.room.voice.slept.get()]).toEqual(["muted", false, true]);
    window.timers.pass(60_000);
    expect([stateOf(window), said.includes("announce.slept")]).toEqual(["muted", true]);
    window.room.holdToTalk(true);
    expect([window.microphone.live, window.room.voice.slept.get()]).toEqual([true, false]);
  });

  it("sends nothing of what was said before it, nor of what is said after it", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.microphone.speak();
    const sent = window.engine.spoken.length;
    sleep(window, 10_000);
    // Before any timer runs.
    for (let packet = 0; packet < 5; packet += 1) window.microphone.speak();
    expect([sent, window.engine.spoken.length, window.microphone.live]).toEqual([1, 1, false]);
    window.room.toggleMuted();
    window.microphone.speak();
    expect(window.engine.spoken).toHaveLength(2);
  });

  it("says nothing to who was muted, and hears on; a busy moment is no sleep", () => {
    const window = onStage();
    sleep(window, 60_000);
    window.timers.pass(1000);
    expect([stateOf(window), window.room.voice.slept.get(), window.speakers.isStarted]).toEqual(["muted", false, true]);
    window.room.toggleMuted();
    sleep(window, 8000);
    window.timers.pass(1000);
    expect(window.microphone.live).toBe(true);
    // A clock that was set back says nothing.
    sleep(window, -60_000);
    window.timers.pass(5000);
    expect(window.microphone.live).toBe(true);
  });

  it("does not get its voice back with the stage that its engine had lost before", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.engine.emit(joinedEvent("listener"));
    sleep(window, 60_000);
    window.timers.pass(1000);
    window.engine.emit({ event: "role", role: "speaker", by: "" });
    expect([stateOf(window), window.microphone.live]).toEqual(["muted", false]);
  });

  it("is told by the desktop app before it sleeps, and every standstill counts until the room is left", () => {
    const window = onStage();
    const { voice } = window.room;
    window.room.toggleMuted();
    voice.sleep();
    expect([window.microphone.live, voice.slept.get(), voice.standstills.get()]).toEqual([false, true, 1]);
    window.room.leave();
    expect(voice.slept.get()).toBe(false);
    sleep(window, 60_000);
    window.timers.pass(5000);
    expect([voice.standstills.get(), window.timers.waiting]).toEqual([1, 0]);
  });
});

describe("who cannot hear the room is not heard", () => {
  it("stops when no sound comes, says so, and goes on when it is back in 10 s", () => {
    const window = onStage();
    const said: (string | undefined)[] = [];
    window.room.announcement.subscribe(() => said.push(window.room.announcement.get()?.key));
    window.room.toggleMuted();
    window.engine.emit(errorEvent("stalled"));
    expect([stateOf(window), window.microphone.live]).toEqual(["paused", false]);
    window.timers.pass(9900);
    window.engine.emit(back);
    expect([stateOf(window), window.microphone.live]).toEqual(["live", true]);
    window.timers.pass(5000);
    expect(said).toContain("announce.paused");
  });

  it("comes back no later than that: it is muted then, and stays so", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.engine.emit(errorEvent("stalled"));
    window.timers.pass(10_000);
    expect(stateOf(window)).toBe("muted");
    window.engine.emit(back);
    window.timers.pass(60_000);
    expect([stateOf(window), window.microphone.live]).toEqual(["muted", false]);
  });

  it("the engine away, or our own sound broken, is the same; whoever is muted stays muted", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.line.set("restarting");
    expect(stateOf(window)).toBe("paused");
    window.line.set("open");
    expect(stateOf(window)).toBe("live");
    window.speakers.fail("sound-broken");
    expect(stateOf(window)).toBe("paused");
    window.room.toggleMuted();
    window.speakers.fail(undefined);
    expect(stateOf(window)).toBe("muted");
    for (const code of ["no-speaker", "speaker-blocked"] as const) {
      window.room.toggleMuted();
      window.speakers.fail(code);
      expect([stateOf(window), window.microphone.live]).toEqual(["paused", false]);
      window.speakers.fail(undefined);
      expect(stateOf(window)).toBe("live");
      // Sound that goes to another loudspeaker is heard.
      window.speakers.fail("speaker-unplugged");
      expect(stateOf(window)).toBe("live");
      window.room.toggleMuted();
    }
    window.line.set("restarting");
    window.line.set("open");
    expect(stateOf(window)).toBe("muted");
  });

  it("sound that waits for a click is asked for by whoever unmutes", () => {
    const window = onStage();
    window.speakers.fail("speaker-blocked");
    window.speakers.isStarted = false;
    window.room.toggleMuted();
    expect([stateOf(window), window.speakers.isStarted]).toEqual(["paused", true]);
    window.speakers.fail(undefined);
    expect(stateOf(window)).toBe("live");
  });

  it("a key of the whole system talks while another window is in front, which ends what Space holds", () => {
    const window = onStage();
    const { voice } = window.room;
    voice.setHeldBySystem(true);
    window.room.loseKey();
    expect([stateOf(window), window.microphone.live, voice.bySystem.get()]).toEqual(["held", true, true]);
    voice.setHeldBySystem(false);
    expect(window.microphone.live).toBe(false);
    window.room.holdToTalk(true);
    expect(voice.bySystem.get()).toBe(false);
    window.room.loseKey();
    expect(stateOf(window)).toBe("muted");
    voice.setHeldBySystem(true);
    voice.setHidden(true);
    expect([stateOf(window), window.microphone.live]).toEqual(["muted", false]);
  });

  it("who takes the stage is spared delay, and who leaves it hears every word again", () => {
    const window = onStage();
    expect(window.speakers.attention).toBe("conversing");
    window.engine.emit({ event: "role", role: "listener", by: "host" });
    expect(window.speakers.attention).toBe("listening");
  });

  it("unmuting then waits for the room; holding does nothing", () => {
    const window = onStage();
    window.engine.emit(errorEvent("stalled"));
    window.room.holdToTalk(true);
    expect(window.microphone.live).toBe(false);
    window.room.holdToTalk(false);
    window.room.toggleMuted();
    expect([stateOf(window), window.microphone.live]).toEqual(["paused", false]);
    window.engine.emit(back);
    expect(stateOf(window)).toBe("live");
  });

  it("an engine that comes back after the line broke gives the voice back within the same 10 s, not after", () => {
    for (const [ms, state] of [
      [6000, "live"],
      [10_500, "muted"],
    ] as const) {
      const window = onStage();
      window.room.toggleMuted();
      window.line.set("restarting");
      window.timers.pass(3000);
      window.engine.emit(joinedEvent("listener"));
      window.line.set("open");
      window.timers.pass(ms - 3000);
      window.engine.emit({ event: "role", role: "speaker", by: "host" });
      expect(stateOf(window)).toBe(state);
    }
  });

  it("leaves no timer behind with the room", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.engine.emit(errorEvent("stalled"));
    window.room.leave();
    expect(window.timers.waiting).toBe(0);
  });
});

describe("the key for talking", () => {
  it("gives a soft sign at both ends, unless that is turned off", () => {
    const window = onStage();
    window.room.holdToTalk(true);
    window.room.holdToTalk(false);
    window.room.voice.cues.set(false);
    window.room.holdToTalk(true);
    window.room.holdToTalk(false);
    expect(window.speakers.cues).toEqual(["open", "shut"]);
  });

  it("mutes for as long as it is held while live; a key that is lost leaves the microphone shut", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.room.holdToTalk(true);
    expect([stateOf(window), window.microphone.live]).toEqual(["hushed", false]);
    window.room.holdToTalk(false);
    expect([stateOf(window), window.microphone.live]).toEqual(["live", true]);
    window.room.holdToTalk(true);
    window.room.loseKey();
    window.room.holdToTalk(false);
    expect([stateOf(window), window.microphone.live]).toEqual(["muted", false]);
    window.room.holdToTalk(true);
    window.room.loseKey();
    expect([stateOf(window), window.microphone.live]).toEqual(["muted", false]);
  });
});

describe("being deaf", () => {
  it("mutes too, and neither unmuting nor hearing again happens by surprise", () => {
    const window = onStage();
    window.room.toggleMuted();
    window.room.toggleDeafened();
    expect([window.speakers.deafened, stateOf(window)]).toEqual([true, "muted"]);
    window.room.holdToTalk(true);
    expect(window.microphone.live).toBe(false);
    window.room.toggleDeafened();
    expect([window.speakers.deafened, stateOf(window)]).toEqual([false, "muted"]);
    window.room.toggleDeafened();
    // Who wants to be heard wants to hear.
    window.room.toggleMuted();
    expect([window.speakers.deafened, stateOf(window)]).toEqual([false, "live"]);
    window.room.toggleDeafened();
    window.room.leave();
    expect(window.speakers.deafened).toBe(false);
  });
});

describe("talking while muted", () => {
  it("is said for a while, on stage and muted alone, if the person wants it", () => {
    const window = onStage();
    const { voice } = window.room;
    expect(window.microphone.isMindful).toBe(true);
    window.microphone.mutedSpeech.tell();
    expect(voice.talksMuted.get()).toBe(true);
    window.timers.pass(6000);
    expect(voice.talksMuted.get()).toBe(false);
    window.microphone.mutedSpeech.tell();
    window.room.toggleMuted();
    expect(voice.talksMuted.get()).toBe(false);
    window.room.holdToTalk(true);
    window.microphone.mutedSpeech.tell();
    expect(voice.talksMuted.get()).toBe(false);
    voice.setMindful(false);
    expect(window.microphone.isMindful).toBe(false);
    voice.setMindful(true);
    window.room.leaveStage();
    expect(window.microphone.isMindful).toBe(false);
  });
});

describe("how loud each person is", () => {
  const lin = personOf(1, "Lin", "host");

  it("goes with the person to a fresh voice key, is bounded, and ends with the room", async () => {
    const window = onStage();
    window.engine.emit(stageEvent("", [lin, personOf(2, "Mei", "speaker")]));
    window.room.volumes.set(lin, 0.4);
    expect(window.speakers.volumes).toEqual(new Map([[lin.voice, 0.4]]));
    const again = { ...lin, voice: voiceOf(77) };
    window.engine.emit(stageEvent("", [again]));
    expect(window.speakers.volumes).toEqual(
      new Map([
        [lin.voice, 1],
        [again.voice, 0.4],
      ]),
    );
    window.room.volumes.set(again, 9);
    expect(window.room.volumes.of(again).get()).toBe(2);
    window.room.leave();
    window.app.open("thi1-x");
    await window.lobby.enter();
    expect(window.room.volumes.of(lin).get()).toBe(1);
  });

  it("is remembered for a bounded number of people, those on stage first", () => {
    const { room, engine } = onStage();
    engine.emit(stageEvent("", [lin]));
    room.volumes.set(lin, 0.5);
    for (let number = 100; number < 1000; number += 1) room.volumes.set(personOf(number, "", "speaker"), 0.1);
    expect(room.volumes.of(lin).get()).toBe(0.5);
    expect(room.volumes.of(personOf(100, "", "speaker")).get()).toBe(1);
  });
});

describe("trying one's voice", () => {
  it("mutes whoever is heard, takes it down, plays it to oneself, and ends", async () => {
    const window = onStage();
    const { voice } = window.room;
    window.room.toggleMuted();
    const trial = voice.trial.start();
    await settled();
    expect([stateOf(window), voice.trial.state.get()]).toEqual(["muted", "recording"]);
    window.microphone.finishRecording(new Float32Array(9));
    await settled();
    expect([voice.trial.state.get(), window.speakers.played.length]).toEqual(["playing", 1]);
    window.speakers.endPlayBack();
    await trial;
    expect(voice.trial.state.get()).toBe("idle");
    expect(window.engine.spoken).toHaveLength(0);
  });

  it("without a microphone nothing is played; in the lobby leaving ends it and closes the device", async () => {
    const window = new WindowDouble();
    window.app.open("thi1-abc");
    const { voice } = window.lobby;
    window.microphone.fail("microphone-denied");
    await voice.trial.start();
    expect([voice.trial.state.get(), window.speakers.played.length]).toEqual(["idle", 0]);
    window.microphone.fail(undefined);
    const trial = voice.trial.start();
    await settled();
    expect(voice.trial.state.get()).toBe("recording");
    window.lobby.cancel();
    await trial;
    expect([voice.trial.state.get(), window.microphone.isStarted, window.speakers.played.length]).toEqual([
      "idle",
      false,
      0,
    ]);
  });
});

describe("the mask", () => {
  it("is another one for each room, and the choice to wear one goes with the person", () => {
    const window = new WindowDouble();
    window.app.open("thi1-abc");
    window.lobby.voice.setMasked(true);
    const drawn = window.microphone.masksDrawn;
    window.app.open("thi1-abd");
    expect(window.microphone.masksDrawn).toBe(drawn + 1);
    expect([window.microphone.masked, window.lobby.voice.masked.get()]).toEqual([true, true]);
  });
});
