import { describe, expect, it } from "vitest";
import { TeahouseError, type ErrorCode } from "../../p2p/api/errors.ts";
import { millis } from "../../p2p/api/ids.ts";
import {
  errorEvent,
  joinedEvent,
  membersEvent,
  personOf,
  placeEvent,
  stageEvent,
  stepEvent,
  textEvent,
  voiceOf,
} from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const invite = "thi1-abc";
const card = "thc1-abc";

async function entered(role: "listener" | "speaker" | "host" = "listener"): Promise<WindowDouble> {
  const window = new WindowDouble();
  window.start.invite.set(invite);
  window.start.join();
  await window.lobby.enter();
  if (role !== "listener") window.engine.emit({ event: "role", role, by: "" });
  return window;
}

const host = personOf(0, "Lin", "host");
const mei = personOf(1, "Mei", "speaker");

describe("the first screen", () => {
  it("goes on with an invite, also out of a link", () => {
    const window = new WindowDouble();
    window.app.open(`teahouse://join#${invite}`);
    expect(window.lobby.purpose).toEqual({ kind: "join", invite: `teahouse://join#${invite}` });
  });

  it.each([
    ["", "fault.paste-empty"],
    ["hello", "fault.paste-unknown"],
    ["a".repeat(10_000), "fault.paste-too-long"],
    ["thi2-abc", "fault.invite-version"],
  ])("says what is wrong with %.20j", (text, key) => {
    const { start } = new WindowDouble();
    start.invite.set(text);
    start.join();
    expect(start.inviteProblem.get()).toEqual({ key });
  });

  it("puts a card where it belongs when it was pasted as an invite", () => {
    const { start } = new WindowDouble();
    start.invite.set(card);
    start.join();
    expect(start.inviteProblem.get()?.key).toBe("fault.paste-is-card");
    expect([start.card.get(), start.way.get(), start.invite.get()]).toEqual([card, "card", ""]);
  });

  it.each([
    ["", "fault.card-missing"],
    [invite, "fault.paste-is-invite"],
    ["thc3-abc", "fault.card-version"],
    ["card?", "fault.card-damaged"],
  ])("does not make a room over %j", (text, key) => {
    const window = new WindowDouble();
    window.start.card.set(text);
    window.start.makeRoom();
    expect(window.start.cardProblem.get()).toEqual({ key });
  });

  it("makes a room on a card, or as its own relay", async () => {
    const window = new WindowDouble();
    window.start.title.set(" Night \u202Etalk ");
    window.start.card.set(card);
    window.start.makeRoom();
    window.lobby.name.set("Mei");
    await window.lobby.enter();
    expect(window.engine.hosted).toEqual({ title: "Night talk", name: "Mei", via: [card], letEverybodySpeak: false });

    const own = new WindowDouble();
    own.start.way.set("self");
    own.start.makeRoom();
    expect(own.lobby.purpose).toEqual({ kind: "host", title: "", via: [] });
  });

  it("opens a file, and says so when it cannot", async () => {
    const window = new WindowDouble();
    await window.start.openFile({ size: 70_000, text: () => Promise.resolve(invite) });
    expect(window.start.inviteProblem.get()?.key).toBe("fault.file-too-big");
    await window.start.openFile({ size: 10, text: () => Promise.reject(new Error("gone")) });
    expect(window.start.inviteProblem.get()?.key).toBe("fault.file-unreadable");
    await window.start.openFile({ size: 10, text: () => Promise.resolve(`\n${invite}\n`) });
    expect(window.lobby.purpose.kind).toBe("join");
  });

  it("opens no file that is still being read when everything is wiped", async () => {
    const window = new WindowDouble();
    let read: (text: string) => void = () => undefined;
    const opened = window.start.openFile({ size: 10, text: () => new Promise((resolve) => (read = resolve)) });
    window.app.panic();
    read(invite);
    await opened;
    expect([window.app.screen.get().kind, window.start.invite.get()]).toEqual(["start", ""]);
  });
});

describe("before joining", () => {
  it("opens no microphone unasked, and closes the one that was tried", async () => {
    const window = new WindowDouble();
    window.app.open(invite);
    expect(window.microphone.isStarted).toBe(false);
    void window.lobby.voice.tryOut();
    expect([window.microphone.isStarted, window.microphone.isMetering, window.microphone.live]).toEqual([
      true,
      true,
      false,
    ]);
    await window.lobby.enter();
    expect([window.microphone.isStarted, window.microphone.isMetering]).toEqual([false, false]);
    expect(window.speakers.isStarted).toBe(true);
  });

  it.each<ErrorCode>(["invite-damaged", "invite-expired", "invite-version", "invite-not-yet"])(
    "goes back to the first screen with %s",
    async (code) => {
      const window = new WindowDouble();
      window.app.open(invite);
      window.engine.failure = new TeahouseError(code, "x");
      await window.lobby.enter();
      expect(window.start.inviteProblem.get()).toEqual({ key: `fault.${code}` });
      expect(window.start.invite.get()).toBe(invite);
    },
  );

  it.each<ErrorCode>(["no-network", "room-not-found", "banned", "locked", "refused-relay-full", "internal"])(
    "stays, to try again, after %s",
    async (code) => {
      const window = new WindowDouble();
      window.app.open(invite);
      window.engine.failure = new TeahouseError(code, "x");
      await window.lobby.voice.tryOut();
      await window.lobby.enter();
      expect(window.lobby.problem.get()).toEqual({ key: `fault.${code}` });
      expect(window.microphone.isStarted).toBe(false);
      window.engine.failure = undefined;
      await window.lobby.enter();
      expect(window.app.screen.get().kind).toBe("room");
    },
  );

  it("takes an error of no known kind for our own fault", async () => {
    const window = new WindowDouble();
    window.app.open(invite);
    window.engine.failure = new Error("boom");
    await window.lobby.enter();
    expect(window.lobby.problem.get()?.key).toBe("fault.internal");
  });

  it("shows real steps, and can be stopped", async () => {
    const window = new WindowDouble();
    window.app.open(invite);
    window.engine.gate = new Promise(() => undefined);
    void window.lobby.enter();
    window.engine.emit(stepEvent("asking-relays"));
    window.engine.emit(stepEvent("asking-relays"));
    window.engine.emit(stepEvent("asking-dht"));
    expect(window.app.session.steps.get()).toEqual(["asking-relays", "asking-dht"]);
    window.engine.gate = Promise.resolve();
    window.lobby.cancel();
    expect(window.engine.calls).toContain("leave");
    expect(window.app.screen.get().kind).toBe("start");
  });

  it("sends a name that fits, whatever was pasted", async () => {
    const window = new WindowDouble();
    window.start.way.set("self");
    window.start.makeRoom();
    window.lobby.name.set(`\u202E${"x".repeat(10_000)}`);
    await window.lobby.enter();
    expect(window.engine.hosted?.name).toBe("x".repeat(40));
  });
});

describe("the room", () => {
  it("is where a window that opens late finds itself", () => {
    const window = new WindowDouble((engine) => {
      engine.emit(joinedEvent("speaker"));
      engine.emit(stageEvent("Night talk", [host]));
    });
    expect(window.room.session.stage.get().title).toBe("Night talk");
    expect(window.room.voice.state.get()).toBe("muted");
    expect(window.speakers.isStarted).toBe(true);
  });

  it("begins as a listener whose microphone is shut", async () => {
    const { room, microphone, engine } = await entered();
    expect(room.voice.state.get()).toBe("shut");
    expect(microphone.isStarted).toBe(false);
    room.toggleMuted();
    room.holdToTalk(true);
    expect(microphone.live).toBe(false);
    // Even if one came out of it all the same.
    microphone.packets.tell({ opus: new Uint8Array(1), capturedAt: millis(0) });
    expect(engine.spoken).toHaveLength(0);
  });

  it("opens the microphone on stage, muted, and sends nothing until it is opened", async () => {
    const { room, microphone, engine } = await entered("speaker");
    expect(room.voice.state.get()).toBe("muted");
    microphone.speak();
    expect(engine.spoken).toHaveLength(0);
    room.toggleMuted();
    microphone.speak();
    expect([room.voice.state.get(), engine.spoken.length]).toEqual(["live", 1]);
    room.toggleMuted();
    microphone.speak();
    expect([room.voice.state.get(), engine.spoken.length]).toEqual(["muted", 1]);
  });

  it("talks while held and is muted afterwards; holding while live changes nothing", async () => {
    const { room, microphone, engine } = await entered("speaker");
    room.holdToTalk(true);
    microphone.speak();
    expect([room.voice.state.get(), engine.spoken.length]).toEqual(["held", 1]);
    room.holdToTalk(false);
    expect([room.voice.state.get(), microphone.live]).toEqual(["muted", false]);
    room.toggleMuted();
    room.holdToTalk(true);
    room.holdToTalk(false);
    expect(room.voice.state.get()).toBe("live");
  });

  it("leaves the stage and stays in the room; the microphone shuts before anybody answers", async () => {
    const window = await entered("speaker");
    window.room.toggleMuted();
    window.room.leaveStage();
    expect([window.microphone.live, window.microphone.isStarted]).toEqual([false, false]);
    expect(window.engine.calls).toContain("lowerHand");
    expect(window.engine.calls).not.toContain("leave");
    expect(window.app.screen.get().kind).toBe("room");
  });

  it("shuts the microphone when the host takes us off", async () => {
    const { room, engine, microphone } = await entered("speaker");
    room.toggleMuted();
    engine.emit({ event: "role", role: "listener", by: "" });
    expect([room.voice.state.get(), microphone.live, microphone.isStarted]).toEqual(["shut", false, false]);
  });

  it("raises and lowers a hand, and sees it lowered by the host", async () => {
    const { room, engine } = await entered();
    const mine = { id: "h", name: "Mei", self: true };
    room.toggleHand();
    expect([room.hand.get(), engine.calls.at(-1)]).toEqual(["up", "raiseHand"]);
    engine.emit(stageEvent("", [host], [mine]));
    expect(room.hand.get()).toBe("up");
    engine.emit(stageEvent("", [host], []));
    expect(room.hand.get()).toBe("down");
    room.toggleHand();
    room.toggleHand();
    expect([room.hand.get(), engine.calls.at(-1)]).toEqual(["down", "lowerHand"]);
  });

  it("lets nobody but a host answer hands or take people off", async () => {
    const listener = await entered();
    const hand = { id: "h1", name: "", self: false };
    listener.room.admit(hand);
    listener.room.dismiss(hand);
    expect(listener.engine.told).toEqual([]);
    const window = await entered("host");
    window.room.admit(hand);
    window.room.dismiss(hand);
    const { keeping } = window.room;
    window.engine.emit(stageEvent("", [host, mei]));
    await keeping.do("to-audience", keeping.person(mei.identity, ""));
    expect(window.engine.told).toEqual([
      ["admit", "h1"],
      ["dismiss", "h1"],
      ["removeFromStage", voiceOf(1)],
    ]);
  });

  it("types to the stage, and says what is wrong with an empty or endless text", async () => {
    const { room, engine } = await entered();
    room.chat.say();
    expect(room.chat.problem.get()?.key).toBe("fault.text-empty");
    room.chat.draft.set("x".repeat(281));
    room.chat.say();
    expect(room.chat.problem.get()?.key).toBe("fault.text-too-long");
    room.chat.draft.set("  hello ");
    room.chat.say();
    expect([engine.told, room.chat.draft.get(), room.chat.problem.get()]).toEqual([[["say", "hello"]], "", undefined]);
  });

  it("keeps the last 200 texts, each once, clean", async () => {
    const { app, engine } = await entered();
    for (let number = 0; number < 500; number++) engine.emit(textEvent(number, "A\u202E", `text ${number}`));
    engine.emit(textEvent(499, "A", "text 499"));
    engine.emit(textEvent(600, "A", "\u200B"));
    const texts = app.session.texts.get();
    expect([texts.length, texts.at(-1)?.text, texts.at(-1)?.name]).toEqual([200, "text 499", "A"]);
  });

  it("orders the stage by role and bounds what a stranger's stage may hold", async () => {
    const { app, engine } = await entered();
    const crowd = Array.from({ length: 500 }, (_, number) => personOf(number, "x".repeat(10_000), "speaker"));
    engine.emit(
      stageEvent("t".repeat(10_000), [...crowd.slice(0, 3), personOf(900, "Host", "host"), ...crowd.slice(3)]),
    );
    const { people, title } = app.session.stage.get();
    expect([people.length, people[0]?.name]).toEqual([64, "Host"]);
    expect(Math.max(title.length, ...people.map(({ name }) => name.length))).toBeLessThanOrEqual(41);
  });

  it("says how the connection is without standing in the way", async () => {
    const { room, engine, timers, line } = await entered();
    expect(room.connection.get().sentence.key).toBe("link.waiting");
    engine.emit(placeEvent(3, { kind: "webrtc", feeds: true }));
    expect(room.connection.get()).toMatchObject({ mood: "good" });
    engine.emit(errorEvent("stalled"));
    expect(room.connection.get()).toMatchObject({ mood: "bad", sentence: { key: "link.stalled" } });
    engine.emit({ event: "move", reason: "x", gapMs: 0, packetsRecovered: 0 });
    engine.emit(placeEvent(3, { kind: "stream", feeds: true }));
    expect(room.connection.get()).toMatchObject({ mood: "busy", sentence: { key: "link.moving" } });
    timers.pass(10_000);
    expect(room.connection.get()).toMatchObject({ mood: "good" });
    line.set("restarting");
    expect(room.connection.get()).toMatchObject({ mood: "bad", sentence: { key: "link.restarting" } });
    line.set("open");
    expect(room.connection.get()).toMatchObject({ mood: "good" });
  });

  it("announces who comes and goes, one sentence at a time", async () => {
    const { room, engine, timers } = await entered();
    const said: (string | undefined)[] = [];
    room.announcement.subscribe(() => said.push(room.announcement.get()?.key));
    engine.emit(stageEvent("", [host, mei]));
    engine.emit(stageEvent("", [host]));
    engine.emit(textEvent(1, "A", "hi"));
    expect(said).toEqual([]);
    timers.pass(10_000);
    expect(said).toEqual(["announce.joined-stage", "announce.joined-stage", "announce.left-stage", "announce.text"]);
  });

  it("announces hands to the host", async () => {
    const { room, engine, timers } = await entered("host");
    const said: (string | undefined)[] = [];
    room.announcement.subscribe(() => said.push(room.announcement.get()?.key));
    engine.emit(stageEvent("", [host], [{ id: "h1", name: "A", self: false }]));
    timers.pass(10_000);
    expect(said).toContain("announce.hand-up");
  });

  it("draws nothing anew for statistics that did not change", async () => {
    const { app, engine } = await entered();
    let changes = 0;
    for (const value of [app.session.stage, app.session.crowd, app.session.place, app.session.quality]) {
      value.subscribe(() => (changes += 1));
    }
    await engine.start();
    for (let second = 0; second < 10; second++) engine.emit({ event: "stats", ...engine.stats() });
    expect(changes).toBe(1);
    engine.emit(membersEvent(1, 2, 3));
    expect(changes).toBe(2);
  });

  it("is left for good: no sound, no microphone, no timer, no listener stays behind", async () => {
    const window = await entered("speaker");
    window.room.toggleMuted();
    window.room.leave();
    expect(window.app.screen.get().kind).toBe("start");
    expect([window.microphone.live, window.microphone.isStarted, window.speakers.isStarted]).toEqual([
      false,
      false,
      false,
    ]);
    expect(window.start.invite.get()).toBe("");
    expect(window.timers.waiting).toBe(0);
    const listeners = window.engine.listenerCount;
    window.app.end();
    expect([listeners, window.engine.listenerCount, window.engine.hearerCount]).toEqual([4, 0, 0]);
    expect([window.microphone.faults.count, window.microphone.packets.count, window.microphone.levels.count]).toEqual([
      0, 0, 0,
    ]);
  });

  it("ends when the engine says so", async () => {
    const window = await entered();
    window.engine.emit({ event: "left" });
    expect(window.app.screen.get().kind).toBe("start");
  });

  it.each([
    "no-microphone",
    "microphone-denied",
    "microphone-busy",
    "microphone-unplugged",
    "microphone-silent",
    "sound-broken",
  ] as const)("goes on with %s, and recovers", async (code) => {
    const { room, microphone, timers } = await entered("speaker");
    room.toggleMuted();
    microphone.fail(code);
    expect(room.voice.microphoneFault.get()?.key).toBe(`sound.${code}`);
    // Not that everybody hears it.
    room.toggleMuted();
    timers.pass(10_000);
    room.toggleMuted();
    timers.pass(10_000);
    expect(room.announcement.get()?.key).toBe(`sound.${code}`);
    expect(room.session.phase.get()).toBe("inside");
    microphone.fail(undefined);
    expect(room.voice.microphoneFault.get()).toBeUndefined();
    expect(microphone.live).toBe(true);
  });
});

describe("windows and engines that go away", () => {
  it.each(["second-window", "replaced"] as const)("%s silences this one and can be undone", async (state) => {
    const window = await entered("speaker");
    window.room.toggleMuted();
    window.line.set(state);
    const screen = window.app.screen.get();
    expect([screen.kind, window.microphone.live, window.speakers.isStarted]).toEqual(["ended", false, false]);
    if (screen.kind === "ended") screen.model.takeOver?.();
    expect(window.takenOver).toBe(1);
    window.line.set("open");
    expect(window.room.voice.state.get()).toBe("muted");
  });

  it.each(["token-wrong", "engine-gone"] as const)("%s is the end, and says so", (state) => {
    const window = new WindowDouble();
    window.line.set(state);
    const screen = window.app.screen.get();
    expect(screen).toMatchObject({ kind: "ended", fault: state, model: { takeOver: undefined } });
  });
});
