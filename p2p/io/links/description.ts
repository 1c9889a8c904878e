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

/** The volunteer's half. It alone names candidates. */
export interface Offer extends Side {
  readonly type: "offer";
  readonly candidates: readonly Candidate[];
}

/** The hiding side's half. There is no place in it for a candidate. */
export interface Answer extends Side {
  readonly type: "answer";
  /** Who begins DTLS: `active` is the answering side (Chromium always), `passive` the offering side. */
  readonly setup: "active" | "passive";
}

export type Description = Offer | Answer;

/** Candidates of one offer: a machine with a handful of networks in both families. */
export const candidatesMax = 8;

/**
 * Takes from a session description of our own WebRTC what the far end needs, and nothing else: in particular no address
 * but the candidates of an offer. Asserts that it is one; our own library wrote it.
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
  if (type === "offer") return { type, ...side, candidates: readCandidates(sdp) };
  const setup = attribute("setup");
  assert(setup === "active" || setup === "passive", "an answer decides who begins");
  return { type, ...side, setup };
}

function readCandidates(sdp: string): Candidate[] {
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
  const candidates = description.type === "offer" ? description.candidates : [];
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
    `a=setup:${description.type === "offer" ? "actpass" : description.setup}`,
    `a=ice-ufrag:${description.ufrag}`,
    `a=ice-pwd:${description.pwd}`,
    `a=fingerprint:sha-256 ${description.fingerprint}`,
    ...candidates.map(
      ({ address, port, priority }, index) => `a=candidate:${index + 1} 1 UDP ${priority} ${address} ${port} typ host`,
    ),
  ];
  if (candidates.length > 0) lines.push("a=end-of-candidates");
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * The same offer with one more candidate for each port: the address at which we reached the volunteer already, so that one behind a
 * one-to-one translation of addresses (most rented machines) need not know what it is called outside.
 */
export function withDialledAddress(offer: Offer, address: string): Offer {
  if (isIP(address) === 0) return offer;
  const candidates = [...offer.candidates];
  for (const port of new Set(offer.candidates.map((candidate) => candidate.port))) {
    if (candidates.some((known) => known.address === address && known.port === port)) continue;
    // Type preference of a host candidate with the lowest local preference (RFC 8445, 5.1.2.1).
    if (candidates.length < candidatesMax) candidates.push({ address, port, priority: (126 << 24) | 255 });
  }
  return { ...offer, candidates };
}
