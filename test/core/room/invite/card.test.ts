import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { AssertionError } from "../../../../p2p/core/assert.ts";
import { decodeBase64url, encodeBase64url } from "../../../../p2p/core/base64url.ts";
import { ByteReader, ByteWriter, concat, equal } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import {
  encodeCard,
  parseCard,
  readRelayAddress,
  type RelayCard,
  writeRelayAddress,
} from "../../../../p2p/core/room/invite/card.ts";
import { encodeInvite } from "../../../../p2p/core/room/invite/invite.ts";
import {
  sampleAddress,
  sampleCard,
  sampleInvite,
  sampleRoom,
  seededCrypto,
  testNow,
  testSeconds,
} from "../../fixtures.ts";

const crypto = seededCrypto("card");
const rng = new Rng("card");

function verdict(text: string, now = testNow): string {
  const result = parseCard(crypto, text, now);
  return result.ok ? "ok" : result.reason;
}

describe("relay addresses", () => {
  it("[RM9] round trip with every number of addresses and every length", () => {
    for (let run = 0; run < 300; run++) {
      const addresses = Array.from({ length: rng.int(5) }, () => rng.bytes(1 + rng.int(limits.multiaddrBytesMax)));
      const relay = { ...sampleAddress(rng), addresses };
      const writer = new ByteWriter();
      writeRelayAddress(writer, relay);
      const reader = new ByteReader(writer.finish());
      expect(readRelayAddress(reader)).toEqual(relay);
      expect(reader.ended).toBe(true);
    }
  });

  it("[RM9] five addresses, an empty one, and one too long are refused; by ourselves they are a bug", () => {
    const head = rng.bytes(48);
    const empty = [0, 0];
    const long = [1, 25, ...rng.bytes(281)];
    for (const tail of [[5], [1, ...empty], [1, ...long]]) {
      const reader = new ByteReader(concat(head, Uint8Array.from(tail), rng.bytes(2000)));
      expect(readRelayAddress(reader)).toBeUndefined();
      expect(reader.failed).toBe(false);
    }
    const relay = sampleAddress(rng);
    const write = (addresses: Uint8Array[]) => () => writeRelayAddress(new ByteWriter(), { ...relay, addresses });
    expect(write([new Uint8Array(0)])).toThrow(AssertionError);
    expect(write([new Uint8Array(281)])).toThrow(AssertionError);
    expect(write(new Array<Uint8Array>(5).fill(rng.bytes(3)))).toThrow(AssertionError);
  });
});

describe("relay cards", () => {
  it("[RM14] round trip", () => {
    for (let run = 0; run < 200; run++) {
      const card = sampleCard(rng);
      expect(parseCard(crypto, encodeCard(crypto, card), testNow)).toEqual({ ok: true, value: card });
    }
  });

  it("[RM14] hold a secret that the relay's address does not", () => {
    const card = sampleCard(rng);
    const writer = new ByteWriter();
    writeRelayAddress(writer, card.address);
    const bytes = decodeBase64url(encodeCard(crypto, card).slice(5)) ?? new Uint8Array(0);
    const at = 1 + writer.length;
    expect(equal(bytes.subarray(1, at), writer.finish())).toBe(true);
    expect(equal(bytes.subarray(at, at + 16), card.secret)).toBe(true);
    expect(bytes).toHaveLength(at + 16 + 4 + 4);
  });

  it("[RM14] expire, unless they never do", () => {
    const card: RelayCard = { ...sampleCard(rng), expires: testSeconds };
    const text = encodeCard(crypto, card);
    expect(verdict(text, millis(testSeconds * 1000))).toBe("ok");
    expect(verdict(text, millis(testSeconds * 1000 + 1))).toBe("expired");
    expect(verdict(encodeCard(crypto, { ...card, expires: 0 }), millis(2 ** 45))).toBe("ok");
  });

  it("[RM13] [RM14] say what is wrong with them", () => {
    const text = encodeCard(crypto, sampleCard(rng));
    const room = sampleRoom("card");
    const invite = encodeInvite(crypto, sampleInvite(crypto, room.keys, [sampleAddress(rng)]));
    expect(verdict(`my relay: ${text}.`)).toBe("ok");
    expect(verdict("good evening")).toBe("not-a-card");
    expect(verdict("")).toBe("not-a-card");
    expect(verdict(invite)).toBe("is-an-invite");
    expect(verdict(text.replace("thc1-", "thc2-"))).toBe("version");
    expect(verdict(text.slice(0, -3))).toBe("truncated");
    expect(verdict("thc1-")).toBe("truncated");
    expect(verdict(text.slice(0, 12) + (text[12] === "A" ? "B" : "A") + text.slice(13))).toBe("damaged");
    expect(verdict(" ".repeat(limits.inviteCharactersMax) + text)).toBe("too-long");
    const bytes = decodeBase64url(text.slice(5)) ?? new Uint8Array(0);
    const body = concat(Uint8Array.of(9), bytes.subarray(1, bytes.length - 4));
    const later = concat(body, crypto.sha256(body).subarray(0, 4));
    expect(verdict(`thc1-${encodeBase64url(later)}`)).toBe("version");
  });

  it("[RM13] every cut of a card is truncated, not damaged", () => {
    const text = encodeCard(crypto, sampleCard(rng));
    for (let length = 5; length < text.length; length++) expect(verdict(text.slice(0, length))).toBe("truncated");
  });
});
