import { type LinkId, type Millis, millis, type PeerId } from "../../api/ids.ts";
import type { LinkKind } from "../../api/link.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import { isDatagrams, type SessionLink } from "./link.ts";
import { ReliableLane } from "./lane.ts";
import type { RoundTrip } from "./round-trip.ts";
import type { SessionSignal, SessionWires } from "./signals.ts";
import {
  answerMsQuiet,
  attachMs,
  attachesMax,
  placeMs,
  proofMs,
  resumeMs,
  silenceMsDatagrams,
  silenceMsDown,
  silenceMsQuiet,
  silenceMsStream,
  silenceMsUp,
  silentTicksStandby,
  tickMsDown,
  tickMsIdle,
  tickMsStandby,
  tickMsUp,
} from "./timing.ts";
import type { Deadline } from "../machine.ts";

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
  /** Papers go by data channel too, because streams to this neighbour freeze. */
  prefersDatagrams = false;
  readonly #links: SessionLink[] = [];
  readonly #wires: SessionWires;
  readonly #lane: ReliableLane;
  #laneTurn = 0;
  #quiet = false;
  #feeds = true;
  /** What `bound` gave last; undefined when something may be due sooner. */
  #bound: Deadline | undefined;
  #sentAt: Millis;
  #heardAt: Millis;
  #lostAt: Millis | undefined;
  /** Since when there is no link at all. */
  #severedAt: Millis | undefined;
  #keepsPlace = true;
  /** How soon the neighbour above said that it would be heard again. */
  #promisedMs = tickMsDown;

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

  /** Neither side sends more than it must: ticks are rare, and so silence is judged later ([OV16]). */
  get quiet(): boolean {
    return this.#quiet;
  }

  set quiet(quiet: boolean) {
    [this.#quiet, this.#bound] = [quiet, undefined];
  }

  /** Media flows down it when there is any, so its ticks are a heartbeat; else they only show that we are there. */
  get feeds(): boolean {
    return this.#feeds;
  }

  set feeds(feeds: boolean) {
    [this.#feeds, this.#bound] = [feeds, undefined];
  }

  /** When the far end was last heard, on any link. */
  get lastHeardAt(): Millis {
    return this.#heardAt;
  }

  /** When anything but an answer was sent last. */
  get sentAt(): Millis {
    return this.#sentAt;
  }

  /** The round trip to the far end, as far as it depends on the way alone. */
  get roundTrip(): RoundTrip {
    return this.#lane.roundTrip;
  }

  get hasDatagrams(): boolean {
    return this.#links.some(isDatagrams);
  }

  get hasStream(): boolean {
    return this.#links.some((entry) => !isDatagrams(entry));
  }

  /** It has lost every link and waits for the dialing side to come back ([SS10]). */
  get isSevered(): boolean {
    return this.#links.length === 0;
  }

  /** Whether it counts as there when places are given out: not when nobody has come back to it for a while. */
  get keepsPlace(): boolean {
    return this.#keepsPlace;
  }

  /**
   * Adds a link; it takes the place of an older one of its kind ([SS5]). With `announce`, our `attach` goes out on it. A
   * data channel then serves once that is answered; on a stream, which is ordered, everything may follow at once.
   */
  addLink(link: LinkId, kind: LinkKind, announce: boolean, now: Millis): void {
    this.#bound = undefined;
    const entry = { link, kind, ready: !announce, attachedAt: now, attaches: 0, heardAt: now, sentAt: now };
    const older = this.#links.filter((known) => isDatagrams(known) === isDatagrams(entry));
    this.#links.push(entry);
    this.#heardAt = now;
    this.#severedAt = undefined;
    this.#keepsPlace = true;
    for (const each of older) {
      this.#links.splice(this.#links.indexOf(each), 1);
      this.#wires.close(each.link);
    }
    if (announce) this.#announce(entry, now);
    if (announce && !isDatagrams(entry)) entry.ready = true;
    if (entry.ready) this.#lane.resume(now);
  }

  /** Forgets a link that closed. True while another remains. */
  removeLink(link: LinkId, now: Millis): boolean {
    this.#bound = undefined;
    this.#lostAt = now;
    return this.#forget(link, now);
  }

  /** Takes a link out, still open, for another session to use; its kind. */
  release(link: LinkId): LinkKind | undefined {
    this.#bound = undefined;
    const index = this.#links.findIndex((entry) => entry.link === link);
    return index < 0 ? undefined : this.#links.splice(index, 1)[0]?.kind;
  }

  /** Closes every link without a goodbye: nothing comes on them any more, but the session is to go on by others. */
  sever(now: Millis): void {
    this.#bound = undefined;
    for (const entry of this.#links.slice()) this.#giveUp(entry, now);
  }

  /** Sends an encoded media frame by the best link; false without one. */
  sendMedia(encoded: Uint8Array, now: Millis): boolean {
    const entry = this.#mediaLink();
    if (!entry) return false;
    this.#sentAt = now;
    entry.sentAt = now;
    this.#wires.send(entry.link, encoded);
    return true;
  }

  /** Sends a message that will arrive, in order, as long as the session lives. */
  sendReliable(message: Uint8Array, now: Millis): boolean {
    this.#bound = undefined;
    return this.#lane.send(message, now);
  }

  /** Says that we live, by the link that carries media, and when we shall be heard again. */
  sendTick(nextMs: number, now: Millis): void {
    const entry = this.#mediaLink();
    if (entry) this.#sendOn(entry, this.#encodeTick(nextMs, now), now);
  }

  /** Sends a frame that is not repeated by the link that carries media: what is lost matters less than what is late. */
  sendFast(frame: Frame, now: Millis): void {
    const entry = this.#mediaLink();
    if (entry) this.#sendOn(entry, encodeFrame(frame), now);
  }

  /** Sends a frame that is not repeated. */
  sendFrame(frame: Frame): void {
    this.#sendControl(frame);
  }

  /** Takes a frame that came on one of its links. Opening frames are the owner's. */
  handleFrame(link: LinkId, frame: Frame, now: Millis): SessionSignal[] {
    if (frame.kind !== "media" && frame.kind !== "tick") this.#bound = undefined;
    this.#heardAt = now;
    const entry = this.#links.find((known) => known.link === link);
    if (entry) entry.heardAt = now;
    switch (frame.kind) {
      case "media":
      case "bundle":
      case "request":
      case "cover":
        return [frame];
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
        return [{ kind: "attached" }];
      case "tick":
        this.#promise(frame.nextMs);
        return [];
      case "bye":
        return [{ kind: "bye" }];
      case "hello":
      case "welcome":
      case "refuse":
      case "attach":
      case "puzzle":
      case "solution":
        return [{ kind: "broken" }];
      default:
        return frame satisfies never;
    }
  }

  /** Repeats what was not answered, ticks when there was nothing to say, and gives up links that fell silent. */
  handleTimeout(now: Millis): void {
    this.#bound = undefined;
    if (this.isSevered) {
      if (now >= this.#placeUntil) this.#keepsPlace = false;
      return;
    }
    const turn = this.#laneTurn;
    if ((this.#lane.deadline()?.at ?? Infinity) <= now) this.#laneTurn = turn + 1;
    this.#lane.handleTimeout(now);
    for (const entry of this.#links.slice()) if (!entry.ready) this.#repeatAnnounce(entry, now);
    this.#tick(now);
    for (const entry of this.#links.slice()) {
      if (entry.ready && this.#watches(entry) && now >= this.#silentAtOf(entry)) this.#giveUp(entry, now);
    }
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

  /** Nothing was heard for so long that the far end, or the way to it, counts as gone. */
  isSilent(now: Millis): boolean {
    return !(this.dialed && this.isSevered) && now >= this.#silentAt;
  }

  /** Nobody has come back to it in time ([SS10]): it is over. */
  isOver(now: Millis): boolean {
    if (!this.dialed) return now >= this.#silentAt;
    return this.#severedAt !== undefined && now >= this.#severedAt + resumeMs;
  }

  deadline(): Deadline {
    if (this.isSevered && this.dialed)
      return { at: millis((this.#severedAt ?? this.#heardAt) + resumeMs), reason: "a session without a link" };
    let at: number = this.#silentAt;
    let reason = "silence of a neighbour";
    if (this.isSevered) {
      if (this.#keepsPlace && this.#placeUntil < at)
        return { at: this.#placeUntil, reason: "the place of somebody who is away" };
      return { at: millis(at), reason };
    }
    // Asked after every packet, for every edge: no closures, and one object.
    const lane = this.#lane.deadline();
    if (lane && lane.at < at) ({ at, reason } = lane);
    if (this.#sentAt + this.#tickMs < at) [at, reason] = [this.#sentAt + this.#tickMs, "tick"];
    const several = this.#links.length > 1;
    for (const entry of this.#links) {
      if (!entry.ready) {
        if (entry.attachedAt + attachMs < at) [at, reason] = [entry.attachedAt + attachMs, "attach"];
        continue;
      }
      if (!several) continue;
      if (entry.sentAt + this.#tickMsIdle < at)
        [at, reason] = [entry.sentAt + this.#tickMsIdle, "tick of an idle link"];
      if (this.#watches(entry) && this.#silentAtOf(entry) < at)
        [at, reason] = [this.#silentAtOf(entry), "a silent link"];
    }
    return { at: millis(at), reason };
  }

  /** Nothing is due before this; media only puts things off, and then this stays. A relay asks dozens of edges each packet. */
  get bound(): Deadline {
    return (this.#bound ??= this.deadline());
  }

  /** When `bound` has come: finds out whether it was put off meanwhile. */
  lookAgain(now: Millis): void {
    if (this.bound.at <= now) this.#bound = this.deadline();
  }

  /** Ends the session: says goodbye and closes every link. */
  end(): void {
    this.#bound = undefined;
    for (const entry of this.#links.splice(0)) {
      this.#wires.send(entry.link, encodeFrame({ kind: "bye" }));
      this.#wires.close(entry.link);
    }
  }

  get #placeUntil(): Millis {
    return millis((this.#severedAt ?? this.#heardAt) + placeMs);
  }

  #tick(now: Millis): void {
    const due = now >= this.#sentAt + this.#tickMs;
    if (due) this.#sentAt = now;
    for (const entry of this.#links) {
      // On every link, so that each shows whether it lives.
      const idle = this.#links.length > 1 && now >= entry.sentAt + this.#tickMsIdle;
      if (!entry.ready || !(due || idle)) continue;
      this.#sendOn(entry, this.#encodeTick(this.#tickMs, now), now);
    }
  }

  #promise(nextMs: number): void {
    const promisedMs = Math.max(tickMsDown, nextMs);
    if (promisedMs < this.#promisedMs) this.#bound = undefined;
    this.#promisedMs = promisedMs;
  }

  #sendOn(entry: SessionLink, bytes: Uint8Array, now: Millis): void {
    this.#sentAt = now;
    entry.sentAt = now;
    this.controlBytes += bytes.length;
    this.#wires.send(entry.link, bytes);
  }

  #encodeTick(nextMs: number, now: Millis): Uint8Array {
    const condition = this.#wires.condition?.(now) ?? { stalled: false, passing: false };
    return encodeFrame({ kind: "tick", nextMs, ...condition });
  }

  get #tickMs(): number {
    if (this.dialed || this.quiet) return tickMsUp;
    return this.feeds ? tickMsDown : tickMsStandby;
  }

  get #tickMsIdle(): number {
    return this.dialed || this.quiet ? tickMsUp : tickMsIdle;
  }

  /** When silence becomes a loss, if nothing is heard until then. */
  get #silentAt(): Millis {
    const patient = Math.min(this.#heardAt + this.#silenceMs, this.#answerBy);
    return millis(this.isDoubtful ? Math.min(patient, (this.#lostAt ?? 0) + proofMs) : patient);
  }

  /** On a quiet edge above us ticks are too rare to wait for when something of ours is not answered. */
  get #answerBy(): number {
    const since = this.dialed && this.quiet ? this.#lane.unansweredSince : undefined;
    return since === undefined ? Infinity : Math.max(since, this.#heardAt) + answerMsQuiet;
  }

  get #silenceMs(): number {
    if (!this.dialed) return silenceMsDown;
    if (this.quiet) return silenceMsQuiet;
    return this.#promisedMs > tickMsDown ? silentTicksStandby * this.#promisedMs : silenceMsUp;
  }

  /** Data channels before streams: they lose rather than delay. */
  #mediaLink(): SessionLink | undefined {
    let best: SessionLink | undefined;
    for (const entry of this.#links) {
      if (entry.ready && (best === undefined || (!isDatagrams(best) && isDatagrams(entry)))) best = entry;
    }
    return best;
  }

  /** Streams before data channels unless they freeze, but every resend takes the next link: the first may be frozen. */
  #sendControl(frame: Frame): void {
    const ready = this.#links.filter((entry) => entry.ready);
    const weight = (entry: SessionLink): number => Number(isDatagrams(entry) !== this.prefersDatagrams);
    const order = ready.sort((a, b) => weight(a) - weight(b));
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

  /** The side below watches each of its links: when one alone is silent, the other takes over ([SS7]). */
  #watches(entry: SessionLink): boolean {
    return this.dialed && this.#links.some((other) => other !== entry && other.ready);
  }

  #silentAtOf(entry: SessionLink): Millis {
    const patience = this.quiet ? silenceMsQuiet : isDatagrams(entry) ? silenceMsDatagrams : silenceMsStream;
    return millis(entry.heardAt + patience);
  }

  #giveUp(entry: SessionLink, now: Millis): void {
    if (!isDatagrams(entry)) this.#wires.froze?.(entry.link);
    this.#drop(entry, now);
  }

  /** We gave it up ourselves, so it says nothing about whether the far end lives. */
  #drop(entry: SessionLink, now: Millis): void {
    this.#wires.close(entry.link);
    this.#forget(entry.link, now);
  }

  #forget(link: LinkId, now: Millis): boolean {
    const index = this.#links.findIndex((entry) => entry.link === link);
    if (index >= 0) this.#links.splice(index, 1);
    if (this.#links.length > 0) this.#lane.resume(now);
    else this.#severedAt ??= now;
    return this.#links.length > 0;
  }
}
