import { X509Certificate, createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";

/** From a certificate of OpenSSL 3.0, `-newkey ec -subj /CN=localhost -addext subjectAltName=DNS:localhost`. */
const opensslExtensions =
  "a3693067301d0603551d0e04160414id301f0603551d23041830168014id" +
  "300f0603551d130101ff040530030101ff30140603551d11040d300b82096c6f63616c686f7374";

describe("self-signed certificate", () => {
  it("verifies, is valid now, and belongs to its key", () => {
    const now = Date.UTC(2026, 11, 1);
    const { cert, key } = selfSignedCertificate(now);
    const parsed = new X509Certificate(cert);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.ca).toBe(true);
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
      expect(certificate.serialNumber).toMatch(/^[0-7][0-9A-F]{39}$/);
    }
    expect(new Set(made.map(({ serialNumber }) => serialNumber)).size).toBe(20);
    expect(new Set(made.map(({ validFrom }) => validFrom)).size).toBeGreaterThan(10);
  });

  it("has the extensions that openssl req -x509 writes, in its order", () => {
    const { raw } = new X509Certificate(selfSignedCertificate(Date.UTC(2026, 0, 1)).cert);
    // subjectKeyIdentifier; the key's hash takes the place of "id" below.
    const [, id = ""] = /301d0603551d0e04160414([0-9a-f]{40})/.exec(raw.toString("hex")) ?? [];
    expect(raw.toString("hex").replaceAll(id, "id")).toContain(opensslExtensions);
  });
});
