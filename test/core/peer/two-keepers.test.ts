import { describe, expect, it } from "vitest";
import { come, comeBack, guestCapsule, hears, issue, whetherIn } from "./coming.ts";
import { KeptRoom } from "./kept-room.ts";

/** Long enough for an heir to act and for everybody to find a relay of their own side. */
const cutMs = 15_000;
/** Long enough for relays to find each other again, for the host to say how things stand, and for everybody to be given keys. */
const healedMs = 60_000;

interface Halves {
  readonly room: KeptRoom;
  readonly heir: number;
  /** On the host's side, and on the heir's. */
  readonly here: number;
  readonly there: number;
  /** Who comes while the room is in two goes to these alone. */
  readonly comeTo: (relays: readonly number[]) => void;
  heal(): void;
}

/** A room in two, with somebody on stage on both sides who shall be put out by the keeper of the other. */
function halves(
  seed: string,
): Halves & { readonly troll: number; readonly rowdy: number; identities: [string, string] } {
  const room = new KeptRoom(seed, 4);
  const heir = room.enter("heir");
  const [here, there, troll, rowdy] = [room.enter(), room.enter(), room.enter(), room.enter()];
  const identities: [string, string] = [room.bringOnStage(troll), room.bringOnStage(rowdy)];
  room.run(12_000);
  const whole = room.filter;
  const near = new Set([...room.relays.slice(2), heir, there, troll]);
  const far = new Set([room.keeper, ...room.relays.slice(0, 2), here, rowdy]);
  let newcomers: ReadonlySet<number> = new Set(room.relays);
  const meet = (one: number, other: number): boolean => {
    if (near.has(one) || far.has(one))
      return near.has(other) || far.has(other) ? near.has(one) === near.has(other) : newcomers.has(one);
    return newcomers.has(other);
  };
  room.filter = (passing) => meet(passing.from, passing.to) && whole(passing);
  const comeTo = (relays: readonly number[]): void => {
    newcomers = new Set(relays);
  };
  room.run(cutMs);
  const heal = (): void => {
    room.filter = whole;
    room.run(healedMs);
  };
  return { room, heir, here, there, troll, rowdy, identities, comeTo, heal };
}

describe("two who keep one room, which grew apart", () => {
  it("[RM57] [RM59] healed: the invites of both let people in, who used one on either side stays, and whom either put out stays out", () => {
    const { room, heir, here, there, troll, rowdy, identities, heal } = halves("both invite");
    const [ofTroll, ofRowdy] = [guestCapsule(room, troll), guestCapsule(room, rowdy)];
    const [byHost, byHeir] = [issue(room, room.keeper), issue(room, heir)];
    const [onceByHost, onceByHeir] = [issue(room, room.keeper, true), issue(room, heir, true)];
    // Each puts out somebody who is on the other side.
    expect(room.act(room.keeper, { kind: "ban", identity: identities[0], branch: false })).toBeUndefined();
    expect(room.act(heir, { kind: "ban", identity: identities[1], branch: false })).toBeUndefined();
    room.run(5000);
    heal();
    expect(hears(room, troll, room.keeper) || hears(room, rowdy, room.keeper)).toBe(false);
    for (const node of [heir, here, there]) expect(hears(room, node, room.keeper)).toBe(true);
    for (const invite of [byHost, byHeir, onceByHost, onceByHeir, room.invite(room.keeper)]) {
      expect(come(room, invite).told).toEqual(["in"]);
    }
    expect(come(room, onceByHeir).told).toEqual(["invite-used"]);
    expect(room.act(room.keeper, { kind: "set-room", access: "locked" })).toBeUndefined();
    for (const capsule of [ofTroll, ofRowdy])
      expect(whetherIn(room, comeBack(room, capsule, 25_000))).not.toEqual(["in"]);
    expect(whetherIn(room, here).concat(whetherIn(room, there))).toEqual(["in", "in"]);
  });

  it.each(["host", "heir"] as const)(
    "[RM57] [RM59] healed: locked by the %s alone, everybody who was or came in stays and hears",
    (locks) => {
      const { room, heir, here, there, comeTo, heal } = halves(`locked by the ${locks}`);
      const first = room.invite(room.keeper);
      expect(room.act(locks === "host" ? room.keeper : heir, { kind: "set-room", access: "locked" })).toBeUndefined();
      const other = locks === "host" ? heir : room.keeper;
      expect(room.act(other, { kind: "set-room", title: "another title" })).toBeUndefined();
      room.run(2000);
      comeTo(locks === "host" ? room.relays.slice(2) : room.relays.slice(0, 2));
      const late = room.addPerson();
      room.join(late, first);
      room.run(12_000);
      expect(whetherIn(room, late)).toEqual(["in"]);
      heal();
      // What the other said of something else unlocks nothing.
      expect(room.facts(there)).toMatchObject({ access: "locked", title: "another title" });
      for (const node of [heir, here, there, late]) {
        expect(whetherIn(room, node)).toEqual(["in"]);
        expect(hears(room, node, room.keeper)).toBe(true);
      }
      expect(come(room, first).told).toEqual(["locked"]);
    },
  );

  it("[RM57] healed: a link that one replaced is replaced, the new one lets people in, and who is in stays", () => {
    const { room, heir, here, there, heal } = halves("one replaces");
    const first = room.invite(room.keeper);
    expect(room.act(heir, { kind: "replace-link" })).toBeUndefined();
    room.run(3000);
    const link = room.events(there, "link-replaced").at(-1)?.invite;
    if (!link) throw new Error("no link");
    heal();
    for (const node of [heir, here, there]) {
      expect(whetherIn(room, node)).toEqual(["in"]);
      expect(hears(room, node, room.keeper)).toBe(true);
    }
    expect([come(room, link).told, come(room, first).told]).toEqual([["in"], ["invite-revoked"]]);
  });
});
