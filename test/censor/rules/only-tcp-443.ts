import { fromInside, sound, toInside, type Rule } from "./rule.ts";

/** The narrowest internet that is still called one. */
export const onlyTcp443: Rule = {
  name: "only-tcp-443",
  about: "nothing but TCP to port 443",
  statements: [`${fromInside} tcp dport 443 accept`, `${toInside} tcp sport 443 accept`, "drop"],
  start: sound,
  midroom: sound,
  isShort: true,
};
