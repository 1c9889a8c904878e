import { describe, expect, it } from "vitest";
import { Room } from "../../peer/room.ts";

/** Types of the papers of keys, at the start of a fragment's bytes; 6 bytes of the fragment's own before them. */
const paperAt = 6;
const [keysType, enrolType, grantType] = [20, 21, 22];

function papersOf(type: number, seen: readonly { readonly bytes: Uint8Array }[]): Uint8Array[] {
  return seen.flatMap(({ bytes }) => (bytes[0] === 7 && bytes[paperAt] === type ? [bytes] : []));
}

describe("how keys travel", () => {
  it("[OV60] everybody is told where to enrol; each enrolment goes up, and its grant the same way back to nobody else", () => {
    const room = new Room("keys");
    const relays = [room.addRelay(), room.addRelay(), room.addRelay()];
    const host = room.addPerson();
    const guests = [0, 1, 2, 3].map(() => room.addPerson());
    const seen: { readonly from: number; readonly to: number; readonly bytes: Uint8Array }[] = [];
    room.filter = (passing) => {
      seen.push(passing);
      return true;
    };
    room.host(host, relays, { coreSize: 1, relayFanout: 1 });
    room.run(1_000);
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(15_000);
    for (const guest of guests) {
      expect(
        papersOf(
          keysType,
          seen.filter((passing) => passing.to === guest),
        ).length,
      ).toBeGreaterThan(0);
      expect(
        papersOf(
          enrolType,
          seen.filter((passing) => passing.from === guest),
        ),
      ).toHaveLength(1);
      expect(
        papersOf(
          grantType,
          seen.filter((passing) => passing.to === guest),
        ),
      ).toHaveLength(1);
    }
    // A chain of three relays: what passes one is told to the next alone, never to a guest beside the way.
    const rejected = [host, ...relays, ...guests].map((node) => room.peer(node).stats(room.now).packetsRejected);
    expect(rejected.flatMap((reasons) => Object.keys(reasons))).toEqual([]);
  });

  it("[OV60] an enrolment takes one way to the authority, not all: once over each edge, however many relays are meshed", () => {
    const room = new Room("one way");
    const relays = Array.from({ length: 6 }, () => room.addRelay());
    const host = room.addPerson();
    const guests = Array.from({ length: 8 }, () => room.addPerson());
    let enrolments = 0;
    room.filter = ({ bytes }) => {
      if (bytes[0] === 7 && bytes[paperAt] === enrolType) enrolments++;
      return true;
    };
    room.host(host, relays, { coreSize: 6 });
    room.run(1_000);
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(15_000);
    // Guest to relay, relay to relay at most, relay to host: all six would be told of each otherwise.
    expect(enrolments).toBeGreaterThanOrEqual(2 * guests.length);
    expect(enrolments).toBeLessThanOrEqual(3 * guests.length);
  });

  it("[OV60] what claims to be keys and is not signed by the session is charged to whoever passes it on", () => {
    const room = new Room("forged keys");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    room.join(guest, room.invite(host));
    let forged = 0;
    room.filter = ({ to, bytes }) => {
      if (to !== relay || bytes[0] !== 7 || bytes[paperAt] !== enrolType) return true;
      // The guest's enrolment becomes a keys paper.
      bytes[paperAt] = keysType;
      forged++;
      return true;
    };
    room.run(15_000);
    expect(forged).toBeGreaterThan(0);
    expect(room.peer(relay).stats(room.now).packetsRejected["keys"]).toBeGreaterThan(0);
  });
});
