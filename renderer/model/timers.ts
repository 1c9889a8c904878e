/** Time as view models are given it, so that tests can hold it still. */
export interface Timers {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Runs once after `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void;
}
