import finalhandler from "finalhandler";
import type { RequestListener } from "node:http";

/** Who wrote the server, as it says itself. */
const poweredBy = "Express";

/**
 * The last word on a request that nobody else answered: a 404, or the error's status without its text.
 * `error`: what went wrong, if anything did.
 */
export const answerNothing = (...[request, response]: Parameters<RequestListener>): ((error?: unknown) => void) =>
  // In "development", the default, it would show stack traces, and with them folders of this machine.
  finalhandler(request, response, { env: "production" });

/** The header that each answer of such a server begins with. */
export const introduce = (...[, response]: Parameters<RequestListener>): void => {
  response.setHeader("X-Powered-By", poweredBy);
};

/**
 * What a relay shows to those without its token when the volunteer gave no site: an Express server without a page at this
 * path, "Cannot GET /". Not a page of our own: whoever searched the Internet for its text would have found every relay.
 * Of the answers that many servers give to everything, this one fits TLS and HTTP as Node speaks them; it is made by the
 * very library that Express makes it with.
 */
export const plainSite: RequestListener = (request, response) => {
  introduce(request, response);
  answerNothing(request, response)();
};
