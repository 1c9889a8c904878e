import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Finding } from "../../../../p2p/core/room/member/finding.ts";
import { refusals } from "../../../../p2p/core/session/frames.ts";

const at = millis;

describe("the search for a room", () => {
  it("[RM26] does not end before every relay was tried and the DHT was asked", () => {
    const finding = new Finding(true, true, at(0));
    expect(finding.verdict(true, at(1000))).toBeUndefined();
    finding.hurry(at(1000));
    expect(finding.startLookup(at(1000))).toBe(true);
    expect(finding.verdict(true, at(1000))).toBeUndefined();
    finding.lookupEnded(at(3000));
    expect(finding.verdict(false, at(3000))).toBeUndefined();
    expect(finding.verdict(true, at(3000))).toBe("no-network");
  });

  it("[RM26] without a DHT the relays alone decide", () => {
    const finding = new Finding(false, true, at(0));
    expect(finding.verdict(false, at(100))).toBeUndefined();
    expect(finding.verdict(true, at(100))).toBe("no-network");
    expect(finding.startLookup(at(5000))).toBe(false);
    expect(finding.lookupAt).toBeUndefined();
  });

  it("[RM26] never ends later than after 20 s", () => {
    const finding = new Finding(true, true, at(0));
    finding.startLookup(at(1500));
    expect(finding.verdict(false, at(19_999))).toBeUndefined();
    expect(finding.verdict(false, at(20_000))).toBe("no-network");
    expect(finding.endsAt).toBe(20_000);
  });

  it("[RM26] says the most particular of what relays answered", () => {
    const verdict = (...reasons: (typeof refusals)[number][]): string | undefined => {
      const finding = new Finding(false, true, at(0));
      for (const reason of reasons) finding.refused(reason);
      return finding.verdict(true, at(0));
    };
    expect(verdict("unknown-room")).toBe("room-not-found");
    expect(verdict("unknown-room", "full", "not-carrying")).toBe("refused-relay-full");
    expect(verdict("full", "only-own")).toBe("refused-only-own");
    expect(verdict("only-own", "banned")).toBe("banned");
    expect(verdict("proof", "banned", "version", "full")).toBe("wrong-version");
    expect(verdict("closed", "unknown-room")).toBe("invite-revoked");
    expect(verdict("closed", "banned")).toBe("banned");
    expect(verdict("closed", "locked", "full")).toBe("locked");
    expect(verdict("closed", "full")).toBe("refused-relay-full");
    // Every reason has a word for a person.
    for (const reason of refusals) expect(verdict(reason)).not.toBe("no-network");
  });

  it("asks the DHT at once without hints, after 1.5 s with them, and again 15 s after an answer", () => {
    expect(new Finding(true, false, at(0)).startLookup(at(0))).toBe(true);
    const finding = new Finding(true, true, at(0));
    expect(finding.startLookup(at(1499))).toBe(false);
    expect(finding.startLookup(at(1500))).toBe(true);
    expect(finding.startLookup(at(1600))).toBe(false);
    expect(finding.lookupAt).toBeUndefined();
    finding.lookupEnded(at(2000));
    finding.hurry(at(2000));
    expect(finding.lookupAt).toBe(17_000);
    expect(finding.startLookup(at(16_999))).toBe(false);
    expect(finding.startLookup(at(17_000))).toBe(true);
  });
});
