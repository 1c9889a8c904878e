import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { isShutTo, mayHoldKeys } from "../../../../p2p/core/room/member/entry.ts";
import { KeyPath } from "../../../../p2p/core/room/epoch/path.ts";
import { inviteOf } from "../../../../p2p/core/room/asking/petition.ts";
import { passMs } from "../../../../p2p/core/room/rights/pass.ts";
import { delegate } from "../../../../p2p/core/room/member/seat.ts";
import { emptyState, markOf } from "../../../../p2p/core/room/state/state.ts";
import { KeyRegistry, SimCrypto } from "../../../sim/crypto.ts";
import { sampleInvite, sampleRoom, seededCrypto } from "../../fixtures.ts";
import { RoomOfKeys } from "./room-of-keys.ts";

const seed = process.env["TEST_SEED"] ?? "teahouse";

function room(name: string, closed: boolean): RoomOfKeys {
  const rng = new Rng(`${seed}/${name}`);
  return new RoomOfKeys(new SimCrypto(rng.fork("crypto"), new KeyRegistry()), rng, closed);
}

describe(`epochs and who opens them (TEST_SEED=${seed})`, () => {
  it("[RM41] an open room's first epoch needs nobody; enrolling changes nothing that is heard", () => {
    const open = room("open", false);
    const first = open.join();
    expect(open.opens(first)).toBe(true);
    expect(open.keeper.epoch.number).toBe(0);
    open.pass(20_000);
    expect([first.holder.isEnrolled, open.keeper.size, open.told.length]).toEqual([true, 1, 1]);
  });

  it("[RM44] a kick: one paper, at once; everybody who stays opens, who was kicked never again", () => {
    const open = room("kick", false);
    for (let count = 0; count < 40; count++) open.join();
    open.pass(20_000);
    const [victim] = open.people;
    if (!victim) throw new Error("nobody came");
    open.kick(victim);
    expect(open.told).toHaveLength(2);
    expect(open.present.filter((person) => !open.opens(person))).toEqual([]);
    expect(open.opens(victim)).toBe(false);
    // The invite's secret is of no use any more, and asking again is refused.
    victim.isOut = false;
    open.pass(20_000);
    expect(open.opens(victim)).toBe(false);
  });

  it("[RM43] who comes to a closed room opens from now on, and nothing of what was told before", () => {
    const closed = room("closed", true);
    const early = closed.join();
    closed.pass(6_000);
    expect(closed.opens(early)).toBe(true);
    const epochBefore = closed.keeper.epoch;
    const toldBefore = closed.told.length;
    const late = closed.join();
    expect(late.holder.epoch).toBeUndefined();
    closed.pass(12_000);
    expect([closed.opens(early), closed.opens(late)]).toEqual([true, true]);
    expect(late.holder.epoch?.number).toBeGreaterThan(epochBefore.number);
    expect(toHex(late.holder.epoch?.secret ?? new Uint8Array(0))).not.toBe(toHex(epochBefore.secret));
    expect(closed.told.length).toBeGreaterThan(toldBefore);
  });

  it("[RM43] when more come at once than one commit names, nobody is given keys from before they came", () => {
    const crowded = room("crowd", true);
    crowded.pass(30_000);
    // They hear nothing of each other here: that would be a million grants tried.
    const coming = Array.from({ length: 1_050 }, () => crowded.join());
    crowded.people.length = 0;
    const ask = (people: typeof coming): unknown[] =>
      people.flatMap(({ holder }) => {
        const asked = holder.enrol(crowded.now);
        return asked ? [crowded.keeper.take(asked, crowded.keys.session.seed, crowded.now)] : [];
      });
    crowded.now = millis(crowded.now + 10_000);
    expect(ask(coming).filter((answer) => answer === undefined)).toHaveLength(1_000);
    crowded.now = millis(crowded.now + 10_000);
    const late = coming.slice(1_000);
    expect(ask(late)).toEqual(late.map(() => "refused"));
    const before = crowded.keeper.epoch.number;
    crowded.runKeeper();
    expect(crowded.keeper.epoch.number).toBe(before + 1);
    crowded.now = millis(crowded.now + 20_000);
    expect(ask(late)).toEqual(late.map(() => undefined));
  });

  it("[RM45] who was away follows when one paper was missed or many, and without the keeper's help when none was", () => {
    const closed = room("away", true);
    const people = [closed.join(), closed.join(), closed.join(), closed.join()];
    closed.pass(12_000);
    const [absent, other] = people;
    if (!absent || !other) throw new Error("nobody came");
    absent.away = true;
    closed.kick(other);
    closed.join();
    closed.pass(12_000);
    expect(closed.opens(absent)).toBe(false);
    absent.away = false;
    closed.pass(1_000);
    const last = closed.told.at(-1);
    // It is shown the newest commit when it comes back, as by any relay.
    if (last) absent.holder.takeCommit(last, closed.now);
    closed.pass(12_000);
    expect(closed.opens(absent)).toBe(true);
  });

  it("[RM45] another keeper goes on with the same epoch; who comes to it in time misses nothing", () => {
    const closed = room("heir", true);
    for (let count = 0; count < 12; count++) closed.join();
    closed.pass(12_000);
    const before = closed.keeper.epoch.number;
    const history = closed.people[3]?.holder.history;
    if (!history) throw new Error("no history");
    closed.replaceKeeper(history);
    expect(closed.keeper.epoch.number).toBe(before);
    for (let second = 0; second < 19; second++) {
      closed.pass(1_000);
      expect(closed.present.filter((person) => !closed.opens(person))).toEqual([]);
    }
    const [victim] = closed.people;
    if (!victim) throw new Error("nobody");
    closed.kick(victim);
    expect(closed.present.filter((person) => !closed.opens(person))).toEqual([]);
    expect(closed.opens(victim)).toBe(false);
  });

  it("[RM45] a keeper that steps back overwrites its own secrets, not those it goes on with as a member", () => {
    const closed = room("steps back", true);
    closed.join();
    closed.pass(12_000);
    const history = closed.people[0]?.holder.history;
    if (!history) throw new Error("no history");
    const before = history.secret.slice();
    closed.replaceKeeper(history);
    closed.keeper.wipe();
    expect(closed.people[0]?.holder.epoch?.secret).toEqual(before);
    expect(closed.keeper.epoch.secret).toEqual(new Uint8Array(32));
  });

  it.each([true, false])(
    "[RM42] [RM44] random joins, leaves, absences and kicks (closed: %s): everybody inside opens, nobody outside does",
    (closed) => {
      for (let run = 0; run < 6; run++) {
        const rng = new Rng(`${seed}/random/${closed}/${run}`);
        const hall = room(`hall/${closed}/${run}`, closed);
        for (let step = 0; step < 120; step++) {
          const dice = rng.int(10);
          const somebody = hall.pick();
          if (dice < 5) hall.join();
          else if (dice === 5 && somebody) hall.leave(somebody);
          else if (dice === 6 && somebody) hall.kick(somebody);
          else if (dice === 7 && somebody) somebody.away = !somebody.away;
          hall.pass(rng.int(6) * 1_000);
        }
        for (const person of hall.people.filter((each) => each.away)) {
          person.away = false;
          const last = hall.told.at(-1);
          if (last && !person.isOut) person.holder.takeCommit(last, hall.now);
        }
        hall.pass(130_000, 1_000);
        const outside = hall.people.filter((person) => person.isOut && (hall.banned.size > 0 || closed));
        expect(hall.present.filter((person) => !hall.opens(person))).toEqual([]);
        const treeMade = hall.keeper.mode === "tree";
        if (treeMade)
          expect(outside.filter((person) => hall.opens(person) && hall.banned.has(person.name))).toEqual([]);
        if (closed) expect(outside.filter((person) => hall.opens(person))).toEqual([]);
      }
    },
  );

  it("[RM42] in a full room a kick is one small paper, and a hundred at once are papers of a size", () => {
    const full = room("full", false);
    for (let count = 0; count < 1_500; count++) full.join();
    full.pass(12_000, 2_000);
    expect(full.keeper.size).toBe(1_500);
    const before = full.bytesTold;
    const [victim] = full.people;
    if (!victim) throw new Error("nobody");
    full.kick(victim);
    expect(full.bytesTold - before).toBeLessThan(2_048);
    expect(full.present.filter((person) => !full.opens(person))).toHaveLength(0);
    for (const person of full.people.slice(1, 101)) {
      full.banned.add(person.name);
      person.isOut = true;
    }
    const papers = full.told.length;
    full.keeper.rekey(full.now);
    full.tell();
    full.pass(1_000, 1_000);
    expect(full.told.length - papers).toBeLessThanOrEqual(12);
    expect(full.present.filter((person) => !full.opens(person))).toHaveLength(0);
    expect(full.people.slice(0, 101).filter((person) => full.opens(person))).toHaveLength(0);
  });

  it("[RM47] a locked room gives keys to nobody who is not in, and to who is in also when another keeper takes over", () => {
    const hall = room("locked", false);
    for (let count = 0; count < 6; count++) hall.join();
    hall.pass(12_000);
    hall.isLocked = true;
    hall.keeper.rekey(hall.now);
    hall.tell();
    const late = hall.join();
    hall.pass(20_000);
    const inside = hall.people.filter((person) => person !== late);
    expect(inside.filter((person) => !hall.opens(person))).toEqual([]);
    expect(hall.opens(late)).toBe(false);
    const history = inside[1]?.holder.history;
    if (!history) throw new Error("no history");
    hall.replaceKeeper(history);
    hall.pass(25_000);
    hall.keeper.rekey(hall.now);
    hall.tell();
    expect(inside.filter((person) => !hall.opens(person))).toEqual([]);
    expect(hall.opens(late)).toBe(false);
  });

  it("[RM39] [RM44] [RM47] keys go to nobody new by a replaced link, nor by an invite for one that is another's", () => {
    const { crypto, keys } = sampleRoom("by which invite");
    const [self, other] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const invite = sampleInvite(crypto, keys, []);
    const last = invite.chain.at(-1);
    if (!last) throw new Error("an invite has a chain");
    const chain = [...invite.chain, delegate(crypto, keys.root.key, invite.inviteSeed, last, self)];
    const { branch, generation } = inviteOf(crypto, chain);
    const replaced = { ...emptyState, generation: generation + 1 };
    expect(isShutTo(crypto, { ...emptyState, generation }, self, chain)).toBe(false);
    expect(isShutTo(crypto, replaced, self, chain)).toBe(true);
    const person = { voiceKey: other, identityKey: self, role: "speaker", name: "", branch } as const;
    expect(isShutTo(crypto, { ...replaced, stage: [person] }, self, chain)).toBe(false);
    expect(isShutTo(crypto, { ...emptyState, access: "locked", stage: [person] }, self, chain)).toBe(true);
    const used = { ...emptyState, used: [{ branch, user: markOf(self), door: branch, expires: 0 }] };
    expect(mayHoldKeys(crypto, used, self, chain)).toBe(true);
    expect(mayHoldKeys(crypto, used, other, chain)).toBe(false);
    expect(mayHoldKeys(crypto, { ...emptyState, kicked: [markOf(self)] }, self, chain)).toBe(false);
  });

  it("[RM42] who was put out cannot follow even with every key that it ever held, or those of others who were", () => {
    const crypto = seededCrypto("collusion");
    const hall = new RoomOfKeys(crypto, new Rng("collusion"), true);
    for (let count = 0; count < 9; count++) hall.join();
    hall.pass(12_000);
    const victims = hall.people.slice(2, 5);
    for (const victim of victims) hall.kick(victim);
    const last = hall.told.at(-1);
    expect(last?.changes.length).toBeGreaterThan(0);
    // Any leaf's place in the paper, tried with keys from outside.
    for (let leaf = 0; leaf < 16; leaf++) {
      const keys = Array.from({ length: (last?.height ?? 0) + 1 }, () => crypto.randomBytes(32));
      expect(last && new KeyPath(crypto, leaf, keys).follow(last)).toBe(false);
    }
    expect(victims.filter((victim) => hall.opens(victim))).toEqual([]);
    expect(hall.present.filter((person) => !hall.opens(person))).toEqual([]);
  });

  it("[RM58] with every grant a pass is given, and another one is asked for when half of its time has passed", () => {
    const hall = room("passes", true);
    const [guest, away] = [hall.join(), hall.join()];
    hall.pass(6_000);
    const first = guest.holder.pass;
    expect(first).toBeDefined();
    away.away = true;
    hall.pass(passMs / 2, 600_000);
    expect(guest.holder.pass?.expires).toBeGreaterThan(first?.expires ?? Infinity);
    expect(away.holder.pass?.expires).toBe(first?.expires);
    // It holds its place and keys meanwhile, and asks no more.
    expect([hall.opens(guest), guest.holder.isEnrolled]).toEqual([true, true]);
    expect(guest.holder.enrol(hall.now)).toBeUndefined();
  });

  it("[RM55] made-up members who are gone keep no places: another tree is begun, and who is there misses nothing", () => {
    const full = room("made up", true);
    const honest = Array.from({ length: 5 }, () => full.join());
    full.pass(12_000);
    while (full.keeper.size < limits.keyLeavesMax / 8) {
      const sybil = full.join();
      full.now = millis(full.now + 10_000);
      const asked = sybil.holder.enrol(full.now);
      if (asked) full.keeper.take(asked, full.keys.session.seed, full.now);
      full.people.pop();
      if (full.keeper.size % 900 === 0) full.runKeeper();
    }
    full.now = millis(full.now + 600_000);
    const late = full.join();
    full.pass(40_000);
    expect(full.keeper.size).toBe(6);
    expect([...honest, late].filter((person) => !full.opens(person))).toEqual([]);
  });
});
