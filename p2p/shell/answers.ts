import type { ServerResponse } from "node:http";
import type { Refusal } from "./gate.ts";
import type { SiteFile } from "./site.ts";

/** The page talks to its own server and to nobody else. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sent with every answer. COOP and COEP isolate the page, so that sound may cross threads in shared memory. */
const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy": policy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "microphone=(self), speaker-selection=(self), camera=(), geolocation=(), display-capture=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/** What people read who are turned away. None of it repeats anything of the request. */
export const refusalSentences: Readonly<Record<Refusal | "token", string>> = {
  host: "Teahouse answers only at the address it printed, which begins with 127.0.0.1.",
  origin: "Teahouse does not answer other pages.",
  session: "Open Teahouse with the whole address that it printed when it started.",
  token: "This address is wrong or was used already; start Teahouse again for a new one.",
};

/** What people read when the window has not been built. */
export const unbuiltSentence = "The window of Teahouse is not built; run npm run build, then start Teahouse again.";

/** Sends a file. */
export function sendFile(response: ServerResponse, file: SiteFile): void {
  response.writeHead(200, { ...headers, "Content-Type": file.type, "Content-Length": file.bytes.length });
  response.end(response.req.method === "HEAD" ? undefined : file.bytes);
}

/** Sends a page that is one sentence. */
export function sendSentence(response: ServerResponse, status: number, sentence: string): void {
  sendPage(response, status, `<title>Teahouse</title><p>${sentence}</p>`, {});
}

/**
 * Gives the browser its cookie and leads it to the window. By a page and not by a redirect: a strict cookie does not go
 * along when another page or program led here.
 */
export function sendEntry(response: ServerResponse, cookie: string): void {
  const page = '<meta http-equiv="refresh" content="0;url=/"><title>Teahouse</title>';
  sendPage(response, 200, page, { "Set-Cookie": cookie });
}

/** Leads to the window. */
export function sendRedirect(response: ServerResponse): void {
  response.writeHead(303, { ...headers, Location: "/" });
  response.end();
}

function sendPage(
  response: ServerResponse,
  status: number,
  body: string,
  more: Readonly<Record<string, string>>,
): void {
  const bytes = Buffer.from(`<!doctype html><meta charset="utf-8">${body}\n`);
  const type = { "Content-Type": "text/html; charset=utf-8", "Content-Length": bytes.length };
  response.writeHead(status, { ...headers, ...more, ...type });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}
