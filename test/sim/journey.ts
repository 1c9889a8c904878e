const noHops = 255;
const afterMsMax = 65_535;

/** One packet's way through the room so far. */
export class Journey {
  /** The packet as its speaker sent it. */
  readonly packet: Uint8Array;
  readonly firstSeenAt: number;
  /** Links crossed until a node first had it; 255: it does not have it. */
  readonly hops: Uint8Array;
  /** World input in which each node first had it. */
  private readonly input: Uint32Array;
  /** When that was, in ms after it was first seen. */
  private readonly afterMs: Uint16Array;
  /** Who first sent it to each node: nearly all that there ever is to know of its edges. */
  private readonly firstFrom: Int32Array;
  /** Every sending beyond that: `from * nodes + to`, and how often. */
  private readonly more = new Map<number, number>();
  private readonly nodesMax: number;

  constructor(packet: Uint8Array, nodesMax: number, firstSeenAt: number) {
    this.packet = packet;
    this.nodesMax = nodesMax;
    this.firstSeenAt = firstSeenAt;
    this.hops = new Uint8Array(nodesMax).fill(noHops);
    this.input = new Uint32Array(nodesMax);
    this.afterMs = new Uint16Array(nodesMax);
    this.firstFrom = new Int32Array(nodesMax).fill(-1);
  }

  /** Whether it is there already. */
  reached(node: number): boolean {
    return this.hops[node] !== noHops;
  }

  /** It has come to a node, over so many links, in this input, at this virtual time. */
  arrive(node: number, hops: number, input: number, at: number): void {
    this.hops[node] = Math.min(noHops - 1, hops);
    this.input[node] = input;
    this.afterMs[node] = Math.min(afterMsMax, at - this.firstSeenAt);
  }

  /** Virtual ms at which it first came to a node, to a whole one. */
  arrivedAt(node: number): number {
    return this.firstSeenAt + this.afterMs[node]!;
  }

  /** Whether it came to the node in this very input. */
  cameIn(node: number, input: number): boolean {
    return this.input[node] === input >>> 0;
  }

  /** It goes over an edge. Returns how often it had before. */
  cross(from: number, to: number): number {
    const first = this.firstFrom[to]!;
    if (first < 0) {
      this.firstFrom[to] = from;
      return 0;
    }
    const edge = from * this.nodesMax + to;
    const more = this.more.get(edge) ?? 0;
    this.more.set(edge, more + 1);
    return first === from ? more + 1 : more;
  }
}
