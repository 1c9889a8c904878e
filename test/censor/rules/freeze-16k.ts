import { sound, type Rule } from "./rule.ts";

/** Russia's rule since June 2025, for the first of the relays; UDP is dead, so that sound has to come this way. */
export const freeze16k: Rule = {
  name: "freeze-16k",
  about: "connections to one relay freeze after 16 KB from it, and there is no UDP",
  statements: ["meta l4proto udp drop", "ip saddr 21.0.1.1 ct reply bytes > 16384 counter name trips drop"],
  listenMs: 15_000,
  start: sound,
  midroom: sound,
};
