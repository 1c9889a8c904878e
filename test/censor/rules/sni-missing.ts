import { parseTlsHello, recordLength } from "../wire/hello.ts";
import { sound, type Rule } from "./rule.ts";

/** Only relays whose card names a server get through. */
export const sniMissing: Rule = {
  name: "sni-missing",
  about: "TLS that names no site is reset",
  judge: ({ bytes }) =>
    recordLength(bytes) !== undefined && parseTlsHello(bytes)?.serverName === undefined ? "reset" : "pass",
  start: sound,
  midroom: sound,
};
