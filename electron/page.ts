import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { CustomScheme } from "electron";
import { pageHeaders, pageTypes } from "../p2p/api/page.ts";

/**
 * Scheme and host under which the window is served: an origin of its own, with none of the powers of `file://`. Relays are
 * told it with every web socket, and so is whoever stands where one was: it names no app.
 */
const scheme = "app";
const host = "window";

/** The one address that the visible window ever loads. */
export const pageUrl = `${scheme}://${host}/index.html`;

/** The one address that the hidden window, which lends its network, ever loads. */
export const lendUrl = `${scheme}://${host}/lend.html`;

/**
 * To be registered before the app is ready. `standard` and `secure` make it an origin that may be cross-origin
 * isolated and may ask for the microphone; the rest is what module scripts, workers and WASM are fetched by. No code
 * cache, no service worker: both would be written to disk.
 */
export const pageScheme: CustomScheme = {
  scheme,
  privileges: {
    standard: true,
    secure: true,
    supportFetchAPI: true,
    corsEnabled: true,
    bypassCSP: false,
    allowServiceWorkers: false,
    allowExtensions: false,
    codeCache: false,
  },
};

/** Plain names only: no escapes, no dot at the beginning of a part, so that no path leaves the folder. */
const plainPath = /^(?:\/[\w-][\w.-]*)+$/;

/** Whether an address is a page of ours. Never throws. */
export function isOwnPage(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.protocol === `${scheme}:` && url.host === host && url.username === "";
}

/** Answers the window's requests from the built files in `root`. Never rejects. */
export async function servePage(root: string, request: Request): Promise<Response> {
  if (!isOwnPage(request.url)) return refuse(404);
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
  const path = URL.parse(request.url)?.pathname ?? "/";
  const name = path === "/" || path === "" ? "/index.html" : path;
  const contentType = pageTypes[extname(name)];
  if (!plainPath.test(name) || contentType === undefined) return refuse(404);
  try {
    const bytes = await readFile(join(root, name));
    return new Response(request.method === "HEAD" ? null : bytes, {
      headers: { ...pageHeaders, "Content-Type": contentType },
    });
  } catch {
    return refuse(404);
  }
}

function refuse(status: number): Response {
  return new Response(null, { status, headers: pageHeaders });
}
