import type { DataChannel, PeerConnection } from "node-datachannel";
import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import { limits } from "../../p2p/api/limits.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { NativeChannels } from "../../p2p/io/links/native-channel.ts";
import { negotiateAnswer, negotiateOffer, type WebRtcLink } from "../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc, type NativeWebRtc } from "../../p2p/io/links/wrtc.ts";
import { type Figure, figureOf } from "./figure.ts";
import { LossyRelay } from "./lossy-relay.ts";

const roundTripMs = 200;
const lossShare = 0.05;
const stormShare = 0.3;
/** Measured at 5 %, then 30 %, then 5 % again. */
const calmMs = 40_000;
const stormMs = 10_000;
const afterMs = 15_000;
/** One open microphone: a sealed and signed packet with what a session adds. */
const messageBytes = 230;
/** What is as long on the wire carries a message; DTLS and SCTP add more, acknowledgements have less. */
const messageBytesMin = 200;

/** What came over one channel. */
interface Received {
  /** Ms from sending to receipt, by number. */
  readonly delays: Map<number, number>;
  /** When each came. */
  readonly at: number[];
}

/** One way to send numbered messages over a relay of its own. */
interface Line {
  readonly relay: LossyRelay;
  readonly received: Received;
  send(message: Uint8Array): void;
  close(): void;
}

/** T12: our link, and a reliable, ordered channel of the same library, over two relays that lose alike, at the same time. */
export async function measureDataChannel(): Promise<readonly Figure[]> {
  const native = await loadedWebRtc();
  const [ours, reliable] = await Promise.all([ourLink(native), reliableChannel(native)]);
  const lines = [ours, reliable];
  let share = lossShare;
  for (const { relay } of lines) {
    const chances = { "to-offer": new Rng("to-offer"), "to-answer": new Rng("to-answer") };
    relay.loses = (way) => chances[way].next() < share;
  }
  try {
    return figures(await spoken(ours, reliable, (now) => (share = now)));
  } finally {
    for (const line of lines) line.close();
  }
}

/** Sends the same on both, 25 messages a second, through calm, storm and calm. */
async function spoken(ours: Line, reliable: Line, lose: (share: number) => void): Promise<Outcome> {
  const startedAt = performance.now();
  let sentCalm = 0;
  let endOfStorm = 0;
  let passed = { messages: 0, passed: 0 };
  for (let number = 0; performance.now() - startedAt < calmMs + stormMs + afterMs; number += 1) {
    const passedMs = performance.now() - startedAt;
    const storms = passedMs >= calmMs && passedMs < calmMs + stormMs;
    if (storms && sentCalm === 0) {
      sentCalm = number;
      passed = { messages: ours.relay.messages, passed: ours.relay.passed };
    }
    lose(storms ? stormShare : lossShare);
    if (storms) endOfStorm = performance.now();
    const message = new Uint8Array(messageBytes);
    const view = new DataView(message.buffer);
    view.setUint32(0, number);
    view.setFloat64(4, performance.now());
    for (const line of [ours, reliable]) line.send(message);
    await passing(Math.max(0, startedAt + (number + 1) * limits.packetMs - performance.now()));
  }
  await passing(roundTripMs * 5);
  return { ours, reliable, sentCalm, passed, endOfStorm };
}

function passing(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Outcome {
  readonly ours: Line;
  readonly reliable: Line;
  readonly sentCalm: number;
  /** Of our relay, until the storm. */
  readonly passed: { readonly messages: number; readonly passed: number };
  readonly endOfStorm: number;
}

function figures({ ours, reliable, sentCalm, passed, endOfStorm }: Outcome): Figure[] {
  const calm = ({ delays }: Received): number[] =>
    [...delays].flatMap(([number, ms]) => (number < sentCalm ? [ms] : []));
  const oursCalm = calm(ours.received);
  const p99 = rounded(quantile(oursCalm, 0.99));
  const where = "5 % loss, 200 ms RTT";
  const wayP99Ms = rounded(quantile(ours.relay.wayMs, 0.99));
  return [
    figureOf({
      id: "T12",
      what: `share of messages delivered ÷ share of datagrams that the path passes, ${where}`,
      goal: 0.97,
      better: "more",
      sides: {
        ours: rounded4(oursCalm.length / sentCalm),
        baseline: rounded4(passed.passed / passed.messages),
        sent: sentCalm,
      },
    }),
    figureOf({
      id: "T12",
      what: `99th percentile of delay, ms ÷ that of propagation as the relay's timers really made it, ${where}`,
      goal: 1.3,
      better: "less",
      sides: { ours: p99, baseline: wayP99Ms, meant: roundTripMs / 2, ourMedian: rounded(quantile(oursCalm, 0.5)) },
    }),
    figureOf({
      id: "T12",
      what: `99th percentile of delay, ms ÷ a reliable, ordered channel beside it, ${where}`,
      goal: 0.2,
      better: "less",
      sides: { ours: p99, baseline: rounded(quantile(calm(reliable.received), 0.99)) },
    }),
    figureOf({
      id: "T12",
      what: "longest stall, ms, in the 15 s after 10 s of 30 % loss ÷ 1 s",
      goal: 1,
      better: "less",
      sides: {
        ours: rounded(longestStall(ours.received.at, endOfStorm)),
        baseline: 1000,
        duringStorm: rounded(longestStall(ours.received.at, endOfStorm - stormMs, endOfStorm)),
        reliableOrdered: rounded(longestStall(reliable.received.at, endOfStorm)),
      },
    }),
  ];
}

/** A real data channel of ours, both ends of it, and what stands between them. */
export interface DataLine {
  readonly relay: LossyRelay;
  down(message: Uint8Array): void;
  up(message: Uint8Array): void;
  close(): void;
}

/** One over a relay that loses nothing. */
export async function openDataLine(): Promise<DataLine> {
  const { relay, from, to, close } = await bothEnds(await loadedWebRtc(), 5);
  for (const end of [from, to]) end.attach({ onMessage: () => {}, onClose: () => {} });
  return { relay, down: (message) => void from.send(message), up: (message) => void to.send(message), close };
}

async function loadedWebRtc(): Promise<NativeWebRtc> {
  const native = await loadNativeWebRtc();
  if (native === undefined) throw new Error("There is no native WebRTC library for this system.");
  return native;
}

interface BothEnds {
  readonly relay: LossyRelay;
  readonly from: WebRtcLink;
  readonly to: WebRtcLink;
  close(): void;
}

async function bothEnds(native: NativeWebRtc, oneWayMs: number): Promise<BothEnds> {
  const relay = new LossyRelay(oneWayMs, messageBytesMin);
  const channels = new NativeChannels(native, { bindAddress: "127.0.0.1" });
  const offering = negotiateOffer(channels, { id: linkId(1), remote: "bb".repeat(32) as PeerId });
  const offer = await offering.description;
  const answering = negotiateAnswer(channels, offer, { id: linkId(2), remote: "aa".repeat(32) as PeerId });
  offering.accept(await answering.description);
  const { type, candidates } = offering.candidates();
  const port = await relay.open(candidates[0]?.port ?? 0);
  answering.accept({ type, candidates: candidates.map((candidate) => ({ ...candidate, port })) });
  const [from, to]: [WebRtcLink, WebRtcLink] = await Promise.all([offering.link, answering.link]);
  const close = (): void => {
    from.close();
    to.close();
    relay.close();
  };
  return { relay, from, to, close };
}

async function ourLink(native: NativeWebRtc): Promise<Line> {
  const { relay, from, to, close } = await bothEnds(native, roundTripMs / 2);
  const { received, take } = receiver();
  to.attach({ onMessage: take, onClose: () => {} });
  from.attach({ onMessage: () => {}, onClose: () => {} });
  return { relay, received, send: (message) => void from.send(message), close };
}

/** As the library makes channels when nobody asks for anything else. */
async function reliableChannel(native: NativeWebRtc): Promise<Line> {
  const relay = new LossyRelay(roundTripMs / 2, messageBytesMin);
  const options = { iceServers: [], bindAddress: "127.0.0.1", disableAutoNegotiation: true };
  const offering = new native.PeerConnection("offer", options);
  const answering = new native.PeerConnection("answer", options);
  const init = { negotiated: true, id: 1 };
  const from = offering.createDataChannel("r", init);
  const to = answering.createDataChannel("r", init);
  const { received, take } = receiver();
  to.onMessage((data) => typeof data !== "string" && take(new Uint8Array(data)));
  const offer = await described(offering, "offer");
  const line = offer.split("\r\n").find((each) => each.startsWith("a=candidate:") && each.includes("127.0.0.1")) ?? "";
  const port = await relay.open(Number(line.split(" ")[5]));
  answering.setRemoteDescription(withoutCandidates(offer), "offer");
  const answer = await described(answering, "answer");
  offering.setRemoteDescription(withoutCandidates(answer), "answer");
  const words = line.slice("a=".length).split(" ");
  words[5] = String(port);
  answering.addRemoteCandidate(words.join(" "), "0");
  await Promise.all([opened(from), opened(to)]);
  // What nothing refers to any more is closed by the library: both channels are named here.
  const close = (): void => {
    for (const each of [from, to, offering, answering]) each.close();
    relay.close();
  };
  return { relay, received, send: (message) => void from.sendMessageBinary(message), close };
}

async function described(connection: PeerConnection, type: "offer" | "answer"): Promise<string> {
  const gathered = new Promise<void>((resolve) =>
    connection.onGatheringStateChange((state) => void (state === "complete" && resolve())),
  );
  connection.setLocalDescription(type);
  if (connection.gatheringState() !== "complete") await gathered;
  return connection.localDescription()?.sdp ?? "";
}

function withoutCandidates(sdp: string): string {
  const lines = sdp.split("\r\n");
  return lines.filter((line) => !line.startsWith("a=candidate:") && line !== "a=end-of-candidates").join("\r\n");
}

function opened(channel: DataChannel): Promise<void> {
  return new Promise((resolve) => (channel.isOpen() ? resolve() : channel.onOpen(resolve)));
}

function receiver(): { readonly received: Received; take(message: Uint8Array): void } {
  const received: Received = { delays: new Map(), at: [] };
  return {
    received,
    take: (message) => {
      const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
      const now = performance.now();
      received.delays.set(view.getUint32(0), now - view.getFloat64(4));
      received.at.push(now);
    },
  };
}

function longestStall(at: readonly number[], from: number, until = Infinity): number {
  const times = [from, ...at.filter((time) => time > from && time < until)];
  return times.reduce((most, time, index) => Math.max(most, time - (times[index - 1] ?? time)), 0);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function rounded4(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
