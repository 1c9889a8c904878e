import { describe, expect, it } from "vitest";
import { fullRoom, identityOf, kickSomebody, openerOf, packetIn } from "./kicks.ts";

describe("somebody who was put out", () => {
  it.each(["one", "two", "three"])(
    "[RM44] opens nothing more, whatever wire it hears; who stays misses nothing (seed %s)",
    (seed) => {
      const kicked = kickSomebody(seed, 5);
      expect(kicked.openedBefore).toBeGreaterThan(0);
      // Two seconds are the goal; a message to the farthest speaker and one on its way are what it takes.
      expect(kicked.openedForMs).toBeLessThan(500);
      expect(kicked.closedAfter).toBeGreaterThan(kicked.openedBefore);
      expect(kicked.heard).toEqual(kicked.heard.map(() => kicked.said));
      expect(kicked.heardByKicked).toBeLessThan(5);
    },
  );
});

describe("a host that falls after it put somebody out", () => {
  it("[RM45] comes back to an epoch beyond that one: who stayed is heard, and who was put out opens none of it", () => {
    const { room, host, guests } = fullRoom("fallen host", 4);
    const [victim = -1, speaker = -1, listener = -1] = guests;
    room.command(host, { kind: "act", id: 1, act: { kind: "kick", identity: identityOf(room, host, victim) } });
    room.run(1_000);
    const opens = openerOf(room, host);
    const capsule = room.peer(host).capsule();
    if (!capsule) throw new Error("no capsule");
    room.kill(host);
    const again = room.addPerson();
    room.command(again, { kind: "resume", capsule });
    room.run(4_000);
    let opened = 0;
    let seen = 0;
    room.filter = ({ bytes }) => {
      const packet = packetIn(bytes);
      if (packet) seen++;
      if (packet && opens(packet)) opened++;
      return true;
    };
    room.talk(speaker, 2_000, 3_000);
    room.run(500);
    expect(seen).toBeGreaterThan(100);
    expect(opened).toBe(0);
    for (const node of [listener, again]) {
      expect(room.marks(node, speaker).filter((mark) => mark >= 3_000)).toHaveLength(50);
    }
  });
});
