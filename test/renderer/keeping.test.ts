import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { millis } from "../../p2p/api/ids.ts";
import type { RoomFacts } from "../../p2p/api/room.ts";
import { cleanFacts, deedsFor, isWebLink, placeInQueue } from "../../renderer/model/room/facts.ts";
import { errorEvent, factsOf, keyOf, knownOf, personOf, stageEvent, textEvent, voiceOf } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const moderator: Partial<RoomFacts> = { rights: ["speak", "moderate"], role: "moderator" };
const host: Partial<RoomFacts> = { rights: ["speak", "moderate", "appoint", "direct"], role: "host" };
const mei = knownOf(1, "Mei", { role: "speaker", voice: voiceOf(1) });
const self = knownOf(40, "Lin", { self: true });

async function entered(
  facts: Partial<RoomFacts> = {},
  role: "listener" | "speaker" = "listener",
): Promise<WindowDouble> {
  const window = new WindowDouble();
  window.app.open("thi1-abc");
  await window.lobby.enter();
  if (role === "speaker") window.engine.emit({ event: "role", role, by: "" });
  window.engine.emit({ event: "room-state", ...factsOf(facts) });
  return window;
}

describe("what may be done about somebody", () => {
  it("is nothing for who has no right, and nothing about oneself", () => {
    expect(deedsFor(factsOf(), mei)).toEqual([]);
    expect(deedsFor(factsOf(moderator), { ...mei, self: true })).toEqual([]);
  });

  it("is what their rank allows and their state makes sense of", () => {
    expect(deedsFor(factsOf(moderator), mei)).toEqual(["to-audience", "mute", "silence-text", "kick", "ban"]);
    const quiet = { ...mei, muted: "keeper", silenced: true } as const;
    expect(deedsFor(factsOf(host), quiet)).toEqual([
      "to-audience",
      "unmute",
      "allow-text",
      "make-moderator",
      "kick",
      "ban",
    ]);
    const listener = knownOf(2, "A");
    expect(deedsFor(factsOf(moderator), listener)).toEqual(["invite-to-stage", "silence-text", "kick", "ban"]);
    expect(deedsFor(factsOf(moderator), { ...listener, invitedToStage: true })[0]).toBe("uninvite");
    expect(deedsFor(factsOf(host), { ...mei, role: "moderator" })).toContain("take-office");
  });

  it("is not to touch an equal or a better; a ban can only be undone", () => {
    expect(deedsFor(factsOf(moderator), { ...mei, role: "moderator" })).toEqual([]);
    expect(deedsFor(factsOf(moderator), { ...mei, role: "host" })).toEqual([]);
    expect(deedsFor(factsOf(host), { ...mei, banned: true, voice: null })).toEqual(["unban"]);
  });
});

describe("what an engine says of a room", () => {
  it("is bounded and clean: names, rules by lines, links that a browser opens safely", () => {
    const facts = cleanFacts({
      ...factsOf(),
      title: "\u202Et",
      rules: `a\u202E\nb\n${"x".repeat(10_000)}`,
      links: [
        "https://example.org/a",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "no link",
        `https://${"x".repeat(400)}`,
      ],
      people: Array.from({ length: 5000 }, (_, number) => knownOf(number, "\u202Ex")),
    });
    expect([facts.title, facts.links, facts.people.length, facts.people[0]?.name]).toEqual([
      "t",
      ["https://example.org/a"],
      600,
      "x",
    ]);
    expect(facts.rules.split("\n").map(({ length }) => length)).toEqual([1, 1, 280]);
    expect(isWebLink("https://example.org")).toBe(true);
  });

  it("tells one's own place in the queue", () => {
    const hand = (number: number, isOwn: boolean) => ({
      id: `h${number}`,
      identity: keyOf(number),
      name: "",
      self: isOwn,
      raisedAt: millis(number),
    });
    expect(placeInQueue([hand(1, false), hand(2, true)])).toBe(2);
    expect(placeInQueue([hand(1, false)])).toBeUndefined();
  });
});

describe("who keeps order", () => {
  it("does by identity what the card offers", async () => {
    const { room, engine } = await entered({ ...host, people: [mei] });
    for (const deed of ["mute", "to-audience", "make-moderator", "take-office", "kick"] as const) {
      await room.keeping.do(deed, mei);
    }
    await room.keeping.do("ban", mei, { branch: true });
    const { identity } = mei;
    expect(engine.acts).toEqual([
      { kind: "mute", identity },
      { kind: "to-audience", identity },
      { kind: "set-role", identity, role: "moderator" },
      { kind: "set-role", identity, role: "speaker" },
      { kind: "kick", identity },
      { kind: "ban", identity, branch: true },
    ]);
  });

  it("answers hands as a moderator too, and hears of new ones", async () => {
    const { room, engine } = await entered(moderator);
    room.admit({ id: "h1" });
    room.dismiss({ id: "h2" });
    expect(engine.told).toEqual([
      ["admit", "h1"],
      ["dismiss", "h2"],
    ]);
  });

  it("reads why something was refused, at once or later, for a while", async () => {
    const { room, engine, timers, app } = await entered(moderator);
    engine.failure = new TeahouseError("not-allowed", "x");
    await room.keeping.do("mute", mei);
    expect(room.keeping.refusal.get()).toEqual({ key: "fault.not-allowed" });
    timers.pass(20_000);
    expect(room.keeping.refusal.get()).toBeUndefined();
    engine.emit({ event: "refused", code: "stage-full", message: "x" });
    expect(room.keeping.refusal.get()).toEqual({ key: "fault.stage-full" });
    // It is no trouble of the connection.
    expect(app.session.trouble.get()).toBeUndefined();
  });

  it("sends of the rules only what is another than before", async () => {
    const { room, engine } = await entered({ ...host, title: "T", rules: "R" });
    await room.keeping.direct({ title: "T", rules: "S", links: [] });
    await room.keeping.direct({ title: "T" });
    expect(engine.acts).toEqual([{ kind: "set-room", rules: "S" }]);
  });

  it("is warned when somebody in charge said two different things", async () => {
    const { app, engine } = await entered();
    engine.emit(errorEvent("forked"));
    expect(app.session.isForked.get()).toBe(true);
    expect(app.session.trouble.get()).toBeUndefined();
  });

  it("can take people off the stage as a host whose room told no facts", async () => {
    const window = new WindowDouble();
    window.app.open("thi1-abc");
    await window.lobby.enter();
    window.engine.emit({ event: "role", role: "host", by: "" });
    window.engine.emit(stageEvent("", [personOf(1, "Mei", "speaker")]));
    const { keeping } = window.room;
    const person = keeping.person(keyOf(501), "");
    expect(keeping.deedsFor(person)).toEqual(["to-audience"]);
    await keeping.do("to-audience", person);
    expect(window.engine.told).toEqual([["removeFromStage", voiceOf(1)]]);
  });
});

describe("the microphone under the room's rules", () => {
  const muted = { ...self, role: "speaker", voice: voiceOf(40), muted: "keeper" } as const;

  it("is shut by a moderator's word, stays shut, and is not opened when allowed again", async () => {
    const { room, engine, microphone } = await entered({}, "speaker");
    room.toggleMuted();
    expect(room.voice.state.get()).toBe("live");
    engine.emit({ event: "room-state", ...factsOf({ people: [muted] }) });
    expect([room.voice.state.get(), microphone.live]).toEqual(["muted", false]);
    room.toggleMuted();
    room.holdToTalk(true);
    expect([room.voice.state.get(), microphone.live]).toEqual(["muted", false]);
    engine.emit({ event: "room-state", ...factsOf({ people: [{ ...muted, muted: "no" }] }) });
    expect(room.voice.state.get()).toBe("muted");
    room.toggleMuted();
    expect(room.voice.state.get()).toBe("live");
  });

  it("is let go of while held when a moderator mutes", async () => {
    const { room, engine, microphone } = await entered({}, "speaker");
    room.holdToTalk(true);
    engine.emit({ event: "room-state", ...factsOf({ people: [muted] }) });
    expect(microphone.live).toBe(false);
  });

  it("opens only while held where the room wants that", async () => {
    const { room, engine, microphone } = await entered({}, "speaker");
    room.toggleMuted();
    engine.emit({ event: "room-state", ...factsOf({ pushToTalkOnly: true }) });
    expect(room.voice.state.get()).toBe("muted");
    room.toggleMuted();
    expect(room.voice.state.get()).toBe("muted");
    room.holdToTalk(true);
    expect(microphone.live).toBe(true);
    room.holdToTalk(false);
    expect(microphone.live).toBe(false);
  });

  it("is muted when somebody begins to record, unless one does not want that; and can be opened again", async () => {
    const recorder = knownOf(3, "R", { records: true });
    const { room, engine, app } = await entered({}, "speaker");
    room.toggleMuted();
    engine.emit({ event: "room-state", ...factsOf({ people: [recorder] }) });
    expect(room.voice.state.get()).toBe("muted");
    expect(room.recorders.recording.get()).toEqual({ names: ["R"], self: false, mutedUs: true });
    room.toggleMuted();
    engine.emit({ event: "room-state", ...factsOf({ people: [recorder], slowModeS: 5 }) });
    expect(room.voice.state.get()).toBe("live");
    app.settings.mutesWhenRecorded.set(false);
    engine.emit({ event: "room-state", ...factsOf({ people: [] }) });
    engine.emit({ event: "room-state", ...factsOf({ people: [recorder] }) });
    expect(room.voice.state.get()).toBe("live");
  });
});

describe("typing and answering", () => {
  it("waits as long as the room asks, which keepers need not", async () => {
    const { room, engine, timers } = await entered({ slowModeS: 3 });
    const say = (words: string): void => {
      room.chat.draft.set(words);
      room.chat.say();
    };
    say("one");
    say("two");
    expect([engine.told.length, room.chat.problem.get()?.key, room.chat.waitS.get()]).toEqual([
      1,
      "fault.slow-mode",
      3,
    ]);
    for (let second = 0; second < 3; second++) timers.pass(1000);
    expect([room.chat.waitS.get(), room.chat.problem.get()]).toEqual([0, undefined]);
    room.chat.say();
    expect(engine.told.at(-1)).toEqual(["say", "two"]);
    const keeper = await entered({ ...moderator, slowModeS: 3 });
    keeper.room.chat.draft.set("a");
    keeper.room.chat.say();
    expect(keeper.room.chat.waitS.get()).toBe(0);
  });

  it("hides the texts and reactions of whom one blocked, here alone", async () => {
    const { room, engine } = await entered();
    const { identity } = personOf(3, "", "listener");
    engine.emit(textEvent(3, "A", "hi"));
    engine.emit(textEvent(4, "B", "ho"));
    room.chat.setBlocked(identity, true);
    expect(room.chat.texts.get().map(({ text }) => text)).toEqual(["ho"]);
    engine.emit({ event: "reaction", identity, name: "A", reaction: "clap", self: false });
    expect(room.reactions.shown.get()).toEqual([]);
    room.chat.setBlocked(identity, false);
    expect(room.chat.texts.get()).toHaveLength(2);
    expect(engine.calls).not.toContain("act");
  });

  it("shows at most 16 reactions, each for a moment, and says them to whoever does not see", async () => {
    const { room, engine, timers } = await entered();
    const said: (string | undefined)[] = [];
    room.announcement.subscribe(() => said.push(room.announcement.get()?.key));
    for (let number = 0; number < 100; number++) {
      engine.emit({
        event: "reaction",
        identity: keyOf(number),
        name: "x".repeat(1000),
        reaction: "heart",
        self: false,
      });
    }
    expect(room.reactions.shown.get()).toHaveLength(16);
    expect(room.reactions.shown.get()[0]?.name).toHaveLength(41);
    timers.pass(10_000);
    expect(room.reactions.shown.get()).toEqual([]);
    expect(said).toContain("announce.react-heart");
  });

  it("sends a reaction no faster than anybody means it", async () => {
    const { room, engine } = await entered();
    for (let press = 0; press < 10; press++) room.reactions.send("clap");
    expect(engine.acts).toEqual([{ kind: "react", reaction: "clap" }]);
  });
});

describe("invites with terms of their own", () => {
  it("are made by what was chosen, and a short passphrase is refused", async () => {
    const { room, engine } = await entered(host);
    const { invites } = room;
    invites.role.set("speaker");
    invites.singleUse.set(true);
    invites.passphrase.set("short");
    await invites.make();
    expect([invites.problem.get()?.key, engine.calls.includes("issueInvite")]).toEqual([
      "fault.passphrase-short",
      false,
    ]);
    invites.passphrase.set(" correct horse battery ");
    await invites.make();
    const terms = { role: "speaker", expiresInMs: 86_400_000, singleUse: true, passphrase: "correct horse battery" };
    expect(engine.invited).toEqual(terms);
    expect(invites.made.get()?.terms).toEqual(terms);
    expect(invites.passphrase.get()).toBe("");
    invites.forget();
    expect(invites.made.get()).toBeUndefined();
  });

  it("are listed, and taken back", async () => {
    const { room, engine } = await entered(host);
    const one = {
      role: "listener",
      expires: millis(1),
      singleUse: false,
      hasPassphrase: false,
      revoked: false,
    } as const;
    engine.emit({ event: "invites-issued", invites: [{ id: "a", ...one }] });
    expect(room.invites.issued.get()).toHaveLength(1);
    await room.invites.revoke("a");
    expect(engine.acts).toEqual([{ kind: "revoke-invite", id: "a" }]);
  });

  it("ask for their passphrase at the door", async () => {
    const window = new WindowDouble();
    window.app.open("thi1-abc");
    window.engine.failure = new TeahouseError("passphrase-needed", "x");
    await window.lobby.enter();
    expect([window.lobby.needsPassphrase.get(), window.lobby.problem.get()?.key]).toEqual([
      true,
      "fault.passphrase-needed",
    ]);
    window.engine.failure = undefined;
    window.lobby.passphrase.set("open sesame");
    const { lobby } = window;
    await lobby.enter();
    expect(window.engine.joinedBy).toEqual({ name: "", passphrase: "open sesame" });
    expect(lobby.passphrase.get()).toBe("");
  });
});
