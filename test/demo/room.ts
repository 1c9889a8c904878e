import { fileURLToPath } from "node:url";
import { TeahouseProcess } from "../e2e/processes.ts";
import type { EventLine } from "../e2e/processes.ts";
import { lostListeners } from "./figures.ts";
import type { Observed, Sample, Window } from "./figures.ts";
import { numbered } from "./options.ts";
import type { DemoOptions } from "./options.ts";
import { listenersMaxOf } from "./shape.ts";

const clip = fileURLToPath(new URL("../fixtures/speech.flac", import.meta.url));
const listening = ["--listen", "/ip4/127.0.0.1/tcp/0/tls/ws"];
/** Listeners that start at a time: each costs half a second of CPU, and two cores are shared. */
const startingAtOnce = 2;
/** Longer than any of them needs on a busy machine; after it the demo gives up. */
const patienceMs = 120_000;
/** Whoever hears nothing at the end may be in the middle of a move, or a busy machine lets it wait: so long it may still come back. */
const comebackMs = 15_000;
const lookMs = 250;
/** A stats line comes each second; this long after the window's end the last one of it has come. */
const lastLineMs = 1500;

/** A failure that the demo was made to find: exit code 1. */
export class DemoFailure extends Error {}

/** Told of everything that happens. */
export type Witness = (from: string, line: EventLine) => void;

interface Participant {
  readonly process: TeahouseProcess;
  readonly samples: Sample[];
  wasKilled: boolean;
  wasHurt: boolean;
}

/** A whole room of processes on this machine. */
export class DemoRoom {
  readonly #options: DemoOptions;
  readonly #witness: Witness;
  readonly #participants = new Map<string, Participant>();
  /** Rejects when a process ends that nobody killed. */
  readonly #broken: Promise<never>;
  #break: (error: DemoFailure) => void = () => undefined;
  #isEnding = false;
  #invite = "";
  /** The app open on the room: it is the person's, and may be closed. */
  #window: TeahouseProcess | undefined;

  constructor(options: DemoOptions, witness: Witness) {
    this.#options = options;
    this.#witness = witness;
    this.#broken = new Promise((_resolve, reject) => {
      this.#break = reject;
    });
    this.#broken.catch(() => undefined);
  }

  /** Starts everybody; resolves when the last listener has sound. Rejects with `DemoFailure`. */
  async open(): Promise<void> {
    const { relays, listeners, lending, shape } = this.#options;
    const cards = await this.#within("no relay came up", async () => {
      const lines = numbered("relay", relays).map((name, rank) => {
        return this.#spawn(name, this.#relayArgs(listenersMaxOf(rank, relays, listeners, shape))).next("card");
      });
      return (await Promise.all(lines)).map((line) => String(line["card"]));
    });
    const hostArgs = ["host", "--via", "-", "--audio", clip, "--loop", ...this.#profileArgs()];
    hostArgs.push("--core-size", String(shape.coreSize), "--relay-fanout", String(shape.relayFanout));
    const room = await this.#within("the host made no room", () =>
      this.#spawn("host", hostArgs, cards.join("\n")).next("room"),
    );
    const invite = String((room["invites"] as Record<string, unknown>)["listener"]);
    this.#invite = invite;
    const waiting = numbered("listener", listeners);
    const lenders = new Set(numbered("listener", lending));
    const arrive = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const lends = lenders.has(name) ? ["--lend", ...listening] : [];
        const process = this.#spawn(name, ["listen", "-", ...lends, ...this.#profileArgs()], invite);
        await this.#within(`${name} had no sound`, () => process.next("sound"));
      }
    };
    await Promise.all(Array.from({ length: startingAtOnce }, arrive));
  }

  /** Opens the app on the room: in a window where there is a display, else at an address that it says. */
  async show(): Promise<void> {
    const onLine = (line: EventLine): void => {
      if (line.event === "window" || line.event === "error") this.#witness("the app", line);
    };
    const process = new TeahouseProcess(["--enter", "-", ...this.#profileArgs()], { stdin: this.#invite, onLine });
    this.#window = process;
    await process.next("window").catch(() => {
      throw new DemoFailure(`The app did not open. ${process.stderr.trim()}`);
    });
  }

  /** Lets the window pass and does to its people what it was told. Rejects with `DemoFailure` when one ends by itself. */
  async pass(interrupted: AbortSignal): Promise<Window> {
    const from = performance.now();
    const { kills, pauses } = this.#options;
    const timers = [
      ...kills.map(({ target, atMs }) => setTimeout(() => this.#kill(target), atMs)),
      ...pauses.map(({ target, atMs }) => setTimeout(() => this.#freeze(target), atMs)),
      ...pauses.map(({ target, atMs, forMs }) => setTimeout(() => this.#thaw(target), atMs + forMs)),
    ];
    try {
      await Promise.race([this.#broken, elapsed(this.#options.forMs, interrupted)]);
      const to = performance.now();
      await Promise.race([this.#broken, elapsed(lastLineMs, interrupted)]);
      return { from, to };
    } finally {
      timers.forEach(clearTimeout);
    }
  }

  /** Listeners whom nobody killed, and who heard nothing more while others went on, also when they are given time. */
  async lost(window: Window, interrupted: AbortSignal): Promise<string[]> {
    for (const until = window.to + comebackMs; ; await elapsed(lookMs, interrupted)) {
      const left = this.observed("listener").filter(({ from }) => this.#participants.get(from)?.wasKilled === false);
      const lost = lostListeners(left, window);
      if (lost.length === 0 || performance.now() > until || interrupted.aborted) return lost;
    }
  }

  /** What is known of everybody of one kind. */
  observed(kind: "listener" | "relay"): Observed[] {
    return [...this.#participants]
      .filter(([name]) => name.startsWith(kind))
      .map(([from, { process, samples, wasHurt }]) => {
        const sound = process.lines.find((line) => line.event === "sound");
        return { from, samples, soundMs: sound === undefined ? null : Number(sound["ms"]), wasHurt };
      });
  }

  /** Ends every process that it started; resolves when all are gone. */
  async close(): Promise<void> {
    this.#isEnding = true;
    // Who stands still would not hear that it is to end.
    for (const { process } of this.#participants.values()) if (!process.isGone) process.kill("SIGCONT");
    const all = [...this.#participants.values()].map(({ process }) => process);
    if (this.#window !== undefined) all.push(this.#window);
    await Promise.all(all.map((process) => process.end()));
  }

  /** Ends them at once, without waiting: this process is about to be gone. */
  abandon(): void {
    this.#isEnding = true;
    for (const { process } of this.#participants.values()) if (!process.isGone) process.kill("SIGKILL");
    // It has a browser to close.
    this.#window?.kill("SIGTERM");
  }

  #relayArgs(listenersMax: number | undefined): string[] {
    const limits = listenersMax === undefined ? [] : ["--max-children", String(listenersMax)];
    return ["relay", ...listening, ...limits, ...this.#profileArgs()];
  }

  #profileArgs(): string[] {
    return ["--profile", this.#options.profile];
  }

  #spawn(name: string, args: readonly string[], stdin = ""): TeahouseProcess {
    // Interrupted while the room was still filling: nobody new may come who would be left behind.
    if (this.#isEnding) throw new DemoFailure("The demo was ended.");
    const samples: Sample[] = [];
    const onLine = (line: EventLine): void => {
      if (line.event === "stats") samples.push({ ...(line as unknown as Sample), at: performance.now() });
      this.#witness(name, line);
    };
    const process = new TeahouseProcess(args, { stdin, onLine });
    const participant: Participant = { process, samples, wasKilled: false, wasHurt: false };
    this.#participants.set(name, participant);
    void process.exited.then(({ code }) => {
      if (participant.wasKilled || this.#isEnding) return;
      const trouble = process.last("refused") ?? process.last("error");
      const why = trouble === undefined ? "" : `: ${String(trouble["message"])}`;
      this.#break(new DemoFailure(`${name} ended by itself with exit code ${code}${why}`));
    });
    return process;
  }

  #kill(name: string): void {
    const participant = this.#participants.get(name);
    if (participant === undefined) return;
    participant.wasKilled = true;
    participant.wasHurt = true;
    participant.process.kill("SIGKILL");
    this.#witness(name, { event: "killed", t: 0 });
  }

  #freeze(name: string): void {
    const participant = this.#participants.get(name);
    if (participant === undefined) return;
    participant.wasHurt = true;
    participant.process.kill("SIGSTOP");
    this.#witness(name, { event: "stopped", t: 0 });
  }

  #thaw(name: string): void {
    this.#participants.get(name)?.process.kill("SIGCONT");
    this.#witness(name, { event: "resumed", t: 0 });
  }

  async #within<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new DemoFailure(`${sentence} within ${patienceMs / 1000} s.`)), patienceMs);
    });
    const result = work();
    // When another participant breaks first, that is what is told.
    result.catch(() => undefined);
    try {
      return await Promise.race([result, late, this.#broken]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Resolves after the time, or for ever later with undefined, or when interrupted. */
async function elapsed(ms: number | undefined, interrupted: AbortSignal): Promise<void> {
  if (interrupted.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = ms === undefined ? setInterval(() => undefined, 60_000) : setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    interrupted.addEventListener("abort", stop, { once: true });
  });
}
