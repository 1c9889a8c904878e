import { parseDurationMs } from "../../p2p/cli/duration.ts";
import { CommandWords } from "./command-words.ts";
import { shapeOf } from "./shape.ts";
import type { TreeShape } from "./shape.ts";

/** Somebody who is killed in the middle. */
export interface Kill {
  /** `host`, `relay-2`, `listener-7`. */
  readonly target: string;
  /** Milliseconds after the last listener has sound. */
  readonly atMs: number;
}

/** Somebody who stands still in the middle, as a laptop does whose lid is closed, and goes on later. */
export interface Pause {
  readonly target: string;
  /** Milliseconds after the last listener has sound. */
  readonly atMs: number;
  readonly forMs: number;
}

/** What `npm run demo` is asked for. */
export interface DemoOptions {
  readonly json: boolean;
  /** Length of the window; undefined: until interrupted. */
  readonly forMs: number | undefined;
  readonly listeners: number;
  /** Of the listeners, the first so many carry for the others. */
  readonly lending: number;
  readonly relays: number;
  readonly shape: TreeShape;
  readonly profile: string;
  readonly kills: readonly Kill[];
  readonly pauses: readonly Pause[];
}

/** Processes that one machine is asked to bear. */
const processesMax = 200;

/** What `npm run demo -- --help` prints. */
export const demoHelp = `npm run demo -- [--json] [--for 20s] [--listeners 12] [--lend 0] [--relays 3] [--depth 3]
                [--profile lan|wss|webrtc|auto] [--kill relay-1@10s|host@10s …] [--stop relay-2@10s+3s …]
A whole room on this machine, each person a process of its own. Without --for it runs until you press Ctrl-C.
--lend lets the first of the listeners carry for others, as members do who lend.
--kill ends somebody without a word at that time after everybody has sound; --stop freezes them for as long as it says.
Exit codes: 0 done; 1 somebody was lost or never had sound; 2 usage.`;

const words = new CommandWords("npm run demo", {
  json: { type: "boolean" },
  help: { type: "boolean" },
  for: { type: "string" },
  listeners: { type: "string" },
  lend: { type: "string" },
  relays: { type: "string" },
  depth: { type: "string" },
  profile: { type: "string" },
  kill: { type: "string", multiple: true },
  stop: { type: "string", multiple: true },
});

/** Reads the demo's options. Throws `TeahouseError("usage")` with one sentence; undefined when help was asked for. */
export function parseDemoOptions(args: readonly string[]): DemoOptions | undefined {
  const values = words.read(args);
  if (values.help === true) return undefined;
  const relays = words.count("--relays", values.relays ?? "3", 1, processesMax);
  const listeners = words.count("--listeners", values.listeners ?? "12", 1, processesMax);
  const lending = words.count("--lend", values.lend ?? "0", 0, listeners);
  const depth = words.count("--depth", values.depth ?? String(Math.min(3, relays + 1)), 1, processesMax);
  const shape = shapeOf(relays, depth);
  if (shape === undefined) {
    const least = relays === 1 ? 2 : 3;
    throw words.usage(`--depth takes ${least} to ${relays + 1} with --relays ${relays}, not ${depth}`);
  }
  const forMs = values.for === undefined ? undefined : parseDurationMs("--for", values.for);
  const profile = words.profile(values.profile ?? "webrtc");
  const names = new Set(["host", ...numbered("relay", relays), ...numbered("listener", listeners)]);
  const kills = (values.kill ?? []).map((text) => killOf(text, names, forMs));
  const pauses = (values.stop ?? []).map((text) => pauseOf(text, names, forMs));
  return { json: values.json === true, forMs, listeners, lending, relays, shape, profile, kills, pauses };
}

/** `relay-1`, `relay-2`, … */
export function numbered(name: string, length: number): string[] {
  return Array.from({ length }, (_, index) => `${name}-${index + 1}`);
}

function killOf(text: string, names: ReadonlySet<string>, forMs: number | undefined): Kill {
  const [target = "", at = "", ...rest] = text.split("@");
  if (!names.has(target) || at === "" || rest.length > 0) {
    throw words.usage("--kill takes who and when, such as relay-1@10s or host@10s");
  }
  const atMs = parseDurationMs("--kill", at);
  if (forMs !== undefined && atMs >= forMs) throw words.usage(`--kill ${text} comes after the end of --for`);
  return { target, atMs };
}

function pauseOf(text: string, names: ReadonlySet<string>, forMs: number | undefined): Pause {
  const [target = "", when = "", ...rest] = text.split("@");
  const [at = "", length = "", ...more] = when.split("+");
  if (!names.has(target) || at === "" || length === "" || rest.length + more.length > 0) {
    throw words.usage("--stop takes who, when and for how long, such as relay-2@10s+3s");
  }
  const pause = { target, atMs: parseDurationMs("--stop", at), forMs: parseDurationMs("--stop", length) };
  if (forMs !== undefined && pause.atMs + pause.forMs >= forMs) {
    throw words.usage(`--stop ${text} does not go on before the end of --for`);
  }
  return pause;
}
