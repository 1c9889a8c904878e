import { describe, expect, it } from "vitest";
import { showFork } from "./forks.ts";
import { KeptRoom } from "./kept-room.ts";

describe("a room whose host is gone", () => {
  it("[RM36] the first heir acts within 5 s: hands are admitted, newcomers get in, speakers are heard", () => {
    const room = new KeptRoom("heirs", 3);
    const [first, second] = [room.enter("heir"), room.enter("heir")];
    const [guest, listener] = [room.enter(), room.enter()];
    room.run(6000);
    expect(room.facts(listener).keptBy).toBe(
      room.facts(room.keeper).people.find(({ role }) => role === "host")!.identity,
    );
    room.kill(room.keeper, true);
    room.run(5000);
    expect(room.facts(listener).keptBy).toBe(room.identity(first));
    room.command(guest, { kind: "raise-hand" });
    room.run(1500);
    const hand = room.facts(first).hands[0]!;
    room.command(second, { kind: "admit", hand: hand.id });
    room.run(1000);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
    room.talk(guest, 400);
    expect(room.marks(listener, guest).length).toBeGreaterThan(5);
    const late = room.enter();
    expect(room.events(late, "joined")).toHaveLength(1);
    expect(room.stage(late)).toContain(`person ${guest}`);
    const speaker = room.enter("speaker");
    room.command(speaker, { kind: "raise-hand" });
    room.run(1500);
    expect(room.events(speaker, "role").at(-1)).toMatchObject({ role: "speaker" });
  });

  it("[RM36] who is named heir waits for the host as long as others do, also when the room is locked at once", () => {
    const room = new KeptRoom("named", 3);
    const [heir, listener] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(heir);
    room.run(30_000);
    const host = room.facts(listener).keptBy;
    const keepers = new Set<number | undefined>();
    expect(room.act(room.keeper, { kind: "set-role", identity, role: "heir" })).toBeUndefined();
    expect(room.act(room.keeper, { kind: "set-room", access: "locked" })).toBeUndefined();
    for (let step = 0; step < 200; step++) {
      room.run(100);
      keepers.add(room.viewOf(listener)?.session.rank);
    }
    expect([...keepers]).toEqual([0]);
    expect(room.facts(listener).keptBy).toBe(host);
    room.kill(room.keeper, true);
    room.run(5000);
    expect(room.facts(listener).keptBy).toBe(identity);
  });

  it("[RM36] an heir that acted beside the host gives way for good, whatever epoch each of them began", () => {
    const room = new KeptRoom("side by side", 4);
    const heir = room.enter("heir");
    const [here, there] = [room.enter(), room.enter()];
    room.run(12_000);
    const whole = room.filter;
    const side = new Set([...room.relays.slice(2), heir, there]);
    room.filter = (passing) => side.has(passing.from) === side.has(passing.to) && whole(passing);
    room.run(15_000);
    // Both begin the epoch of the same number.
    expect(room.act(heir, { kind: "set-room", access: "locked" })).toBeUndefined();
    expect(room.act(room.keeper, { kind: "set-room", access: "locked" })).toBeUndefined();
    room.filter = whole;
    room.run(40_000);
    const ranks: (number | undefined)[] = [];
    for (let step = 0; step < 200; step++) {
      room.run(100);
      const rank = room.viewOf(there)?.session.rank;
      if (ranks.at(-1) !== rank) ranks.push(rank);
    }
    expect(ranks).toEqual([0]);
    room.talk(room.keeper, 400);
    expect([room.marks(here, room.keeper).length, room.marks(there, room.keeper).length]).toEqual([10, 10]);
  });

  it("[RM36] the next heir acts when the first is gone too, and nobody while the host is there", () => {
    const room = new KeptRoom("second", 3);
    const [first, second] = [room.enter("heir"), room.enter("heir")];
    const listener = room.enter();
    room.run(60_000);
    const host = room.facts(room.keeper).people.find(({ role }) => role === "host")!.identity;
    expect(room.facts(listener).keptBy).toBe(host);
    room.kill(room.keeper, true);
    room.run(6000);
    room.kill(first, true);
    room.run(6000);
    expect(room.facts(listener).keptBy).toBe(room.identity(second));
    expect(room.peer(second).stats(room.now).packetsRejected["forked"] ?? 0).toBe(0);
  });

  it("[RM36] a ban by an heir holds when the host comes back, and the heir gives the room back", () => {
    const room = new KeptRoom("return", 3);
    const heir = room.enter("heir");
    const guest = room.enter();
    const identity = room.bringOnStage(guest);
    room.run(6000);
    const capsule = room.peer(room.keeper).capsule()!;
    room.kill(room.keeper, true);
    room.run(6000);
    expect(room.act(heir, { kind: "ban", identity, branch: false })).toBeUndefined();
    room.run(6000);
    const again = room.addPerson();
    room.command(again, { kind: "resume", capsule });
    room.run(6000);
    expect(room.events(again, "joined")).toHaveLength(1);
    expect(room.seen(again, identity)?.banned).toBe(true);
    const listener = room.enter();
    room.run(6000);
    const host = room.facts(again).people.find(({ self }) => self)!.identity;
    expect(room.facts(listener).keptBy).toBe(host);
    room.run(10_000);
    expect(room.facts(listener).keptBy).toBe(host);
    expect(room.facts(heir).keptBy).toBe(host);
    expect(room.act(heir, { kind: "set-room", title: "still mine" })).toBeUndefined();
    expect(room.facts(again).title).toBe("still mine");
  });

  it("[RM36] an heir that gave the room back waits for nothing that it no longer does", () => {
    const room = new KeptRoom("at rest", 3);
    const heir = room.enter("heir");
    room.enter("heir");
    room.run(6000);
    const capsule = room.peer(room.keeper).capsule()!;
    room.kill(room.keeper, true);
    room.run(8000);
    expect(room.facts(heir).keptBy).toBe(room.identity(heir));
    room.command(room.addPerson(), { kind: "resume", capsule });
    room.run(10_000);
    expect(room.facts(heir).keptBy).not.toBe(room.identity(heir));
    expect(room.peer(heir).deadline()?.at).toBeGreaterThan(room.now);
  });

  it("[RM37] an heir that was relieved speaks for nobody, whatever it signs", () => {
    const room = new KeptRoom("relieved", 3);
    const heir = room.enter("heir");
    const identity = room.bringOnStage(heir);
    room.run(6000);
    expect(room.act(room.keeper, { kind: "set-role", identity, role: "listener" })).toBeUndefined();
    room.kill(room.keeper, true);
    room.run(12_000);
    const listener = room.enter();
    expect(room.facts(listener).keptBy).not.toBe(identity);
    expect(room.act(heir, { kind: "set-room", title: "mine" })).toBe("not-allowed");
  });

  it("[RM37] two views of one session under one number raise an alarm with everybody, within 5 s, once", () => {
    const room = new KeptRoom("forked view", 3);
    const people = [room.enter("heir"), room.enter(), room.enter()];
    room.run(6000);
    showFork(room, "forked view");
    room.run(5000);
    for (const node of [room.keeper, ...people]) {
      expect(room.troubles(node)).toEqual(["forked"]);
    }
  });
});
