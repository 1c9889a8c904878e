import { concat } from "../../../p2p/core/bytes.ts";
import { type Commit, checkCommit, parseCommit, signCommit } from "../../../p2p/core/room/epoch/commit.ts";
import { openEnrolment, openGrant, sealEnrolment, sealGrant } from "../../../p2p/core/room/epoch/enrolment.ts";
import { openHandOver, sealHandOver } from "../../../p2p/core/room/epoch/hand-over.ts";
import { encodeUtf8 } from "../../../p2p/core/utf8.ts";
import { samplePass, testNow } from "../../core/fixtures.ts";
import type { Parsers } from "../parser.ts";
import type { Samples } from "../samples.ts";

/** What keepers and holders of keys say to each other. */
export function keyParsers(samples: Samples): Parsers {
  const { crypto, room, rng, guest } = samples;
  const { keys } = room;
  const boxSeed = rng.bytes(32);
  const box = { seed: boxSeed, key: crypto.boxKey(boxSeed) };
  const commit: Commit = {
    sessionKey: keys.session.key,
    issuedAt: testNow,
    tree: rng.bytes(8),
    number: 3,
    epoch: 4,
    era: 2,
    mode: "tree",
    boxKey: box.key,
    height: 3,
    joined: [2, 5],
    changes: [1, 2, 3].map((height) => ({ height, index: 0, side: 1, sealed: rng.bytes(48) })),
    confirmation: rng.bytes(8),
  };
  const paper = signCommit(crypto, keys.session.seed, keys.carriage.key, commit);
  const id = rng.bytes(8);
  const wish = {
    wish: "hold",
    boxKey: box.key,
    door: guest.chain[0]?.grantee ?? box.key,
    inside: rng.bytes(16),
    pass: samplePass(room),
    epoch: 4,
    eras: [{ number: 2, secret: rng.bytes(32) }],
    chain: guest.chain,
  } as const;
  const enrolment = sealEnrolment(crypto, keys.root.key, id, commit, guest.seed, wish) ?? new Uint8Array(0);
  const info = concat(encodeUtf8("teahouse enrolment 1"), keys.root.key, commit.tree);
  const opens = (bytes: Uint8Array): boolean =>
    openEnrolment(crypto, keys.root.key, commit.tree, box.seed, bytes, testNow) !== undefined;
  return {
    "keys paper": { samples: [paper], accepts: (bytes) => parseCommit(bytes) !== undefined, covers: ["parseCommit"] },
    "signed keys paper": {
      samples: [paper],
      accepts: (bytes) => typeof checkCommit(crypto, room.view, bytes, undefined) !== "string",
      sealed: true,
      covers: ["checkCommit"],
    },
    enrolment: { samples: [enrolment], accepts: opens, sealed: true, covers: ["openEnrolment"] },
    "enrolment inside its seal": {
      // As anybody can seal one: the signature inside keeps the rest out.
      samples: [crypto.openSealed(box.seed, info, id, enrolment.subarray(8)) ?? new Uint8Array(0)],
      accepts: (bytes) => opens(concat(id, crypto.sealTo(box.key, id4(id), info, id, bytes) ?? new Uint8Array(0))),
      sealed: true,
      covers: [],
    },
    "voice hand-over": {
      samples: [sealHandOver(crypto, keys.root.key, commit, rng.bytes(32)) ?? new Uint8Array(0)],
      accepts: (bytes) => openHandOver(crypto, keys.root.key, commit.tree, box.seed, bytes) !== undefined,
      sealed: true,
      covers: ["openHandOver"],
    },
    ...grantParsers(samples, commit, box),
  };
}

/** Randomness of a seal, fixed: the same bytes give the same mutants. */
function id4(id: Uint8Array): Uint8Array {
  return concat(id, id, id, id);
}

function grantParsers(
  { crypto, room, rng }: Samples,
  commit: Commit,
  box: { readonly seed: Uint8Array; readonly key: Uint8Array },
): Parsers {
  const keys = [0, 1, 2, 3].map(() => rng.bytes(32));
  const grant = {
    number: 3,
    epoch: 4,
    secret: rng.bytes(32),
    era: { number: 2, secret: rng.bytes(32) },
    pass: samplePass(room),
    serials: rng.bytes(32),
    leaf: 5,
    keys,
  };
  const sealed = sealGrant(crypto, commit.tree, rng.bytes(8), room.keys.session.seed, box.key, grant);
  return {
    "key grant": {
      samples: [sealed ?? new Uint8Array(0)],
      accepts: (bytes) => openGrant(crypto, commit, box, bytes) !== undefined,
      sealed: true,
      covers: ["openGrant"],
    },
  };
}
