import assert from "node:assert/strict";
import { linkId } from "../../p2p/api/ids.ts";
import type { DialId, LinkId, PeerId } from "../../p2p/api/ids.ts";
import { limits } from "../../p2p/api/limits.ts";
import type { LinkCloseReason, LinkKind } from "../../p2p/api/link.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import type { Rng } from "../../p2p/core/rng.ts";
import { Access } from "./access.ts";
import type { Reading } from "./media-trace.ts";
import { Jitter } from "./topology.ts";
import type { Topology } from "./topology.ts";
import { Wall } from "./wall.ts";
import type { World } from "./world.ts";

/** Round trips until a stream link is open: TCP 1, TLS 1.3 1, WebSocket 1, Noise and yamux 2, the link's own protocol 1. */
const dialRtts = 6;
/** A second stream over the connection that is there needs only its own protocol. */
const streamRtts = 1;
/** Round trips that WebRTC needs beside the stream: signalling and ICE overlap to 1, DTLS 1.2 takes 2, SCTP 1. */
const upgradeRtts = 4;
/** A dial to somebody who does not answer at all: the dial timeout. */
const dialTimeoutMs = 3000;
/** An upgrade over UDP that nothing passes. */
const upgradeTimeoutMs = 10_000;
/** The least time after which TCP sends a lost segment again: Linux's floor for RFC 6298. */
const retransmitMsMin = 200;
/** ICE consent expires after 30 s (RFC 7675): until then a WebRTC link to a dead peer is only silent. Partitions are shorter. */
const consentMs = 30_000;
/** Mean jitter of one message, ms; its 95th percentile is then 12 ms, the good end of what access networks show. */
const jitterMsMean = 5;

/** How a peer ends. `crash`: its system resets its connections. `power-cut`: nobody says anything. `leave`: it closed what it had. */
export type Ending = "crash" | "power-cut" | "leave";

/** The outputs that concern links. */
export type LinkOutput = Extract<PeerOutput, { kind: "send" | "close" | "dial" | "upgrade" | "cancel-dial" }>;
/** The inputs that concern links. */
export type LinkInput = Extract<PeerInput, { kind: "link-opened" | "dial-failed" | "link-closed" | "message" }>;

/** Who watches the wire. */
export interface NetworkProbe {
  /** `from` handed a message to a link to `to`. What comes back is shown again when the message arrives. */
  sent(from: number, to: number, kind: LinkKind, bytes: Uint8Array): Reading;
  /** The message of so many bytes is about to be handed to `to`. */
  delivered(from: number, to: number, kind: LinkKind, bytes: number, reading: Reading): void;
  linkClosed(node: number, remote: number, kind: LinkKind, reason: LinkCloseReason): void;
  /** The machine used a link after it had been told that it is closed, or one it never had. */
  misused(node: number, what: string): void;
}

/** A message on its way. */
interface Message {
  readonly to: End;
  readonly bytes: Uint8Array;
  readonly reading: Reading;
}

/** One end of a link. */
class End {
  /** The far end. */
  other!: End;
  /** `closing`: closed by its owner, who has not been told yet. */
  state: "opening" | "open" | "closing" | "closed" = "opening";
  /** Of the way to this end: whether messages are being lost just now. */
  bad = false;
  /** Nothing reaches this end earlier; on streams it is when the last message arrives, which keeps them in order. */
  notBefore = 0;
  /** What a stream holds back while a partition lasts. */
  readonly held: Message[] = [];
  heldClose: LinkCloseReason | undefined;
  readonly id: LinkId;
  readonly owner: number;
  readonly kind: "stream" | "webrtc";

  constructor(id: LinkId, owner: number, kind: "stream" | "webrtc") {
    this.id = id;
    this.owner = owner;
    this.kind = kind;
  }
}

interface Dial {
  readonly node: number;
  readonly id: DialId;
  readonly remote: number | undefined;
  readonly kind: "stream" | "webrtc";
  readonly startedAt: number;
  cancelled: boolean;
  ends: readonly [End, End] | undefined;
}

/** Who can dial a node: everybody, those whose network lets them through to a person's machine, nobody. */
export type Reach = "public" | "behind-nat" | "none";

interface Host {
  readonly peer: PeerId;
  readonly reach: Reach;
  readonly ends: Map<LinkId, End>;
  readonly dials: Map<DialId, Dial>;
  ending: Ending | undefined;
  nextLink: number;
}

/** What the network needs to know of a run. */
export interface NetworkOptions {
  /** Share of messages that the network loses, 0 to 1. Streams send them again and wait; WebRTC does without. */
  readonly loss: number;
  /** Share of pairs in which a machine behind a person's router cannot be dialed. */
  readonly nat: number;
}

/**
 * Links between nodes of a world, with the delays of a topology: streams in order and reliable, WebRTC neither.
 * What the real links promise (p2p/api/link.ts) holds here too.
 */
export class Network {
  /** The censor between people and relays. */
  readonly wall: Wall;
  private readonly hosts: Host[] = [];
  private readonly numbers = new Map<PeerId, number>();
  private readonly island = new Set<number>();
  private readonly world: World<PeerInput, PeerOutput>;
  private readonly topology: Topology;
  private readonly rng: Rng;
  private readonly jitter: Jitter;
  private readonly access: Access;
  private readonly options: NetworkOptions;
  private readonly probe: NetworkProbe;

  constructor(
    world: World<PeerInput, PeerOutput>,
    topology: Topology,
    rng: Rng,
    options: NetworkOptions,
    probe: NetworkProbe,
  ) {
    this.world = world;
    this.topology = topology;
    this.rng = rng;
    this.access = new Access(options.loss, rng.fork("access"));
    this.jitter = new Jitter(rng.fork("jitter"), jitterMsMean);
    this.options = options;
    this.probe = probe;
    this.wall = new Wall(rng.fork("wall"), (node) => this.hostAt(node).reach === "public");
  }

  /** Connects the node that was added to world and topology last. */
  attach(peer: PeerId, reach: Reach): void {
    this.numbers.set(peer, this.hosts.length);
    this.hosts.push({ peer, reach, ends: new Map(), dials: new Map(), ending: undefined, nextLink: 1 });
  }

  /** What a node can send is no more than this. */
  setUplink(node: number, kbps: number): void {
    this.access.setUplink(node, kbps);
  }

  /** Carries out what a machine asked for. */
  carry(node: number, output: LinkOutput): void {
    switch (output.kind) {
      case "send":
        return this.send(node, output.link, output.bytes);
      case "close":
        return this.close(node, output.link);
      case "dial":
        return this.dial(node, output.dial, this.numbers.get(keyHex(output.target.key)), output.fresh);
      case "upgrade":
        return this.upgrade(node, output.dial, output.remote);
      case "cancel-dial":
        return this.cancel(node, output.dial);
      default:
        output satisfies never;
    }
  }

  /** Ends a node. What it had sent still arrives. */
  end(node: number, ending: Ending): void {
    const host = this.hostAt(node);
    host.ending = ending;
    this.world.remove(node);
    for (const end of host.ends.values()) {
      end.state = "closed";
      if (ending === "leave") this.closeOther(end, "remote");
      else if (end.kind === "webrtc") this.world.planIn(consentMs, this.told, { end: end.other, reason: "lost" });
      else if (ending === "crash") this.closeOther(end, "lost");
    }
    host.ends.clear();
  }

  /** Cuts these nodes off from all others, both ways, until `heal`. */
  partition(nodes: Iterable<number>): void {
    for (const node of nodes) this.island.add(node);
  }

  /** Joins what was cut. Streams deliver what they held back, one retransmission later. */
  heal(): void {
    this.island.clear();
    for (const host of this.hosts) {
      for (const end of host.ends.values()) this.release(end);
    }
  }

  /** Resets every stream between people and relays: both ends are told at once. */
  reset(): void {
    for (const [node, host] of this.hosts.entries()) {
      const streams = [...host.ends.values()].filter((end) => end.kind === "stream" && end.state === "open");
      for (const end of streams) {
        if (host.reach !== "public" || !this.wall.stands(node, end.other.owner)) continue;
        for (const each of [end, end.other]) this.world.planIn(0, this.told, { end: each, reason: "lost" });
      }
    }
  }

  /** Whether the two can have a link when one dials the other: it is drawn once for each pair. */
  connects(from: number, to: number): boolean {
    const { reach } = this.hostAt(to);
    if (reach !== "behind-nat") return reach === "public";
    return hashOfPair(from, to) >= this.options.nat;
  }

  /** Whether a message can pass between the two now. */
  private reaches(a: number, b: number): boolean {
    return this.island.size === 0 || this.island.has(a) === this.island.has(b);
  }

  private hostAt(node: number): Host {
    const host = this.hosts[node];
    assert(host, `no host ${node}`);
    return host;
  }

  // --- messages

  private send(node: number, link: LinkId, bytes: Uint8Array): void {
    assert(bytes.length >= 1 && bytes.length <= limits.linkMessageBytesMax, `a message of ${bytes.length} bytes`);
    const end = this.hostAt(node).ends.get(link);
    if (end === undefined) return this.probe.misused(node, "send on a closed link");
    if (end.state !== "open") return;
    const to = end.other;
    const message = { to, bytes, reading: this.probe.sent(node, to.owner, end.kind, bytes) };
    const queueMs = this.access.queueMs(node, bytes.length, this.world.now, end.kind === "stream");
    if (queueMs === undefined || !this.wall.passes(node, to.owner, end.kind, to, bytes.length)) return;
    if (end.kind === "webrtc") return this.sendLossy(message, queueMs);
    if (!this.reaches(node, to.owner)) return hold(message);
    this.sendOrdered(message, queueMs);
  }

  private sendLossy(message: Message, waitMs: number): void {
    const { to } = message;
    const from = to.other.owner;
    if (!this.reaches(from, to.owner)) return;
    if (this.access.isLost(to)) return;
    const at = this.world.now + waitMs + this.delayMs(from, to.owner);
    this.world.plan(Math.max(at, to.notBefore), this.arrived, message);
  }

  /** A lost segment holds up all behind it until it was sent again. */
  private sendOrdered(message: Message, waitMs: number): void {
    const { to } = message;
    let delayMs = waitMs + this.delayMs(to.other.owner, to.owner);
    while (this.options.loss > 0 && this.rng.next() < this.options.loss) delayMs += this.retransmitMs(to);
    to.notBefore = Math.max(this.world.now + delayMs, to.notBefore);
    this.world.plan(to.notBefore, this.arrived, message);
  }

  private readonly arrived = ({ to, bytes, reading }: Message): void => {
    if (to.state !== "open" || !this.world.isAlive(to.owner)) return;
    this.probe.delivered(to.other.owner, to.owner, to.kind, bytes.length, reading);
    this.world.trace.addBytes(bytes);
    this.world.input(to.owner, { kind: "message", link: to.id, bytes });
  };

  private delayMs(from: number, to: number): number {
    return this.topology.oneWayMs(from, to) + this.jitter.drawMs();
  }

  private retransmitMs(end: End): number {
    return retransmitMsMin + this.topology.rttMs(end.owner, end.other.owner);
  }

  private release(end: End): void {
    const waitMs = this.retransmitMs(end);
    for (const message of end.held.splice(0)) this.sendOrdered(message, waitMs);
    if (end.heldClose === undefined) return;
    const reason = end.heldClose;
    end.heldClose = undefined;
    end.notBefore = Math.max(end.notBefore, this.world.now + waitMs);
    this.world.plan(end.notBefore, this.told, { end, reason });
  }

  // --- closing

  private close(node: number, link: LinkId): void {
    const end = this.hostAt(node).ends.get(link);
    if (end === undefined) return this.probe.misused(node, "close of a closed link");
    if (end.state !== "open") return;
    end.state = "closing";
    this.world.planIn(0, this.told, { end, reason: "local" });
    this.closeOther(end, "remote");
  }

  private closeOther(end: End, reason: LinkCloseReason): void {
    const other = end.other;
    if (!this.reaches(end.owner, other.owner)) {
      other.heldClose = reason;
      return;
    }
    other.notBefore = Math.max(other.notBefore, this.world.now + this.topology.oneWayMs(end.owner, other.owner));
    this.world.plan(other.notBefore, this.told, { end: other, reason });
  }

  private readonly told = ({ end, reason }: { readonly end: End; readonly reason: LinkCloseReason }): void => {
    if (end.state === "closed") return;
    const wasKnown = end.state !== "opening";
    end.state = "closed";
    this.hostAt(end.owner).ends.delete(end.id);
    if (!wasKnown) return;
    this.probe.linkClosed(end.owner, end.other.owner, end.kind, reason);
    this.world.input(end.owner, { kind: "link-closed", link: end.id, reason });
  };

  // --- opening

  private dial(node: number, id: DialId, remote: number | undefined, fresh: boolean): void {
    const dial = this.newDial(node, id, remote, "stream");
    if (remote === undefined || remote === node) return this.failIn(dial, dialTimeoutMs);
    const known = [...this.hostAt(node).ends.values()].some(
      (end) => end.kind === "stream" && end.state === "open" && end.other.owner === remote,
    );
    if (this.hostAt(remote).reach === "behind-nat" && !this.connects(node, remote))
      return this.failIn(dial, dialTimeoutMs);
    if (!this.wall.opens(node, remote, "stream")) return this.failIn(dial, dialTimeoutMs);
    this.openIn(dial, remote, known && !fresh ? streamRtts : dialRtts);
  }

  private upgrade(node: number, id: DialId, peer: PeerId): void {
    const remote = this.numbers.get(peer);
    const dial = this.newDial(node, id, remote, "webrtc");
    const signalling = [...this.hostAt(node).ends.values()].find(
      (end) => end.kind === "stream" && end.state === "open" && end.other.owner === remote,
    );
    if (remote === undefined || signalling === undefined) return this.failIn(dial, 0);
    if (!this.wall.opens(node, remote, "webrtc")) return this.failIn(dial, upgradeTimeoutMs);
    this.openIn(dial, remote, upgradeRtts);
  }

  private newDial(node: number, id: DialId, remote: number | undefined, kind: "stream" | "webrtc"): Dial {
    const dials = this.hostAt(node).dials;
    assert(!dials.has(id), `node ${node} dials twice under one number`);
    const dial: Dial = { node, id, remote, kind, startedAt: this.world.now, cancelled: false, ends: undefined };
    dials.set(id, dial);
    return dial;
  }

  /** Lost handshake messages cost a retransmission each. */
  private openIn(dial: Dial, remote: number, rtts: number): void {
    const rttMs = this.topology.rttMs(dial.node, remote);
    let takesMs = rtts * rttMs;
    for (let message = 0; message < 2 * rtts; message++) {
      if (this.rng.next() < this.options.loss) takesMs += retransmitMsMin + rttMs;
    }
    this.world.planIn(takesMs - rttMs / 2, this.accept, dial);
  }

  private failIn(dial: Dial, delayMs: number): void {
    this.world.plan(Math.max(this.world.now, dial.startedAt + delayMs), this.failed, dial);
  }

  private readonly failed = (dial: Dial): void => {
    if (dial.cancelled || !this.hostAt(dial.node).dials.delete(dial.id)) return;
    this.world.input(dial.node, { kind: "dial-failed", dial: dial.id, reason: "unreachable" });
  };

  /** The dialed side has its link; the dialing side has it half a round trip later. */
  private readonly accept = (dial: Dial): void => {
    const remote = dial.remote;
    assert(remote !== undefined);
    if (dial.cancelled || !this.world.isAlive(dial.node)) return;
    const host = this.hostAt(remote);
    if (host.ending === "power-cut" || !this.reaches(dial.node, remote)) return this.failIn(dial, dialTimeoutMs);
    if (host.ending !== undefined || (dial.kind === "stream" && host.reach === "none")) return this.failIn(dial, 0);
    const [near, far] = this.makeEnds(dial.node, remote, dial.kind);
    dial.ends = [near, far];
    near.notBefore = this.world.now + this.topology.oneWayMs(remote, dial.node);
    this.world.plan(near.notBefore, this.opened, dial);
    this.open(far, undefined);
  };

  private readonly opened = (dial: Dial): void => {
    const near = dial.ends?.[0];
    assert(near);
    this.hostAt(dial.node).dials.delete(dial.id);
    // The far side may have gone, or thought better of it, while the answer was on the way: then the link opens and closes.
    if (near.state === "opening" && !dial.cancelled) this.open(near, dial.id);
  };

  private makeEnds(a: number, b: number, kind: "stream" | "webrtc"): readonly [End, End] {
    const near = this.makeEnd(a, kind);
    const far = this.makeEnd(b, kind);
    near.other = far;
    far.other = near;
    return [near, far];
  }

  private makeEnd(owner: number, kind: "stream" | "webrtc"): End {
    const host = this.hostAt(owner);
    const end = new End(linkId(host.nextLink++), owner, kind);
    host.ends.set(end.id, end);
    return end;
  }

  private open(end: End, dial: DialId | undefined): void {
    end.state = "open";
    const remote = this.hostAt(end.other.owner).peer;
    const input = { kind: "link-opened", link: end.id, remote, linkKind: end.kind } as const;
    this.world.input(end.owner, dial === undefined ? input : { ...input, dial });
  }

  private cancel(node: number, id: DialId): void {
    const host = this.hostAt(node);
    const dial = host.dials.get(id);
    if (dial === undefined) return;
    dial.cancelled = true;
    host.dials.delete(id);
    const near = dial.ends?.[0];
    if (near === undefined || near.state !== "opening") return;
    near.state = "closed";
    host.ends.delete(near.id);
    this.closeOther(near, "remote");
  }
}

/** A stream that is not read keeps only its newest messages, as the real one does. */
function hold(message: Message): void {
  const { held } = message.to;
  held.push(message);
  if (held.length > limits.linkQueueMessagesMax) held.shift();
}

/** A number in [0, 1) for each pair, the same whoever of the two asks. */
function hashOfPair(a: number, b: number): number {
  let hash = Math.imul(Math.min(a, b) + 1, 0x9e3779b1) ^ Math.imul(Math.max(a, b) + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

function keyHex(key: Uint8Array): PeerId {
  return Buffer.from(key).toString("hex") as PeerId;
}
