import type { EngineApi, EngineEvent } from "../api/engine.ts";
import { TeahouseError, exitCodes } from "../api/errors.ts";
import type { ErrorCode } from "../api/errors.ts";
import { errorEvent } from "./printer.ts";
import type { Printer } from "./printer.ts";
import { statsEvent, summaryEvent } from "./summary.ts";
import type { ProcessUsage } from "./summary.ts";

/** How a process ends, from the command-line contract. */
export type ExitCode = 0 | 2 | 3 | 4 | 5 | 70;

/** A goodbye that cannot be said in this time is not said: whoever waits on Ctrl-C must not wait longer. */
const goodbyeMsMax = 3000;

/** What a running command can ask of its surroundings. */
export interface Life {
  /** Starts the clock of `--for`: the room, or the card, is there. */
  arrived(): void;
  /** Resolves when it is time to leave. */
  readonly over: Promise<void>;
}

/** What `live` needs besides the engine. */
export interface LifeOptions {
  readonly printer: Printer;
  /** Aborted by the first SIGINT or SIGTERM, or when nobody reads our output any more. */
  readonly interrupted: AbortSignal;
  readonly forMs: number | undefined;
  readonly usage: () => ProcessUsage;
}

/**
 * Starts the engine, does the work until it ends by itself, by `--for`, by a signal or by trouble, leaves properly,
 * and prints everything that happens; the last line is the summary.
 */
export async function live(
  engine: EngineApi,
  options: LifeOptions,
  work: (life: Life) => Promise<void>,
): Promise<ExitCode> {
  const { printer, usage } = options;
  const end = new Ending(options.interrupted);
  let said: ErrorCode | undefined;
  let trouble: TeahouseError | undefined;
  let joined = false;
  let isUp = false;
  const unsubscribe = engine.subscribe((event: EngineEvent) => {
    if (event.event === "stats") {
      printer.print(statsEvent(event, usage()));
      return;
    }
    printer.print(event);
    if (event.event === "joined") joined = true;
    if (event.event === "refused" || event.event === "error") {
      said = event.code;
      trouble = new TeahouseError(event.code, event.message);
    }
    // Before it has joined, the command's own promise says how it failed.
    if (event.event === "refused" && joined) end.fail(new TeahouseError(event.code, event.message));
    // Out of the room, and not by our own wish: what was said last says why.
    if (event.event === "left" && joined && trouble !== undefined) end.fail(trouble);
  });
  let code: ExitCode = 0;
  const run = async (): Promise<void> => {
    await engine.start();
    isUp = true;
    if (!end.isOver) await work({ arrived: () => end.after(options.forMs), over: end.over });
  };
  try {
    await end.first(run());
  } catch (error) {
    code = printFailure(printer, error, said);
  }
  end.dispose();
  // Counted before the goodbye: who has left has no room to count.
  const summary = isUp ? summaryEvent(engine.stats(), engine.totals(), usage()) : undefined;
  unsubscribe();
  await within(engine.leave());
  await within(engine.stop());
  if (summary !== undefined) printer.print(summary);
  return code;
}

/** Prints an error as the sentence a person gets, and returns the exit code it stands for. */
export function printFailure(printer: Printer, error: unknown, said?: ErrorCode): ExitCode {
  const { code, message } = error instanceof TeahouseError ? error : internal(error);
  const exit = exitCodes[code];
  if (code !== said) printer.print(errorEvent(code, message, exit === 4));
  return exit;
}

/** Our own fault: the person cannot mend it, and what went wrong may name things that must not be printed. */
function internal(error: unknown): TeahouseError {
  return new TeahouseError("internal", "Something broke inside Teahouse; please start it again.", { cause: error });
}

/** When and why a command ends. */
class Ending {
  readonly over: Promise<void>;
  isOver = false;
  private settle: { resolve: () => void; reject: (error: Error) => void };
  private timer: NodeJS.Timeout | undefined;
  private readonly signal: AbortSignal;
  private readonly onAbort: () => void;

  constructor(signal: AbortSignal) {
    const { promise, resolve, reject } = withResolvers();
    this.over = promise;
    // Whoever awaits it sees the failure; nobody awaiting it is no crash.
    promise.catch(() => undefined).finally(() => (this.isOver = true));
    this.settle = { resolve, reject };
    this.signal = signal;
    this.onAbort = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", this.onAbort);
  }

  /** Waits for the work, but no longer than to the end. */
  async first(work: Promise<void>): Promise<void> {
    work.catch(() => undefined);
    await Promise.race([work, this.over]);
  }

  after(ms: number | undefined): void {
    if (ms !== undefined) this.timer ??= setTimeout(this.settle.resolve, ms);
  }

  fail(error: Error): void {
    this.settle.reject(error);
  }

  dispose(): void {
    this.settle.resolve();
    this.isOver = true;
    clearTimeout(this.timer);
    this.signal.removeEventListener("abort", this.onAbort);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  if (settle === undefined) throw new Error("a promise runs its executor at once");
  return { promise, ...settle };
}

/** Waits for a goodbye, but not for ever; a goodbye that fails is let go, since there is nothing to be done about it. */
async function within(goodbye: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, goodbyeMsMax);
  });
  await Promise.race([goodbye.catch(() => undefined), late]);
  clearTimeout(timer);
}
