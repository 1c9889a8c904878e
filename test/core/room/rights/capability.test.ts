import { describe, expect, it } from "vitest";
import type { Role } from "../../../../p2p/api/engine.ts";
import { millis } from "../../../../p2p/api/ids.ts";
import { ByteReader, ByteWriter } from "../../../../p2p/core/bytes.ts";
import {
  type Capability,
  type Grant,
  issueCapability,
  ranksAtLeast,
  readCapability,
  rights,
  rightsOfRole,
  verifyChain,
  writeCapability,
} from "../../../../p2p/core/room/rights/capability.ts";
import { createKeyPair, createRoomKeys, type KeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import { sampleChain, seededCrypto, testNow, testSeconds } from "../../fixtures.ts";

const crypto = seededCrypto("capability");
const keys = createRoomKeys(crypto, testNow);
const roomKey = keys.root.key;

function verdict(chain: readonly Capability[], now = testNow): string {
  const result = verifyChain(crypto, roomKey, chain, now);
  return result.ok ? result.value.role : result.reason;
}

/** A moderator's capability under the root, and one below it with some of its terms changed. */
function below(changes: Partial<Grant>, parentChanges: Partial<Grant> = {}): Capability[] {
  const moderator = createKeyPair(crypto);
  const times = { notBefore: testSeconds - 10, expires: testSeconds + 1000, sequence: 0 };
  const grant = { grantee: moderator.key, role: "moderator", rights: rightsOfRole.moderator, ...times } as const;
  const parent = issueCapability(crypto, roomKey, keys.root.seed, { ...grant, ...parentChanges });
  const own = { grantee: createKeyPair(crypto).key, role: "speaker", rights: rights.speak, ...times } as const;
  return [parent, issueCapability(crypto, roomKey, moderator.seed, { ...own, ...changes }, parent)];
}

describe("capability chains", () => {
  it("[RM4] a capability is 127 bytes and round trips", () => {
    for (const capability of sampleChain(crypto, keys).chain) {
      const writer = new ByteWriter();
      writeCapability(writer, capability);
      expect(writer.length).toBe(127);
      expect(readCapability(new ByteReader(writer.finish()))).toEqual(capability);
    }
  });

  it("[RM4] a role that does not exist is not read", () => {
    const writer = new ByteWriter();
    writeCapability(writer, keys.session.capability);
    for (const role of [0, 6, 255]) {
      const bytes = writer.finish();
      bytes[32] = role;
      expect(readCapability(new ByteReader(bytes))).toBeUndefined();
    }
  });

  it("[RM4] every field is signed, and the room with it", () => {
    const [first] = sampleChain(crypto, keys).chain;
    const capability = first ?? keys.session.capability;
    const changes: Partial<Capability>[] = [
      { grantee: createKeyPair(crypto).key },
      { role: "heir" },
      { rights: capability.rights ^ rights.speak },
      { notBefore: capability.notBefore - 1 },
      { expires: capability.expires + 1 },
      { sequence: capability.sequence + 1 },
    ];
    expect(verdict([capability])).toBe("host");
    for (const change of changes) expect(verdict([{ ...capability, ...change }])).toBe("signature");
    const other = createRoomKeys(crypto, testNow);
    expect(verifyChain(crypto, other.root.key, [capability], testNow)).toEqual({ ok: false, reason: "signature" });
    // Signed by the right root, but for another room.
    const stray = issueCapability(crypto, other.root.key, keys.root.seed, capability);
    expect(verdict([stray])).toBe("signature");
  });

  it("[RM6] a chain of three proves what its last link says", () => {
    const { chain } = sampleChain(crypto, keys);
    const result = verifyChain(crypto, roomKey, chain, testNow);
    expect(result).toMatchObject({
      ok: true,
      value: { role: "listener", rights: rights.speak, expires: testSeconds + 3600, grantee: chain[2]?.grantee },
    });
  });

  it("[RM6] none, a fourth link, a missing or exchanged one are refused", () => {
    const { chain, seed } = sampleChain(crypto, keys);
    const last = chain.at(-1);
    const fourth = issueCapability(crypto, roomKey, seed, { ...keys.session.capability, role: "listener" }, last);
    expect(verdict([])).toBe("chain-depth");
    expect(verdict([...chain, fourth])).toBe("chain-depth");
    expect(verdict(chain.slice(1))).toBe("parent");
    expect(verdict(chain.toSpliced(1, 1))).toBe("parent");
    expect(verdict([...chain.slice(0, 1), ...sampleChain(crypto, keys).chain.slice(2)])).toBe("parent");
    expect(verdict(chain.toReversed())).toBe("parent");
  });

  it("[RM6] a link signed by anybody but the parent's grantee is refused", () => {
    const [parent] = below({});
    const stranger: KeyPair = createKeyPair(crypto);
    const grant = { ...keys.session.capability, role: "listener", rights: 0, expires: testSeconds } as const;
    const forged = issueCapability(crypto, roomKey, stranger.seed, grant, parent);
    expect(verdict([parent ?? forged, forged])).toBe("signature");
    // Not even by the root: authority flows down one line.
    const bypass = issueCapability(crypto, roomKey, keys.root.seed, grant, parent);
    expect(verdict([parent ?? bypass, bypass])).toBe("signature");
  });

  it("[RM7] nobody gives more rights than it has, a higher role, or longer than it has itself", () => {
    expect(verdict(below({}))).toBe("speaker");
    const moderates = rightsOfRole.moderator & ~rights.grant;
    expect(verdict(below({ role: "moderator", rights: moderates }))).toBe("moderator");
    expect(verdict(below({ role: "heir" }))).toBe("rights");
    expect(verdict(below({ role: "host" }))).toBe("rights");
    expect(verdict(below({ rights: rights.succeed }))).toBe("rights");
    expect(verdict(below({ rights: 0x8000 }))).toBe("rights");
    expect(verdict(below({ expires: testSeconds + 1000 }))).toBe("speaker");
    expect(verdict(below({ expires: testSeconds + 1001 }))).toBe("rights");
  });

  it("[RM7] who holds an invite makes no other of it, for more people, for others, or that nobody knows", () => {
    const once = rights.speak | rights.once;
    const single = { role: "listener", rights: once | rights.grant } as const;
    expect(verdict(below({ role: "listener", rights: once }, single))).toBe("listener");
    expect(verdict(below({ role: "listener", rights: rights.speak }, single))).toBe("rights");
    expect(verdict(below({ role: "listener", rights: once }))).toBe("listener");
    const handsOn = { role: "listener", rights: rights.grant } as const;
    expect(verdict(below(handsOn))).toBe("rights");
    expect(verdict(below(handsOn, { role: "heir", rights: rightsOfRole.heir }))).toBe("listener");
  });

  it("[RM7] nobody gives anything without the right to", () => {
    expect(verdict(below({}, { rights: rights.speak }))).toBe("rights");
    expect(verdict(below({ rights: 0 }, { rights: rights.grant }))).toBe("speaker");
  });

  it("[RM8] times are inclusive seconds, of every link", () => {
    const at = (seconds: number): number => seconds * 1000;
    const chain = below({ notBefore: testSeconds, expires: testSeconds + 10 });
    expect(verdict(chain, millis(at(testSeconds) - 1))).toBe("not-yet");
    expect(verdict(chain, millis(at(testSeconds)))).toBe("speaker");
    expect(verdict(chain, millis(at(testSeconds + 10) + 999))).toBe("speaker");
    expect(verdict(chain, millis(at(testSeconds + 11)))).toBe("expired");
    const late = below({ notBefore: testSeconds }, { notBefore: testSeconds + 5 });
    expect(verdict(late)).toBe("not-yet");
  });

  it("[RM8] a forged chain is called forged before it is called expired", () => {
    const [parent, child] = below({ expires: testSeconds - 5 });
    const chain = [parent, child].filter((link) => link !== undefined);
    expect(verdict(chain)).toBe("expired");
    expect(verdict(chain.map((link) => ({ ...link, sequence: 9 })))).toBe("signature");
  });

  it("[RM7] roles rank as the glossary lists them", () => {
    const order: Role[] = ["listener", "speaker", "moderator", "heir", "host"];
    for (const [index, role] of order.entries()) {
      expect(order.map((other) => ranksAtLeast(role, other))).toEqual(order.map((_, rank) => rank <= index));
    }
  });
});
