import { sound, type Rule } from "./rule.ts";
import { tellingStrings } from "./string-drop.ts";

const matches = (text: string): string[] => ["-m", "string", "--algo", "bm", "--icase", "--string", text];

/** Connections with a telling string are reset; datagrams with one vanish. */
export const stringReset: Rule = {
  name: "string-reset",
  about: "connections with a string of libp2p or the app are reset",
  iptables: tellingStrings.flatMap((text) => [
    ["-p", "tcp", ...matches(text), "-j", "REJECT", "--reject-with", "tcp-reset"],
    ["-p", "udp", ...matches(text), "-j", "DROP"],
  ]),
  start: sound,
  midroom: sound,
};
