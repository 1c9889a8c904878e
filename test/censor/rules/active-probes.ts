import { sound, type Rule } from "./rule.ts";

/** China's way since 2011: he goes and looks what it is that people talk to. */
export const activeProbes: Rule = {
  name: "active-probes",
  about: "every relay is visited: pages, garbage, wrong tokens, replayed beginnings",
  probes: true,
  start: sound,
};
