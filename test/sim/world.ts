import assert from "node:assert/strict";
import { millis } from "../../p2p/api/ids.ts";
import type { Millis } from "../../p2p/api/ids.ts";
import type { Machine } from "../../p2p/core/machine.ts";
import { OccurrenceHeap } from "./heap.ts";
import { TraceHash } from "./trace.ts";

/** Where every virtual clock starts: a fixed date, so that expiries are reckoned as in life. 2026-01-01T00:00:00Z. */
export const worldStart = Date.UTC(2026, 0, 1);

/** Outputs of one input. No honest machine comes near; a machine that never drains would hang the run. */
const outputsMax = 100_000;
/** Inputs that wait for a computer that sleeps: what its buffers hold; what comes later is lost. */
const sleptMax = 4000;
/** Wake-ups of one machine without its virtual time moving: more is a busy loop, and its deadline says which. A join puzzle in pieces takes some hundred. */
const wakesAtOnceMax = 1_000;

interface WorldNode<Input, Output> {
  readonly machine: Machine<Input, Output>;
  alive: boolean;
  /** What came while its computer slept; undefined while it is awake. */
  slept: Input[] | undefined;
  /** Time of the soonest wake-up that is planned; later ones are planned when it fires. */
  wakeAt: number;
  lastWakeAt: number;
  wakesAtOnce: number;
}

/** Carries one output of one node out; must not feed inputs by itself, only plan them. */
export type Carry<Output> = (node: number, output: Output) => void;

/** What a world asks of its inputs: they are named, and one of them wakes. */
export interface WorldInput {
  readonly kind: string;
}

/**
 * Virtual time and one heap of what will happen. Each node is a pure machine: an input goes in, its outputs are drained,
 * and its next deadline is armed, exactly as the engine does it. The same calls give the same run.
 */
export class World<Input extends WorldInput, Output extends { readonly kind: string }> {
  /** Counts inputs; two outputs with the same number came from one and the same input. */
  inputs = 0;
  readonly trace = new TraceHash();
  private readonly heap = new OccurrenceHeap();
  private readonly nodes: WorldNode<Input, Output>[] = [];
  private readonly wakes: (node: number) => void = (node) => this.wake(node);
  private time: number = worldStart;
  private busy = false;
  private readonly timeout: Input;
  private readonly carry: Carry<Output>;

  /** @param timeout the input that means "the deadline you named has come". */
  constructor(timeout: Input, carry: Carry<Output>) {
    this.timeout = timeout;
    this.carry = carry;
  }

  /** Unix milliseconds of the virtual clock. */
  get now(): Millis {
    return millis(this.time);
  }

  /** Milliseconds since the run began. */
  get elapsedMs(): number {
    return this.time - worldStart;
  }

  /** Adds a node; the result is its number, counted from 0. */
  add(machine: Machine<Input, Output>): number {
    this.nodes.push({ machine, alive: true, slept: undefined, wakeAt: Infinity, lastWakeAt: -1, wakesAtOnce: 0 });
    return this.nodes.length - 1;
  }

  /** Nodes that were ever added. */
  get size(): number {
    return this.nodes.length;
  }

  isAlive(node: number): boolean {
    return this.nodes[node]?.alive ?? false;
  }

  /** From now on the node gets nothing and does nothing. */
  remove(node: number): void {
    this.nodeAt(node).alive = false;
  }

  /** The node's computer is closed: it does nothing, and gets everything when it is opened again. */
  suspend(node: number): void {
    this.nodeAt(node).slept ??= [];
  }

  /** Opens it again: all that waited is handled now, in order, and then the deadlines that passed. */
  resume(node: number): void {
    const target = this.nodeAt(node);
    const { slept } = target;
    target.slept = undefined;
    if (slept === undefined || !target.alive) return;
    for (const input of slept) this.input(node, input);
    target.wakeAt = Infinity;
    this.arm(node, target);
  }

  /** Plans `act(payload)` for a time; what lies in the past happens now, after everything planned for now. */
  plan<Payload>(at: number, act: (payload: Payload) => void, payload: Payload): void {
    this.heap.push(Math.max(at, this.time), act, payload);
  }

  /** Plans for `delayMs` from now. */
  planIn<Payload>(delayMs: number, act: (payload: Payload) => void, payload: Payload): void {
    this.plan(this.time + delayMs, act, payload);
  }

  /** Hands one input to a node, carries its outputs out, arms its deadline. Nothing happens to a dead node. */
  input(node: number, input: Input): void {
    const target = this.nodeAt(node);
    if (!target.alive) return;
    if (target.slept !== undefined) {
      if (target.slept.length < sleptMax) target.slept.push(input);
      return;
    }
    assert(!this.busy, "a machine's output was carried back into a machine at once");
    this.busy = true;
    this.inputs++;
    this.trace.addTime(this.time);
    this.trace.addWord(node);
    this.trace.addName(input.kind);
    target.machine.handle(input, this.now);
    for (let count = 0; ; count++) {
      const output = target.machine.poll();
      if (output === undefined) break;
      assert(count < outputsMax, `node ${node} does not drain after ${input.kind}`);
      this.trace.addName(output.kind);
      this.carry(node, output);
    }
    this.busy = false;
    this.arm(node, target);
  }

  /** Lets everything happen that is planned up to `elapsedMs` after the start, and moves the clock there. */
  run(elapsedMs: number): void {
    const end = worldStart + elapsedMs;
    while (this.heap.soonestAt <= end) {
      const next = this.heap.pop()!;
      this.time = next.at;
      (next.act as (payload: unknown) => void)(next.payload);
    }
    this.time = Math.max(this.time, end);
  }

  private nodeAt(node: number): WorldNode<Input, Output> {
    const found = this.nodes[node];
    assert(found, `no node ${node}`);
    return found;
  }

  /** A deadline that moved later costs nothing: the earlier wake-up fires, sees it, and plans again. */
  private arm(node: number, target: WorldNode<Input, Output>): void {
    if (!target.alive) return;
    const deadline = target.machine.deadline();
    if (deadline === undefined || deadline.at >= target.wakeAt) return;
    target.wakeAt = Math.max(deadline.at, this.time);
    this.plan(target.wakeAt, this.wakes, node);
  }

  private wake(node: number): void {
    const target = this.nodeAt(node);
    if (!target.alive || target.slept !== undefined || target.wakeAt !== this.time) return;
    target.wakeAt = Infinity;
    const deadline = target.machine.deadline();
    if (deadline === undefined || deadline.at > this.time) return this.arm(node, target);
    target.wakesAtOnce = target.lastWakeAt === this.time ? target.wakesAtOnce + 1 : 0;
    target.lastWakeAt = this.time;
    assert(target.wakesAtOnce < wakesAtOnceMax, `node ${node} wakes without end: ${deadline.reason}`);
    this.input(node, this.timeout);
  }
}
