import assert from "node:assert/strict";
import { limits } from "../../p2p/api/limits.ts";
import type { Crypto } from "../../p2p/core/crypto.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { Baselines } from "./baselines/compare.ts";
import type { Comparison } from "./baselines/compare.ts";
import { Cast } from "./cast.ts";
import type { PeerMaker } from "./cast.ts";
import { crowdOfOne, crowdsMax } from "./cheats/villains.ts";
import { CapacityChecker } from "./checkers/capacity.ts";
import { EarChecker } from "./checkers/ear.ts";
import { ExplainedChecker } from "./checkers/explained.ts";
import { ForwardingChecker } from "./checkers/forwarding.ts";
import { LinkChecker } from "./checkers/links.ts";
import { LivenessChecker } from "./checkers/liveness.ts";
import { SilenceChecker } from "./checkers/silence.ts";
import { Coverage } from "./coverage.ts";
import type { Landmark } from "./coverage.ts";
import { KeyRegistry, SimCrypto } from "./crypto.ts";
import { SimDiscovery } from "./discovery.ts";
import { Faults } from "./faults.ts";
import { MediaTrace } from "./media-trace.ts";
import type { Figures } from "./figures.ts";
import { Meters } from "./meters.ts";
import { Network } from "./network.ts";
import type { NetworkProbe } from "./network.ts";
import { Observers, Violations } from "./observer.ts";
import type { Violation } from "./observer.ts";
import { faultSeconds, isSilenced, lendingShare } from "./options.ts";
import type { SimOptions } from "./options.ts";
import { makePeer } from "./peer-maker.ts";
import type { Snapshot } from "./picture/snapshot.ts";
import { Reference } from "./reference.ts";
import { Topology } from "./topology.ts";
import { World } from "./world.ts";

/** Links that a packet may cross: every relay once, and the speaker's and the listener's own. */
const hopsBeyondRelays = 2;

/** From the last of the first audience until what is sent is what is sent all the time. */
const settleSeconds = 10;

/** What a run came to. */
export interface SimResult {
  readonly options: SimOptions;
  /** Everybody who ever took part. */
  readonly peers: number;
  readonly figures: Figures;
  readonly comparison: Comparison;
  readonly invariantsBroken: number;
  /** The first broken invariants, with their story. */
  readonly violations: readonly Violation[];
  readonly coverageMissing: readonly Landmark[];
  /** The fingerprint of everything that happened. */
  readonly trace: string;
  /** Inputs that machines were given. */
  readonly inputs: number;
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

/**
 * Plays one run to its end. The same options give the same result, all but the last two fields.
 * @param maker makes the machines; tests hand in one that breaks a rule, to see it caught.
 */
export function simulate(options: SimOptions, maker: PeerMaker = makePeer): SimResult {
  return new Simulation(options, maker).play();
}

/** One run, to be played once; afterwards it can be drawn. */
export class Simulation {
  private readonly room: SimulatedRoom;

  constructor(options: SimOptions, maker: PeerMaker = makePeer) {
    this.room = new SimulatedRoom(options, maker);
  }

  play(): SimResult {
    const startedAt = process.cpuUsage();
    this.room.play();
    const cpu = process.cpuUsage(startedAt);
    return {
      ...this.room.result(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      rssMb: process.memoryUsage.rss() / 2 ** 20,
    };
  }

  /** The tree as it stands, and the time line of continuity. */
  snapshot(): Pick<Snapshot, "peers" | "lost" | "seconds"> {
    return this.room.snapshot();
  }
}

class SimulatedRoom {
  private readonly options: SimOptions;
  private readonly world: World<PeerInput, PeerOutput>;
  private readonly network: Network;
  private readonly cast: Cast;
  private readonly faults: Faults;
  private readonly observers: Observers;
  private readonly violations: Violations;
  private readonly coverage: Coverage;
  private readonly meters: Meters;
  private readonly reference: Reference;
  private readonly trace: MediaTrace;
  private readonly baselines: Baselines;

  constructor(options: SimOptions, maker: PeerMaker) {
    const rng = new Rng(options.seed).fork("run");
    this.options = options;
    this.world = new World<PeerInput, PeerOutput>({ kind: "timeout" }, (node, output) => this.carry(node, output));
    const elapsedMs = (): number => this.world.elapsedMs;
    this.violations = new Violations(elapsedMs);
    this.reference = new Reference(elapsedMs);
    this.coverage = new Coverage(elapsedMs, lendingShare(options) > 0);
    const times = { blowAt: blowMsOf(options), inAt: 1000 * (options.joinSeconds + settleSeconds) };
    this.meters = new Meters(this.reference, this.coverage, elapsedMs, times);
    const capacity = new CapacityChecker(this.violations, () => this.world);
    this.trace = this.makeTrace(capacity);
    const topology = new Topology(options.topology, rng.fork("topology"));
    this.network = new Network(this.world, topology, rng.fork("network"), options, this.makeProbe());
    const { network, reference, trace, meters } = this;
    const facts = { options, topology, network, reference, trace, meters, rng: rng.fork("baselines"), elapsedMs };
    this.baselines = new Baselines(facts);
    this.observers = this.makeObservers(capacity);
    this.cast = new Cast({
      world: this.world,
      network: this.network,
      topology,
      discovery: new SimDiscovery(this.world),
      observers: this.observers,
      options,
      rng: rng.fork("cast"),
      makePeer: maker,
      cryptoOf: cryptoMaker(options.realCrypto, rng),
    });
    const targets = { world: this.world, network: this.network, cast: this.cast, observers: this.observers };
    this.faults = new Faults(targets, options, rng.fork("faults"));
  }

  play(): void {
    this.faults.plan(calmMsOf(this.options));
    for (let second = 1; second <= this.options.seconds; second++) {
      this.world.run(second * 1000);
      this.trace.forgetOld();
      // What is kept of each packet has room for so many; whoever is beyond would be counted wrongly, and nobody would see it.
      assert(this.world.size <= nodesMaxOf(this.options), `more than ${nodesMaxOf(this.options)} took part`);
      this.observers.tell("second");
    }
    assert(this.cast.isOpen, "the host never opened the room");
    this.observers.tell("finish");
  }

  result(): Omit<SimResult, "cpuSeconds" | "rssMb"> {
    return {
      options: this.options,
      peers: this.reference.members.length + this.reference.relays.length,
      figures: this.meters.figures(),
      comparison: this.baselines.compare(),
      invariantsBroken: this.violations.count,
      violations: this.violations.stories,
      coverageMissing: this.coverage.missing,
      trace: this.world.trace.digest(),
      inputs: this.world.inputs,
    };
  }

  snapshot(): Pick<Snapshot, "peers" | "lost" | "seconds"> {
    return { ...this.baselines.placed(), seconds: this.meters.seconds() };
  }

  /** The reference first, so that every checker finds it up to date; what needs another comes after it. */
  private makeObservers(capacity: CapacityChecker): Observers {
    const { violations, reference, coverage, meters, world } = this;
    const elapsedMs = (): number => world.elapsedMs;
    const fallsAt = 1000 * Math.max(0, ...this.options.rules.map(({ atSecond }) => atSecond));
    const hearing = isSilenced(this.options.rules)
      ? [new ExplainedChecker(reference, violations, elapsedMs, fallsAt)]
      : [
          new SilenceChecker(reference, capacity, violations, elapsedMs),
          new LivenessChecker(reference, capacity, violations, elapsedMs, this.options.loss),
        ];
    return new Observers([
      violations,
      reference,
      new EarChecker(reference, violations),
      coverage,
      capacity,
      this.baselines,
      new LinkChecker(violations),
      ...hearing,
      meters,
    ]);
  }

  private makeTrace(capacity: CapacityChecker): MediaTrace {
    const { violations, coverage, meters, world } = this;
    const nodesMax = nodesMaxOf(this.options);
    const hopsMax = limits.relaysMax + hopsBeyondRelays;
    const forwarding = new ForwardingChecker(violations, () => world, hopsMax);
    const trace = new MediaTrace(nodesMax, () => world, [forwarding, capacity, coverage, meters]);
    coverage.follow(trace);
    meters.follow(trace);
    return trace;
  }

  private makeProbe(): NetworkProbe {
    return {
      sent: (from, to, kind, bytes) => this.trace.sent(from, to, kind, bytes),
      delivered: (from, to, kind, bytes, reading) => this.trace.delivered(from, to, kind, bytes, reading),
      linkClosed: (node, remote, kind, reason) => this.observers.tell("linkClosed", node, remote, kind, reason),
      misused: (node, what) => this.observers.tell("misused", node, what),
    };
  }

  private carry(node: number, output: PeerOutput): void {
    switch (output.kind) {
      case "send":
      case "close":
      case "dial":
      case "upgrade":
      case "cancel-dial":
        return this.network.carry(node, output);
      case "publish":
      case "lookup":
      case "heard":
      case "event":
        return this.cast.handle(node, output);
      default:
        output satisfies never;
    }
  }
}

/** When faults end: late enough for them to matter, early enough to see everybody recover. */
export function calmMsOf(options: SimOptions): number {
  const calmSeconds = Math.min(20, Math.max(10, options.seconds / 3));
  return 1000 * Math.max(options.seconds - calmSeconds, ...faultSeconds(options));
}

/** When the first blow to many relays falls. */
function blowMsOf({ kills }: SimOptions): number | undefined {
  const blows = kills.filter(({ what }) => typeof what === "object").map(({ atSecond }) => atSecond * 1000);
  return blows.length === 0 ? undefined : Math.min(...blows);
}

/** A limit of who takes part: churn's joins are at most twice their mean, villains may come as many, who is refused comes again. */
function nodesMaxOf({ listeners, relays, churn, seconds, hostile, flash, sessions, kills }: SimOptions): number {
  const people = listeners + (flash?.joins ?? 0);
  const crowds = listeners * hostile * crowdOfOne * crowdsMax;
  // Of those who stay as long as people do, half are gone within minutes, and each is followed by another.
  const followers = sessions > 0 ? (listeners * seconds) / (200 * sessions) : 0;
  // Where slots may run short, everybody may be told so, and try again, each ten seconds or so.
  const isScarce = flash !== undefined || hostile > 0 || kills.length > 0;
  const again = people * (isScarce ? seconds / 8 : 1 / 4);
  const known = people + listeners * relays + 2 * churn * seconds;
  return Math.ceil(known + crowds + followers + again) + limits.relaysMax + 16;
}

/** One kind of primitives for all, each node with randomness of its own, so that one more draw here changes nothing there. */
function cryptoMaker(real: boolean, rng: Rng): (node: number) => Crypto {
  const keys = new KeyRegistry();
  const shared = real ? createCrypto() : undefined;
  return (node) => {
    const own = rng.fork(`node/${node}`);
    if (shared === undefined) return new SimCrypto(own, keys);
    return { ...shared, randomBytes: (length) => own.bytes(length) };
  };
}
