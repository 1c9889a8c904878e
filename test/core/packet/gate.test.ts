import { describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { AssertionError } from "../../../p2p/core/assert.ts";
import { concat, toHex } from "../../../p2p/core/bytes.ts";
import { PacketGate } from "../../../p2p/core/packet/gate.ts";
import { PacketSealer } from "../../../p2p/core/packet/seal.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { createKeyPair } from "../../../p2p/core/room/rights/keys.ts";
import type { RelayView } from "../../../p2p/core/room/state/view.ts";
import { countingCrypto, samplePacket, sampleRoom, sampleView, testNow } from "../fixtures.ts";

const tickMs = limits.packetMs;

/** A room, a gate that counts its signature checks, and what it says of a packet. */
function setUp(seed: string) {
  const room = sampleRoom(seed);
  const crypto = countingCrypto(room.crypto);
  const gate = new PacketGate(crypto, room.view, testNow);
  const verdict = (packet: Uint8Array, now: Millis = testNow): string => {
    const result = gate.admit(packet, now);
    return result.ok ? "ok" : result.reason;
  };
  const withView = (changes: Partial<RelayView>): RelayView =>
    sampleView(room.crypto, room.keys, { voices: room.view.voices, ...changes });
  return { room, crypto, gate, verdict, withView };
}

function flipped(packet: Uint8Array, at: number): Uint8Array {
  const changed = new Uint8Array(packet);
  const index = at < 0 ? packet.length + at : at;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}

describe("PacketGate", () => {
  it("[PK3] lets a signed packet through once, and says whose it is", () => {
    const { room, gate, verdict } = setUp("once");
    const packet = samplePacket(room, 100);
    expect(gate.admit(packet, testNow)).toMatchObject({
      ok: true,
      value: { voice: toHex(room.voiceKey), voiceKey: room.voiceKey, layer: "normal", sequence: 100 },
    });
    expect(verdict(packet)).toBe("duplicate");
  });

  it("[PK3] a packet signed by another voice key is refused", () => {
    const { room, verdict } = setUp("forged");
    const other = createKeyPair(room.crypto);
    const sealer = new PacketSealer(room.crypto, room.view.tag, other.seed, { number: 1, secret: room.secret });
    const content = { layer: "normal", sequence: 1, capturedAt: testNow, opus: Uint8Array.of(1), viewMark: 0 } as const;
    const packet = sealer.seal(content);
    const voiceId = samplePacket(room, 1).subarray(1, 5);
    const forged = concat(packet.subarray(0, 1), voiceId, packet.subarray(5));
    expect(verdict(packet)).toBe("unknown-voice");
    expect(verdict(forged)).toBe("signature");
  });

  it("[PK3] a packet of another room is refused, even with the same voice in both", () => {
    const { room, verdict } = setUp("rooms");
    const elsewhere = new PacketSealer(room.crypto, room.keys.root.key, room.voiceSeed, {
      number: 1,
      secret: room.secret,
    });
    const content = { layer: "normal", sequence: 1, capturedAt: testNow, opus: Uint8Array.of(1), viewMark: 0 } as const;
    expect(verdict(elsewhere.seal(content))).toBe("signature");
  });

  it("[PK7] checks from cheap to dear: only what passes all else costs a signature check", () => {
    const { room, crypto, gate, verdict, withView } = setUp("order");
    const first = samplePacket(room, 1000);
    expect([verdict(first), crypto.verifies]).toEqual(["ok", 1]);
    // Each fails its own check and every later one too, so that the reason shows which came first.
    const bad = flipped(first, -1);
    expect(verdict(bad.subarray(1))).toBe("malformed");
    expect(verdict(concat(Uint8Array.of(0x20), bad.subarray(1)))).toBe("malformed");
    expect(verdict(flipped(flipped(bad, 2), 5))).toBe("unknown-voice");
    expect(verdict(flipped(bad, 5))).toBe("stale-epoch");
    expect(verdict(bad)).toBe("duplicate");
    const old = samplePacket(sampleRoom("order"), 1000 - limits.replayWindowPackets);
    expect(verdict(flipped(old, -1))).toBe("too-old");
    const before = crypto.verifies;
    for (let sequence = 1001; sequence < 1075; sequence++) expect(verdict(samplePacket(room, sequence))).toBe("ok");
    expect(crypto.verifies).toBe(before + 74);
    expect(verdict(flipped(samplePacket(room, 1075), -1))).toBe("rate");
    expect(verdict(bad)).toBe("duplicate");
    expect(crypto.verifies).toBe(before + 74);
    gate.setView(withView({ voices: [] }), testNow);
    expect(verdict(first)).toBe("unknown-voice");
    expect(crypto.verifies).toBe(before + 74);
  });

  it("[PK7] three thousand duplicates cost no signature check at all", () => {
    const { room, crypto, verdict } = setUp("duplicates");
    const packets = [1, 2, 3].map((sequence) => samplePacket(room, sequence));
    for (const packet of packets) expect(verdict(packet)).toBe("ok");
    for (let run = 0; run < 1000; run++) {
      for (const packet of packets) expect(verdict(packet)).toBe("duplicate");
    }
    expect(crypto.verifies).toBe(3);
  });

  it("[PK8] an unsigned packet takes nobody's place: the true one still passes, at any sequence number", () => {
    const { room, crypto, verdict } = setUp("poison");
    expect(verdict(samplePacket(room, 500))).toBe("ok");
    for (const sequence of [501, 505, 628, 2000, 15_500, 15_501, 4_000_000_000]) {
      expect(verdict(flipped(samplePacket(sampleRoom("poison"), sequence), 20))).toBe("signature");
    }
    // Nor does a flood of them use up the voice's rate.
    const forged = flipped(samplePacket(room, 502), 30);
    for (let run = 0; run < 100; run++) expect(verdict(forged)).toBe("signature");
    expect(verdict(samplePacket(sampleRoom("poison"), 501))).toBe("ok");
    expect(verdict(samplePacket(sampleRoom("poison"), 502))).toBe("ok");
    expect(crypto.verifies).toBe(1 + 7 + 100 + 2);
  });

  it("[PK9] takes a window's packets in any order, each once", () => {
    const { room, verdict } = setUp("shuffle");
    const rng = new Rng("shuffle");
    const packets = Array.from({ length: 60 }, (_, index) => samplePacket(room, 300 + index));
    const arrivals = [...packets, ...packets].map((packet) => ({ packet, at: rng.next() }));
    arrivals.sort((a, b) => a.at - b.at);
    const counts = new Map<string, number>();
    for (const [index, { packet }] of arrivals.entries()) {
      const result = verdict(packet, millis(testNow + index * tickMs));
      counts.set(result, (counts.get(result) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ ok: 60, duplicate: 60 });
  });

  it("[PK9] keeps a window for each layer", () => {
    const { room, verdict } = setUp("layers");
    const content = { sequence: 50, capturedAt: testNow, opus: Uint8Array.of(1), viewMark: 0 } as const;
    expect(verdict(room.sealer.seal({ ...content, layer: "normal" }))).toBe("ok");
    expect(verdict(room.sealer.seal({ ...content, layer: "low" }))).toBe("ok");
  });

  it("[PK10] a stalled speaker may jump ten minutes ahead", () => {
    const { room, verdict } = setUp("stall");
    expect(verdict(samplePacket(room, 10))).toBe("ok");
    expect(verdict(samplePacket(room, 10 + limits.packetsAheadMax))).toBe("ok");
    expect(verdict(samplePacket(sampleRoom("stall"), 11))).toBe("too-old");
  });

  it("[PK10] further ahead is refused once; the packet right after it moves the window", () => {
    const { room, crypto, verdict } = setUp("far");
    const far = 10 + limits.packetsAheadMax + 1;
    expect(verdict(samplePacket(room, 10))).toBe("ok");
    const packet = samplePacket(room, far);
    expect(verdict(packet)).toBe("too-far");
    const verifies = crypto.verifies;
    for (let run = 0; run < 50; run++) expect(verdict(packet)).toBe("duplicate");
    expect(crypto.verifies).toBe(verifies);
    expect(verdict(samplePacket(sampleRoom("far"), 11))).toBe("ok");
    expect(verdict(samplePacket(sampleRoom("far"), far + 5))).toBe("too-far");
    expect(verdict(samplePacket(sampleRoom("far"), far + 6))).toBe("ok");
    expect(verdict(samplePacket(sampleRoom("far"), far + 5))).toBe("ok");
    expect(verdict(packet)).toBe("ok");
    expect(verdict(samplePacket(sampleRoom("far"), 12))).toBe("too-old");
  });

  it("[PK11] ten times the rate gets the rate through, and costs the rate in signature checks", () => {
    const { room, crypto, verdict } = setUp("ten times");
    const seconds = 10;
    let passed = 0;
    for (let index = 0; index < seconds * 250; index++) {
      const now = millis(testNow + index * 4);
      if (verdict(samplePacket(room, index, 1), now) === "ok") passed++;
    }
    expect(passed).toBeGreaterThanOrEqual(seconds * 25);
    expect(passed).toBeLessThanOrEqual((seconds * 1.02 + 3) * 25);
    expect(crypto.verifies).toBe(passed);
  });

  it("[PK11] a speaker whose clock runs 1 % fast is never refused", () => {
    const { room, verdict } = setUp("drift");
    for (let sequence = 0; sequence < 4000; sequence++) {
      const now = millis(testNow + sequence * tickMs * 0.99);
      expect(verdict(samplePacket(room, sequence, 1), now)).toBe("ok");
    }
  });

  it("[PK11] after a stall three seconds' packets may come at once, and no more", () => {
    const { room, verdict } = setUp("burst");
    const verdicts = Array.from({ length: 80 }, (_, index) => verdict(samplePacket(room, index)));
    expect(verdicts.filter((each) => each === "ok")).toHaveLength(75);
    expect(verdicts.slice(75)).toEqual(["rate", "rate", "rate", "rate", "rate"]);
    expect(verdict(samplePacket(sampleRoom("burst"), 75), millis(testNow + tickMs))).toBe("ok");
  });

  it("[PK12] the epoch before passes for two seconds after a view with a new one, others never", () => {
    const { room, gate, verdict, withView } = setUp("epoch");
    const inEpoch = (number: number, sequence: number): Uint8Array => {
      const sealer = new PacketSealer(room.crypto, room.view.tag, room.voiceSeed, { number, secret: room.secret });
      const opus = Uint8Array.of(sequence);
      return sealer.seal({ layer: "normal", sequence, capturedAt: testNow, opus, viewMark: 0 });
    };
    expect(verdict(inEpoch(0, 1))).toBe("stale-epoch");
    expect(verdict(inEpoch(2, 2))).toBe("stale-epoch");
    gate.setView(withView({ epoch: 2, sequence: 8 }), testNow);
    const last = millis(testNow + limits.epochGraceMs - 1);
    // A view that changes something else neither ends nor renews the grace.
    gate.setView(withView({ epoch: 2, sequence: 9 }), millis(last - 1));
    expect(verdict(inEpoch(1, 3), last)).toBe("ok");
    expect(verdict(inEpoch(2, 4), last)).toBe("ok");
    expect(verdict(inEpoch(1, 5), millis(last + 1))).toBe("stale-epoch");
    expect(verdict(inEpoch(258, 6), millis(last + 1))).toBe("ok");
  });

  it("[PK13] a new view keeps the windows and buckets of voices that stay, and ends the others at once", () => {
    const { room, gate, verdict, withView } = setUp("views");
    const packets = Array.from({ length: 75 }, (_, index) => samplePacket(room, 700 + index));
    for (const packet of packets) expect(verdict(packet)).toBe("ok");
    const newcomer = createKeyPair(room.crypto);
    gate.setView(withView({ voices: [{ key: newcomer.key, packetsPerSecond: 25 }, ...room.view.voices] }), testNow);
    for (const packet of packets) expect(verdict(packet)).toBe("duplicate");
    expect(verdict(samplePacket(room, 775))).toBe("rate");
    gate.setView(withView({ voices: [{ key: newcomer.key, packetsPerSecond: 25 }] }), testNow);
    expect(verdict(samplePacket(room, 776))).toBe("unknown-voice");
  });

  it("[PK13] takes a voice's rate from the newest view", () => {
    const { room, gate, verdict, withView } = setUp("slower");
    gate.setView(withView({ voices: [{ key: room.voiceKey, packetsPerSecond: 5 }] }), testNow);
    const verdicts = Array.from({ length: 20 }, (_, index) => verdict(samplePacket(room, index)));
    expect(verdicts.filter((each) => each === "ok")).toHaveLength(15);
  });

  it("[PK13] of two voices with one id the first in the view keeps it", () => {
    const { room, verdict, gate, withView } = setUp("collision");
    // A hash of nothing but the first key: what grinding 2^32 keys would find.
    const other = createKeyPair(room.crypto);
    const colliding = { ...room.crypto, sha256: () => room.crypto.sha256(room.voiceKey) };
    const voices = [...room.view.voices, { key: other.key, packetsPerSecond: 25 }];
    const narrow = new PacketGate(colliding, withView({ voices }), testNow);
    expect(narrow.admit(samplePacket(room, 1), testNow).ok).toBe(true);
    gate.setView(withView({ voices }), testNow);
    expect(verdict(samplePacket(room, 2))).toBe("ok");
  });

  it("belongs to one room", () => {
    const { gate } = setUp("one room");
    expect(() => gate.setView(sampleRoom("another room").view, testNow)).toThrow(AssertionError);
  });
});
