import { X509Certificate, createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";

describe("self-signed certificate", () => {
  it("verifies, is valid now, and belongs to its key", () => {
    const now = Date.UTC(2026, 11, 1);
    const { cert, key } = selfSignedCertificate(now);
    const parsed = new X509Certificate(cert);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.ca).toBe(false);
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(parsed.validFromDate.getTime()).toBeLessThan(now);
    expect(parsed.validToDate.getTime()).toBeGreaterThan(now + 200 * 86_400_000);
  });

  it("says nothing about who made it, and is another one each time", () => {
    const made = Array.from(
      { length: 20 },
      () => new X509Certificate(selfSignedCertificate(Date.UTC(2026, 0, 1)).cert),
    );
    for (const certificate of made) {
      expect(certificate.subject).toBe("CN=localhost");
      expect(certificate.issuer).toBe("CN=localhost");
      expect(certificate.subjectAltName).toBe("DNS:localhost");
      expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
    expect(new Set(made.map(({ serialNumber }) => serialNumber)).size).toBe(20);
    expect(new Set(made.map(({ validFrom }) => validFrom)).size).toBeGreaterThan(10);
  });
});
