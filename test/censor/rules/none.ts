import { sound, type Rule } from "./rule.ts";

/** An open network. */
export const none: Rule = {
  name: "none",
  about: "nothing is in the way",
  start: sound,
  listensAtPage: true,
  isShort: true,
};
