import { millis, type Millis } from "../../p2p/api/ids.ts";

/** Unix time in ms as it was when this thread began, and what passed since: it never steps. */
export function clockNow(): Millis {
  return millis(performance.timeOrigin + performance.now());
}
