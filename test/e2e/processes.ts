import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cli = fileURLToPath(new URL("../../p2p/cli.ts", import.meta.url));
/** Lines kept: an hour of a process that prints two a second. */
const linesMax = 7200;

/** A busy machine takes seconds to say goodbye; whoever takes longer hangs. */
const leaveMsMax = 30_000;

/** One JSON line of `teahouse … --json`. */
export interface EventLine {
  readonly event: string;
  /** Milliseconds since that process started. */
  readonly t: number;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a process is started. */
export interface SpawnOptions {
  /** Written to stdin, which is then closed; invites and cards go here, out of process lists. */
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLine?: (line: EventLine) => void;
  /** Script to run instead of the `teahouse` command. */
  readonly script?: string;
  /** Words before the program's own, which take it to another place, as `ip netns exec NAME` does. */
  readonly inside?: readonly string[];
}

interface Waiter {
  readonly wants: (line: EventLine) => boolean;
  readonly resolve: (line: EventLine) => void;
  readonly reject: (error: Error) => void;
}

/** A real `teahouse` process with `--json`, whose events can be awaited. */
export class TeahouseProcess {
  /** Every event so far, oldest first. */
  readonly lines: EventLine[] = [];
  /** What stood on stdout and was no JSON: nothing may. */
  readonly strayLines: string[] = [];
  /** Resolves when the process is gone and its output was read to the end. */
  readonly exited: Promise<Exit>;
  stderr = "";
  isGone = false;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiters = new Set<Waiter>();

  constructor(args: readonly string[], options: SpawnOptions = {}) {
    const { NODE_OPTIONS: _ours, ...environment } = process.env;
    this.#name = args[0] ?? "teahouse";
    const words = [...(options.inside ?? []), process.execPath, options.script ?? cli, ...args, "--json"];
    this.#child = spawn(words[0] ?? "", words.slice(1), {
      cwd: root,
      env: { ...environment, ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.exited = this.#watch(options.onLine);
    // A process that ended before it read its stdin says so by its exit code.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(options.stdin ?? "");
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first event, past or to come, that fits; rejects when the process ends without one. */
  async next(event: string, fits: (line: EventLine) => boolean = () => true): Promise<EventLine> {
    const wants = (line: EventLine): boolean => line.event === event && fits(line);
    const known = this.lines.find(wants);
    if (known !== undefined) return known;
    if (this.isGone) throw this.#endedWithout(event);
    return new Promise((resolve, reject) => {
      const waiter = { wants, resolve, reject: () => reject(this.#endedWithout(event)) };
      this.#waiters.add(waiter);
    });
  }

  /** As `next`, but only events from now on count. */
  async following(event: string, fits: (line: EventLine) => boolean = () => true): Promise<EventLine> {
    const past = new Set(this.lines);
    return this.next(event, (line) => !past.has(line) && fits(line));
  }

  last(event: string): EventLine | undefined {
    return this.lines.findLast((line) => line.event === event);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Closes its stdout, as `| head` does. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  /** Asks it to leave, and makes it when it does not. */
  async end(): Promise<Exit> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), leaveMsMax);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  async #watch(onLine: ((line: EventLine) => void) | undefined): Promise<Exit> {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("the pipes were asked for");
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-20_000);
    });
    createInterface({ input: stdout }).on("line", (text) => this.#take(text, onLine));
    const exit = await new Promise<Exit>((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.isGone = true;
    for (const waiter of this.#waiters) waiter.reject(new Error());
    return exit;
  }

  #take(text: string, onLine: ((line: EventLine) => void) | undefined): void {
    let line: EventLine;
    try {
      line = JSON.parse(text) as EventLine;
    } catch {
      this.strayLines.push(text);
      return;
    }
    this.lines.push(line);
    if (this.lines.length > linesMax) this.lines.shift();
    for (const waiter of this.#waiters) {
      if (!waiter.wants(line)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(line);
    }
    onLine?.(line);
  }

  #endedWithout(event: string): Error {
    const trouble = this.lines.findLast((line) => line.event === "error" || line.event === "refused");
    return new Error(
      `${this.#name} ended without "${event}": ${JSON.stringify(trouble ?? null)} ${this.stderr.trim()}`,
    );
  }
}
