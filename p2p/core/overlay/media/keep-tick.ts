import { type Millis, millis } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";
import { tickMsDown } from "../../session/timing.ts";
import type { Edges } from "../edge.ts";

/**
 * Pauses after the last media, ms, in which a parent says that it lives: before its children's two ticks of 40 ms are
 * over, and once more, in case the first is lost. From then on it ticks every 200 ms as any neighbour above ([SS8]).
 */
const pausesMs = [60, 60] as const;

/** Says downwards that we live when media stops ([OV40]); media itself says it otherwise. Costs nothing while media flows. */
export class KeepTicks {
  readonly #edges: Edges;
  #mediaAt: Millis | undefined;
  #told = 0;

  constructor(edges: Edges) {
    this.#edges = edges;
  }

  /** Media went down. */
  sent(now: Millis): void {
    this.#mediaAt = now;
    this.#told = 0;
  }

  /** Tells everybody whom we feed at once, whatever was sent before. */
  tellAll(now: Millis): void {
    for (const edge of this.#edges.all) {
      if (edge.direction === "down" && edge.feed) edge.session.sendTick(tickMsDown, now);
    }
  }

  handleTimeout(now: Millis): void {
    if (this.#mediaAt === undefined || now < this.#dueAt) return;
    this.#told++;
    const nextMs = pausesMs[this.#told] ?? tickMsDown;
    for (const edge of this.#edges.all) {
      if (edge.direction !== "down" || !edge.feed || now < edge.session.sentAt + pausesMs[0]) continue;
      edge.session.sendTick(nextMs, now);
    }
    if (this.#told === pausesMs.length) this.#mediaAt = undefined;
  }

  deadline(): Deadline | undefined {
    return this.#mediaAt === undefined ? undefined : { at: this.#dueAt, reason: "keep-tick" };
  }

  get #dueAt(): Millis {
    let at: number = this.#mediaAt ?? 0;
    for (const pause of pausesMs.slice(0, this.#told + 1)) at += pause;
    return millis(at);
  }
}
