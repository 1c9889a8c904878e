import { sound, type Rule } from "./rule.ts";

/** What "slow" means when a state wants it: everything works, badly. */
export const throttleLoss: Rule = {
  name: "throttle-loss",
  about: "128 kbit/s each way, and one packet in twenty lost",
  queue: ["tbf", "rate", "128kbit", "burst", "8k", "latency", "300ms"],
  statements: ["numgen random mod 100 < 5 drop"],
  start: sound,
  midroom: sound,
};
