import type { Millis } from "../../../api/ids.ts";
import { tickMsDown } from "../../session/timing.ts";
import { type Edge, type Edges, isFed } from "../edge.ts";

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

  /** Media went down, if there is anybody below. */
  sent(now: Millis): void {
    this.#mediaAt = this.#edges.all.some(hears) ? now : undefined;
    this.#told = 0;
  }

  /** Tells everybody whom we feed, or cover for, at once, whatever was sent before. */
  tellAll(now: Millis): void {
    for (const edge of this.#edges.all) if (isFed(edge, now)) edge.session.sendTick(tickMsDown, now);
  }

  handleTimeout(now: Millis): void {
    if (now < this.dueAt) return;
    this.#told++;
    const nextMs = pausesMs[this.#told] ?? tickMsDown;
    for (const edge of this.#edges.all) {
      if (hears(edge) && now >= edge.session.sentAt + pausesMs[0]) edge.session.sendTick(nextMs, now);
    }
    if (this.#told === pausesMs.length) this.#mediaAt = undefined;
  }

  /** When it is time to say so; infinite while there is nobody to tell. */
  get dueAt(): number {
    if (this.#mediaAt === undefined) return Infinity;
    let at: number = this.#mediaAt;
    for (let index = 0; index <= this.#told; index++) at += pausesMs[index] ?? 0;
    return at;
  }
}

function hears(edge: Edge): boolean {
  return edge.direction === "down" && edge.feed;
}
