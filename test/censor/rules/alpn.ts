import { parseTlsHello } from "../wire/hello.ts";
import { sound, type Rule } from "./rule.ts";

const ofTheWeb: readonly string[] = ["h2", "http/1.1", "http/1.0", "h3"];

/** libp2p's own TLS announces itself as `libp2p` and falls to this. */
export const alpn: Rule = {
  name: "alpn",
  about: "TLS that offers a protocol other than the web's is reset",
  judge: ({ bytes }) =>
    parseTlsHello(bytes)?.protocols.every((protocol) => ofTheWeb.includes(protocol)) === false ? "reset" : "pass",
  mustNotTrip: true,
  start: sound,
  midroom: sound,
};
