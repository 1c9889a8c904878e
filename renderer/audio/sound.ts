import { captureDevice } from "./capture-device.ts";
import type { Timers } from "./edges.ts";
import { RoomMicrophone } from "./microphone.ts";
import { outputDevice, type Tap } from "./output-device.ts";
import { LoudSpeakers } from "./speakers.ts";
import type { Microphone, Speakers } from "./types.ts";

const timers: Timers = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The microphone of this window. */
export function createMicrophone(): Microphone {
  return new RoomMicrophone(captureDevice, timers);
}

/** The loudspeakers of this window. `tap` is shown the end of each audio graph, so that tests can listen in. */
export function createSpeakers(tap?: Tap): Speakers {
  return new LoudSpeakers(outputDevice(tap), timers);
}
