import { createHash } from "node:crypto";

/** What a TLS or DTLS ClientHello tells whoever reads along. */
export interface ClientHello {
  /** `d` for DTLS. */
  readonly carrier: "t" | "d";
  /** Highest version that is offered, as on the wire: 0x0304 is TLS 1.3, 0xfefc DTLS 1.3, 0xfefd DTLS 1.2. */
  readonly version: number;
  readonly ciphers: readonly number[];
  /** Types, in their order on the wire. */
  readonly extensions: readonly number[];
  readonly signatures: readonly number[];
  readonly serverName: string | undefined;
  readonly protocols: readonly string[];
}

const extensionTypes = { serverName: 0x00, signatures: 0x0d, protocols: 0x10, versions: 0x2b } as const;
const clientHello = 1;

/** RFC 8701: values that browsers sprinkle in to keep servers tolerant. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);

/** Bytes of a whole TLS record that begins with these five, or undefined when it is no handshake of TLS. */
export function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < 5 || bytes[0] !== 22 || bytes[1] !== 3) return undefined;
  return 5 + bytes.readUInt16BE(3);
}

/** Reads the ClientHello that a TLS connection begins with. Undefined when it is none, or not whole. */
export function parseTlsHello(bytes: Buffer): ClientHello | undefined {
  const length = recordLength(bytes);
  if (length === undefined || bytes.length < length || bytes[5] !== clientHello) return undefined;
  return parseBody("t", bytes.subarray(9, length));
}

/** Reads a ClientHello's body: what follows type and length, and for DTLS sequence and fragment fields. */
export function parseBody(carrier: "t" | "d", body: Buffer): ClientHello | undefined {
  try {
    return readBody(carrier, body);
  } catch (error) {
    // The reader ran over the end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readBody(carrier: "t" | "d", body: Buffer): ClientHello {
  const legacyVersion = body.readUInt16BE(0);
  let at = 2 + 32;
  at += 1 + body.readUInt8(at);
  if (carrier === "d") at += 1 + body.readUInt8(at);
  const ciphersEnd = at + 2 + body.readUInt16BE(at);
  const ciphers = numbers(body, at + 2, ciphersEnd);
  at = ciphersEnd + 1 + body.readUInt8(ciphersEnd);
  const contents = new Map<number, Buffer>();
  if (at < body.length) {
    const end = at + 2 + body.readUInt16BE(at);
    for (at += 2; at < end; at += 4 + body.readUInt16BE(at + 2)) {
      const length = body.readUInt16BE(at + 2);
      if (at + 4 + length > body.length) throw new RangeError("an extension is longer than the hello");
      contents.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
    }
  }
  return {
    carrier,
    version: highest(carrier, contents.get(extensionTypes.versions)) ?? legacyVersion,
    ciphers,
    extensions: [...contents.keys()],
    signatures: list(contents.get(extensionTypes.signatures)),
    serverName: nameOf(contents.get(extensionTypes.serverName)),
    protocols: protocolsOf(contents.get(extensionTypes.protocols)),
  };
}

function numbers(bytes: Buffer, start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = start; at + 1 < end; at += 2) found.push(bytes.readUInt16BE(at));
  return found;
}

function list(content: Buffer | undefined): number[] {
  return content === undefined ? [] : numbers(content, 2, 2 + content.readUInt16BE(0));
}

/** DTLS counts its versions downwards. */
function highest(carrier: "t" | "d", content: Buffer | undefined): number | undefined {
  if (content === undefined) return undefined;
  const versions = numbers(content, 1, 1 + content.readUInt8(0)).filter((version) => !isGrease(version));
  if (versions.length === 0) return undefined;
  return carrier === "t" ? Math.max(...versions) : Math.min(...versions.filter((version) => version >> 8 === 0xfe));
}

function nameOf(content: Buffer | undefined): string | undefined {
  return content === undefined ? undefined : content.subarray(5, 5 + content.readUInt16BE(3)).toString("latin1");
}

function protocolsOf(content: Buffer | undefined): string[] {
  const found: string[] = [];
  if (content === undefined) return found;
  for (let at = 2; at < content.length; at += 1 + content.readUInt8(at)) {
    found.push(content.subarray(at + 1, at + 1 + content.readUInt8(at)).toString("latin1"));
  }
  return found;
}

const versionNames: Readonly<Record<number, string>> = {
  0x0304: "13",
  0x0303: "12",
  0x0302: "11",
  0x0301: "10",
  0xfeff: "d1",
  0xfefd: "d2",
  0xfefc: "d3",
};

const hex = (value: number): string => value.toString(16).padStart(4, "0");
const short = (text: string): string =>
  text === "" ? "000000000000" : createHash("sha256").update(text).digest("hex").slice(0, 12);
const twoDigits = (count: number): string => String(Math.min(count, 99)).padStart(2, "0");

/**
 * The JA4 fingerprint, by FoxIO's specification: the order of ciphers and extensions does not count, because Chromium
 * shuffles it, and neither do name and application protocol among the extensions.
 */
export function ja4(hello: ClientHello): string {
  const ciphers = hello.ciphers.filter((value) => !isGrease(value)).map(hex);
  const extensions = hello.extensions.filter((value) => !isGrease(value));
  const counted: readonly number[] = [extensionTypes.serverName, extensionTypes.protocols];
  const rest = extensions.filter((value) => !counted.includes(value)).map(hex);
  const signatures = hello.signatures.filter((value) => !isGrease(value)).map(hex);
  const [protocol = ""] = hello.protocols;
  const ends = protocol === "" ? "00" : `${protocol.at(0)}${protocol.at(-1)}`;
  const head = [
    hello.carrier,
    versionNames[hello.version] ?? "00",
    extensions.includes(extensionTypes.serverName) ? "d" : "i",
    twoDigits(ciphers.length),
    twoDigits(extensions.length),
    ends,
  ];
  const tail = [rest.sort().join(","), ...(signatures.length === 0 ? [] : [signatures.join(",")])].join("_");
  return `${head.join("")}_${short(ciphers.sort().join(","))}_${short(tail)}`;
}
