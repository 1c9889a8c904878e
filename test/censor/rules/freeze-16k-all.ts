import { cutOff, type Rule } from "./rule.ts";

/** The same for whatever lies outside. */
export const freeze16kAll: Rule = {
  name: "freeze-16k-all",
  about: "every connection freezes after 16 KB from outside, and there is no UDP",
  statements: ["meta l4proto udp drop", "ct reply bytes > 16384 counter name trips drop"],
  listenMs: 25_000,
  start: { desktop: cutOff, volunteer: cutOff },
  midroom: { desktop: cutOff, volunteer: cutOff },
};
