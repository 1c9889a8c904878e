import { expect, it } from "vitest";
import { recordHour } from "../../../p2p/core/discovery/record.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { openListing, spotKey, spotsOf } from "../../../p2p/core/room/hall/listing.ts";
import { parseInvite } from "../../../p2p/core/room/invite/invite.ts";
import { seededCrypto } from "../fixtures.ts";
import { Room } from "./room.ts";

const crypto = seededCrypto("hall");

it("[DS11] an invite that everybody could read in the hall ends with the room's being open; who came by it stays", () => {
  const room = new Room("hall");
  const relay = room.addRelay();
  const [host, early, late] = [room.addPerson({ discovery: true }), room.addPerson(), room.addPerson()];
  room.host(host, [relay], { title: "open to all" });
  room.run(1_000);
  const access = (value: "open" | "link-only") =>
    room.command(host, { kind: "act", id: 1, act: { kind: "set-room", access: value } });
  access("open");
  const [spot] = spotsOf(crypto, room.invite(host).tag, recordHour(room.now));
  const value = () => room.records.get(toHex(spotKey(crypto, spot!)));
  while (!value()) room.run(1_000);
  const listed = openListing(crypto, spot!, value()!, room.now);
  const invite = parseInvite(crypto, listed!.invite);
  if (!invite.ok) throw new Error(invite.reason);
  room.join(early, invite.value);
  room.run(1_000);
  expect(room.events(early, "joined")).toHaveLength(1);
  // Until it has its place in the tree of keys.
  room.run(15_000);
  access("link-only");
  room.run(2_000);
  room.join(late, invite.value);
  room.run(5_000);
  expect(room.events(late, "joined")).toHaveLength(0);
  expect(room.events(late, "trouble").map(({ code }) => code)).toEqual(["invite-revoked"]);
  room.talk(host, 200);
  expect(room.marks(early, host).length).toBeGreaterThan(3);
  const other = room.addPerson();
  room.join(other, room.invite(host));
  room.run(5_000);
  expect(room.events(other, "joined")).toHaveLength(1);
});
