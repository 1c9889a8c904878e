import { describe, expect, it } from "vitest";
import { KeptRoom } from "./kept-room.ts";

/** Long enough for an heir to act and for everybody to find a relay of their own side. */
const cutMs = 15_000;
/** Long enough for relays to find each other again and for the host to say how things stand. */
const healedMs = 40_000;

/** Nothing gets from these to the others any more, nor back, until the result is called. */
function part(room: KeptRoom, side: readonly number[]): () => void {
  const whole = room.filter;
  const near = new Set(side);
  room.filter = (passing) => near.has(passing.from) === near.has(passing.to) && whole(passing);
  return () => (room.filter = whole);
}

describe("a room in two halves", () => {
  it.each(["one", "two", "three"])(
    "[RM36] host and heir act on both sides of a cut: healed, all know every ban of both, and nobody cries fork (%s)",
    (seed) => {
      const room = new KeptRoom(`halves ${seed}`, 4);
      const heir = room.enter("heir");
      const [here, there] = [room.enter(), room.enter()];
      const [troll, rowdy] = [room.enter(), room.enter()];
      const [trollIdentity, rowdyIdentity] = [room.bringOnStage(troll), room.bringOnStage(rowdy)];
      room.run(6000);
      const heal = part(room, [...room.relays.slice(2), heir, there, rowdy]);
      room.run(cutMs);
      expect(room.facts(there).keptBy).toBe(room.identity(heir));
      const host = room.identity(room.keeper);
      expect(room.facts(here).keptBy).toBe(host);
      // The same number in two chains, and each side's state counts on.
      expect(room.act(room.keeper, { kind: "ban", identity: trollIdentity, branch: false })).toBeUndefined();
      expect(room.act(heir, { kind: "ban", identity: rowdyIdentity, branch: false })).toBeUndefined();
      expect(room.act(heir, { kind: "set-room", title: "theirs" })).toBeUndefined();
      expect(room.act(room.keeper, { kind: "set-room", title: "ours" })).toBeUndefined();
      room.run(25_000);
      heal();
      room.run(healedMs);
      const people = [room.keeper, heir, here, there];
      for (const node of people) {
        expect(room.seen(node, trollIdentity)?.banned).toBe(true);
        expect(room.seen(node, rowdyIdentity)?.banned).toBe(true);
        expect(room.facts(node).keptBy).toBe(host);
        expect(room.stage(node)).toEqual(room.stage(room.keeper));
        expect(room.facts(node).title).toBe(room.facts(room.keeper).title);
        expect(room.troubles(node)).not.toContain("forked");
      }
      // What is done from now on reaches both halves.
      expect(room.act(room.keeper, { kind: "set-room", title: "whole" })).toBeUndefined();
      for (const node of people) expect(room.facts(node).title).toBe("whole");
      const late = room.enter();
      // Keys are given in this room, to those who come together.
      room.run(6000);
      expect(room.events(late, "joined")).toHaveLength(1);
      expect(room.seen(late, rowdyIdentity)?.banned).toBe(true);
    },
  );

  it("[RM36] a hundred things that an heir did behind a cut are all said again, no faster than relays pass on", () => {
    const room = new KeptRoom("a busy half", 4);
    const heir = room.enter("heir");
    const [here, there] = [room.enter(), room.enter()];
    room.run(6000);
    const heal = part(room, [...room.relays.slice(2), heir, there]);
    room.run(cutMs);
    for (let count = 0; count < 100; count++) room.act(heir, { kind: "set-room", title: `title ${count}` });
    const identity = "ab".repeat(32);
    expect(room.act(heir, { kind: "ban", identity, branch: false })).toBeUndefined();
    heal();
    room.run(healedMs);
    for (const node of [room.keeper, heir, here, there]) {
      expect(room.seen(node, identity)?.banned).toBe(true);
      expect(room.facts(node).title).toBe("title 99");
    }
    for (const relay of room.relays)
      expect(room.peer(relay).stats(room.now).packetsRejected["event-rate"]).toBeUndefined();
  });
});
