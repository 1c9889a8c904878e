import { ja4, parseTlsHello } from "../wire/hello.ts";
import { noWayIn, soundOrNoWayIn, type Rule } from "./rule.ts";

/** An allow-list, stricter than what Russia and Iran have done: whatever is no browser does not pass. */
export const tlsFingerprint: Rule = {
  name: "tls-fingerprint",
  about: "TLS passes only with a hello that a Chromium of this machine sent",
  judge: ({ bytes }, { browserHellos }) => {
    const hello = parseTlsHello(bytes);
    return hello !== undefined && browserHellos.has(ja4(hello)) ? "pass" : "reset";
  },
  start: { desktop: { outcomes: ["sound"] }, volunteer: noWayIn },
  // A data channel that is open does not end with the control connection.
  midroom: { desktop: { outcomes: ["sound"] }, volunteer: soundOrNoWayIn },
  isShort: true,
};
