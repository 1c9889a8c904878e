import { parseDurationMs } from "../../p2p/cli/duration.ts";
import { CommandWords } from "../demo/command-words.ts";
import type { SoakSize } from "./schedule.ts";

/** What `npm run soak` is asked for. */
export interface SoakOptions extends SoakSize {
  readonly json: boolean;
  readonly profile: string;
  readonly seed: string;
}

/** Shorter than this not everybody can come, be heard and be replaced. */
const durationMsMin = 12_000;
const processesMax = 100;

/** What `npm run soak -- --help` prints. */
export const soakHelp = `npm run soak -- [--for 1h] [--json] [--listeners 8] [--relays 4] [--profile webrtc] [--seed X]
A room of real processes in which people come and go, crash, and are all replaced, the host included; then how well it was
heard and whether memory grew, for each kind of process.
Exit codes: 0 done; 1 somebody was lost, or a process ended by itself; 2 usage.`;

const words = new CommandWords("npm run soak", {
  json: { type: "boolean" },
  help: { type: "boolean" },
  for: { type: "string" },
  listeners: { type: "string" },
  relays: { type: "string" },
  profile: { type: "string" },
  seed: { type: "string" },
});

/** Reads the options. Throws `TeahouseError("usage")` with one sentence; undefined when help was asked for. */
export function parseSoakOptions(args: readonly string[]): SoakOptions | undefined {
  const values = words.read(args);
  if (values.help === true) return undefined;
  const durationMs = parseDurationMs("--for", values.for ?? "1h");
  if (durationMs < durationMsMin) throw words.usage(`--for takes at least ${durationMsMin / 1000}s here`);
  return {
    json: values.json === true,
    durationMs,
    listeners: words.count("--listeners", values.listeners ?? "8", 2, processesMax),
    relays: words.count("--relays", values.relays ?? "4", 2, processesMax),
    profile: words.profile(values.profile ?? "webrtc"),
    seed: values.seed ?? "1",
  };
}
