import { sound, type Rule } from "./rule.ts";

/** Invites name relays by address, so that nobody has to be asked. */
export const dnsPoisoned: Rule = {
  name: "dns-poisoned",
  about: "the resolver answers every question with an address of the censor's",
  poisonsNames: true,
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
