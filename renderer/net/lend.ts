import { portOverMessagePort } from "../../p2p/port/carriers.ts";
import { Lender } from "./lender.ts";
import { answerByPeer } from "./peers.ts";

/** Where the engine's end of the lending port is: a WebSocket of the shell's, or a port that was handed over. */
export type LendingSource = { readonly url: string } | { readonly port: MessagePort };

/** The one message to the worker. */
export interface ToWorker {
  readonly source: LendingSource;
  /** For everything about channels. */
  readonly page: MessagePort;
}

/** Waits before lending is tried again, in ms: at once after an engine that crashed, patiently when there is none. */
const retryMs = [100, 250, 500, 1000, 2000] as const;
/** What lasted this long had worked, and the next try comes at once, in ms. */
const lastedMs = 5_000;

/** Lends this browser's sockets and WebRTC to the engine, again and again, while it is wanted. */
export class Lending {
  readonly #findSource: () => Promise<LendingSource>;
  /** Counts what was begun and given up, so that what comes late is recognised. */
  #run = 0;
  #end: () => void = () => undefined;
  #tries = 0;

  /** `findSource` may reject. */
  constructor(findSource: () => Promise<LendingSource>) {
    this.#findSource = findSource;
  }

  /** Begins, afresh if it had begun. */
  start(): void {
    this.stop();
    this.#tries = 0;
    this.#begin();
  }

  /** Ends everything that is lent. */
  stop(): void {
    this.#run += 1;
    this.#end();
    this.#end = () => undefined;
  }

  #begin(): void {
    const run = this.#run;
    const again = (): void => {
      const wait = retryMs[Math.min(this.#tries, retryMs.length - 1)] ?? 0;
      this.#tries += 1;
      setTimeout(() => {
        if (run === this.#run) this.#begin();
      }, wait);
    };
    this.#findSource().then((source) => {
      if (run !== this.#run) return "port" in source ? source.port.close() : undefined;
      const since = performance.now();
      this.#end = lend(source, () => {
        if (performance.now() - since > lastedMs) this.#tries = 0;
        again();
      });
    }, again);
  }
}

/** Lends until the engine's end is gone, which `onEnd` hears, or until the result is called. */
function lend(source: LendingSource, onEnd: () => void): () => void {
  const worker = new Worker(new URL("./lender-worker.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  let isWanted = true;
  const peers = new Lender(
    portOverMessagePort(port1),
    { answer: answerByPeer, after: (ms, callback) => void setTimeout(callback, ms) },
    () => {
      worker.terminate();
      if (isWanted) onEnd();
    },
  );
  worker.addEventListener("error", () => peers.close());
  // The one thing it ever says: the engine's end is gone.
  worker.addEventListener("message", () => peers.close());
  const message: ToWorker = { source, page: port2 };
  worker.postMessage(message, "port" in source ? [port2, source.port] : [port2]);
  return () => {
    isWanted = false;
    peers.close();
  };
}
