import type { LendingPause, Power, VolunteerOptions } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";

/** Children of a volunteer who gave no number, and kbit/s that one child costs with one microphone open. */
const maxChildrenDefault = 60;
const kbpsPerChild = 64;
const minuteMs = 60_000;
const minutesOfDay = 24 * 60;

/** What this peer's person allows it to carry for others, and when ([OV30]). */
export class Lending {
  readonly options: VolunteerOptions;
  /** What a host proves to know that holds this volunteer's card. */
  readonly cardSecret: Uint8Array;

  constructor(options: VolunteerOptions, cardSecret: Uint8Array) {
    this.options = options;
    this.cardSecret = cardSecret;
  }

  /** Why nobody new is taken now; undefined: somebody may be. Whoever is there stays until its own parent serves it. */
  pausedBy(power: Power, now: Millis): LendingPause | undefined {
    const { hours, notOnBattery, notOnMetered } = this.options;
    if (notOnBattery === true && power.onBattery) return "battery";
    if (notOnMetered === true && power.metered) return "metered";
    return hours !== undefined && !isWithin(hours, now) ? "hours" : undefined;
  }

  /** Children at most: the number allowed, and what the bandwidth allowed can feed. */
  get childrenMax(): number {
    const { maxChildren = maxChildrenDefault, maxKbps = Infinity } = this.options;
    return Math.min(maxChildren, Math.floor(maxKbps / kbpsPerChild));
  }
}

/** Whether a time lies in these hours of each day, UTC. Hours that end before they begin go over midnight; equal ones are all day. */
function isWithin({ fromMinute, toMinute }: NonNullable<VolunteerOptions["hours"]>, now: Millis): boolean {
  const minute = Math.floor(now / minuteMs) % minutesOfDay;
  if (fromMinute === toMinute) return true;
  if (fromMinute < toMinute) return minute >= fromMinute && minute < toMinute;
  return minute >= fromMinute || minute < toMinute;
}
