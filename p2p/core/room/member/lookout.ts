import type { Millis } from "../../../api/ids.ts";
import { type Deadline, isDue } from "../../machine.ts";

/** Where nothing is due and no neighbour came or went, all is looked after this often. */
const lookMs = 2000;

/** Lets a member rest at wake-ups that are not for it: a relay wakes for each of its neighbours. */
export class Lookout {
  #changes = -1;
  #lookedAt = -Infinity;

  /** Whether nothing happened since it looked last: by the count of changes around it, and by its own deadline. */
  rests(changes: number, deadline: () => Deadline | undefined, now: Millis): boolean {
    if (changes === this.#changes && now < this.#lookedAt + lookMs && !isDue(deadline(), now)) return true;
    this.#changes = changes;
    this.#lookedAt = now;
    return false;
  }
}
