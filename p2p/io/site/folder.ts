import { access, constants, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { join, normalize, sep } from "node:path";
import serveStatic from "serve-static";
import { TeahouseError } from "../../api/errors.ts";
import { answerNothing, introduce } from "./plain.ts";

/** What a browser asks for. Of anything else serve-static might read another path than we do, and no file is shown for it. */
const pathForm = /^(\/[\x21-\x22\x24-\x3e\x40-\x7e]*)(?:\?[\x21-\x22\x24-\x7e]*)?$/;

const unreadable = (cause?: unknown): TeahouseError =>
  new TeahouseError(
    "file-unreadable",
    "The folder of --decoy cannot be read: name a folder with a web page in it, which you may read.",
    { cause },
  );

/**
 * A folder of the volunteer's as a site, as Express shows one: index.html, types, ETag and Last-Modified, conditional
 * requests, ranges, HEAD; streamed. Files that begin with a dot, and what links lead to outside the folder, are not there.
 * What changes in the folder changes in the site. Rejects with TeahouseError `file-unreadable`.
 */
export const folderSite = async (folder: string): Promise<RequestListener> => {
  const root = await realpath(folder).catch((error: unknown) => {
    throw unreadable(error);
  });
  if (!(await stat(root)).isDirectory()) throw unreadable();
  await access(root, constants.R_OK | constants.X_OK).catch((error: unknown) => {
    throw unreadable(error);
  });
  const show = serveStatic(root, { dotfiles: "ignore" });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const otherwise = answerNothing(request, response);
    try {
      const path = request.url?.match(pathForm)?.[1];
      if (path === undefined || (await leadsElsewhere(root, path))) otherwise();
      else show(request, response, otherwise);
    } catch (error) {
      otherwise(error);
    }
  };
  return (request, response) => {
    introduce(request, response);
    void answer(request, response);
  };
};

/** Whether the path is there, but is no plain file or folder inside the root: serve-static follows every link. */
const leadsElsewhere = async (root: string, encoded: string): Promise<boolean> => {
  let path: string;
  try {
    path = normalize(`.${sep}${decodeURIComponent(encoded)}`);
  } catch {
    return false;
  }
  for (const candidate of path.endsWith(sep) ? [path, join(path, "index.html")] : [path]) {
    try {
      const target = await realpath(join(root, candidate));
      if (target !== root && !target.startsWith(root.endsWith(sep) ? root : root + sep)) return true;
      const found = await stat(target);
      // Reading from a pipe or a device would never end.
      if (!found.isFile() && !found.isDirectory()) return true;
    } catch {
      // Not there, or no path at all: serve-static says so.
    }
  }
  return false;
};
