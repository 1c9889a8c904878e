import { sound, type Rule } from "./rule.ts";

/** Iran's rule since 2025, and Russia's for years. */
export const quic: Rule = {
  name: "quic",
  about: "QUIC vanishes, on whichever port",
  // Long header and fixed bit: STUN and DTLS begin with two zero bits.
  statements: ["udp dport 443 counter name trips drop", "meta l4proto udp @th,64,2 3 counter name trips drop"],
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
