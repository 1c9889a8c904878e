import { describe, expect, it } from "vitest";
import type { RoomTag } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { concat, toHex } from "../../../p2p/core/bytes.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import {
  alternativesMax,
  encodeFrame,
  type Frame,
  haveMax,
  parseFrame,
  refusals,
} from "../../../p2p/core/session/frames.ts";
import { sampleAddress } from "../fixtures.ts";

const rng = new Rng("frames");
const session = rng.bytes(16);
const hello: Frame = {
  kind: "hello",
  version: 1,
  session,
  tag: toHex(rng.bytes(32)) as RoomTag,
  role: "relay",
  feed: true,
  wish: { layers: "low", prompt: true, lossy: true },
  have: [{ voice: 0xfedcba98, sequence: 0xffffffff }],
  proof: {
    sessionKey: rng.bytes(32),
    sessionExpires: 1_800_000_000,
    sessionRank: 1,
    carriageSignature: rng.bytes(64),
    signature: rng.bytes(64),
    cardSecret: rng.bytes(16),
  },
};

const frames: readonly Frame[] = [
  hello,
  { ...hello, role: "member", feed: false, have: [], proof: undefined },
  { kind: "welcome", session, time: 1_800_000_000_123, hops: 3 },
  ...refusals.map((reason): Frame => ({
    kind: "refuse",
    session,
    time: 5,
    reason,
    alternatives: [sampleAddress(rng)],
  })),
  { kind: "attach", session },
  { kind: "attached", session },
  { kind: "media", hops: 2, packet: rng.bytes(217) },
  { kind: "bundle", hops: 3, packets: [rng.bytes(217), rng.bytes(148), rng.bytes(408)] },
  { kind: "cover", on: true, wish: { layers: "low", prompt: false, lossy: false }, have: [{ voice: 1, sequence: 2 }] },
  { kind: "request", voiceId: 0xfedcba98, layer: "low", sequences: [1, 0xffffffff] },
  { kind: "fragment", sequence: 0xffffffff, last: true, bytes: rng.bytes(100) },
  { kind: "fragment", sequence: 0, last: false, bytes: new Uint8Array(0) },
  { kind: "ack", next: 77 },
  { kind: "tick", nextMs: 200, stalled: false, passing: false },
  { kind: "bye" },
];
/** What carries bytes to the end of the frame, so that its end cannot be told from the bytes. */
const open = new Set<Frame["kind"]>(["media", "bundle", "fragment"]);

describe("frames", () => {
  it("[SS4] every frame is read as it was written, and nothing that is shorter or longer", () => {
    for (const frame of frames) {
      const bytes = encodeFrame(frame);
      expect(parseFrame(bytes)).toEqual(frame);
      if (open.has(frame.kind)) continue;
      expect(parseFrame(concat(bytes, Uint8Array.of(0)))).toBeUndefined();
      for (let length = 0; length < bytes.length; length++)
        expect(parseFrame(bytes.subarray(0, length))).toBeUndefined();
    }
  });

  it("[SS4] unknown types, roles, reasons and flags, and lists beyond their limit are no frames", () => {
    const helloBytes = encodeFrame({ ...hello, have: [], proof: undefined });
    const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
      const copy = bytes.slice();
      copy[at] = value;
      return copy;
    };
    const roleAt = 1 + 1 + 16 + 32;
    expect(parseFrame(helloBytes)).toBeDefined();
    expect(parseFrame(changed(helloBytes, roleAt, 3))).toBeUndefined();
    expect(parseFrame(changed(helloBytes, roleAt + 1, 12))).toBeUndefined();
    expect(parseFrame(Uint8Array.of(0))).toBeUndefined();
    expect(parseFrame(Uint8Array.of(14))).toBeUndefined();
    expect(parseFrame(Uint8Array.of(11))).toBeUndefined();
    const refuse = encodeFrame({ kind: "refuse", session, time: 5, reason: "full", alternatives: [] });
    expect(parseFrame(changed(refuse, 1 + 16 + 6, refusals.length))).toBeUndefined();
    const many = encodeFrame({
      kind: "refuse",
      session,
      time: 5,
      reason: "full",
      alternatives: Array.from({ length: alternativesMax + 1 }, () => sampleAddress(rng)),
    });
    expect(parseFrame(many)).toBeUndefined();
    const voices = new Uint8Array((haveMax + 1) * 8);
    const crowded = concat(changed(helloBytes, roleAt + 2, haveMax + 1), voices);
    expect(parseFrame(crowded)).toBeUndefined();
    expect(parseFrame(concat(changed(helloBytes, roleAt + 2, haveMax), voices.subarray(8)))).toBeDefined();
  });

  it("names no more voices than a stage holds, whatever it is asked to name", () => {
    const have = Array.from({ length: haveMax + 5 }, (_, voice) => ({ voice, sequence: voice }));
    const parsed = parseFrame(encodeFrame({ ...hello, have, proof: undefined }));
    expect(parsed).toMatchObject({ have: have.slice(0, haveMax) });
  });

  it("of a hello of another version only the session is read", () => {
    const bytes = encodeFrame(hello);
    bytes[1] = 2;
    expect(parseFrame(bytes)).toMatchObject({ kind: "hello", version: 2, session, proof: undefined, have: [] });
    expect(parseFrame(bytes.subarray(0, 18))).toMatchObject({ version: 2, session });
    expect(parseFrame(bytes.subarray(0, 17))).toBeUndefined();
  });

  it("the fullest hello and refusal fit into one link message", () => {
    const have = Array.from({ length: haveMax }, (_, voice) => ({ voice, sequence: voice }));
    expect(encodeFrame({ ...hello, have }).length).toBeLessThanOrEqual(limits.linkMessageBytesMax);
  });
});
