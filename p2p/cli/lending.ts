import type { VolunteerOptions } from "../api/engine.ts";
import { count, takes, text, usage, type OptionRule, type Values } from "./words.ts";

/** What a volunteer may limit. */
export const limitRules = {
  "max-children": { kind: "count" },
  "max-kbps": { kind: "count" },
  hours: { kind: "hours" },
} as const satisfies Record<string, OptionRule>;

/** What a member may say who carries for others while in a room. */
export const lendRules = { lend: { kind: "flag" }, ...limitRules } as const satisfies Record<string, OptionRule>;

const minutesOfDay = 24 * 60;

/** The limits of a volunteer, as far as they were given. */
export function limitsOf(values: Values): VolunteerOptions {
  const maxChildren = count(values, "max-children", 0);
  const maxKbps = count(values, "max-kbps", 1);
  const hours = text(values, "hours");
  return {
    ...(maxChildren === undefined ? {} : { maxChildren }),
    ...(maxKbps === undefined ? {} : { maxKbps }),
    ...(hours === undefined ? {} : { hours: hoursOf(hours) }),
  };
}

/** What a member lends; undefined: nothing. */
export function lendOf(values: Values): VolunteerOptions | undefined {
  if (values["lend"] === true) return limitsOf(values);
  const limit = Object.keys(limitRules).find((name) => values[name] !== undefined);
  if (limit !== undefined) throw usage(`--${limit} says how much --lend lends, which is missing`);
  return undefined;
}

/** Hours of this computer's day, as minutes of UTC's. */
function hoursOf(words: string): NonNullable<VolunteerOptions["hours"]> {
  const match = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/.exec(words);
  const [from, to] = [minuteOf(match?.[1], match?.[2]), minuteOf(match?.[3], match?.[4])];
  if (from === undefined || to === undefined) throw usage(`--hours ${takes.hours}`);
  const aheadMinutes = new Date().getTimezoneOffset();
  const utc = (minute: number): number => (minute + aheadMinutes + minutesOfDay) % minutesOfDay;
  return { fromMinute: utc(from), toMinute: utc(to) };
}

function minuteOf(hour: string | undefined, minute: string | undefined): number | undefined {
  const at = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && at <= minutesOfDay ? at : undefined;
}
