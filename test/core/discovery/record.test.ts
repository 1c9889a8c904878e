import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { concat, fromHex, toHex } from "../../../p2p/core/bytes.ts";
import type { Crypto } from "../../../p2p/core/crypto.ts";
import {
  checkRecord,
  encodeRecord,
  openRecord,
  recordHour,
  recordHourTolerance,
  recordKeys,
  recordPayloadBytesMax,
} from "../../../p2p/core/discovery/record.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { golden } from "./record-golden.ts";

const crypto = createCrypto();
const secret = new Uint8Array(32).fill(7);
const hour = 490_000;
const sequence = hour * 3_600_000 + 1_234_567;
const payload = Uint8Array.from({ length: 100 }, (_, index) => index);
const keyOf = (replica: number, room = secret, at = hour): Uint8Array => {
  const key = recordKeys(crypto, room, at)[replica];
  if (key === undefined) throw new Error("no such replica");
  return key;
};
const record = (content: Partial<Parameters<typeof encodeRecord>[2]> = {}): Uint8Array =>
  encodeRecord(crypto, secret, { hour, sequence, payload, ...content });
const changed = (value: Uint8Array, offset: number): Uint8Array => {
  const copy = new Uint8Array(value);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
};
const counting = (): { readonly crypto: Crypto; readonly verified: () => number } => {
  let count = 0;
  return {
    crypto: { ...crypto, verify: (...given) => (count++, crypto.verify(...given)) },
    verified: () => count,
  };
};

describe("discovery record", () => {
  it("[DS1] the hour is counted from the Unix epoch", () => {
    expect(recordHour(millis(0))).toBe(0);
    expect(recordHour(millis(3_599_999))).toBe(0);
    expect(recordHour(millis(3_600_000))).toBe(1);
  });

  it("[DS2] signers of two hours, and of two rooms, differ", () => {
    const signer = (value: Uint8Array): string => toHex(value.subarray(2, 34));
    const other = encodeRecord(crypto, new Uint8Array(32).fill(8), { hour, sequence, payload });
    const signers = [record(), record({ hour: hour + 1 }), other].map(signer);
    expect(new Set(signers).size).toBe(3);
    expect(signer(record())).toBe(signers[0]);
  });

  it("[DS3] each hour has three keys, and all of them differ", () => {
    const keys = [hour, hour + 1].flatMap((at) => recordKeys(crypto, secret, at)).map(toHex);
    expect(keys).toHaveLength(6);
    expect(new Set(keys).size).toBe(6);
  });

  it("[DS4] is 1,024 bytes long whatever it holds", () => {
    for (const length of [0, 1, 500, recordPayloadBytesMax]) {
      const value = record({ payload: new Uint8Array(length).fill(9) });
      expect(value).toHaveLength(1024);
      const opened = openRecord(crypto, secret, value);
      expect(opened.ok && opened.value.payload).toEqual(new Uint8Array(length).fill(9));
    }
    expect(recordPayloadBytesMax).toBe(886);
    expect(() => record({ payload: new Uint8Array(recordPayloadBytesMax + 1) })).toThrow("fits");
  });

  it("[DS5] fixed inputs give the golden bytes", () => {
    const fixed: Crypto = { ...crypto, randomBytes: (length) => new Uint8Array(length).fill(5) };
    const value = encodeRecord(fixed, fromHex(golden.secret), {
      hour: golden.hour,
      sequence: golden.sequence,
      payload: fromHex(golden.payload),
    });
    expect(recordKeys(fixed, fromHex(golden.secret), golden.hour).map(toHex)).toEqual(golden.keys);
    expect(toHex(value)).toBe(golden.record);
  });

  it("[DS6] a sequence beyond the following hour is refused, and never written", () => {
    const late = (hour + 2) * 3_600_000;
    expect(() => record({ sequence: late })).toThrow("suits its hour");
    expect(checkRecord(crypto, keyOf(0), record({ sequence: late - 1 })).ok).toBe(true);
    const forged = record();
    new DataView(forged.buffer).setUint16(38, 0xffff);
    expect(checkRecord(crypto, keyOf(0), forged)).toEqual({ ok: false, reason: "sequence" });
  });

  it("[DS7] a server accepts a record under each of its keys, and under no other", () => {
    const value = record();
    for (const replica of [0, 1, 2]) {
      expect(checkRecord(crypto, keyOf(replica), value)).toEqual({ ok: true, value: { hour, sequence } });
    }
    for (const key of [keyOf(0, secret, hour + 1), keyOf(0, new Uint8Array(32)), new Uint8Array(0)]) {
      expect(checkRecord(crypto, key, value)).toEqual({ ok: false, reason: "key" });
    }
  });

  it("[DS7] a server names what is wrong, and checks the signature last", () => {
    const value = record();
    const { crypto: counted, verified } = counting();
    const check = (bytes: Uint8Array): unknown => {
      const checked = checkRecord(counted, keyOf(0), bytes, { from: hour - recordHourTolerance, to: hour });
      return checked.ok ? "ok" : checked.reason;
    };
    expect(check(value.subarray(1))).toBe("length");
    expect(check(concat(value, Uint8Array.of(0)))).toBe("length");
    expect(check(changed(value, 0))).toBe("version");
    expect(check(changed(value, 1))).toBe("scheme");
    expect(check(changed(value, 2))).toBe("key");
    expect(check(record({ hour: hour + 1 }))).toBe("hour");
    expect(check(record({ hour: hour - recordHourTolerance - 1, sequence: 0 }))).toBe("hour");
    expect(verified()).toBe(0);
    expect(check(changed(value, 43))).toBe("signature");
    expect(check(changed(value, 500))).toBe("signature");
    expect(check(changed(value, 1023))).toBe("signature");
    expect(check(value)).toBe("ok");
    expect(verified()).toBe(4);
  });

  it("[DS8] only a holder of the secret opens it, and any change is found", () => {
    const value = record();
    expect(openRecord(crypto, secret, value)).toEqual({ ok: true, value: { hour, sequence, payload } });
    expect(openRecord(crypto, new Uint8Array(32), value)).toEqual({ ok: false, reason: "signer" });
    const offsets = Array.from(value, (_, offset) => offset);
    expect(offsets.filter((offset) => openRecord(crypto, secret, changed(value, offset)).ok)).toEqual([]);
  });

  it("[DS8] a record whose seal is not its secret's does not open, though its signature holds", () => {
    const sealedElsewhere: Crypto = { ...crypto, seal: (key, ...rest) => crypto.seal(changed(key, 0), ...rest) };
    const value = encodeRecord(sealedElsewhere, secret, { hour, sequence, payload });
    expect(checkRecord(crypto, keyOf(0), value).ok).toBe(true);
    expect(openRecord(crypto, secret, value)).toEqual({ ok: false, reason: "sealed" });
  });

  it("[DS8] a payload length beyond the record is refused, though seal and signature hold", () => {
    const lying: Crypto = {
      ...crypto,
      seal: (key, nonce, aad, plaintext, tag) => {
        const copy = new Uint8Array(plaintext);
        new DataView(copy.buffer).setUint16(0, recordPayloadBytesMax + 1);
        return crypto.seal(key, nonce, aad, copy, tag);
      },
    };
    const value = encodeRecord(lying, secret, { hour, sequence, payload });
    expect(openRecord(crypto, secret, value)).toEqual({ ok: false, reason: "length" });
  });

  it("[DS10] a record does not say who wrote it: every holder of the secret can, with any payload", () => {
    const other = encodeRecord(createCrypto(), new Uint8Array(secret), {
      hour,
      sequence: sequence + 1,
      payload: secret,
    });
    expect(checkRecord(crypto, keyOf(0), other).ok).toBe(true);
    expect(openRecord(crypto, secret, other)).toEqual({
      ok: true,
      value: { hour, sequence: sequence + 1, payload: secret },
    });
    expect(toHex(other.subarray(2, 34))).toBe(toHex(record().subarray(2, 34)));
  });

  it("[DS7] random and changed bytes never throw and never pass", { timeout: 60_000 }, () => {
    const rng = new Rng("discovery record 1");
    const value = record();
    const key = keyOf(0);
    const reasons = new Map<string, number>();
    for (let round = 0; round < 1500; round++) {
      const bytes = rng.int(2) === 0 ? rng.bytes(rng.int(4) === 0 ? rng.int(2048) : 1024) : new Uint8Array(value);
      if (bytes.length === 1024 && rng.int(2) === 0) bytes.set([1, 1]);
      const at = rng.int(Math.max(1, bytes.length));
      bytes[at] = (bytes[at] ?? 0) ^ (1 + rng.int(255));
      for (const result of [checkRecord(crypto, key, bytes), openRecord(crypto, secret, bytes)]) {
        const reason = result.ok ? "passed" : result.reason;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    expect(reasons.get("passed")).toBeUndefined();
    for (const reason of ["length", "version", "scheme", "sequence", "key", "signer", "signature"]) {
      expect([...reasons.keys()]).toContain(reason);
    }
  });
});
