/** How a room's relays are told to stand. */
export interface TreeShape {
  readonly coreSize: number;
  readonly relayFanout: number;
}

/**
 * How many listeners a relay may carry that has relays below it; undefined: as many as it can. Members choose their parents
 * by delay, which is the same everywhere on one machine: only full relays above make sure that somebody stands at the foot.
 * All of them together carry half the listeners.
 *
 * @param rank of the relay, from 0.
 */
export function listenersMaxOf(rank: number, relays: number, listeners: number, shape: TreeShape): number | undefined {
  const interior = Math.ceil((relays - 1) / shape.relayFanout);
  return rank < interior ? Math.floor(listeners / 2 / interior) : undefined;
}

/**
 * The shape in which listeners come to stand `depth` links from the host: host → core (1) → … → listener (depth).
 * Relays stand by rank as in SPEC.md, [OV1]–[OV3]: one of the core, and below it each relay carries `relayFanout`
 * others, filled in order; so the core is one relay, and the fan-out decides.
 *
 * Undefined when so many relays cannot stand so deep: fewer than `depth - 1` cannot reach it, and with one core
 * relay and others below it listeners always stand at 3 or deeper.
 */
export function shapeOf(relays: number, depth: number): TreeShape | undefined {
  for (let relayFanout = relays; relayFanout >= 1; relayFanout--) {
    if (levelsOf(relays, relayFanout) + 1 === depth) return { coreSize: 1, relayFanout };
  }
  return undefined;
}

/** Levels of a tree of `relays` with one root, filled in order. */
function levelsOf(relays: number, fanout: number): number {
  const levels = [1];
  for (let rank = 1; rank < relays; rank++) levels.push((levels[Math.floor((rank - 1) / fanout)] ?? 0) + 1);
  return Math.max(...levels);
}
