import type { Layer } from "../../../p2p/api/engine.ts";
import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { AssertionError } from "../../../p2p/core/assert.ts";
import { concat, equal, toHex } from "../../../p2p/core/bytes.ts";
import { type Packet, parsePacket } from "../../../p2p/core/packet/format.ts";
import { nonceOf, PacketOpener, PacketSealer, senderKeyOf } from "../../../p2p/core/packet/seal.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { samplePacket, sampleRoom, testNow } from "../fixtures.ts";

const room = sampleRoom("seal");
const { crypto } = room;
const tag = room.keys.carriage.key;
const firstEpoch = { number: 1, secret: room.secret };
const nextEpoch = { number: 2, secret: new Rng("next epoch").bytes(32) };
const thirdEpoch = { number: 3, secret: new Rng("third epoch").bytes(32) };

function parsed(bytes: Uint8Array): Packet {
  const result = parsePacket(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function sealerOf(seed: string): PacketSealer {
  return new PacketSealer(crypto, tag, new Rng(seed).bytes(32), firstEpoch);
}

describe("PacketSealer and PacketOpener", () => {
  it("[PK4] give back what was said and when, over random content", () => {
    const rng = new Rng("content");
    const sealer = sealerOf("round trip");
    const opener = new PacketOpener(crypto, firstEpoch);
    for (let sequence = 0; sequence < 200; sequence++) {
      const opus = rng.bytes(1 + rng.int(320));
      const capturedAt = millis(testNow + 40 * sequence);
      const layer: Layer = rng.int(2) === 0 ? "normal" : "low";
      const packet = parsed(sealer.seal({ layer, sequence, capturedAt, opus, viewMark: 0 }));
      const opened = opener.open(packet, sealer.voiceKey, millis(capturedAt + 90));
      expect(opened).toEqual({ ok: true, value: { opus, capturedAt } });
    }
  });

  it("[PK4] a seal of another voice, layer, header or epoch secret does not open", () => {
    const packet = parsed(samplePacket(sampleRoom("seal"), 5));
    const opener = new PacketOpener(crypto, firstEpoch);
    const refused = { ok: false, reason: "seal" };
    expect(opener.open(packet, room.voiceKey, testNow).ok).toBe(true);
    expect(opener.open(packet, sealerOf("another").voiceKey, testNow)).toEqual(refused);
    expect(opener.open({ ...packet, layer: "low" }, room.voiceKey, testNow)).toEqual(refused);
    expect(opener.open({ ...packet, sequence: 6 }, room.voiceKey, testNow)).toEqual(refused);
    const header = concat(packet.header.subarray(0, 11), Uint8Array.of(0));
    expect(opener.open({ ...packet, header }, room.voiceKey, testNow)).toEqual(refused);
    const other = new PacketOpener(crypto, { number: 1, secret: nextEpoch.secret });
    expect(other.open(packet, room.voiceKey, testNow)).toEqual(refused);
  });

  it("[PK5] every voice, layer and epoch has a sender key of its own", () => {
    const keys = new Set<string>();
    for (const { secret } of [firstEpoch, nextEpoch]) {
      for (const voiceKey of [sealerOf("a").voiceKey, sealerOf("b").voiceKey]) {
        for (const layer of ["normal", "low"] as const) keys.add(toHex(senderKeyOf(crypto, secret, voiceKey, layer)));
      }
    }
    expect(keys.size).toBe(8);
  });

  it("[PK6] no two packets of a voice share key and nonce, over layers, epochs and long runs", () => {
    const nonces = new Set<string>();
    for (const epoch of [1, 2, 255]) {
      for (const layer of ["normal", "low"] as const) {
        for (let sequence = 0; sequence < 3000; sequence++) {
          nonces.add(toHex(nonceOf({ layer, epoch, sequence: sequence * 1_431_655, viewMark: 0, voiceId: 1 })));
        }
      }
    }
    expect(nonces.size).toBe(3 * 2 * 3000);
    expect(nonceOf({ layer: "low", epoch: 3, sequence: 0x01020304, viewMark: 9, voiceId: 9 })).toEqual(
      Uint8Array.of(0, 0, 0, 0, 1, 3, 0, 0, 1, 2, 3, 4),
    );
  });

  it("[PK6] a sealer refuses to use a sequence number twice, and to go back to an epoch", () => {
    const sealer = sealerOf("twice");
    const content = { layer: "normal", capturedAt: testNow, opus: Uint8Array.of(1), viewMark: 0 } as const;
    sealer.seal({ ...content, sequence: 9 });
    expect(() => sealer.seal({ ...content, sequence: 9 })).toThrow(AssertionError);
    expect(() => sealer.seal({ ...content, sequence: 8 })).toThrow(AssertionError);
    expect(sealer.seal({ ...content, layer: "low", sequence: 9 })).toBeInstanceOf(Uint8Array);
    sealer.setEpoch(nextEpoch);
    expect(() => sealer.setEpoch(firstEpoch)).toThrow(AssertionError);
    expect(() => sealer.setEpoch({ number: 2, secret: firstEpoch.secret })).toThrow(AssertionError);
    expect(() => sealer.seal({ ...content, sequence: 9 })).toThrow(AssertionError);
    expect(() => sealer.seal({ ...content, opus: new Uint8Array(0), sequence: 10 })).toThrow(AssertionError);
    expect(() => sealer.seal({ ...content, opus: new Uint8Array(321), sequence: 10 })).toThrow(AssertionError);
  });

  it("[PK14] stragglers of the epoch before still open, older ones and ones to come do not", () => {
    const sealer = sealerOf("epochs");
    const content = { layer: "normal", capturedAt: testNow, opus: Uint8Array.of(1, 2), viewMark: 0 } as const;
    const packets = [firstEpoch, nextEpoch, thirdEpoch].map((epoch, sequence) => {
      sealer.setEpoch(epoch);
      return parsed(sealer.seal({ ...content, sequence }));
    });
    const opener = new PacketOpener(crypto, firstEpoch);
    const verdicts = (): string[] =>
      packets.map((packet) => {
        const opened = opener.open(packet, sealer.voiceKey, testNow);
        return opened.ok ? "opens" : opened.reason;
      });
    expect(verdicts()).toEqual(["opens", "no-key", "no-key"]);
    opener.setEpoch(nextEpoch);
    opener.setEpoch(nextEpoch);
    expect(verdicts()).toEqual(["opens", "opens", "no-key"]);
    opener.setEpoch(thirdEpoch);
    expect(verdicts()).toEqual(["no-key", "opens", "opens"]);
    opener.forgetPrevious();
    expect(verdicts()).toEqual(["no-key", "no-key", "opens"]);
  });

  it("[PK14] epoch 257 is told from epoch 1 by its secret, though packets show the same 8 bits", () => {
    const sealer = sealerOf("wrap");
    const late = { number: 257, secret: nextEpoch.secret };
    sealer.setEpoch(late);
    const content = { layer: "normal", capturedAt: testNow, opus: Uint8Array.of(1), viewMark: 0 } as const;
    const packet = parsed(sealer.seal({ ...content, sequence: 1 }));
    expect(packet.epoch).toBe(1);
    const old = new PacketOpener(crypto, firstEpoch).open(packet, sealer.voiceKey, testNow);
    expect(old).toEqual({ ok: false, reason: "seal" });
    expect(new PacketOpener(crypto, late).open(packet, sealer.voiceKey, testNow).ok).toBe(true);
  });

  it("[PK14] capture time is the nearest with its low 32 bits, around every wrap", () => {
    const wrap = 2 ** 32 * 419;
    for (const [at, offset] of [
      [wrap, -1],
      [wrap, 0],
      [wrap - 1, 40],
      [wrap + 5, -3_600_000],
      [wrap - 5, 3_600_000],
      [testNow, 86_400_000],
    ] as const) {
      const capturedAt = millis(at + offset);
      const sealer = sealerOf(`time ${at} ${offset}`);
      const content = { layer: "normal", capturedAt, opus: Uint8Array.of(7), viewMark: 0 } as const;
      const opener = new PacketOpener(crypto, firstEpoch);
      const opened = opener.open(parsed(sealer.seal({ ...content, sequence: 1 })), sealer.voiceKey, millis(at));
      expect(opened).toMatchObject({ ok: true, value: { capturedAt } });
    }
  });

  it("keeps working when more voices come than it keeps keys of", () => {
    const opener = new PacketOpener(crypto, firstEpoch);
    for (let voice = 0; voice < 140; voice++) {
      const sealer = sealerOf(`voice ${voice}`);
      const content = { layer: "normal", capturedAt: testNow, viewMark: 0, sequence: 1 } as const;
      const opened = opener.open(
        parsed(sealer.seal({ ...content, opus: Uint8Array.of(voice) })),
        sealer.voiceKey,
        testNow,
      );
      expect(opened.ok && equal(opened.value.opus, Uint8Array.of(voice))).toBe(true);
    }
  });
});
