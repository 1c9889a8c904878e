import { limits } from "../../../p2p/api/limits.ts";
import type { Millis } from "../../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../../p2p/core/machine.ts";
import type { PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import { defaultOptions } from "../../sim/options.ts";
import { makePeer } from "../../sim/peer-maker.ts";
import { simulate } from "../../sim/simulation.ts";
import { worldStart } from "../../sim/world.ts";
import { type Figure, plainFigureOf } from "../figure.ts";

/** The issue: seen by 99 of 100 of so many within a second. Takes a good quarter of an hour, and 3 GB. */
const listeners = 5_000;
const goalMs = 1000;
const actAtS = 16;
const seconds = 20;
const title = "a new title";

/** How long an act of the host takes to everybody in a simulated room that spans the globe. */
export function measureActs(): Promise<readonly Figure[]> {
  const seen = new Map<number, number>();
  let saidAt: number | undefined;
  const options = {
    ...defaultOptions("acts"),
    listeners,
    relays: 0.25,
    topology: "global",
    speakers: 1,
    seconds,
  } as const;
  const result = simulate(options, (peer, crypto, node, part) => {
    const machine = makePeer(peer, crypto, node, part);
    return new Watched(machine, {
      at: (now) => {
        if (part === "relay" || saidAt !== undefined || now < worldStart + actAtS * 1000) return undefined;
        return { kind: "command", command: { kind: "act", id: 1, act: { kind: "set-room", title } } };
      },
      done: (now) => (saidAt ??= now),
      seen: (now) => void (seen.has(node) || seen.set(node, now)),
    });
  });
  const delays = [...seen.values()].map((at) => at - (saidAt ?? 0)).toSorted((left, right) => left - right);
  const share = 0.99 * (result.peers - limits.relaysMax);
  const ours = delays[Math.floor(share) - 1] ?? Number.POSITIVE_INFINITY;
  return Promise.resolve([
    plainFigureOf({
      id: "S2a",
      what: `an act of the host, until 99 of 100 of ${result.peers} simulated peers have seen it, ms`,
      goal: goalMs,
      better: "less",
      sides: { ours, baseline: goalMs, sawIt: delays.length },
    }),
  ]);
}

interface Watch {
  /** Something to do first, if it is time and this is who may. */
  at(now: Millis): PeerInput | undefined;
  /** It was done, and not refused. */
  done(now: Millis): void;
  seen(now: Millis): void;
}

/** A real machine, watched. */
class Watched implements Machine<PeerInput, PeerOutput> {
  readonly #machine: Machine<PeerInput, PeerOutput>;
  readonly #watch: Watch;
  #isHost = false;
  #now: Millis | undefined;

  constructor(machine: Machine<PeerInput, PeerOutput>, watch: Watch) {
    this.#machine = machine;
    this.#watch = watch;
  }

  handle(input: PeerInput, now: Millis): void {
    this.#now = now;
    if (input.kind === "command" && input.command.kind === "host") this.#isHost = true;
    const act = this.#isHost ? this.#watch.at(now) : undefined;
    if (act) this.#machine.handle(act, now);
    this.#machine.handle(input, now);
  }

  poll(): PeerOutput | undefined {
    const output = this.#machine.poll();
    if (output?.kind !== "event" || this.#now === undefined) return output;
    const { event } = output;
    if (event.event === "answered" && event.code === undefined) this.#watch.done(this.#now);
    if (event.event === "room-state" && event.title === title) this.#watch.seen(this.#now);
    return output;
  }

  deadline(): Deadline | undefined {
    return this.#machine.deadline();
  }
}
