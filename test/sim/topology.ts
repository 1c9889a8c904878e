import type { Rng } from "../../p2p/core/rng.ts";

/** `regional`: everybody in one region; `global`: six regions. */
export type TopologyKind = "regional" | "global";

interface Region {
  readonly name: string;
  /** Share of a global audience. */
  readonly share: number;
  /** Round trip in ms to each region of the list, itself included. */
  readonly rttMs: readonly number[];
}

/**
 * Six regions with round trips rounded from what large clouds publish between theirs (tens of ms inside a continent, 60 to 320
 * across oceans). A shape to reckon with, not a measurement; benchmarks compare ratios inside one run.
 */
const regions: readonly Region[] = [
  { name: "europe", share: 0.15, rttMs: [20, 90, 150, 230, 160, 205] },
  { name: "america-east", share: 0.15, rttMs: [90, 20, 65, 155, 220, 115] },
  { name: "america-west", share: 0.15, rttMs: [150, 65, 20, 98, 165, 175] },
  { name: "asia-east", share: 0.3, rttMs: [230, 155, 98, 20, 70, 260] },
  { name: "asia-southeast", share: 0.2, rttMs: [160, 220, 165, 70, 20, 320] },
  { name: "america-south", share: 0.05, rttMs: [205, 115, 175, 260, 320, 20] },
];
const regionOfRegional = 3;

/** What the last mile adds one way: lognormal, median 7 ms, sigma 0.7 (performance.md, section 6). */
const accessMsMedian = 7;
const accessSigma = 0.7;
const accessMsMax = 80;

/** Where peers are, and how long a message takes between two of them. */
export class Topology {
  private readonly regionOf: number[] = [];
  private readonly accessMs: number[] = [];
  private readonly kind: TopologyKind;
  private readonly rng: Rng;

  constructor(kind: TopologyKind, rng: Rng) {
    this.kind = kind;
    this.rng = rng;
  }

  /** Gives the next node its place; nodes are numbered in order of this call. */
  place(): void {
    this.regionOf.push(this.kind === "regional" ? regionOfRegional : this.drawRegion());
    this.accessMs.push(Math.min(accessMsMax, accessMsMedian * Math.exp(accessSigma * drawNormal(this.rng))));
  }

  /** Which region a node is in, by its name. */
  regionName(node: number): string {
    return regions[this.regionOf[node]!]!.name;
  }

  /** One way, without jitter: half the regions' round trip and both last miles. */
  oneWayMs(from: number, to: number): number {
    const wayMs = regions[this.regionOf[from]!]!.rttMs[this.regionOf[to]!]! / 2;
    return wayMs + this.accessMs[from]! + this.accessMs[to]!;
  }

  rttMs(a: number, b: number): number {
    return 2 * this.oneWayMs(a, b);
  }

  private drawRegion(): number {
    let left = this.rng.next();
    const index = regions.findIndex((region) => (left -= region.share) < 0);
    return index < 0 ? regions.length - 1 : index;
  }
}

/** Standard normal by Box and Muller. */
export function drawNormal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}

/** Values of one distribution, drawn once and dealt at random: a run needs tens of millions. */
const dealt = 2 ** 16;

/** Jitter: gamma of shape 2, the sum of two exponentials, which has no negative side and a tail. */
export class Jitter {
  private readonly table: Float64Array;
  private readonly rng: Rng;

  constructor(rng: Rng, meanMs: number) {
    this.rng = rng;
    const draw = (): number => (-meanMs / 2) * Math.log((1 - rng.next()) * (1 - rng.next()));
    this.table = Float64Array.from({ length: dealt }, draw);
  }

  drawMs(): number {
    return this.table[this.rng.u32() & (dealt - 1)]!;
  }
}

/** Children of one lent uplink: lognormal, median 10, at most 40 (performance.md, section 1); sigma is of people's uplinks. */
const childrenMedian = 10;
const childrenSigma = 0.6;
const childrenMax = 40;
/** Where very few lend, a fifth of them are servers with 200 slots (GOALS.md, T1b). */
const fewShare = 0.05;
const serversOfFew = 0.2;
const childrenOfServer = 200;

/** How many children a peer that lends allows. @param share of all peers that lend. */
export function drawChildrenMax(rng: Rng, share: number): number {
  const drawn = childrenMedian * Math.exp(childrenSigma * drawNormal(rng));
  if (share <= fewShare && rng.next() < serversOfFew) return childrenOfServer;
  return Math.max(1, Math.min(childrenMax, Math.round(drawn)));
}

/**
 * How long somebody stays, ms: a quarter looks in, most stay for minutes, some for hours (performance.md, section 6: lognormal
 * of median 30 s and sigma 1.0, and of median 12 minutes and sigma 1.3).
 */
export function drawSessionMs(rng: Rng): number {
  const brief = rng.next() < 0.25;
  const [median, sigma] = brief ? [30_000, 1] : [720_000, 1.3];
  return median * Math.exp(sigma * drawNormal(rng));
}
