import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { limits } from "../../../p2p/api/limits.ts";
import { concat, equal, toHex } from "../../../p2p/core/bytes.ts";
import { buildPacket, encodeHeader, packetBytesMax, parsePacket, voiceIdOf } from "../../../p2p/core/packet/format.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { samplePacket, sampleRoom } from "../fixtures.ts";

const room = sampleRoom("format");

describe("parsePacket", () => {
  it("[PK1] round trips random headers and lengths", () => {
    const rng = new Rng("headers");
    for (let run = 0; run < 2000; run++) {
      const header = {
        layer: rng.int(2) === 0 ? "normal" : "low",
        voiceId: rng.u32(),
        epoch: rng.int(256),
        sequence: rng.u32(),
        viewMark: rng.int(65_536),
      } as const;
      const sealed = rng.bytes(4 + 1 + rng.int(limits.opusBytesMax) + 8);
      const signature = rng.bytes(64);
      const parsed = parsePacket(buildPacket(encodeHeader(header), sealed, signature));
      expect(parsed).toMatchObject({ ok: true, value: header });
      if (!parsed.ok) continue;
      expect(equal(parsed.value.sealed, sealed) && equal(parsed.value.signature, signature)).toBe(true);
      expect(equal(parsed.value.body, concat(encodeHeader(header), sealed))).toBe(true);
    }
  });

  it("[PK1] is 12 bytes of header, 12 of capture time and tag, 64 of signature, and the Opus packet", () => {
    expect(samplePacket(room, 1, 120)).toHaveLength(12 + 4 + 120 + 8 + 64);
    const longest = samplePacket(room, 2, limits.opusBytesMax);
    expect(longest).toHaveLength(packetBytesMax);
    expect(parsePacket(longest).ok).toBe(true);
    expect(parsePacket(concat(longest, Uint8Array.of(0)))).toEqual({ ok: false, reason: "malformed" });
    const shortest = samplePacket(room, 3, 1);
    expect(parsePacket(shortest).ok).toBe(true);
    expect(parsePacket(shortest.subarray(1))).toEqual({ ok: false, reason: "malformed" });
  });

  it("[PK1] begins with version, voice id, epoch, sequence number and view mark", () => {
    const packet = samplePacket(sampleRoom("head"), 0x01020304);
    const id = toHex(room.crypto.sha256(sampleRoom("head").voiceKey)).slice(0, 8);
    expect(toHex(packet.subarray(0, 12))).toBe(`10${id}01010203041234`);
    expect(voiceIdOf(room.crypto, sampleRoom("head").voiceKey)).toBe(Number.parseInt(id, 16));
  });

  it("[PK2] refuses every other version and every unknown flag", () => {
    const packet = samplePacket(room, 10);
    for (let first = 0; first < 256; first++) {
      const changed = concat(Uint8Array.of(first), packet.subarray(1));
      expect(parsePacket(changed).ok).toBe(first === 0x10 || first === 0x11);
    }
  });

  it("[PK15] nothing that a relay needs of packets can open them", () => {
    for (const file of ["format.ts", "gate.ts", "replay.ts"]) {
      const source = readFileSync(new URL(`../../../p2p/core/packet/${file}`, import.meta.url), "utf8");
      expect(source).toContain("import ");
      expect(source).not.toMatch(/from ".*seal\.ts"|\.open\(|\.seal\(/);
    }
  });
});
