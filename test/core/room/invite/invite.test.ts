import { describe, expect, it } from "vitest";
import { limits } from "../../../../p2p/api/limits.ts";
import { AssertionError } from "../../../../p2p/core/assert.ts";
import { decodeBase64url, encodeBase64url } from "../../../../p2p/core/base64url.ts";
import { concat } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { issueCapability, rights, verifyChain } from "../../../../p2p/core/room/rights/capability.ts";
import { encodeCard } from "../../../../p2p/core/room/invite/card.ts";
import { encodeInvite, type Invite, inviteLink, parseInvite } from "../../../../p2p/core/room/invite/invite.ts";
import { createKeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import {
  sampleAddress,
  sampleCard,
  sampleChain,
  sampleInvite,
  sampleRoom,
  testNow,
  testSeconds,
} from "../../fixtures.ts";

const room = sampleRoom("invite");
const { crypto, keys } = room;
const rng = new Rng("invite");
const hints = [sampleAddress(rng), sampleAddress(rng), sampleAddress(rng)];
const invite = sampleInvite(crypto, keys, hints);
const text = encodeInvite(crypto, invite);

function verdict(pasted: string): string {
  const result = parseInvite(crypto, pasted);
  return result.ok ? "ok" : result.reason;
}

/** The longest chain: host session, bearer of an invite, bearer of an invite below that. */
function deepInvite(): Invite {
  const { chain, seed } = sampleChain(crypto, keys);
  return { ...invite, chain, inviteSeed: seed };
}

describe("invites", () => {
  it("[RM10] round trip with every depth of chain and number of hints", () => {
    const { chain } = sampleChain(crypto, keys);
    const bearer = createKeyPair(crypto);
    const grant = { ...keys.session.capability, role: "speaker", rights: rights.speak, grantee: bearer.key } as const;
    const second = issueCapability(crypto, keys.root.key, keys.session.seed, grant, chain[0]);
    const bearers: Pick<Invite, "chain" | "inviteSeed">[] = [
      invite,
      { chain: [keys.session.capability, second], inviteSeed: bearer.seed },
      deepInvite(),
    ];
    for (const held of bearers) {
      for (let count = 0; count <= limits.inviteHintsMax; count++) {
        const whole = { ...invite, ...held, hints: Array.from({ length: count }, () => sampleAddress(rng)) };
        const parsed = parseInvite(crypto, encodeInvite(crypto, whole));
        expect(parsed).toEqual({ ok: true, value: { ...whole, inviteSeed: held.inviteSeed, chain: held.chain } });
        expect(parsed.ok && verifyChain(crypto, keys.root.key, parsed.value.chain, testNow).ok).toBe(true);
      }
    }
  });

  it("[RM10] its bearer may issue a capability to whoever comes with it", () => {
    const parsed = parseInvite(crypto, text);
    if (!parsed.ok) throw new Error(parsed.reason);
    const { chain, inviteSeed, roomKey } = parsed.value;
    const person = createKeyPair(crypto);
    const grant = { grantee: person.key, role: "speaker", rights: rights.speak, sequence: 0 } as const;
    const times = { notBefore: testSeconds, expires: testSeconds + 60 };
    const own = issueCapability(crypto, roomKey, inviteSeed, { ...grant, ...times }, chain.at(-1));
    const proved = verifyChain(crypto, roomKey, [...chain, own], testNow);
    expect(proved).toMatchObject({ ok: true, value: { role: "speaker", grantee: person.key } });
  });

  it("[RM10] one whose parts do not belong together is our own bug", () => {
    const wrongSeed = { ...invite, inviteSeed: rng.bytes(32) };
    const wrongChain = { ...deepInvite(), chain: deepInvite().chain.slice(1) };
    for (const wrong of [wrongSeed, wrongChain, { ...invite, chain: [] }, { ...invite, hints: [...hints, ...hints] }]) {
      expect(() => encodeInvite(crypto, wrong)).toThrow(AssertionError);
    }
  });

  it("[RM11] with three IPv4 hints fits in 600 characters", () => {
    expect(text.length).toBeLessThanOrEqual(600);
    expect(text).toMatch(/^thi1-[A-Za-z0-9_-]+$/);
  });

  it.each([
    ["alone", text],
    ["amid white space", `\r\n\t ${text}\u00a0\n`],
    ["in a link of ours", inviteLink(text)],
    ["in a link that a browser has tidied", inviteLink(text).replace("join#", "join/#")],
    ["in any link's fragment", `https://example.org/a?b=c#${text}`],
    ["with parameters behind it", `https://example.org/#${text}&utm_source=chat`],
    ["in a sentence", `Come and listen: ${text}. It starts at eight!`],
    ["with a line of words behind it", `${text}\nsee you there`],
    ["in quotation marks", `“${text}”`],
    ["in Chinese quotation marks", `請用「${text}」進入房間`],
    ["as code", `\`${text}\``],
    ["between angle brackets", `<${text}>`],
    ["broken over lines of 76", (text.match(/.{1,76}/g) ?? []).join("\r\n")],
    ["broken over lines of a quoted mail", `> ${(text.match(/.{1,70}/g) ?? []).join("\n> ")}`],
    ["with zero-width spaces and soft hyphens", (text.match(/.{1,20}/g) ?? []).join("\u200b\u00ad\u2060")],
    ["with a byte order mark and direction marks", `\ufeff\u202a${text}\u202c`],
    ["with a capital that a phone put there", `T${text.slice(1)}`],
    ["beside a relay card", `${encodeCard(crypto, sampleCard(rng))} ${text}`],
  ])("[RM12] is found %s", (_, pasted) => {
    expect(parseInvite(crypto, pasted)).toEqual({ ok: true, value: invite });
  });

  it("[RM13] says what is wrong with it", () => {
    expect(verdict("")).toBe("not-an-invite");
    expect(verdict("https://example.org/#join")).toBe("not-an-invite");
    expect(verdict(encodeCard(crypto, sampleCard(rng)))).toBe("is-a-card");
    for (const version of ["0", "2", "10", "01"])
      expect(verdict(text.replace("thi1", `thi${version}`))).toBe("version");
    expect(verdict(text.slice(0, -1))).toBe("truncated");
    expect(verdict(`${text.slice(0, 300)}…`)).toBe("truncated");
    expect(verdict("a".repeat(limits.inviteCharactersMax + 1))).toBe("too-long");
    expect(verdict(text.slice(0, 100) + text.slice(101))).not.toBe("ok");
    const at = 200;
    expect(verdict(text.slice(0, at) + (text[at] === "Q" ? "R" : "Q") + text.slice(at + 1))).toBe("damaged");
    const bytes = decodeBase64url(text.slice(5)) ?? new Uint8Array(0);
    const body = concat(Uint8Array.of(2), bytes.subarray(1, bytes.length - 4));
    const later = encodeBase64url(concat(body, crypto.sha256(body).subarray(0, 4)));
    expect(verdict(`thi1-${later}`)).toBe("version");
  });

  it("[RM13] every cut of an invite is truncated, not damaged", () => {
    for (let length = 5; length < text.length; length++) expect(verdict(text.slice(0, length))).toBe("truncated");
  });

  it("[RM13] no single wrong character goes unnoticed", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The last character's unused bits mean nothing.
    for (let at = 5; at < text.length - 1; at++) {
      const other = alphabet[rng.int(64)] ?? "A";
      if (other === text[at]) continue;
      expect(verdict(text.slice(0, at) + other + text.slice(at + 1))).toMatch(/^(damaged|truncated)$/);
    }
  });
});
