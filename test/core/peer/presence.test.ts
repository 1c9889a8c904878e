import { describe, expect, it } from "vitest";
import { KeptRoom } from "./kept-room.ts";

describe("who is on stage and not there", () => {
  it("[RM54] a speaker that is gone leaves the stage, after its drop or at once by its own word", () => {
    const room = new KeptRoom("gone speaker", 3);
    const [crashing, leaving, staying, listener] = [room.enter(), room.enter(), room.enter(), room.enter()];
    for (const node of [crashing, leaving, staying]) room.bringOnStage(node);
    room.run(40_000);
    expect(room.stage(listener)).toHaveLength(4);
    room.command(leaving, { kind: "leave" });
    room.run(1_000);
    expect(room.stage(listener)).toHaveLength(3);
    room.kill(crashing, true);
    room.run(19_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${staying}`]);
    expect(room.stage(room.keeper)).toEqual(["Host", `person ${staying}`]);
    room.run(40_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${staying}`]);
    expect(room.events(staying, "role").at(-1)).toMatchObject({ role: "speaker" });
  });

  it("[RM54] who comes back has the place, the role and the mute that were there before", () => {
    const room = new KeptRoom("back on stage", 3);
    const [speaker, moderator, listener] = [room.enter(), room.enter("moderator"), room.enter()];
    const identity = room.bringOnStage(speaker);
    room.bringOnStage(moderator);
    expect(room.act(moderator, { kind: "mute", identity })).toBeUndefined();
    const capsules = [speaker, moderator].map((node) => room.peer(node).capsule()!);
    room.kill(speaker, true);
    room.kill(moderator, true);
    room.run(25_000);
    expect(room.stage(listener)).toEqual(["Host"]);
    const again = capsules.map((capsule) => {
      const node = room.addPerson();
      room.command(node, { kind: "resume", capsule });
      return node;
    });
    room.run(6_000);
    expect(room.stage(listener).toSorted()).toEqual(["Host", `person ${speaker}`, `person ${moderator}`].toSorted());
    expect(room.seen(listener, identity)?.muted).toBe("keeper");
    expect(again.map((node) => room.facts(node).role)).toEqual(["speaker", "moderator"]);
    expect(room.act(again[1]!, { kind: "unmute", identity })).toBeUndefined();
    room.talk(again[0]!, 400);
    expect(room.marks(listener, again[0]!).length).toBeGreaterThan(5);
  });

  it("[RM54] who was cut off for half a minute has identity, role, mute and hand as before", () => {
    const room = new KeptRoom("cut off", 3);
    const [speaker, waiting, listener] = [room.enter(), room.enter(), room.enter()];
    const identity = room.bringOnStage(speaker);
    expect(room.act(speaker, { kind: "mute", identity })).toBeUndefined();
    room.command(waiting, { kind: "raise-hand" });
    room.run(2_000);
    const hands = room.facts(room.keeper).hands.map((hand) => hand.identity);
    expect(hands).toHaveLength(1);
    const whole = room.filter;
    room.filter = (passing) => [passing.from, passing.to].every((node) => node !== speaker && node !== waiting);
    room.run(30_000);
    expect(room.stage(listener)).toEqual(["Host"]);
    room.filter = whole;
    room.run(45_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${speaker}`]);
    expect(room.seen(listener, identity)?.muted).toBe("self");
    expect(room.facts(speaker).people.find(({ self }) => self)).toMatchObject({ identity, role: "speaker" });
    expect(room.facts(room.keeper).hands.map((hand) => hand.identity)).toEqual(hands);
    expect(room.facts(waiting).hands.map(({ self }) => self)).toEqual([true]);
    expect(room.act(speaker, { kind: "unmute", identity })).toBeUndefined();
    room.run(1_000);
    room.talk(speaker, 400);
    expect(room.marks(listener, speaker).length).toBeGreaterThan(5);
  });

  it("[RM54] a host that crashed leaves the stage while an heir acts, and is back on it when it comes back", () => {
    const room = new KeptRoom("gone host", 3);
    const [heir, listener] = [room.enter("heir"), room.enter()];
    room.bringOnStage(heir);
    room.run(6_000);
    const capsule = room.peer(room.keeper).capsule()!;
    room.kill(room.keeper, true);
    room.run(25_000);
    expect(room.stage(listener)).toEqual([`person ${heir}`]);
    const again = room.addPerson();
    room.command(again, { kind: "resume", capsule });
    room.run(10_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${heir}`]);
    room.run(30_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${heir}`]);
  });

  it("[RM54] a host that leaves is off the stage at once, though nobody can act for it", () => {
    const room = new KeptRoom("host leaves", 3);
    const listener = room.enter();
    room.run(3_000);
    room.command(room.keeper, { kind: "leave" });
    room.run(1_500);
    expect(room.stage(listener)).toEqual([]);
    expect(room.isOut(listener)).toBe(false);
  });

  it("[RM54] a host that crashed leaves the stage for everybody though nobody acts, and is back on it", () => {
    const room = new KeptRoom("nobody acts", 4);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    room.run(20_000);
    expect(room.facts(listener).keptBy).not.toBeNull();
    const capsule = room.peer(room.keeper).capsule()!;
    room.kill(room.keeper, true);
    room.run(20_000);
    for (const node of [speaker, listener]) {
      expect(room.stage(node)).toEqual([`person ${speaker}`]);
      expect(room.facts(node).keptBy).toBeNull();
    }
    const again = room.addPerson();
    room.command(again, { kind: "resume", capsule });
    room.run(10_000);
    expect(room.stage(listener)).toEqual(["Host", `person ${speaker}`]);
    expect(room.facts(listener).keptBy).toBe(room.facts(again).people.find(({ self }) => self)!.identity);
  });

  it("[RM54] a relay that dies takes nobody off the stage", () => {
    const room = new KeptRoom("dead relay", 4);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    room.run(10_000);
    room.kill(room.relays[1]!, true);
    for (let second = 0; second < 40; second++) {
      room.run(1_000);
      expect(room.stage(listener)).toContain(`person ${speaker}`);
    }
  });
});
