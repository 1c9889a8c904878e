import { datagramKind, dtlsHello, isHelloVerify, parseStun } from "./datagram.ts";
import type { Flow } from "./flows.ts";
import { ja4, parseTlsHello } from "./hello.ts";
import type { Capture } from "./pcap.ts";
import { exemption } from "./popcount.ts";

/** Words that give the app or its libraries away. */
export const tellingWords = [
  "multistream",
  "/noise",
  "/yamux",
  "/kad/",
  "/ipfs",
  "libp2p",
  "teahouse",
  "libdatachannel",
  "node-datachannel",
  "simple-peer",
] as const;

/** What the audit measures by. */
export interface AuditTerms {
  /** Addresses that may be spoken to. */
  readonly relays: readonly string[];
  /** The private address of who is audited: it may stand in no payload. */
  readonly privateAddress: string;
  /** Fingerprints that pass for a browser's; undefined: whoever is audited does not claim to be one. */
  readonly browserHellos: ReadonlySet<string> | undefined;
}

/** What one session showed. */
export interface AuditReport {
  /** One line for each kind of finding, with how often; empty: nothing gives the app away. */
  readonly leaks: readonly string[];
  readonly tcpFlows: number;
  readonly udpFlows: number;
  /** TCP flows that a rule against fully encrypted traffic would block. */
  readonly popcountBlocked: number;
  /** JA4 of every ClientHello over TLS. */
  readonly hellos: readonly string[];
}

/** Looks through everything that one side sent and got. */
export function audit(capture: Capture, flows: readonly Flow[], terms: AuditTerms): AuditReport {
  const leaks = new Map<string, number>();
  const note = (leak: string): unknown => leaks.set(leak, (leaks.get(leak) ?? 0) + 1);
  for (const [kind, count] of Object.entries(capture.others)) {
    // ICMP tells of closed ports; the rest has no business here.
    if (kind !== "ICMP") leaks.set(kind, count);
  }
  const tcp = flows.filter(({ kind }) => kind === "tcp");
  const udp = flows.filter(({ kind }) => kind === "udp");
  for (const flow of flows) auditAny(flow, terms, note);
  for (const flow of tcp) auditTcp(flow, terms, note);
  for (const flow of udp) auditUdp(flow, terms, note);
  const spoke = tcp.filter(({ sent }) => sent.length > 0);
  return {
    leaks: [...leaks].map(([leak, count]) => (count === 1 ? leak : `${leak} (${count})`)),
    tcpFlows: tcp.length,
    udpFlows: udp.length,
    popcountBlocked: spoke.filter(({ packets, client }) => isBlocked(packets, client)).length,
    hellos: [...new Set(spoke.flatMap(({ sent }) => fingerprint(sent) ?? []))],
  };
}

type Note = (leak: string) => unknown;

function auditAny(flow: Flow, terms: AuditTerms, note: Note): void {
  if (flow.serverPort === 53) note(`DNS for ${questionOf(flow.packets[0]?.payload)}`);
  else if (!terms.relays.includes(flow.serverAddress)) note(`${flow.kind} to a stranger, port ${flow.serverPort}`);
  const texts = flow.kind === "tcp" ? [flow.sent, flow.answered] : flow.packets.map(({ payload }) => payload);
  const lower = texts.map((bytes) => bytes.toString("latin1").toLowerCase());
  for (const word of tellingWords) {
    if (lower.some((text) => text.includes(word))) note(`"${word}" in ${flow.kind}`);
  }
  if (lower.some((text) => text.includes(terms.privateAddress))) note(`a private address in ${flow.kind}`);
}

/** The name that a datagram of DNS asks for. */
function questionOf(payload: Buffer | undefined): string {
  const labels: string[] = [];
  for (let at = 12; payload !== undefined && at < payload.length && payload[at] !== 0;) {
    const length = payload.readUInt8(at);
    labels.push(payload.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.join(".");
}

function auditTcp(flow: Flow, { browserHellos }: AuditTerms, note: Note): void {
  // A connection that was never answered has no first bytes.
  if (flow.sent.length === 0) return;
  const hello = fingerprint(flow.sent);
  if (hello === undefined) note("TCP that does not begin with TLS");
  else if (browserHellos !== undefined && !browserHellos.has(hello))
    note(`a TLS hello that is not Chromium's: ${hello}`);
}

function auditUdp(flow: Flow, terms: AuditTerms, note: Note): void {
  // What goes to a stranger is a leak already, whatever it is.
  if (flow.serverPort === 53 || !terms.relays.includes(flow.serverAddress)) return;
  for (const { payload } of flow.packets) {
    const kind = datagramKind(payload);
    if (kind === "quic" || kind === "other") note(`UDP that is neither STUN nor DTLS: ${kind}`);
    if (kind !== "stun") continue;
    if (parseStun(payload)?.addresses.includes(terms.privateAddress)) note("a private address in STUN");
  }
  const payloads = flow.packets.map(({ payload }) => payload);
  if (payloads.some(isHelloVerify)) note("DTLS with a HelloVerifyRequest");
  if (terms.browserHellos === undefined) return;
  const from = (isClient: boolean): Buffer[] =>
    flow.packets
      .filter(({ source, sourcePort }) => (`${source}:${sourcePort}` === flow.client) === isClient)
      .map(({ payload }) => payload);
  if (dtlsHello(from(false)) !== undefined) note("DTLS opened by the relay");
  const hello = dtlsHello(from(true));
  if (hello !== undefined && !terms.browserHellos.has(ja4(hello)))
    note(`a DTLS hello that is not Chromium's: ${ja4(hello)}`);
}

function fingerprint(sent: Buffer): string | undefined {
  const hello = parseTlsHello(sent);
  return hello === undefined ? undefined : ja4(hello);
}

/** The rule judges the first segment alone. */
function isBlocked(packets: Flow["packets"], client: string): boolean {
  const first = packets.find(({ source, sourcePort }) => `${source}:${sourcePort}` === client);
  return first !== undefined && exemption(first.payload) === undefined;
}
