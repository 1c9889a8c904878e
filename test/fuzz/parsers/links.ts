import { ByteReader, ByteWriter } from "../../../p2p/core/bytes.ts";
import { decodeBase64url, encodeBase64url } from "../../../p2p/core/base64url.ts";
import { encodePaper, type Paper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { encodeCard, parseCard, readRelayAddress, writeRelayAddress } from "../../../p2p/core/room/invite/card.ts";
import { encodeInvite, parseInvite } from "../../../p2p/core/room/invite/invite.ts";
import { verifyHost } from "../../../p2p/core/room/rights/proof.ts";
import { encodeFrame, type Frame, type Hello, parseFrame } from "../../../p2p/core/session/frames.ts";
import { decodeUtf8, encodeUtf8 } from "../../../p2p/core/utf8.ts";
import { sampleAddress, sampleCard, sampleInvite, samplePacket, samplePass, testNow } from "../../core/fixtures.ts";
import { samplePlacePapers } from "../../core/overlay/place-samples.ts";
import { bytesOf, type Parsers, textOf } from "../parser.ts";
import type { Samples } from "../samples.ts";

/** What neighbours say to each other. */
export function linkParsers(samples: Samples): Parsers {
  const { crypto, parties, proof } = samples;
  return {
    frame: {
      samples: frames(samples).map(encodeFrame),
      accepts: (bytes) => parseFrame(bytes) !== undefined,
      covers: ["parseFrame", "readBundle", "readHave", "readAlternatives"],
    },
    paper: {
      samples: papers(samples).map(encodePaper),
      accepts: (bytes) => parsePaper(bytes) !== undefined,
      covers: [
        "parsePaper",
        "readProof",
        "readPlacePaper",
        "readAdvert",
        "readAdvertNews",
        "readCoordinate",
        "readPath",
        "readShortId",
      ],
    },
    "host proof": {
      samples: [encodeFrame(helloOf(samples))],
      accepts: (bytes) => {
        const frame = parseFrame(bytes);
        if (frame?.kind !== "hello" || frame.proof === undefined) return false;
        return verifyHost(crypto, { ...frame.proof, cardSecret: proof.cardSecret }, { ...parties, tag: frame.tag });
      },
      covers: ["verifyHost"],
    },
  };
}

function helloOf({ session, tag, proof }: Samples): Hello {
  const have = [{ voice: 1, sequence: 2 }];
  return {
    kind: "hello",
    version: 1,
    session,
    tag,
    role: "member",
    feed: true,
    wish: { layers: "both", prompt: true, lossy: false },
    have,
    proof,
  };
}

function frames(samples: Samples): Frame[] {
  const { session, rng, room } = samples;
  return [
    helloOf(samples),
    {
      ...helloOf(samples),
      proof: undefined,
      doors: [1, 2].map(() => ({ key: rng.bytes(32), signature: rng.bytes(64) })),
      pass: samplePass(room),
    },
    { kind: "welcome", session, time: testNow, hops: 3 },
    { kind: "refuse", session, time: testNow, reason: "full", alternatives: [sampleAddress(rng), sampleAddress(rng)] },
    { kind: "attach", session },
    { kind: "attached", session },
    { kind: "media", hops: 2, packet: samplePacket(room, 2000) },
    { kind: "bundle", hops: 2, packets: [samplePacket(room, 2001), samplePacket(room, 2002)] },
    { kind: "request", voiceId: 7, layer: "low", sequences: [1, 2] },
    { kind: "fragment", sequence: 7, last: true, bytes: rng.bytes(40) },
    { kind: "ack", next: 9 },
    { kind: "puzzle", challenge: rng.bytes(16), bits: 13 },
    { kind: "solution", nonce: rng.bytes(8) },
    { kind: "tick", nextMs: 200, stalled: false, passing: true },
    {
      kind: "cover",
      on: true,
      wish: { layers: "low", prompt: false, lossy: false },
      have: [{ voice: 1, sequence: 2 }],
    },
    { kind: "bye" },
  ];
}

function papers({ rng, room, proof }: Samples): Paper[] {
  const census = {
    listeners: 9,
    relays: 2,
    lossy: 1,
    narrow: 0,
    free: 0,
    kept: true,
    room: [{ rank: 1, slots: 3, version: 4 }],
  };
  return [
    { kind: "view", bytes: room.view.encoded },
    { kind: "petition", bytes: rng.bytes(100) },
    { kind: "note", bytes: rng.bytes(100) },
    { kind: "act", bytes: rng.bytes(120) },
    { kind: "office", proof },
    { kind: "keys", bytes: rng.bytes(300) },
    { kind: "enrol", bytes: rng.bytes(100) },
    { kind: "grant", bytes: rng.bytes(100) },
    { kind: "retired", seeds: [rng.bytes(32), rng.bytes(32)] },
    { kind: "census", census },
    {
      kind: "feed",
      on: true,
      quiet: false,
      wish: { layers: "low", prompt: false, lossy: true },
      have: [{ voice: 1, sequence: 2 }],
    },
    { kind: "no-feed", alternatives: [sampleAddress(rng)] },
    { kind: "replayed", packets: 12 },
    ...samplePlacePapers(rng),
  ];
}

/** What people paste and pass on. */
export function textParsers({ crypto, room, rng }: Samples): Parsers {
  const invite = encodeInvite(crypto, sampleInvite(crypto, room.keys, [sampleAddress(rng), sampleAddress(rng)]));
  const card = encodeCard(crypto, sampleCard(rng));
  const address = new ByteWriter();
  writeRelayAddress(address, sampleAddress(rng));
  return {
    "relay address": {
      samples: [address.finish()],
      accepts: (bytes) => {
        const reader = new ByteReader(bytes);
        return readRelayAddress(reader) !== undefined && reader.ended;
      },
      covers: ["readRelayAddress"],
    },
    "invite bytes": {
      samples: [decodeBase64url(invite.slice(5)) ?? new Uint8Array(0)],
      accepts: (bytes) => parseInvite(crypto, `thi1-${encodeBase64url(bytes)}`).ok,
      covers: ["parseInvite", "readTerms"],
    },
    "invite text": {
      samples: [bytesOf(invite), bytesOf(`Come: teahouse://join#${invite} tonight`)],
      accepts: (bytes) => parseInvite(crypto, textOf(bytes)).ok,
      text: true,
      covers: ["findText", "checksumFits", "decodeBase64url"],
    },
    "card bytes": {
      samples: [decodeBase64url(card.slice(5)) ?? new Uint8Array(0)],
      accepts: (bytes) => parseCard(crypto, `thc1-${encodeBase64url(bytes)}`, testNow).ok,
      covers: ["parseCard"],
    },
    "card text": {
      samples: [bytesOf(card)],
      accepts: (bytes) => parseCard(crypto, textOf(bytes), testNow).ok,
      text: true,
      covers: [],
    },
    utf8: {
      samples: [encodeUtf8("茶館 чай\u{1f375}")],
      accepts: (bytes) => decodeUtf8(bytes) !== undefined,
      covers: ["decodeUtf8"],
    },
  };
}
