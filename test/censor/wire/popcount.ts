/**
 * The rule by which the Great Firewall judged fully encrypted traffic: Wu et al., "How the Great Firewall of China
 * Detects and Blocks Fully Encrypted Traffic", USENIX Security 2023, Algorithm 1. A first payload that fits no exemption
 * is blocked.
 */

/** Which exemption a connection's first payload fits, by the paper's numbers; undefined: it is blocked. */
export function exemption(payload: Uint8Array): "Ex1" | "Ex2" | "Ex3" | "Ex4" | "Ex5" | undefined {
  // A packet without content is not judged; there is nothing to count.
  if (payload.length === 0) return "Ex1";
  const bitsPerByte = payload.reduce((sum, byte) => sum + bits(byte), 0) / payload.length;
  if (bitsPerByte <= 3.4 || bitsPerByte >= 4.6) return "Ex1";
  const printable = Array.from(payload, (byte) => byte >= 0x20 && byte <= 0x7e);
  if (printable.slice(0, 6).length === 6 && printable.slice(0, 6).every(Boolean)) return "Ex2";
  if (printable.filter(Boolean).length > payload.length / 2) return "Ex3";
  if (longestRun(printable) > 20) return "Ex4";
  return isKnownProtocol(payload) ? "Ex5" : undefined;
}

function bits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

function longestRun(flags: readonly boolean[]): number {
  let longest = 0;
  let run = 0;
  for (const flag of flags) {
    run = flag ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** TLS records of handshake or data, and the four methods of HTTP that were measured. */
function isKnownProtocol(payload: Uint8Array): boolean {
  const [type = 0, major, minor = 0xff] = payload;
  if ((type === 0x16 || type === 0x17) && major === 3 && minor <= 9) return true;
  const start = Buffer.from(payload.subarray(0, 5)).toString("latin1");
  return ["GET ", "PUT ", "POST ", "HEAD "].some((method) => start.startsWith(method));
}
