import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { demoFigures, percentile } from "../../demo/figures.ts";
import { parseDemoOptions } from "../../demo/options.ts";
import { DemoRoom } from "../../demo/room.ts";
import { type Figure, figureOf } from "../figure.ts";

const coldConnect = fileURLToPath(new URL("./cold-connect.ts", import.meta.url));
const coldConnects = 9;
/** GOALS.md: T5 on real processes. */
const soundMsMax = 2000;

/** T5, its real part: from the invite to the first sound, 24 processes on loopback, two starting at a time. */
export async function measureSoundOnProcesses(): Promise<readonly Figure[]> {
  const options = parseDemoOptions("--json --for 1s --listeners 24 --relays 3 --depth 3 --profile webrtc".split(" "));
  if (options === undefined) throw new Error("the options are the demo's own");
  const room = new DemoRoom(options, () => undefined);
  try {
    await room.open();
    const now = performance.now();
    const { listeners, soundMsP95 } = demoFigures(room.observed("listener"), [], { from: now, to: now });
    const soundMs = listeners.flatMap(({ soundMs: ms }) => (ms === null ? [] : [ms]));
    const connectMs = Array.from({ length: coldConnects }, connectOnce);
    return [
      figureOf({
        id: "T5",
        what: "real processes on loopback: 95th percentile from invite to sound, ms ÷ 2 s",
        goal: 1,
        better: "less",
        sides: {
          ours: soundMsP95 ?? Infinity,
          baseline: soundMsMax,
          median: percentile(soundMs, 0.5) ?? Infinity,
          coldConnectMedian: percentile(connectMs, 0.5) ?? Infinity,
          coldConnectP95: percentile(connectMs, 0.95) ?? Infinity,
        },
      }),
    ];
  } finally {
    await room.close();
  }
}

/** A process that does nothing but load the WebRTC library and connect to itself: ms, its start left out. */
function connectOnce(): number {
  const { stdout, status } = spawnSync(process.execPath, [coldConnect], { encoding: "utf8" });
  if (status !== 0) throw new Error("A data channel to oneself did not open.");
  return Math.round(Number(stdout));
}
