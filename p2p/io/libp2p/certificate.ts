import { createHash, generateKeyPairSync, randomBytes, randomInt, sign } from "node:crypto";

/** What a TLS server shows, as PEM texts. `key` never leaves memory. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** One that is renewed while servers show it. */
export interface ChangingCertificate extends Certificate {
  /** Calls when `cert` and `key` are others from now on. The result removes the listener. */
  onChange(listener: () => void): () => void;
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
/** A name of nothing but this common name. */
const commonName = (text: string): Buffer =>
  sequence(der(0x31, sequence(identifier("550403"), der(0x0c, Buffer.from(text)))));
/** Bytes of an uncompressed point of P-256 at the end of its SubjectPublicKeyInfo. */
const pointBytes = 65;
const yes = Uint8Array.of(0x01, 0x01, 0xff);

/**
 * What `openssl req -x509` writes by default, in its order: subjectKeyIdentifier (RFC 5280, 4.2.1.2, method 1),
 * authorityKeyIdentifier, basicConstraints, critical and an authority; then subjectAltName, DNS localhost.
 */
const extensionsOf = (spki: Buffer): Buffer => {
  const keyId = createHash("sha1").update(spki.subarray(-pointBytes)).digest();
  return der(
    0xa3,
    sequence(
      sequence(identifier("551d0e"), octets(octets(keyId))),
      sequence(identifier("551d23"), octets(sequence(der(0x80, keyId)))),
      sequence(identifier("551d13"), yes, octets(sequence(yes))),
      sequence(identifier("551d11"), octets(sequence(der(0x82, Buffer.from("localhost"))))),
    ),
  );
};

/**
 * A fresh self-signed certificate (X.509 v3, ECDSA P-256, SHA-256), in memory only: field by field what
 * `openssl req -x509 -newkey ec -days 365` with the subject CN=localhost makes. Nothing in it comes from this machine or this
 * run: its start lies at a random moment of the last weeks. `now` is Unix time in ms.
 *
 * Written out here because @peculiar/x509, the other choice, needs a global polyfill loaded before it.
 */
export const selfSignedCertificate = (now: number): Certificate =>
  // CN=localhost: the subject of the certificate that a freshly installed web server has.
  signedByItself({
    name: "localhost",
    serialBytes: 20,
    notBefore: now - randomInt(7 * dayMs, 60 * dayMs),
    days: 365,
    extensionsOf,
  });

/**
 * A fresh certificate for one WebRTC connection, field by field what browsers make for theirs: CN=WebRTC, a serial number of
 * 8 bytes, valid from a day before `now` (Unix ms) for 30 days, no extensions. DTLS 1.2 shows it in clear, and the
 * library's own bears the library's name.
 */
export const webRtcCertificate = (now: number): Certificate =>
  signedByItself({
    name: "WebRTC",
    serialBytes: 8,
    notBefore: now - dayMs,
    days: 31,
    extensionsOf: () => Buffer.alloc(0),
  });

interface CertificateTerms {
  readonly name: string;
  readonly serialBytes: number;
  /** Unix ms. */
  readonly notBefore: number;
  readonly days: number;
  readonly extensionsOf: (spki: Buffer) => Buffer;
}

const signedByItself = ({ name, serialBytes, notBefore, days, extensionsOf: more }: CertificateTerms): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = commonName(name);
  const spki = publicKey.export({ type: "spki", format: "der" });
  const serial = randomBytes(serialBytes);
  // A positive INTEGER without leading zeros, whatever was drawn.
  serial[0] = (serial[0] ?? 0) & 0x7f || 1;
  const body = sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, serial),
    signatureAlgorithm,
    subject,
    sequence(utcTime(notBefore), utcTime(notBefore + days * dayMs)),
    subject,
    spki,
    more(spki),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, signatureAlgorithm, der(0x03, Uint8Array.of(0), signature));
  return {
    cert: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
};
