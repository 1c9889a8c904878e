import { parseTlsHello, recordLength } from "../wire/hello.ts";
import { soundOrNoWayIn, type Rule } from "./rule.ts";

/** Only relays whose card names a server get through. */
export const sniMissing: Rule = {
  name: "sni-missing",
  about: "TLS that names no site is reset",
  judge: ({ bytes }) =>
    recordLength(bytes) !== undefined && parseTlsHello(bytes)?.serverName === undefined ? "reset" : "pass",
  start: { desktop: soundOrNoWayIn, volunteer: soundOrNoWayIn },
  midroom: { desktop: soundOrNoWayIn, volunteer: soundOrNoWayIn },
};
