/** What a parser or a check answers: a value, or a countable reason. Bad bytes never throw. */
export type Result<Value, Reason extends string> = Ok<Value> | Failed<Reason>;

/** The good half of a `Result`. */
export interface Ok<Value> {
  readonly ok: true;
  readonly value: Value;
}

/** The other half: `reason` is a stable word, fit for a counter. */
export interface Failed<Reason extends string> {
  readonly ok: false;
  readonly reason: Reason;
}

/** Wraps a value. */
export function ok<Value>(value: Value): Ok<Value> {
  return { ok: true, value };
}

/** Wraps a reason. */
export function failed<Reason extends string>(reason: Reason): Failed<Reason> {
  return { ok: false, reason };
}
