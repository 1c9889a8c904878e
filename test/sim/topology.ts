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

interface Place {
  readonly region: Region;
  readonly regionIndex: number;
  readonly accessMs: number;
}

/** Where peers are, and how long a message takes between two of them. */
export class Topology {
  private readonly places: Place[] = [];
  private readonly kind: TopologyKind;
  private readonly rng: Rng;

  constructor(kind: TopologyKind, rng: Rng) {
    this.kind = kind;
    this.rng = rng;
  }

  /** Gives the next node its place; nodes are numbered in order of this call. */
  place(): void {
    const regionIndex = this.kind === "regional" ? regionOfRegional : this.drawRegion();
    const accessMs = Math.min(accessMsMax, accessMsMedian * Math.exp(accessSigma * drawNormal(this.rng)));
    this.places.push({ region: regions[regionIndex]!, regionIndex, accessMs });
  }

  /** One way, without jitter: half the regions' round trip and both last miles. */
  oneWayMs(from: number, to: number): number {
    const a = this.places[from]!;
    const b = this.places[to]!;
    return a.region.rttMs[b.regionIndex]! / 2 + a.accessMs + b.accessMs;
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

/** Gamma of shape 2: the sum of two exponentials, a jitter that has no negative side and a tail. */
export function drawJitterMs(rng: Rng, meanMs: number): number {
  return (-meanMs / 2) * Math.log((1 - rng.next()) * (1 - rng.next()));
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
