import type { HeardPacket } from "../../p2p/api/engine.ts";
import type { Ending } from "./network.ts";
import type { Observer, Part } from "./observer.ts";
import { understand } from "./speech.ts";
import type { Utterance } from "./speech.ts";

/** Delays are kept in whole ms, one more than they are, so that 0 says "not heard". */
const delayMsMax = 65_534;

interface Life {
  readonly part: Part;
  readonly startedAt: number;
  endedAt: number | undefined;
}

/** A microphone: when it opened and closed, and when each packet was captured. */
interface Microphone {
  open: boolean;
  changedAt: number;
  readonly capturedAt: number[];
}

/** What `Reference.record` found. */
export type Hearing = "first" | "again" | "own-voice" | "never-spoken" | "damaged";

/**
 * The naive model that a run is held against: who is in the room, whose microphone is open, and which packet of it reached
 * whose ear after how long. It knows no tree, no links and no loss; all times are virtual ms since the run began.
 */
export class Reference implements Observer {
  private readonly lives: (Life | undefined)[] = [];
  private readonly microphones = new Map<number, Microphone>();
  private readonly ears = new Map<number, Map<number, Uint16Array>>();
  private readonly firstHeard = new Map<number, number>();
  private readonly lastHeard = new Map<number, number>();
  private readonly elapsedMs: () => number;

  /** @param elapsedMs virtual ms since the run began. */
  constructor(elapsedMs: () => number) {
    this.elapsedMs = elapsedMs;
  }

  started(node: number, part: Part): void {
    this.lives[node] = { part, startedAt: this.elapsedMs(), endedAt: undefined };
  }

  ended(node: number, _by: Ending): void {
    const life = this.lives[node];
    if (life !== undefined && life.endedAt === undefined) life.endedAt = this.elapsedMs();
    this.microphone(node, false);
  }

  microphone(node: number, open: boolean): void {
    const known = this.microphones.get(node);
    if (known === undefined) {
      if (open) this.microphones.set(node, { open, changedAt: this.elapsedMs(), capturedAt: [] });
    } else if (known.open !== open) {
      known.open = open;
      known.changedAt = this.elapsedMs();
    }
  }

  spoke(node: number, count: number): void {
    const microphone = this.microphones.get(node);
    if (microphone?.open) microphone.capturedAt[count] = this.elapsedMs();
  }

  /** Enters what came to an ear, and says what it was. */
  record(node: number, packet: HeardPacket): Hearing {
    const utterance = understand(packet.opus);
    if (utterance === undefined) return "damaged";
    const captured = this.microphones.get(utterance.speaker)?.capturedAt[utterance.count];
    if (captured === undefined) return "never-spoken";
    if (utterance.speaker === node) return "own-voice";
    const delays = this.delaysOf(node, utterance);
    if (delays[utterance.count] !== 0) return "again";
    delays[utterance.count] = Math.min(delayMsMax, Math.round(this.elapsedMs() - captured)) + 1;
    if (!this.firstHeard.has(node)) this.firstHeard.set(node, this.elapsedMs());
    this.lastHeard.set(node, this.elapsedMs());
    return "first";
  }

  partOf(node: number): Part | undefined {
    return this.lives[node]?.part;
  }

  startedAt(node: number): number {
    return this.lives[node]?.startedAt ?? Infinity;
  }

  endedAt(node: number): number | undefined {
    return this.lives[node]?.endedAt;
  }

  isAlive(node: number): boolean {
    const life = this.lives[node];
    return life !== undefined && life.endedAt === undefined;
  }

  /** Everybody who has ears, dead or alive: all but relays. */
  get members(): number[] {
    return this.numbersOf((life) => life.part !== "relay");
  }

  get relays(): number[] {
    return this.numbersOf((life) => life.part === "relay");
  }

  /** Whose microphone has been open without a break since `from`. */
  speakersSince(from: number): number[] {
    const open = [...this.microphones].filter(([, microphone]) => microphone.open && microphone.changedAt <= from);
    return open.map(([node]) => node);
  }

  firstHeardAt(node: number): number | undefined {
    return this.firstHeard.get(node);
  }

  lastHeardAt(node: number): number | undefined {
    return this.lastHeard.get(node);
  }

  /** Delays in ms of what the speaker said from `from` until before `to`, for this ear; `undefined` for what did not come. */
  *delays(node: number, speaker: number, from: number, to: number): Generator<number | undefined> {
    for (const [, delay] of this.captures(node, speaker, from, to)) yield delay;
  }

  /** The same, without a generator: for who asks for all of a run. */
  eachDelay(
    node: number,
    speaker: number,
    from: number,
    to: number,
    take: (delay: number | undefined, capturedAt: number) => void,
  ): void {
    const captured = this.microphones.get(speaker)?.capturedAt ?? [];
    const delays = this.ears.get(node)?.get(speaker);
    for (let count = firstNotBefore(captured, from); count < captured.length; count++) {
      if ((captured[count] ?? Infinity) >= to) return;
      const delay = delays?.[count] ?? 0;
      take(delay === 0 ? undefined : delay - 1, captured[count] ?? 0);
    }
  }

  /** Capture time and delay of what this ear got of what the speaker said from `from` until before `to`. */
  *hearings(node: number, speaker: number, from: number, to: number): Generator<readonly [number, number]> {
    for (const [capturedAt, delay] of this.captures(node, speaker, from, to)) {
      if (delay !== undefined) yield [capturedAt, delay];
    }
  }

  private *captures(
    node: number,
    speaker: number,
    from: number,
    to: number,
  ): Generator<readonly [number, number | undefined]> {
    const captured = this.microphones.get(speaker)?.capturedAt ?? [];
    const delays = this.ears.get(node)?.get(speaker);
    for (let count = firstNotBefore(captured, from); count < captured.length; count++) {
      const at = captured[count] ?? Infinity;
      if (at >= to) return;
      const delay = delays?.[count] ?? 0;
      yield [at, delay === 0 ? undefined : delay - 1];
    }
  }

  /** Every microphone that was ever open. */
  get speakers(): number[] {
    return [...this.microphones.keys()];
  }

  private numbersOf(wanted: (life: Life) => boolean): number[] {
    return this.lives.flatMap((life, node) => (life !== undefined && wanted(life) ? [node] : []));
  }

  private delaysOf(node: number, { speaker, count }: Utterance): Uint16Array {
    let bySpeaker = this.ears.get(node);
    if (bySpeaker === undefined) this.ears.set(node, (bySpeaker = new Map()));
    let delays = bySpeaker.get(speaker);
    if (delays !== undefined && count < delays.length) return delays;
    const grown = new Uint16Array(Math.max(1024, 2 * (count + 1)));
    if (delays !== undefined) grown.set(delays);
    bySpeaker.set(speaker, (delays = grown));
    return delays;
  }
}

/** Index of the first capture at or after `from`; captures are 40 ms apart at least, but a microphone may pause. */
function firstNotBefore(captured: readonly number[], from: number): number {
  let low = 0;
  let high = captured.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((captured[middle] ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
