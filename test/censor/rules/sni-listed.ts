import { parseTlsHello } from "../wire/hello.ts";
import { sound, type Rule } from "./rule.ts";

/** Names that libp2p's own ways bring up, and two of what is always on such lists. */
const listed = /(^|\.)(libp2p\.direct|bootstrap\.libp2p\.io|torproject\.org|signal\.org)$/;

/** China's and Russia's everyday rule. */
export const sniListed: Rule = {
  name: "sni-listed",
  about: "TLS that names a forbidden site is reset",
  judge: ({ bytes }) => (listed.test(parseTlsHello(bytes)?.serverName ?? "") ? "reset" : "pass"),
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
