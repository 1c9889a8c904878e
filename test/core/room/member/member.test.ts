import { describe, expect, it } from "vitest";
import { equal } from "../../../../p2p/core/bytes.ts";
import { encodePaper } from "../../../../p2p/core/overlay/news/papers.ts";
import { issueCapability, rights, rightsOfRole } from "../../../../p2p/core/room/rights/capability.ts";
import { signCarriage } from "../../../../p2p/core/room/rights/carriage.ts";
import { createHostSession, createKeyPair, firstEpoch, type KeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import { sealState } from "../../../../p2p/core/room/state/sealed-state.ts";
import { emptyState } from "../../../../p2p/core/room/state/state.ts";
import { signView } from "../../../../p2p/core/room/state/view.ts";
import { encodeFrame } from "../../../../p2p/core/session/frames.ts";
import { Room } from "../../peer/room.ts";
import { seededCrypto } from "../../fixtures.ts";

const crypto = seededCrypto("member");

/** Which key signs for the room at a relay that tells a member its own story. */
type Story = "root" | "carriage alone" | "moderator" | "two sessions";

/** Whether a member believes a relay that has the carriage key, and of the root what `story` says. */
function believes(story: Story): { readonly joined: number; readonly rejected: number } {
  const room = new Room(`story ${story}`);
  const relay = room.addRelay();
  const host = room.addPerson();
  room.host(host, [relay]);
  room.run(500);
  const { node, puppet } = room.addPuppet();
  const guest = room.addPerson();
  const invite = { ...room.invite(host), hints: [room.at(node).address] };
  const drawn = (key: Uint8Array): KeyPair => {
    const seed = room.at(host).drawn.find((each) => each.length === 32 && equal(crypto.publicKey(each), key));
    if (!seed) throw new Error("not drawn here");
    return { seed, key };
  };
  const [root, carriage, stranger] = [drawn(invite.roomKey), drawn(invite.tag), createKeyPair(crypto)];
  const session = createHostSession(crypto, story === "carriage alone" ? stranger : root, carriage, room.now);
  const { notBefore, expires } = session.capability;
  const lesserGrant = {
    grantee: session.key,
    role: "moderator",
    rights: rightsOfRole.moderator | rights.grant,
    notBefore,
    expires,
    sequence: 0,
  } as const;
  const chain = [
    story === "moderator" ? issueCapability(crypto, root.key, root.seed, lesserGrant) : session.capability,
  ];
  const other = createHostSession(crypto, root, carriage, room.now);
  const certificate = signCarriage(crypto, carriage.seed, session.key, session.certificate.expires, 0);
  const view = signView(crypto, session.seed, {
    tag: carriage.key,
    session: certificate,
    sequence: 50,
    issuedAt: room.now,
    epoch: 0,
    coreSize: 1,
    relayFanout: 1,
    relays: [room.at(node).address],
    voices: [],
    bans: [],
    keepers: [{ key: session.key, rank: 0 }],
    revoked: [],
    slowModeS: 0,
    doors: undefined,
    locked: false,
  });
  const { era } = firstEpoch(crypto, invite.secret, invite.tag);
  const words = {
    ...emptyState,
    sequence: 50,
    chain: story === "two sessions" ? [other.capability] : chain,
  };
  const state = sealState(crypto, era, session.seed, carriage.key, words);
  room.join(guest, invite);
  room.run(100);
  const [hello] = puppet.frames("hello");
  if (!hello) throw new Error("no hello");
  const link = puppet.linkOf("hello");
  const papers = [encodePaper({ kind: "view", bytes: view.encoded }), encodePaper({ kind: "state", bytes: state })];
  room.say(node, link, encodeFrame({ kind: "welcome", session: hello.session, time: room.now, hops: 1 }));
  for (const [sequence, bytes] of papers.entries()) {
    room.say(node, link, encodeFrame({ kind: "fragment", sequence, last: true, bytes }));
  }
  room.run(200);
  const rejected = room.peer(guest).stats(room.now).packetsRejected["state"] ?? 0;
  return { joined: room.events(guest, "joined").length, rejected };
}

describe("whom a member believes", () => {
  it("[RM21] a session that the root vouches for and that signed the view", () => {
    expect(believes("root")).toEqual({ joined: 1, rejected: 0 });
  });

  it.each(["carriage alone", "moderator", "two sessions"] as const)("[RM21] and nobody else: %s", (story) => {
    expect(believes(story)).toEqual({ joined: 0, rejected: 1 });
  });
});
