import { sound, type Rule } from "./rule.ts";

/** What calls die of in Russia and Iran. */
export const udpDead: Rule = {
  name: "udp-dead",
  about: "no UDP at all",
  statements: ["meta l4proto udp drop"],
  start: sound,
  midroom: sound,
};
