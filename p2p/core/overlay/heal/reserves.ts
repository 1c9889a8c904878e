import type { PeerId } from "../../../api/ids.ts";
import type { Edge, Edges } from "../edge.ts";
import { type Path, shortIdOf } from "../place/path.ts";
import { delayBy } from "../place/standing.ts";

/**
 * Open edges without media beside the parent ([OV23]). Of a tenth of all who lend, killed at once, one alone is dead as well, or
 * cut off itself, for one child in six; two that share no fate are for one in forty.
 */
export const reservesMax = 2;

/** What another backup must save, which costs nothing but a dial, ms. */
export const backupSavesMs = 10;
/** What an answer may take beyond the round trip: jitter of both ways, and a machine that has to wake. */
const answerSlackMs = 40;
/** The longest that one is waited for before another is asked: more would be heard. */
const answerMsMax = 200;
/** A round trip that was not measured yet, ms. */
const roundTripMsUnknown = 100;

/** Within this time whoever is asked for media brings some, if it lives and has any. */
export function answerMsOf(edge: Edge): number {
  return Math.min(answerMsMax, (edge.session.roundTrip.leastMs ?? roundTripMsUnknown) + answerSlackMs);
}

/**
 * Who waits in reserve and can be asked for media, the best first: those in doubt last, before them those that keep no slot for
 * us, and then by the delay they would give.
 */
export function reservesOf(edges: Edges): Edge[] {
  const { parent } = edges;
  const able = edges.ups.filter((edge) => edge !== parent && edge.welcomed && !edge.away && !edge.feed);
  const doubt = (edge: Edge): number => (edge.session.isDoubtful ? 2 : edge.kept === false ? 1 : 0);
  return able.sort((a, b) => doubt(a) - doubt(b) || delayOf(a) - delayOf(b));
}

/** Who takes the place of a parent that is gone: whoever covers already, or the best, for a relay by its order of rank ([OV2]). */
export function heirOf(
  edges: Edges,
  order: readonly PeerId[] | undefined,
  covers: Edge | undefined,
  health: { hasNoSlot(peer: PeerId): boolean },
): Edge | undefined {
  const able = reservesOf(edges).filter((edge) => !health.hasNoSlot(edge.peer));
  if (order) {
    const weight = ({ peer, session }: Edge): number =>
      order.indexOf(peer) + (session.isDoubtful ? order.length + 1 : 0);
    able.sort((a, b) => weight(a) - weight(b));
  }
  return able.find((edge) => edge === covers) ?? able[0];
}

/** Knows who of those above may carry us, and who of them are kept in reserve ([OV23], [OV52]). */
export class Reserves {
  readonly #edges: Edges;
  readonly #isLoop: (path: Path) => boolean;

  constructor(edges: Edges, isLoop: (path: Path) => boolean) {
    this.#edges = edges;
    this.#isLoop = isLoop;
  }

  /** Whether it could carry us: it has a way to the core, and not by us. */
  isFit(edge: Edge): boolean {
    return edge.path.length > 0 && delayBy(edge) !== undefined && !this.#isLoop(edge.path);
  }

  /** Of those above that fit, the one with the least delay. */
  best(fits: (edge: Edge) => boolean): Edge | undefined {
    let best: Edge | undefined;
    for (const edge of this.#edges.ups) {
      if (!edge.welcomed || edge.away || !fits(edge)) continue;
      if (!best || delayOf(edge) < delayOf(best)) best = edge;
    }
    return best;
  }

  /** Those that go on when the parent is gone and have a slot for us then; the tree's own need none. */
  sure(parent: Edge): Edge[] {
    const able = this.#edges.ups.filter((edge) => edge !== parent && edge.welcomed && !edge.away);
    return able.filter((edge) => this.#isSure(edge, parent));
  }

  /** How far the best of these is, ms; undefined without one. */
  delayMs(parent: Edge): number | undefined {
    const delays = this.sure(parent).map(delayOf);
    return delays.length > 0 ? Math.min(...delays) : undefined;
  }

  /** Who of those without media is kept: the nearest, and a second for when that is dead as well. */
  choose(idle: readonly Edge[], parent: Edge, isBelieved: (edge: Edge) => boolean): Edge[] {
    const sure = (edge: Edge): boolean => this.#isSure(edge, parent);
    const best = this.best((edge) => idle.includes(edge) && sure(edge) && isBelieved(edge));
    const old = idle[0];
    const stays = best && old && sure(old) && delayOf(old) - delayOf(best) <= backupSavesMs;
    const first = stays ? old : (best ?? old);
    if (!first) return [];
    const faults = (edge: Edge): number => (sure(edge) ? 0 : 2) + (areApart(edge, first) ? 0 : 1);
    const better = (a: Edge, b: Edge): number => faults(a) - faults(b) || a.path.length - b.path.length;
    const others = idle.filter((edge) => edge !== first);
    return [first, ...others.sort((a, b) => better(a, b) || delayOf(a) - delayOf(b)).slice(0, reservesMax - 1)];
  }

  #isSure(edge: Edge, parent: Edge): boolean {
    const sharesFate = edge.path.includes(shortIdOf(parent.peer));
    return this.isFit(edge) && !sharesFate && (edge.role !== "member" || edge.kept === true);
  }
}

/** Whether neither hangs below the other. */
function areApart(one: Edge, other: Edge): boolean {
  return !one.path.includes(shortIdOf(other.peer)) && !other.path.includes(shortIdOf(one.peer));
}

function delayOf(edge: Edge): number {
  return delayBy(edge) ?? Number.MAX_SAFE_INTEGER;
}
