import { sound, type Rule } from "./rule.ts";

/** What any middlebox can look for, and what default js-libp2p dies of. */
export const tellingStrings = ["/multistream/1.0.0", "/noise", "/ipfs/kad", "libp2p", "teahouse"] as const;

/** Packets with a telling string vanish, either way. */
export const stringDrop: Rule = {
  name: "string-drop",
  about: "packets with a string of libp2p or the app vanish",
  iptables: tellingStrings.map((text) => ["-m", "string", "--algo", "bm", "--icase", "--string", text, "-j", "DROP"]),
  start: sound,
  midroom: sound,
  isShort: true,
};
