import { type Millis, millis } from "../../../api/ids.ts";
import { petitionAgeMsMax } from "./petition.ts";

/** Dates what one asks: later each time, unless the clock was so wrong before that nobody can have believed it ([RM22]). */
export class Dating {
  #last = millis(0);

  /** When this is asked, by the best time known. */
  next(time: Millis): Millis {
    const isWrong = this.#last > time + petitionAgeMsMax;
    this.#last = millis(isWrong ? time : Math.max(time, this.#last + 1));
    return this.#last;
  }
}
