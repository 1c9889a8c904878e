import assert from "node:assert/strict";
import { isIP } from "node:net";

/** One way to reach the offering side: UDP on a literal IP address. Names are refused; resolving them would tell a third party. */
export interface Candidate {
  readonly address: string;
  readonly port: number;
  /** ICE priority, 32 bits. */
  readonly priority: number;
}

/** What ICE and DTLS of one side need to know of the other. */
interface Side {
  /** ICE user name and password (RFC 8839: 4 and 22 characters at least). */
  readonly ufrag: string;
  readonly pwd: string;
  /** SHA-256 of the DTLS certificate, upper-case hex pairs with colons. */
  readonly fingerprint: string;
}

/** The volunteer's half. */
export interface Offer extends Side {
  readonly type: "offer";
}

/** The hiding side's half. There is no place in it for a candidate. */
export interface Answer extends Side {
  readonly type: "answer";
  /** Who begins DTLS: `active` is the answering side (Chromium always), `passive` the offering side. */
  readonly setup: "active" | "passive";
}

/** One side of the negotiation. */
export type Description = Offer | Answer;

/**
 * Where the volunteer waits; the hiding side names no candidates. It is told only once the volunteer knows the answer: a
 * check that comes earlier races, inside the volunteer's library, with the fingerprint it needs for DTLS (measured: it lost in up to
 * four of ten cold connects, as "certificate verify failed").
 */
export interface Candidates {
  readonly type: "candidates";
  readonly candidates: readonly Candidate[];
}

/** Candidates of one volunteer: a machine with a handful of networks in both families. */
export const candidatesMax = 8;

/**
 * Takes from a session description of our own WebRTC what the far end needs, and nothing else: in particular no address.
 * Asserts that it is one; our own library wrote it.
 */
export function readSdp(type: "offer" | "answer", sdp: string): Description {
  const attribute = (name: string): string => {
    const found = new RegExp(`^a=${name}:(.*?)\\s*$`, "m").exec(sdp)?.[1];
    assert(found !== undefined, `session description without ${name}`);
    return found;
  };
  const [algorithm, fingerprint] = attribute("fingerprint").split(" ");
  assert(algorithm === "sha-256" && fingerprint !== undefined, "fingerprint is SHA-256");
  assert(attribute("mid") === "0", "the channel is the first medium");
  const side = { ufrag: attribute("ice-ufrag"), pwd: attribute("ice-pwd"), fingerprint: fingerprint.toUpperCase() };
  if (type === "offer") return { type, ...side };
  const setup = attribute("setup");
  assert(setup === "active" || setup === "passive", "an answer decides who begins");
  return { type, ...side, setup };
}

/** The candidates in a session description of our own, `candidatesMax` at most. */
export function readCandidates(sdp: string): Candidate[] {
  const found: Candidate[] = [];
  for (const line of sdp.matchAll(/^a=candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ host/gim)) {
    const [, priority = "", address = "", port = ""] = line;
    if (isIP(address) !== 0 && found.length < candidatesMax) {
      found.push({ address, port: Number(port), priority: Number(priority) });
    }
  }
  return found;
}

/** Writes the session description that WebRTC wants; every part of it was checked by `parseSignal` or is our own. */
export function writeSdp(description: Description): string {
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    "a=sctp-port:5000",
    // Above the limit of a link, so that a message that breaks it is seen as such instead of arriving cut off.
    "a=max-message-size:2048",
    "a=ice-options:trickle",
    `a=setup:${description.type === "offer" ? "actpass" : description.setup}`,
    `a=ice-ufrag:${description.ufrag}`,
    `a=ice-pwd:${description.pwd}`,
    `a=fingerprint:sha-256 ${description.fingerprint}`,
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** Writes one candidate in the words of SDP (RFC 8839, 5.1). */
export function writeCandidate({ address, port, priority }: Candidate, index: number): string {
  return `candidate:${index + 1} 1 UDP ${priority} ${address} ${port} typ host`;
}

/**
 * The same with one more candidate for each port: the address at which we reached the volunteer already, so that one behind a
 * one-to-one translation of addresses (most rented machines) need not know what it is called outside.
 */
export function withDialledAddress(told: Candidates, address: string): Candidates {
  if (isIP(address) === 0) return told;
  const candidates = [...told.candidates];
  for (const port of new Set(told.candidates.map((candidate) => candidate.port))) {
    if (candidates.some((known) => known.address === address && known.port === port)) continue;
    // Type preference of a host candidate with the lowest local preference (RFC 8445, 5.1.2.1).
    if (candidates.length < candidatesMax) candidates.push({ address, port, priority: (126 << 24) | 255 });
  }
  return { ...told, candidates };
}
