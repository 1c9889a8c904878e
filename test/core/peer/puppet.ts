import { type LinkId, type Millis, millis } from "../../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../../p2p/core/machine.ts";
import type { Peer } from "../../../p2p/core/peer.ts";
import type { PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import { type Frame, parseFrame } from "../../../p2p/core/session/frames.ts";

/** A far end without rules: it notes what comes and says what the test says. */
export class Puppet implements Machine<PeerInput, PeerOutput> {
  readonly inputs: PeerInput[] = [];

  handle(input: PeerInput): void {
    this.inputs.push(input);
  }

  poll(): undefined {
    return undefined;
  }

  deadline(): undefined {
    return undefined;
  }

  /** Frames that came, of one kind. */
  frames<Kind extends Frame["kind"]>(kind: Kind): Extract<Frame, { kind: Kind }>[] {
    const frames = this.inputs.map((input) => (input.kind === "message" ? parseFrame(input.bytes) : undefined));
    type Wanted = Extract<Frame, { kind: Kind }>;
    return frames.filter((frame): frame is Wanted => frame?.kind === kind);
  }

  /** The link on which a frame of this kind came last. */
  linkOf(kind: Frame["kind"]): LinkId {
    const last = this.inputs.findLast((input) => input.kind === "message" && parseFrame(input.bytes)?.kind === kind);
    if (last?.kind !== "message") throw new Error(`no ${kind} came`);
    return last.link;
  }

  /** Links that were closed under it. */
  get closed(): LinkId[] {
    return this.inputs.flatMap((input) => (input.kind === "link-closed" ? [input.link] : []));
  }

  /** The links that somebody opened to it. */
  get links(): LinkId[] {
    return this.inputs.flatMap((input) => (input.kind === "link-opened" ? [input.link] : []));
  }
}

/** A machine whose clock is wrong. */
export class Skewed implements Machine<PeerInput, PeerOutput> {
  readonly inner: Peer;
  readonly skewMs: number;

  constructor(inner: Peer, skewMs: number) {
    this.inner = inner;
    this.skewMs = skewMs;
  }

  handle(input: PeerInput, now: Millis): void {
    this.inner.handle(input, millis(now + this.skewMs));
  }

  poll(): PeerOutput | undefined {
    return this.inner.poll();
  }

  deadline(): Deadline | undefined {
    const deadline = this.inner.deadline();
    return deadline && { ...deadline, at: millis(deadline.at - this.skewMs) };
  }
}
