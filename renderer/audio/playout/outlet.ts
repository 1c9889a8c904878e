import { sampleRateHz } from "../../../p2p/core/jitter/voice-codec.ts";
import type { OutletReport } from "./playout-messages.ts";
import { SampleRing } from "../ring.ts";

/** Where the worker's sound goes. */
export interface Outlet {
  /** Sound that waits for the device, in ms. */
  readonly filledMs: number;
  /** Times that the device found nothing. */
  readonly underruns: number;
  /** Takes a copy. */
  write(samples: Float32Array): void;
  /** Resolves when the device has taken some, or after a while. */
  drained(): Promise<void>;
}

/** The device takes 5 ms at a time and more; where it takes nothing at all, this often is looked whether it does again. */
const patienceMs = 50;

/** Over memory that the worklet shares. */
export function sharedOutlet(memory: SharedArrayBuffer): Outlet {
  const ring = new SampleRing(memory);
  return {
    get filledMs() {
      return (ring.filled * 1000) / sampleRateHz;
    },
    get underruns() {
      return ring.underruns;
    },
    write: (samples) => void ring.write(samples),
    drained: () => ring.drained(patienceMs),
  };
}

/** Over a port, where the page may not share memory. The worklet says every 5 ms how it stands. */
export function portOutlet(port: MessagePort): Outlet {
  let filled = 0;
  let underruns = 0;
  let wake: (() => void) | undefined;
  port.onmessage = ({ data }: MessageEvent<OutletReport>) => {
    ({ filled, underruns } = data);
    wake?.();
  };
  return {
    get filledMs() {
      return (filled * 1000) / sampleRateHz;
    },
    get underruns() {
      return underruns;
    },
    write: (samples) => {
      filled += samples.length;
      const copy = samples.slice();
      port.postMessage(copy, [copy.buffer]);
    },
    drained: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, patienceMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
