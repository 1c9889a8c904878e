import { type Millis, millis } from "../api/ids.ts";

/** When a machine wants to be woken, and why: the reason makes a busy loop explain itself. */
export interface Deadline {
  readonly at: Millis;
  readonly reason: string;
}

/**
 * The contract of the pure core (after str0m and quinn-proto): one input, then drain the outputs, then sleep
 * until the deadline the machine names. Time is an argument; nothing is awaited, nothing is thrown for bad bytes.
 */
export interface Machine<Input, Output> {
  handle(input: Input, now: Millis): void;
  /** The next output, or undefined when drained. */
  poll(): Output | undefined;
  /** The soonest time at which `handle({ kind: "timeout" })` has something to do. */
  deadline(): Deadline | undefined;
}

/** Nothing is due. */
export const never: Deadline = { at: millis(Infinity), reason: "nothing" };

/** The soonest of some deadlines; undefined of none. */
export function soonest(...deadlines: readonly (Deadline | undefined)[]): Deadline | undefined {
  let first: Deadline | undefined;
  for (const deadline of deadlines) if (deadline && (!first || deadline.at < first.at)) first = deadline;
  return first;
}

/** The sooner of two deadlines; undefined of none. Asked after every packet: no list is made. */
export function sooner(left: Deadline | undefined, right: Deadline | undefined): Deadline | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return right.at < left.at ? right : left;
}

/** Whether a deadline has come. */
export function isDue(deadline: Deadline | undefined, now: Millis): boolean {
  return deadline !== undefined && deadline.at <= now;
}

/** The earlier of two times, where there are any. */
export function earlier(left: Millis | undefined, right: Millis | undefined): Millis | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left < right ? left : right;
}

/** A deadline at this time, if there is one. */
export function due(at: Millis | undefined, reason: string): Deadline | undefined {
  return at === undefined ? undefined : { at, reason };
}
