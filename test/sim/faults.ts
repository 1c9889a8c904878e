import type { Rng } from "../../p2p/core/rng.ts";
import type { Cast } from "./cast.ts";
import type { Ending, Network } from "./network.ts";
import type { Observers } from "./observer.ts";
import type { Flash, Kill, Partition, Rule, SimOptions, Suspension } from "./options.ts";
import { drawSessionMs } from "./topology.ts";
import type { World } from "./world.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";

/** Of those who leave, so many do not say goodbye: tabs closed, telephones put away (performance.md, section 6). */
const ungracefulShare = 0.4;
/** Churn begins when most of the first audience is in. */
const churnAfterMs = 4000;

/** So long after a rule fell the host types something: by then everybody was told, or has found what way there is. */
const wordsAfterMs = 30_000;

/** What faults work on. */
export interface FaultTargets {
  readonly world: World<PeerInput, PeerOutput>;
  readonly network: Network;
  readonly cast: Cast;
  readonly observers: Observers;
}

/** Plans every fault of a run from its options and seed, and says `calm` when the last one is over. */
export class Faults {
  private readonly targets: FaultTargets;
  private readonly options: SimOptions;
  private readonly rng: Rng;

  constructor(targets: FaultTargets, options: SimOptions, rng: Rng) {
    this.targets = targets;
    this.options = options;
    this.rng = rng;
  }

  /** @param calmMs when faults end, in virtual ms since the run began. */
  plan(calmMs: number): void {
    const { world, observers } = this.targets;
    for (const kill of this.options.kills) world.planIn(kill.atSecond * 1000, this.strike, kill);
    const { partition } = this.options;
    if (partition) {
      world.planIn(partition.atSecond * 1000, this.cut, partition);
      world.planIn((partition.atSecond + partition.seconds) * 1000, this.join, undefined);
    }
    const { flash, suspension } = this.options;
    if (flash) world.planIn(flash.atSecond * 1000, this.crowd, flash);
    if (suspension) world.planIn(suspension.atSecond * 1000, this.suspend, suspension);
    for (const rule of this.options.rules) world.planIn(rule.atSecond * 1000, this.raise, rule);
    if (this.options.sessions > 0) this.targets.cast.onJoin = this.plannedStay(calmMs);
    if (this.options.churn > 0) world.planIn(churnAfterMs, this.churn, calmMs);
    world.planIn(calmMs, () => observers.tell("calm"), undefined);
  }

  private readonly raise = (rule: Rule): void => {
    const { network, cast, world, observers } = this.targets;
    for (const relay of network.wall.raise(rule, cast.relays)) observers.tell("blocked", relay);
    world.planIn(wordsAfterMs, () => cast.type("still here"), undefined);
    if (rule.kind === "reset") this.reset(rule.everySeconds * 1000);
  };

  private readonly reset = (everyMs: number): void => {
    this.targets.network.reset();
    this.targets.world.planIn(everyMs, this.reset, everyMs);
  };

  private readonly strike = (kill: Kill): void => {
    const { cast } = this.targets;
    if (kill.what === "host") return cast.kill(cast.host, this.drawEnding());
    const victims = kill.what === "one" ? this.drawOne() : this.drawVictims(kill.what.share);
    for (const node of victims) cast.kill(node, this.drawEnding());
  };

  /** One of all that lend; never the last ranked relay. */
  private drawOne(): number[] {
    const { cast, world } = this.targets;
    const ranked = cast.relays.filter((node) => world.isAlive(node));
    const pool = [...cast.living("lender"), ...(ranked.length > 1 ? ranked : [])];
    return pool.length === 0 ? [] : [pool[this.rng.int(pool.length)]!];
  }

  /** A share of all that lend. One of the core at least, so that somebody has to rise; never the last ranked relay. */
  private drawVictims(share: number): number[] {
    const { cast, world } = this.targets;
    const ranked = cast.relays.filter((node) => world.isAlive(node));
    const lenders = cast.living("lender");
    const most = ranked.length + lenders.length - 1;
    const wanted = Math.min(most, Math.max(1, Math.round(share * (cast.relays.length + lenders.length))));
    if (wanted < 1 || ranked.length < 2) return [];
    const pool = [...ranked, ...lenders];
    const victims = pool.splice(this.rng.int(Math.min(this.options.core, ranked.length)), 1);
    let spared = ranked.length - 1;
    while (victims.length < wanted && pool.length > 0) {
      const victim = pool.splice(this.rng.int(pool.length), 1)[0]!;
      if (!ranked.includes(victim) || --spared > 0) victims.push(victim);
    }
    return victims;
  }

  private drawEnding(): Exclude<Ending, "leave"> {
    return this.rng.next() < this.options.silent ? "power-cut" : "crash";
  }

  private readonly cut = ({ share }: Partition): void => {
    const { cast, network, observers } = this.targets;
    const everybody = cast.living("host", "relay", "speaker", "listener", "lender");
    network.partition(everybody.filter(() => this.rng.next() < share));
    observers.tell("partitioned", true);
  };

  /** A member came, and will stay as long as people do; then another comes. */
  private readonly plannedStay =
    (calmMs: number): ((node: number) => void) =>
    (node) => {
      const { world, cast } = this.targets;
      world.planIn(
        this.options.sessions * drawSessionMs(this.rng),
        () => {
          if (world.elapsedMs >= calmMs || !world.isAlive(node)) return;
          this.lose(node);
          cast.join();
        },
        undefined,
      );
    };

  private readonly crowd = ({ joins, seconds }: Flash): void => {
    const { cast, world } = this.targets;
    for (let index = 0; index < joins; index++) {
      world.planIn(1000 * seconds * this.rng.next(), () => cast.join(), undefined);
    }
  };

  private readonly suspend = ({ share, seconds }: Suspension): void => {
    const { cast, world, observers } = this.targets;
    for (const node of cast.living("listener", "lender")) {
      if (this.rng.next() >= share) continue;
      world.suspend(node);
      observers.tell("slept", node);
      world.planIn(seconds * 1000, (asleep: number) => world.resume(asleep), node);
    }
  };

  private readonly join = (): void => {
    this.targets.network.heal();
    this.targets.observers.tell("partitioned", false);
  };

  private readonly churn = (calmMs: number): void => {
    const { world, cast } = this.targets;
    if (world.elapsedMs >= calmMs) return;
    if (this.rng.next() < 0.5) cast.join();
    else this.loseListener();
    world.planIn((-Math.log(1 - this.rng.next()) * 1000) / this.options.churn, this.churn, calmMs);
  };

  private loseListener(): void {
    const { cast } = this.targets;
    const listeners = cast.living("listener", "lender");
    if (listeners.length === 0) return;
    this.lose(listeners[this.rng.int(listeners.length)]!);
  }

  /** Somebody goes, as people do. */
  private lose(node: number): void {
    const { cast } = this.targets;
    if (this.rng.next() < ungracefulShare) cast.kill(node, this.drawEnding());
    else cast.leave(node);
  }
}
