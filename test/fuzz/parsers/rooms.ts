import { ByteReader, ByteWriter, concat } from "../../../p2p/core/bytes.ts";
import { encodeRecord, checkRecord, openRecord, recordHour, recordKeys } from "../../../p2p/core/discovery/record.ts";
import { readCapability, verifyChain, writeCapability } from "../../../p2p/core/room/rights/capability.ts";
import { openEvent, readEventHead, sealEvent, verifyEvent } from "../../../p2p/core/room/chain/chain.ts";
import { encodeContent, parseContent } from "../../../p2p/core/room/chain/event.ts";
import { encodeCapsule, parseCapsule } from "../../../p2p/core/room/keeper/capsule.ts";
import { encodeHints, openHints } from "../../../p2p/core/room/invite/hints.ts";
import { openNote, sealNote } from "../../../p2p/core/room/asking/note.ts";
import { openPetition, sealPetition } from "../../../p2p/core/room/asking/petition.ts";
import { type Pass, readPass, signPass, verifyPass, writePass } from "../../../p2p/core/room/rights/pass.ts";
import { checkState, openState, sealState } from "../../../p2p/core/room/state/sealed-state.ts";
import { parseView, verifyView } from "../../../p2p/core/room/state/view.ts";
import { encodeUtf8 } from "../../../p2p/core/utf8.ts";
import {
  knowing,
  sampleAddress,
  sampleGuestCapsule,
  sampleHostCapsule,
  sampleInvite,
  sampleNote,
  samplePetition,
  sampleState,
  testNow,
} from "../../core/fixtures.ts";
import { payloadOf, readListing } from "../../../p2p/core/room/hall/listing.ts";
import type { Parsers } from "../parser.ts";
import type { Samples } from "../samples.ts";

/** Where a state's ciphertext begins: after version, session key, sequence, one chain that it settles, and nonce. */
const stateHeadBytes = 79;
const stateSealedAt = stateHeadBytes + 12;

/** What is signed or sealed for a room. */
export function roomParsers(samples: Samples): Parsers {
  return {
    ...viewParsers(samples),
    ...stateParsers(samples),
    ...eventParsers(samples),
    ...wordParsers(samples),
    ...keptParsers(samples),
    ...passParsers(samples),
  };
}

function passParsers({ crypto, room }: Samples): Parsers {
  const tag = room.keys.carriage.key;
  const door = room.voiceKey;
  const writer = new ByteWriter();
  writePass(writer, signPass(crypto, room.keys.session, tag, door, tag.subarray(0, 8), testNow));
  const samples = [writer.finish()];
  const read = (bytes: Uint8Array): Pass | undefined => {
    const reader = new ByteReader(bytes);
    const pass = readPass(reader);
    return reader.ended ? pass : undefined;
  };
  return {
    pass: { samples, accepts: (bytes) => read(bytes) !== undefined, covers: ["readPass"] },
    "signed pass": {
      samples,
      accepts: (bytes) => {
        const pass = read(bytes);
        return pass !== undefined && verifyPass(crypto, tag, door, pass, testNow);
      },
      sealed: true,
      covers: ["verifyPass"],
    },
  };
}

function viewParsers({ crypto, room, guest }: Samples): Parsers {
  const writer = new ByteWriter();
  for (const capability of guest.chain) writeCapability(writer, capability);
  return {
    view: { samples: [room.view.encoded], accepts: (bytes) => parseView(bytes).ok, covers: ["parseView"] },
    "signed view": {
      samples: [room.view.encoded],
      accepts: (bytes) => {
        const parsed = parseView(bytes);
        return parsed.ok && verifyView(crypto, parsed.value, testNow).ok;
      },
      sealed: true,
      covers: ["verifyView", "verifyCarriage"],
    },
    "capability chain": {
      samples: [writer.finish()],
      accepts: (bytes) => {
        const reader = new ByteReader(bytes);
        const chain = [];
        for (let index = 0; index < 3; index++) {
          const capability = readCapability(reader);
          if (capability === undefined) return false;
          chain.push(capability);
        }
        return reader.ended && verifyChain(crypto, room.keys.root.key, chain, testNow).ok;
      },
      sealed: true,
      covers: ["readCapability", "verifyChain"],
    },
  };
}

function stateParsers({ crypto, room }: Samples): Parsers {
  const { keys, secret } = room;
  const state = sealState(crypto, { number: 1, secret }, keys.session.seed, keys.carriage.key, sampleState(room));
  const key = crypto.hkdf(secret, encodeUtf8("teahouse state key 1"), 32);
  const nonce = state.subarray(stateHeadBytes, stateSealedAt);
  const aad = concat(keys.carriage.key, state.subarray(0, stateHeadBytes));
  const plain = crypto.open(key, nonce, aad, state.subarray(stateSealedAt, -64), 16) ?? new Uint8Array(0);
  const opens = (bytes: Uint8Array): boolean =>
    typeof openState(crypto, knowing(secret), keys.carriage.key, bytes) === "object";
  return {
    "sealed state": {
      samples: [state],
      accepts: (bytes) => checkState(crypto, room.view, bytes, undefined) === "newer" && opens(bytes),
      sealed: true,
      covers: ["checkState", "readStateHead"],
    },
    "state inside its seal": {
      // With other words in it, as a hostile host would seal it.
      samples: [plain],
      accepts: (bytes) => {
        const sealed = crypto.seal(key, nonce, aad, bytes, 16);
        return opens(concat(state.subarray(0, stateSealedAt), sealed, new Uint8Array(64)));
      },
      covers: ["openState", "parseState", "readPerson", "readHand", "readKeeper", "readRules", "readNamed"],
    },
  };
}

function eventParsers({ crypto, room }: Samples): Parsers {
  const { keys, secret, view } = room;
  const { tag } = view;
  const head = { author: keys.session.key, number: 1, rank: 0, right: 1, previous: new Uint8Array(16) };
  const [person] = sampleState(room).stage;
  const said = { at: testNow, seen: [{ author: new Uint8Array(8), number: 3 }] };
  const content = { kind: "seat", person: person!, petition: new Uint8Array(8) } as const;
  const event = sealEvent(crypto, { number: 1, secret }, tag, keys.session.seed, head, { ...said, content });
  const plain = new ByteWriter();
  encodeContent(plain, content);
  return {
    event: {
      samples: [event.encoded],
      accepts: (bytes) => {
        const read = readEventHead(bytes);
        const holds = read !== undefined && verifyEvent(crypto, tag, read, bytes);
        return holds && typeof openEvent(crypto, knowing(secret), tag, bytes) === "object";
      },
      sealed: true,
      covers: ["readEventHead", "verifyEvent", "openEvent"],
    },
    "event inside its seal": {
      samples: [plain.finish()],
      accepts: (bytes) => {
        const reader = new ByteReader(bytes);
        return parseContent(reader) !== undefined && reader.ended;
      },
      covers: ["parseContent"],
    },
  };
}

function wordParsers({ crypto, room, guest }: Samples): Parsers {
  const { keys, secret } = room;
  const note = sealNote(crypto, { number: 1, secret }, keys.root.key, guest.seed, sampleNote());
  const noteKey = crypto.hkdf(secret, encodeUtf8("teahouse note key 1"), 32);
  const [mark, nonce] = [note.subarray(0, 1), note.subarray(1, 13)];
  const aad = concat(keys.root.key, mark);
  return {
    petition: {
      samples: [sealPetition(crypto, { number: 1, secret }, keys.root.key, guest.seed, samplePetition(guest.chain))],
      accepts: (bytes) => openPetition(crypto, knowing(secret), keys.root.key, bytes, testNow) !== undefined,
      sealed: true,
      covers: ["openPetition"],
    },
    note: {
      samples: [note],
      accepts: (bytes) => openNote(crypto, knowing(secret), keys.root.key, bytes) !== undefined,
      sealed: true,
      covers: ["openNote"],
    },
    "note inside its seal": {
      // What any member can seal: the signature inside keeps the rest out.
      samples: [crypto.open(noteKey, nonce, aad, note.subarray(13), 16) ?? new Uint8Array(0)],
      accepts: (bytes) => {
        const resealed = concat(mark, nonce, crypto.seal(noteKey, nonce, aad, bytes, 16));
        return openNote(crypto, knowing(secret), keys.root.key, resealed) !== undefined;
      },
      sealed: true,
      covers: [],
    },
  };
}

function keptParsers({ crypto, room, rng }: Samples): Parsers {
  const { keys } = room;
  const hour = recordHour(testNow);
  const hints = encodeHints(crypto, keys.carriage.key, keys.session, [sampleAddress(rng)], testNow);
  const record = encodeRecord(crypto, keys.secret, { hour, sequence: testNow, payload: hints });
  const [recordKey = new Uint8Array(0)] = recordKeys(crypto, keys.secret, hour);
  const listing = { title: "Tea", members: 3, invite: sampleInvite(crypto, keys, [sampleAddress(rng)]) };
  const capsules = [sampleGuestCapsule(crypto, keys), sampleHostCapsule(room)];
  return {
    capsule: {
      samples: capsules.map((capsule) => encodeCapsule(crypto, capsule)),
      accepts: (bytes) => parseCapsule(crypto, bytes) !== undefined,
      covers: ["parseCapsule"],
    },
    "record hints": {
      samples: [hints],
      accepts: (bytes) => openHints(crypto, keys.root.key, keys.carriage.key, bytes, testNow) !== undefined,
      sealed: true,
      covers: ["openHints"],
    },
    "listing in the hall": {
      samples: [payloadOf(crypto, { hour, place: 1 }, listing, rng.bytes(8), keys.session, testNow)],
      accepts: (bytes) => readListing(crypto, bytes) !== undefined,
      covers: ["readListing"],
    },
    "record at a server": {
      samples: [record],
      accepts: (bytes) => checkRecord(crypto, recordKey, bytes, { from: hour - 1, to: hour + 1 }).ok,
      sealed: true,
      covers: ["checkRecord"],
    },
    "record at a reader": {
      samples: [record],
      accepts: (bytes) => openRecord(crypto, keys.secret, bytes).ok,
      sealed: true,
      covers: ["openRecord"],
    },
  };
}
