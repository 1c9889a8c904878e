import { sound, type Rule } from "./rule.ts";

/** UDP is dead, so that what is reset is what carries the sound. */
export const randomResets: Rule = {
  name: "random-resets",
  about: "every connection is reset after about 30 s, and there is no UDP",
  lifeMs: [20_000, 40_000],
  statements: ["meta l4proto udp drop"],
  listenMs: 45_000,
  start: sound,
};
