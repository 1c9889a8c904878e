import { millis } from "../api/ids.ts";
import type { Clock } from "../engine/ports.ts";

/** A timer of Node counts in 32 bits; what lies further is waited for in steps. */
const timerMsMax = 2 ** 31 - 1;

/**
 * The system's clock. Unix time is read once, at the process's start, and then follows the monotonic clock: setting
 * the computer's time while a room is open moves nothing.
 *
 * @param skewMs added to every reading: a clock that is wrong, for tests.
 */
export function createClock(skewMs = 0): Clock {
  const now: Clock["now"] = () => millis(performance.timeOrigin + performance.now() + skewMs);
  return {
    now,
    wakeAt(at, callback) {
      let timer: NodeJS.Timeout | undefined;
      const wait = (): void => {
        // Node's timers count whole milliseconds and may fire a fraction of one early.
        const delayMs = Math.min(timerMsMax, Math.max(0, Math.ceil(at - now())));
        timer = setTimeout(() => (at > now() ? wait() : callback()), delayMs);
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}
