import { describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { AssertionError } from "../../../../p2p/core/assert.ts";
import { concat, equal, toHex } from "../../../../p2p/core/bytes.ts";
import { viewMarkOf } from "../../../../p2p/core/packet/format.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { signCarriage } from "../../../../p2p/core/room/rights/carriage.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import {
  doorsMax,
  ownDoorsMax,
  shutMax,
  encodeView,
  newer,
  parseView,
  type RelayView,
  signView,
  verifyView,
  type ViewContent,
  viewHash,
} from "../../../../p2p/core/room/state/view.ts";
import { banOf } from "../../../../p2p/core/room/rights/ban.ts";
import { sampleAddress, sampleContent, sampleView, seededCrypto, testNow } from "../../fixtures.ts";

const crypto = seededCrypto("view");
const keys = createRoomKeys(crypto, testNow);
const rng = new Rng("view");

function randomContent(): ViewContent {
  const list = <Item>(most: number, make: () => Item): Item[] => Array.from({ length: rng.int(most + 1) }, make);
  return {
    ...sampleContent(crypto, keys),
    sequence: rng.u32(),
    issuedAt: millis(rng.int(2 ** 32) * 2 ** 16 + rng.int(2 ** 16)),
    epoch: rng.int(256),
    coreSize: 1 + rng.int(255),
    relayFanout: 1 + rng.int(255),
    relays: list(limits.relaysMax, () => sampleAddress(rng)),
    voices: list(limits.voicesMax, () => ({ key: rng.bytes(32), packetsPerSecond: 1 + rng.int(25) })),
    bans: list(limits.bansMax, () => rng.bytes(16)),
  };
}

function parsed(bytes: Uint8Array): RelayView {
  const result = parseView(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function verdict(view: RelayView, now: Millis = testNow): string {
  const result = verifyView(crypto, view, now);
  return result.ok ? "ok" : result.reason;
}

describe("relay views", () => {
  it("[RM15] round trip, and only one encoding says one thing", () => {
    for (let run = 0; run < 200; run++) {
      const content = randomContent();
      const view = signView(crypto, keys.session.seed, content);
      expect(parseView(view.encoded)).toEqual({ ok: true, value: view });
      expect(view).toMatchObject(content);
      expect(equal(encodeView(parsed(view.encoded)), view.encoded.subarray(0, -64))).toBe(true);
    }
  });

  it("[RM15] other versions, missing and added bytes are refused", () => {
    const { encoded } = sampleView(crypto, keys);
    expect(parseView(concat(Uint8Array.of(1), encoded.subarray(1)))).toEqual({ ok: false, reason: "version" });
    expect(parseView(new Uint8Array(0))).toEqual({ ok: false, reason: "malformed" });
    expect(parseView(concat(encoded, Uint8Array.of(0)))).toEqual({ ok: false, reason: "malformed" });
    for (let length = 1; length < encoded.length; length++) {
      expect(parseView(encoded.subarray(0, length))).toEqual({ ok: false, reason: "malformed" });
    }
  });

  it("[RM15] more than a limit allows is refused; from ourselves it is a bug", () => {
    const content = sampleContent(crypto, keys);
    const many = <Item>(count: number, item: Item): Item[] => new Array<Item>(count).fill(item);
    const voice = { key: rng.bytes(32), packetsPerSecond: 25 };
    const wrong: Partial<ViewContent>[] = [
      { relays: many(limits.relaysMax + 1, sampleAddress(rng)) },
      { voices: many(limits.voicesMax + 1, voice) },
      { bans: many(limits.bansMax + 1, rng.bytes(16)) },
      { bans: [rng.bytes(15)] },
      { keepers: many(13, { key: rng.bytes(32), rank: 2 }) },
      { voices: [{ ...voice, packetsPerSecond: 0 }] },
      { voices: [{ ...voice, packetsPerSecond: limits.voicePacketsPerSecond + 1 }] },
      { coreSize: 0 },
      { doors: { invites: many(doorsMax + 1, rng.bytes(8)), unlisted: false, own: [], shut: [] } },
      { doors: { invites: [], unlisted: false, own: many(ownDoorsMax + 1, rng.bytes(8)), shut: [] } },
      { doors: { invites: [], unlisted: false, own: [], shut: many(shutMax + 1, rng.bytes(8)) } },
      { relayFanout: 0 },
    ];
    for (const change of wrong) expect(() => encodeView({ ...content, ...change })).toThrow(AssertionError);
    const body = encodeView({
      ...content,
      relays: [],
      voices: [voice],
      bans: [],
      keepers: [],
      revoked: [],
      doors: undefined,
    });
    const at = body.length - 2 - 33 - 2 - 5;
    const rateAt = body.length - 5 - 3;
    const refused = { ok: false, reason: "malformed" };
    const withByte = (index: number, value: number): Uint8Array => {
      const bytes = concat(body, rng.bytes(64));
      bytes[index] = value;
      return bytes;
    };
    expect(parseView(withByte(at, 0)).ok).toBe(true);
    expect([body[at], body[at + 1]]).toEqual([0, 1]);
    expect(parseView(withByte(rateAt, 0))).toEqual(refused);
    expect(parseView(withByte(rateAt, 26))).toEqual(refused);
    expect(parseView(withByte(at, limits.relaysMax + 1))).toEqual(refused);
    expect(parseView(withByte(at + 1, limits.voicesMax + 1))).toEqual(refused);
    expect(parseView(withByte(at - 1, 0))).toEqual(refused);
    expect(parseView(withByte(at - 2, 0))).toEqual(refused);
  });

  it("[RM15] the fullest view stays under what is kept for a peer that has proved nothing", () => {
    const relay = { ...sampleAddress(rng), addresses: new Array<Uint8Array>(4).fill(rng.bytes(280)) };
    const voice = { key: rng.bytes(32), packetsPerSecond: 25 };
    const view = sampleView(crypto, keys, {
      relays: new Array<typeof relay>(limits.relaysMax).fill(relay),
      voices: new Array<typeof voice>(limits.voicesMax).fill(voice),
      bans: new Array<Uint8Array>(limits.bansMax).fill(rng.bytes(16)),
    });
    expect(parsed(view.encoded).relays).toHaveLength(limits.relaysMax);
    expect(view.encoded.length).toBeLessThan(limits.unauthenticatedBytesMax);
  });

  it("[RM16] is believed when the carriage key vouches for the session that signed it", () => {
    const view = sampleView(crypto, keys);
    expect(verdict(parsed(view.encoded))).toBe("ok");
    const stranger = createKeyPair(crypto);
    expect(verdict(signView(crypto, stranger.seed, view))).toBe("signature");
    const session = signCarriage(crypto, stranger.seed, stranger.key, keys.session.certificate.expires, 0);
    expect(verdict(signView(crypto, stranger.seed, { ...view, session }))).toBe("carriage");
    const longer = { ...view.session, expires: view.session.expires + 1 };
    expect(verdict(signView(crypto, keys.session.seed, { ...view, session: longer }))).toBe("carriage");
    expect(verdict(signView(crypto, keys.session.seed, { ...view, tag: stranger.key }))).toBe("carriage");
  });

  it("[RM16] a session that is over is refused, but only beyond what a wrong clock explains", () => {
    const view = sampleView(crypto, keys);
    const over = view.session.expires * 1000;
    expect(verdict(view, millis(over + limits.clockToleranceMs))).toBe("ok");
    expect(verdict(view, millis(over + limits.clockToleranceMs + 1))).toBe("expired");
    // By the signer's own clock there is nothing to tolerate.
    expect(verdict(sampleView(crypto, keys, { issuedAt: millis(over) }))).toBe("ok");
    expect(verdict(sampleView(crypto, keys, { issuedAt: millis(over + 1) }))).toBe("expired");
  });

  it("[RM16] a relay that believes it is 1970 carries as well", () => {
    expect(verdict(sampleView(crypto, keys), millis(0))).toBe("ok");
  });

  it("[RM17] the higher sequence number wins, then the later issue, then the greater bytes: one order for all", () => {
    const views = [1, 1, 2, 2].flatMap((sequence) =>
      [0, 0, 5].map((later) =>
        sampleView(crypto, keys, { sequence, issuedAt: millis(testNow + later), bans: [rng.bytes(16)] }),
      ),
    );
    const sorted = views.toSorted((left, right) => (newer(crypto, left, right) ? 1 : -1));
    for (const [index, left] of sorted.entries()) {
      for (const [other, right] of sorted.entries()) expect(newer(crypto, left, right)).toBe(index > other);
    }
    expect(sorted.map((view) => view.sequence)).toEqual([...new Array(6).fill(1), ...new Array(6).fill(2)]);
    expect(sorted.slice(0, 6).map((view) => view.issuedAt - testNow)).toEqual([0, 0, 0, 0, 5, 5]);
  });

  it("[RM18] is named by the hash of all its bytes, of which packets show two", () => {
    const { encoded } = sampleView(crypto, keys);
    const hash = viewHash(crypto, encoded);
    expect(toHex(hash)).toBe(toHex(crypto.sha256(encoded)));
    expect(viewMarkOf(hash).toString(16).padStart(4, "0")).toBe(toHex(hash).slice(0, 4));
    const identity = createKeyPair(crypto).key;
    expect(toHex(banOf(crypto, identity))).toBe(toHex(crypto.sha256(identity)).slice(0, 32));
  });
});
