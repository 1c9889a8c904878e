import { limits } from "../../../api/limits.ts";
import { type Millis, millis } from "../../../api/ids.ts";

/** Ticks of 40 ms that a parent may miss before it counts as silent: one is lost or late every few seconds anyway. */
const silentTicks = 2;
/** What arrival may vary, at the least and at the most, on top of that: timers here, queues on the way. */
const marginMsMin = 10;
const marginMsMax = 120;
/** Mean deviations that are allowed for, and what a new arrival weighs in the mean (RFC 6298). */
const deviations = 4;
const deviationWeight = 1 / 4;
/** A parent that was never heard yet has this long: it may have to fetch what it is to send. */
const firstMs = 1000;
/** A look that comes so much later than it was due was held up here: what the parent sent may be waiting to be read. */
const heldUpMs = 10;
/** Then it is looked again after so long: what waits is read within a turn of the event loop. */
const rereadMs = 30;

/**
 * Knows when a parent is silent ([OV40]). Media is its heartbeat; when there is none, each tick says how soon it will be
 * heard again. Silence while our own process stood still is nobody's.
 */
export class ParentWatch {
  /** When anything came last. */
  heardAt: Millis;
  #silentAt: Millis;
  /** The media before, while it goes on. */
  #mediaAt: Millis | undefined;
  #freshAt: Millis | undefined;
  #deviationMs = 0.5;

  /** @param patienceMs how long it may take until it is heard for the first time. */
  constructor(now: Millis, patienceMs = firstMs) {
    this.heardAt = now;
    this.#silentAt = millis(now + patienceMs);
  }

  /** Whether it brought lately what was missing here. */
  isUseful(now: Millis): boolean {
    return this.#freshAt !== undefined && now - this.#freshAt < firstMs;
  }

  /** When it counts as silent, if nothing comes until then. */
  get silentAt(): Millis {
    return this.#silentAt;
  }

  /** Media came from it; `fresh`: some that was missing here. */
  media(fresh: boolean, now: Millis): void {
    if (this.#mediaAt !== undefined && now > this.#mediaAt) {
      const lateMs = Math.min(marginMsMax, Math.max(0, now - this.#mediaAt - limits.packetMs));
      this.#deviationMs += (lateMs - this.#deviationMs) * deviationWeight;
    }
    this.#mediaAt = now;
    if (fresh) this.#freshAt = now;
    this.#heard(now, silentTicks * limits.packetMs);
  }

  /** A tick came: the next word follows within `nextMs`; that one may be lost. */
  tick(nextMs: number, now: Millis): void {
    this.#mediaAt = undefined;
    this.#heard(now, Math.max(silentTicks * limits.packetMs, 2 * nextMs));
  }

  /** Anything else came: it lives. */
  alive(now: Millis): void {
    this.heardAt = now;
    this.#silentAt = millis(Math.max(this.#silentAt, now + silentTicks * limits.packetMs));
  }

  /** Whether it is silent now. What was looked at too late is looked at again. */
  isSilent(now: Millis): boolean {
    if (now < this.#silentAt) return false;
    if (now - this.#silentAt <= heldUpMs) return true;
    this.#silentAt = millis(now + rereadMs);
    return false;
  }

  #heard(now: Millis, patienceMs: number): void {
    this.heardAt = now;
    const marginMs = Math.min(marginMsMax, Math.max(marginMsMin, deviations * this.#deviationMs));
    this.#silentAt = millis(now + patienceMs + marginMs);
  }
}
