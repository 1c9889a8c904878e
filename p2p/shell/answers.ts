import type { ServerResponse } from "node:http";
import { pageHeaders } from "../api/page.ts";
import type { Refusal } from "./gate.ts";
import type { SiteFile } from "./site.ts";

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
  response.writeHead(200, { ...pageHeaders, "Content-Type": file.type, "Content-Length": file.bytes.length });
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

/** Says that there is nothing, and that this is fine. */
export function sendNothing(response: ServerResponse): void {
  response.writeHead(204, pageHeaders);
  response.end();
}

/** Leads to the window. */
export function sendRedirect(response: ServerResponse): void {
  response.writeHead(303, { ...pageHeaders, Location: "/" });
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
  response.writeHead(status, { ...pageHeaders, ...more, ...type });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}
