import { type LinkId, type Millis, millis, type PeerId } from "../../api/ids.ts";
import type { LinkKind } from "../../api/link.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import { ReliableLane } from "./lane.ts";
import type { Deadline } from "../machine.ts";

/** A parent that has nothing to forward says so this often: media is the heartbeat, and this stands in for it. */
export const tickMsDown = 200;
/** A child says it lives this often. */
export const tickMsUp = 2000;
/** Silence from above after which a link is given up: five ticks. */
export const silenceMsUp = 1000;
/** Silence of a data channel beside a live stream after which it is given up: ticks on it may be lost. */
const silenceMsDatagrams = 900;
/** Silence from below after which a child's slot is given to somebody else. */
export const silenceMsDown = 10_000;
/** When one link was lost, the others must show within this time that the far end lives: it may be its process that died. */
const proofMs = 300;
/** An unanswered `attach` is repeated this often, and at most so many times: the frame may be lost. */
const attachMs = 300;
const attachesMax = 8;

interface SessionLink {
  readonly link: LinkId;
  readonly kind: LinkKind;
  /** False while our `attach` on it is unanswered: nothing else is sent on it until then. */
  ready: boolean;
  attachedAt: Millis;
  attaches: number;
  heardAt: Millis;
}

/** What a session tells its owner. */
export type SessionSignal =
  | { readonly kind: "message"; readonly message: Uint8Array }
  | { readonly kind: "media"; readonly hops: number; readonly packet: Uint8Array }
  | { readonly kind: "bye" }
  /** The far end broke the protocol or reads nothing: the session is over. */
  | { readonly kind: "broken" };

/** What a session needs from its owner: a way out. */
export interface SessionWires {
  send(link: LinkId, bytes: Uint8Array): void;
  close(link: LinkId): void;
}

/**
 * A conversation with one neighbour about one room. It outlives its links: a new link attached by the session's id
 * continues the same stream ([SS5], [SS6]).
 */
export class Session {
  readonly id: Uint8Array;
  readonly remote: PeerId;
  /** True for the side that dialed: it is below, or a sibling of worse rank. */
  readonly dialed: boolean;
  controlBytes = 0;
  readonly #links: SessionLink[] = [];
  readonly #wires: SessionWires;
  readonly #lane: ReliableLane;
  #laneTurn = 0;
  #sentAt: Millis;
  #heardAt: Millis;
  #lostAt: Millis | undefined;

  constructor(id: Uint8Array, remote: PeerId, dialed: boolean, wires: SessionWires, now: Millis) {
    this.id = id;
    this.remote = remote;
    this.dialed = dialed;
    this.#wires = wires;
    this.#sentAt = now;
    this.#heardAt = now;
    this.#lane = new ReliableLane((frame) => this.#sendControl(frame));
  }

  get linkIds(): LinkId[] {
    return this.#links.map((entry) => entry.link);
  }

  /** The kind of link that carries media now, or undefined without one. */
  get mediaKind(): LinkKind | undefined {
    return this.#mediaLink()?.kind;
  }

  /** When the far end was last heard, on any link. */
  get lastHeardAt(): Millis {
    return this.#heardAt;
  }

  has(kind: LinkKind): boolean {
    return this.#links.some((entry) => entry.kind === kind);
  }

  /**
   * Adds a link. With `announce`, our `attach` goes out on it and it serves once that is answered; otherwise it serves at once.
   */
  addLink(link: LinkId, kind: LinkKind, announce: boolean, now: Millis): void {
    this.#links.push({ link, kind, ready: !announce, attachedAt: now, attaches: 0, heardAt: now });
    this.#heardAt = now;
    if (announce) this.#announce(this.#links[this.#links.length - 1], now);
    else this.#lane.resume(now);
  }

  /** Forgets a link that closed. True while another remains. */
  removeLink(link: LinkId, now: Millis): boolean {
    const index = this.#links.findIndex((entry) => entry.link === link);
    if (index >= 0) this.#links.splice(index, 1);
    this.#lostAt = now;
    if (this.#links.length > 0) this.#lane.resume(now);
    return this.#links.length > 0;
  }

  /** Sends an encoded media frame by the best link; false without one. */
  sendMedia(encoded: Uint8Array, now: Millis): boolean {
    const entry = this.#mediaLink();
    if (!entry) return false;
    this.#sentAt = now;
    this.#wires.send(entry.link, encoded);
    return true;
  }

  /** Sends a message that will arrive, in order, as long as the session lives. */
  sendReliable(message: Uint8Array, now: Millis): boolean {
    return this.#lane.send(message, now);
  }

  /** Sends a frame that is not repeated. */
  sendFrame(frame: Frame): void {
    this.#sendControl(frame);
  }

  /** Takes a frame that came on one of its links. Opening frames are the owner's. */
  handleFrame(link: LinkId, frame: Frame, now: Millis): SessionSignal[] {
    this.#heardAt = now;
    const entry = this.#links.find((known) => known.link === link);
    if (entry) entry.heardAt = now;
    switch (frame.kind) {
      case "media":
        return [{ kind: "media", hops: frame.hops, packet: frame.packet }];
      case "fragment": {
        const messages = this.#lane.receive(frame.sequence, frame.last, frame.bytes);
        if (messages === "overflow") return [{ kind: "broken" }];
        return messages.map((message) => ({ kind: "message", message }));
      }
      case "ack":
        this.#lane.acknowledge(frame.next, now);
        return [];
      case "attached":
        if (entry) entry.ready = true;
        return [];
      case "tick":
        return [];
      case "bye":
        return [{ kind: "bye" }];
      case "hello":
      case "welcome":
      case "refuse":
      case "attach":
        return [{ kind: "broken" }];
      default:
        return frame satisfies never;
    }
  }

  /** Repeats what was not answered, ticks when there was nothing to say, and gives up links that fell silent. */
  handleTimeout(now: Millis): void {
    const turn = this.#laneTurn;
    if ((this.#lane.deadline()?.at ?? Infinity) <= now) this.#laneTurn = turn + 1;
    this.#lane.handleTimeout(now);
    for (const entry of this.#links.slice()) if (!entry.ready) this.#repeatAnnounce(entry, now);
    if (now >= this.#sentAt + this.#tickMs) {
      this.#sentAt = now;
      // On every link, so that each shows whether it lives.
      for (const entry of this.#links) if (entry.ready) this.#wires.send(entry.link, encodeFrame({ kind: "tick" }));
    }
    this.#dropSilentDatagrams(now);
  }

  /** Our own process stood still for `ms`: what was not heard meanwhile may be waiting to be read ([SS8]). */
  forgive(ms: number, now: Millis): void {
    this.#heardAt = millis(Math.min(now, this.#heardAt + ms));
    for (const entry of this.#links) entry.heardAt = millis(Math.min(now, entry.heardAt + ms));
  }

  /** One of its links was lost, and nothing was heard since: the far end may be gone altogether. */
  get isDoubtful(): boolean {
    return this.dialed && this.#lostAt !== undefined && this.#heardAt <= this.#lostAt;
  }

  /** Nothing was heard for so long that the far end counts as gone. */
  isSilent(now: Millis): boolean {
    return now >= this.#silentAt;
  }

  deadline(): Deadline {
    let soonest: Deadline = { at: this.#silentAt, reason: "silence of a neighbour" };
    const consider = (other: Deadline | undefined): void => {
      if (other && other.at < soonest.at) soonest = other;
    };
    consider(this.#lane.deadline());
    consider({ at: millis(this.#sentAt + this.#tickMs), reason: "tick" });
    for (const entry of this.#links) {
      if (!entry.ready) consider({ at: millis(entry.attachedAt + attachMs), reason: "attach" });
      else if (this.#watches(entry))
        consider({ at: millis(entry.heardAt + silenceMsDatagrams), reason: "silent datagrams" });
    }
    return soonest;
  }

  /** Ends the session: says goodbye and closes every link. */
  end(): void {
    for (const entry of this.#links.splice(0)) {
      this.#wires.send(entry.link, encodeFrame({ kind: "bye" }));
      this.#wires.close(entry.link);
    }
  }

  get #tickMs(): number {
    return this.dialed ? tickMsUp : tickMsDown;
  }

  /** When silence becomes a loss, if nothing is heard until then. */
  get #silentAt(): Millis {
    const patient = this.#heardAt + this.#silenceMs;
    return millis(this.isDoubtful ? Math.min(patient, (this.#lostAt ?? 0) + proofMs) : patient);
  }

  get #silenceMs(): number {
    return this.dialed ? silenceMsUp : silenceMsDown;
  }

  /** Data channels before streams: they lose rather than delay. */
  #mediaLink(): SessionLink | undefined {
    let best: SessionLink | undefined;
    for (const entry of this.#links) {
      if (entry.ready && (best === undefined || (best.kind === "stream" && entry.kind === "webrtc"))) best = entry;
    }
    return best;
  }

  /** Streams before data channels, but every resend takes the next link: the first may be frozen. */
  #sendControl(frame: Frame): void {
    const ready = this.#links.filter((entry) => entry.ready);
    const order = ready.sort((a, b) => Number(a.kind === "webrtc") - Number(b.kind === "webrtc"));
    const entry = order[this.#laneTurn % Math.max(1, order.length)];
    if (!entry) return;
    const bytes = encodeFrame(frame);
    this.controlBytes += bytes.length;
    this.#wires.send(entry.link, bytes);
  }

  #announce(entry: SessionLink | undefined, now: Millis): void {
    if (!entry) return;
    entry.attachedAt = now;
    entry.attaches++;
    this.#wires.send(entry.link, encodeFrame({ kind: "attach", session: this.id }));
  }

  #repeatAnnounce(entry: SessionLink, now: Millis): void {
    if (now < entry.attachedAt + attachMs) return;
    if (entry.attaches < attachesMax) this.#announce(entry, now);
    else this.#drop(entry, now);
  }

  /** The side below watches its data channel: when it alone is silent, the stream takes over ([SS7]). */
  #watches(entry: SessionLink): boolean {
    return this.dialed && entry.kind === "webrtc" && this.#links.length > 1;
  }

  #dropSilentDatagrams(now: Millis): void {
    for (const entry of this.#links.slice()) {
      if (entry.ready && this.#watches(entry) && now >= entry.heardAt + silenceMsDatagrams) this.#drop(entry, now);
    }
  }

  #drop(entry: SessionLink, now: Millis): void {
    this.#wires.close(entry.link);
    this.removeLink(entry.link, now);
  }
}
