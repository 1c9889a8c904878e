import { parseBody, type ClientHello } from "./hello.ts";

/** What kind of protocol a datagram of WebRTC belongs to, by its first byte (RFC 7983). */
export function datagramKind(payload: Buffer): "stun" | "dtls" | "quic" | "other" {
  const first = payload[0] ?? 0;
  if (first <= 3) return isStun(payload) ? "stun" : "other";
  if (first >= 20 && first <= 63) return "dtls";
  // Long header and fixed bit (RFC 9000).
  return (first & 0xc0) === 0xc0 ? "quic" : "other";
}

const stunHeaderBytes = 20;
const magicCookie = 0x2112a442;
const attributes = { username: 0x0006, mappedAddress: 0x0001, xorMappedAddress: 0x0020 } as const;

function isStun(payload: Buffer): boolean {
  return payload.length >= stunHeaderBytes && payload.readUInt32BE(4) === magicCookie;
}

/** What a STUN message tells whoever reads along. */
export interface StunMessage {
  readonly username: string | undefined;
  /** IPv4 addresses named inside. */
  readonly addresses: readonly string[];
  /** Texts of its attributes that are printable. */
  readonly length: number;
}

/** Reads a STUN message (RFC 8489). Undefined when it is none. */
export function parseStun(payload: Buffer): StunMessage | undefined {
  if (!isStun(payload)) return undefined;
  let username: string | undefined;
  const addresses: string[] = [];
  for (let at = stunHeaderBytes; at + 4 <= payload.length;) {
    const type = payload.readUInt16BE(at);
    const length = payload.readUInt16BE(at + 2);
    const value = payload.subarray(at + 4, at + 4 + length);
    if (type === attributes.username) username = value.toString("latin1");
    if (type === attributes.mappedAddress && value[1] === 1 && value.length === 8)
      addresses.push(dotted(value.readUInt32BE(4)));
    if (type === attributes.xorMappedAddress && value[1] === 1 && value.length === 8) {
      addresses.push(dotted((value.readUInt32BE(4) ^ magicCookie) >>> 0));
    }
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { username, addresses, length: payload.length };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

const handshakeRecord = 22;
const clientHelloType = 1;
const helloVerifyType = 3;
const recordHeaderBytes = 13;
const handshakeHeaderBytes = 12;

interface Fragment {
  readonly type: number;
  readonly length: number;
  readonly sequence: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** The unencrypted handshake fragments in a datagram of DTLS. */
function fragmentsOf(payload: Buffer): Fragment[] {
  const found: Fragment[] = [];
  for (let at = 0; at + recordHeaderBytes + handshakeHeaderBytes <= payload.length;) {
    const isPlainHandshake = payload[at] === handshakeRecord && payload.readUInt16BE(at + 3) === 0;
    const length = payload.readUInt16BE(at + 11);
    const body = payload.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length);
    if (isPlainHandshake && body.length >= handshakeHeaderBytes) {
      const offset = body.readUIntBE(6, 3);
      const bytes = body.subarray(handshakeHeaderBytes, handshakeHeaderBytes + body.readUIntBE(9, 3));
      found.push({
        type: body.readUInt8(0),
        length: body.readUIntBE(1, 3),
        sequence: body.readUInt16BE(4),
        offset,
        bytes,
      });
    }
    at += recordHeaderBytes + length;
  }
  return found;
}

/** Whether a datagram asks for a cookie, the feature by which Russia told WebRTC of Snowflake in 2022. */
export function isHelloVerify(payload: Buffer): boolean {
  return datagramKind(payload) === "dtls" && fragmentsOf(payload).some(({ type }) => type === helloVerifyType);
}

/** The first ClientHello in these datagrams of one direction, put together from its fragments; undefined: none is whole. */
export function dtlsHello(payloads: readonly Buffer[]): ClientHello | undefined {
  const fragments = payloads
    .filter((payload) => datagramKind(payload) === "dtls")
    .flatMap(fragmentsOf)
    .filter(({ type }) => type === clientHelloType);
  const [first] = fragments;
  if (first === undefined) return undefined;
  const body = Buffer.alloc(first.length);
  let filled = 0;
  const seen = new Set<number>();
  for (const { sequence, length, offset, bytes } of fragments) {
    if (sequence !== first.sequence || length !== first.length || seen.has(offset)) continue;
    if (offset + bytes.length > body.length) continue;
    seen.add(offset);
    bytes.copy(body, offset);
    filled += bytes.length;
  }
  return filled === body.length ? parseBody("d", body) : undefined;
}
