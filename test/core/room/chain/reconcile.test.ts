import { expect, it } from "vitest";
import { withShut } from "../../../../p2p/core/room/chain/reconcile.ts";
import { emptyState, type Keeper, markOf, type Use } from "../../../../p2p/core/room/state/state.ts";
import { seededCrypto } from "../../fixtures.ts";

const crypto = seededCrypto("reconcile");

function keeper(role: Keeper["role"]): Keeper {
  const key = crypto.randomBytes(32);
  return { key, identityKey: key, role, name: role, office: undefined };
}

it("[RM36] whom the other side put out keeps the room no more, and an invite that was used there is used", () => {
  const [host, banned, kicked, free] = [keeper("host"), keeper("moderator"), keeper("moderator"), keeper("moderator")];
  const [branch, other] = [crypto.randomBytes(8), crypto.randomBytes(8)];
  const useBy = (by: Keeper, of: Uint8Array): Use => ({ branch: of, user: markOf(by.key), door: of, expires: 9 });
  const use = useBy(free, branch);
  const ours = { ...emptyState, keepers: [host, banned, kicked, free], used: [use] };
  const theirs = {
    ...emptyState,
    bans: [{ identityKey: banned.key, name: "", rank: 1 }],
    kicked: [markOf(kicked.key)],
    used: [useBy(kicked, branch), useBy(free, other)],
  };
  const both = withShut(ours, theirs);
  expect(both.keepers).toEqual([host, free]);
  expect(both.used).toEqual([use, useBy(free, other)]);
});
