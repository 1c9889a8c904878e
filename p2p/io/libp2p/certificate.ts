import { generateKeyPairSync, randomBytes, randomInt, sign } from "node:crypto";

/** What a TLS server shows, as PEM texts. `key` never leaves memory. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/** One DER element (X.690): tag, length, content. */
const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const size = content.byteLength;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
};

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));

/** UTCTime, as RFC 5280 wants it until 2049: YYMMDDHHMMSSZ. */
const utcTime = (time: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(time).toISOString().replace(/\D/g, "").slice(2, 14)}Z`));

const pem = (label: string, content: Uint8Array): string => {
  const lines =
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
};

/** ecdsa-with-SHA256, RFC 5758. */
const signatureAlgorithm = sequence(identifier("2a8648ce3d040302"));
/** CN=localhost: the subject of the certificate that a freshly installed web server has. */
const subject = sequence(der(0x31, sequence(identifier("550403"), der(0x0c, Buffer.from("localhost")))));
/** basicConstraints: no authority; subjectAltName: DNS localhost. */
const extensions = der(
  0xa3,
  sequence(
    sequence(identifier("551d13"), octets(sequence())),
    sequence(identifier("551d11"), octets(sequence(der(0x82, Buffer.from("localhost"))))),
  ),
);

/**
 * A fresh self-signed certificate (X.509 v3, ECDSA P-256, SHA-256), in memory only. Nothing in it comes from this
 * machine or this run: its start lies at a random moment of the last weeks. `now` is Unix time in ms.
 *
 * Written out here because @peculiar/x509, the other choice, needs a global polyfill loaded before it.
 */
export const selfSignedCertificate = (now: number): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const notBefore = now - randomInt(7 * dayMs, 60 * dayMs);
  const serial = randomBytes(16);
  // A positive INTEGER without leading zeros, whatever was drawn.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const body = sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, serial),
    signatureAlgorithm,
    subject,
    sequence(utcTime(notBefore), utcTime(notBefore + 365 * dayMs)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    extensions,
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, signatureAlgorithm, der(0x03, Uint8Array.of(0), signature));
  return {
    cert: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
};
