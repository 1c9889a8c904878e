import { browserTimers } from "../browser-timers.ts";
import { outputDevice, type Tap } from "./output-device.ts";
import { LoudSpeakers } from "./speakers.ts";
import type { Speakers } from "../types.ts";

/** The loudspeakers of this window. `tap` is shown the end of each audio graph, so that tests can listen in. */
export function createSpeakers(tap?: Tap): Speakers {
  return new LoudSpeakers(outputDevice(tap), browserTimers);
}
