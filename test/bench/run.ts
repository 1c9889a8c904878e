/** `npm run bench -- [id…] [--json]`: the figures of GOALS.md that are built, each beside its baseline of the same run. */
import { measureBrokenRoutes, measureJoins, measureProbes, measureRandomLooks, measureTraces } from "./censor.ts";
import { measureDataChannel } from "./data-channel.ts";
import { type Figure, lineOf } from "./figure.ts";
import { measureBytes } from "./media/bytes.ts";
import { measureChecking } from "./media/checking.ts";
import { measureForwarding } from "./media/forwarding.ts";
import { measureMouthToEar } from "./mouth-to-ear.ts";
import { measureJunk } from "./processes/junk.ts";
import { measureKills } from "./processes/kills.ts";
import { measureSoundOnProcesses } from "./processes/sound.ts";
import { measureChromiumCall } from "./quality/chromium-call.ts";
import { measureQuality } from "./quality/figures.ts";
import { measureActs } from "./room/acts.ts";
import { measureReduce, measureSuccession } from "./room/authority.ts";
import { measureFuzzing } from "./secrecy/fuzz.ts";
import { measureKick, measureRekeying } from "./secrecy/kick.ts";
import { measureTiming } from "./secrecy/timing.ts";
import { measureLeftovers } from "./secrecy/leftovers.ts";
import { measureContinuity, measureManyKills, measureMarathon, measureOutages } from "./sim/continuity.ts";
import { measureOverhead, measureSimulatedJoins, measureSimulator } from "./sim/costs.ts";
import { measureLargestTree, measureScarcity, measureTree } from "./sim/placement.ts";
import { measureLowData } from "./voice/low-data.ts";
import { measureLoss } from "./voice/loss.ts";
import { measureMask } from "./voice/mask.ts";
import { measureStageCost } from "./voice/stage-cost.ts";

type Program = () => Promise<readonly Figure[]>;

/** What measures an id: several where real processes and virtual ones do. */
const programs: Readonly<Record<string, readonly Program[]>> = {
  T1: [measureTree],
  T1b: [measureScarcity],
  "T1-20k": [measureLargestTree],
  T2: [measureOutages],
  T3: [measureContinuity],
  T4: [measureOverhead],
  T5: [measureSimulatedJoins, measureSoundOnProcesses],
  T7: [measureForwarding],
  T8: [measureBytes],
  T9: [measureChecking],
  T10: [measureLoss],
  T11: [measureMouthToEar],
  T12: [measureDataChannel],
  T13: [measureSimulator],
  C1: [measureTraces],
  C2: [measureRandomLooks],
  C3: [measureJoins],
  C4: [measureManyKills, measureKills],
  C5: [measureBrokenRoutes],
  C7: [measureProbes],
  S1: [measureKick, measureRekeying],
  S2: [measureSuccession],
  S2a: [measureActs],
  S2r: [measureReduce],
  S3: [measureJunk],
  S4: [measureFuzzing],
  S5: [measureMarathon],
  S6: [measureLeftovers],
  PK20: [measureTiming],
  Q: [measureQuality],
  QC: [measureChromiumCall],
  V8: [measureStageCost],
  M: [measureMask],
  L: [measureLowData],
};

const usageCode = 2;
const help = `npm run bench -- [id…] [--json]
Measures figures, each beside its baseline of the same run; without an id all of them, which takes hours.
There are: ${Object.keys(programs).join(", ")}.`;
const ourFault = 70;

async function run(words: readonly string[]): Promise<number> {
  if (words.includes("--help")) {
    console.log(help);
    return 0;
  }
  const json = words.includes("--json");
  const named = words.filter((word) => word !== "--json");
  const unknown = named.find((id) => !Object.hasOwn(programs, id));
  if (unknown !== undefined) {
    console.error(`There is no benchmark "${unknown.slice(0, 40)}"; there are: ${Object.keys(programs).join(", ")}.`);
    return usageCode;
  }
  for (const id of named.length === 0 ? Object.keys(programs) : named) {
    for (const measure of programs[id] ?? []) {
      for (const figure of await measure()) console.log(lineOf(figure, json));
    }
  }
  return 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : "The benchmark broke.");
  process.exitCode = ourFault;
}
