import type { PeerInput } from "../core/peer-io.ts";
import type { Clock, Discovery } from "./ports.ts";
import { toHex } from "../core/bytes.ts";
import { millis } from "../api/ids.ts";

/** Keys asked for at once: the replicas of one hour. */
const lookupsAtOnce = 3;
/** A put that found nobody is tried again: servers are still being met. */
const publishTriesMax = 6;
const publishRetryMs = 2000;
const publishMsMax = 20_000;

/** Carries records to and from the DHT. */
export class Records {
  readonly #discovery: Discovery;
  readonly #clock: Clock;
  readonly #push: (input: PeerInput) => void;
  readonly #stop = new AbortController();
  readonly #newest = new Map<string, Uint8Array>();

  constructor(discovery: Discovery, clock: Clock, push: (input: PeerInput) => void) {
    this.#discovery = discovery;
    this.#clock = clock;
    this.#push = push;
  }

  /** Puts a value, some times over; a newer value for the key takes its place. */
  publish(key: Uint8Array, value: Uint8Array): void {
    this.#newest.set(toHex(key), value);
    void this.#publish(key, value);
  }

  /** Asks for the keys, those of one hour at a time, and passes on what comes as it comes. */
  lookup(keys: readonly Uint8Array[]): void {
    void this.#lookup(keys);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #publish(key: Uint8Array, value: Uint8Array): Promise<void> {
    for (let attempt = 1; attempt <= publishTriesMax; attempt++) {
      if (this.#stop.signal.aborted || this.#newest.get(toHex(key)) !== value) return;
      if (await this.#put(key, value)) return;
      await this.#wait(publishRetryMs * attempt);
    }
  }

  async #put(key: Uint8Array, value: Uint8Array): Promise<boolean> {
    const limit = new AbortController();
    const stop = (): void => limit.abort();
    const cancel = this.#clock.wakeAt(millis(this.#clock.now() + publishMsMax), stop);
    this.#stop.signal.addEventListener("abort", stop);
    try {
      await this.#discovery.publish(key, value, limit.signal);
      return true;
    } catch {
      // Nobody took it: servers are still being met, and it is put again.
      return false;
    } finally {
      cancel();
      this.#stop.signal.removeEventListener("abort", stop);
    }
  }

  async #lookup(keys: readonly Uint8Array[]): Promise<void> {
    for (let index = 0; index < keys.length && !this.#stop.signal.aborted; index += lookupsAtOnce) {
      await Promise.all(keys.slice(index, index + lookupsAtOnce).map((key) => this.#ask(key)));
    }
    if (!this.#stop.signal.aborted) this.#push({ kind: "lookup-ended" });
  }

  async #ask(key: Uint8Array): Promise<void> {
    for await (const value of this.#discovery.lookup(key, this.#stop.signal)) this.#push({ kind: "record", value });
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.wakeAt(millis(this.#clock.now() + ms), resolve);
      this.#stop.signal.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });
  }
}
