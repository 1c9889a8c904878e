import { fromInside, sound, type Rule } from "./rule.ts";

/** China's of May 2023 and Russia's of November 2025: whoever dials one place too often, or holds too much open, is cut off. */
export const connectionPolicing: Rule = {
  name: "connection-policing",
  about: "more than 3 connections a minute, or 2 at once, to one address and port vanish",
  sets: [
    "set dialed { type ipv4_addr . ipv4_addr . inet_service; flags dynamic; timeout 60s; }",
    "set held { type ipv4_addr . ipv4_addr . inet_service; flags dynamic; }",
  ],
  statements: [
    `${fromInside} tcp flags & (syn | ack) == syn add @dialed { ip saddr . ip daddr . tcp dport limit rate over 3/minute burst 3 packets } counter name trips drop`,
    `${fromInside} tcp flags & (syn | ack) == syn add @held { ip saddr . ip daddr . tcp dport ct count over 2 } counter name trips drop`,
  ],
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
