import { sound, type Rule } from "./rule.ts";

/** Relays are found and taken down while people listen. */
export const relaysKilled: Rule = {
  name: "relays-killed",
  about: "half of the relays die",
  kills: 0.5,
  midroom: sound,
};
