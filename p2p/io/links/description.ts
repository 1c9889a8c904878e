import { isIP } from "node:net";
import { channelMessageBytesMax } from "../../api/channel.ts";
import { addressClass } from "../routes/address-class.ts";

/** One way to reach the offering side: UDP on a literal IP address. Names are refused; resolving them would tell a third party. */
export interface Candidate {
  readonly address: string;
  readonly port: number;
  /** ICE priority, 32 bits. */
  readonly priority: number;
}

/** What ICE and DTLS of one side need to know of the other. */
export interface Side {
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
 * Undefined when it is none, or not of one data channel: where the window lends WebRTC, it may have been taken over.
 */
export function readSdp<Type extends "offer" | "answer">(
  type: Type,
  sdp: string,
): Extract<Description, { type: Type }> | undefined;
export function readSdp(type: "offer" | "answer", sdp: string): Description | undefined {
  const attribute = (name: string): string | undefined => new RegExp(`^a=${name}:(.*?)\\s*$`, "m").exec(sdp)?.[1];
  const [algorithm, fingerprint = ""] = attribute("fingerprint")?.split(" ") ?? [];
  if (algorithm !== "sha-256" || attribute("mid") !== "0") return undefined;
  const side = { ufrag: attribute("ice-ufrag"), pwd: attribute("ice-pwd"), fingerprint: fingerprint.toUpperCase() };
  if (!isSide(side)) return undefined;
  if (type === "offer") return { type, ...side };
  const setup = attribute("setup");
  return setup === "active" || setup === "passive" ? { type, ...side, setup } : undefined;
}

/** Whether these are the values of ICE and DTLS: ice-char and lengths of RFC 8839, 5.4; SHA-256 as in RFC 8122, 5. */
export function isSide(side: { readonly [Key in keyof Side]: unknown }): side is Side {
  const { ufrag, pwd, fingerprint } = side;
  if (typeof ufrag !== "string" || !/^[A-Za-z0-9+/]{4,256}$/.test(ufrag)) return false;
  if (typeof pwd !== "string" || !/^[A-Za-z0-9+/]{22,256}$/.test(pwd)) return false;
  return typeof fingerprint === "string" && /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(fingerprint);
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
    `a=max-message-size:${channelMessageBytesMax}`,
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
 * Where the volunteer may be looked for: at the address at which we reached it already, on the ports that it told. Checks go
 * to no other, so that no volunteer makes us speak to strangers or search our own network; only one that is in a local network
 * with us may name more addresses there. One behind a one-to-one translation of addresses (most rented machines) need not know
 * what it is called outside. `reached`: an IP address; else it is not known, and only public ones are taken.
 */
export function withDialledAddress(told: Candidates, reached: string): Candidates {
  const place = addressClass(reached);
  const among = place === "local" ? "local" : "public";
  const isTaken = ({ address }: Candidate): boolean =>
    address === reached || ((place === "local" || place === "name") && addressClass(address) === among);
  const candidates = told.candidates.filter(isTaken);
  if (place === "name") return { ...told, candidates };
  for (const port of new Set(told.candidates.map((candidate) => candidate.port))) {
    if (candidates.some((known) => known.address === reached && known.port === port)) continue;
    // Type preference of a host candidate with the lowest local preference (RFC 8445, 5.1.2.1).
    if (candidates.length < candidatesMax) candidates.push({ address: reached, port, priority: (126 << 24) | 255 });
  }
  return { ...told, candidates };
}
