import { exemption } from "../wire/popcount.ts";
import { sound, type Rule } from "./rule.ts";

/** The Great Firewall's rule of 2021 to 2023 against traffic that looks like nothing. */
export const popcount: Rule = {
  name: "popcount",
  about: "connections that begin with random-looking bytes are blocked, and what follows for 180 s",
  judge: ({ first }) => (exemption(first) === undefined ? "residual" : "pass"),
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
