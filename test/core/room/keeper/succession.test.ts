import { expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { hasEnded, Succession } from "../../../../p2p/core/room/keeper/succession.ts";
import { seededCrypto, testNow } from "../../fixtures.ts";
import { HistoryRoom } from "../history-room.ts";

it("[RM36] an heir acts in its turn, and not by an office that is over, whatever its clock's hour", () => {
  const room = new HistoryRoom(seededCrypto("turns"));
  const heirs = [room.appoint("heir"), room.appoint("heir")].map(({ keeper }) => keeper);
  const { state } = room.host.history;
  const succession = new Succession(testNow);
  const turns = heirs.map(({ keys }) => (succession.dueAt(state, keys.key) ?? 0) - testNow);
  expect(turns).toEqual([3_000, 4_500]);
  expect(succession.dueAt(state, room.host.keys.key)).toBeUndefined();
  const office = state.keepers.find(({ role }) => role === "heir")?.office;
  const endsAt = (office?.capability.expires ?? 0) * 1000;
  expect(hasEnded(office, millis(endsAt))).toBe(false);
  expect(hasEnded(office, millis(endsAt + 1))).toBe(true);
  expect(hasEnded(undefined, millis(endsAt + 1))).toBe(false);
  // Who cannot act by it excuses whoever is silent, so that it never comes to its turn.
  succession.excuse(millis(testNow + 2_000));
  expect(succession.dueAt(state, heirs[0]!.keys.key)).toBe(testNow + 5_000);
});
