import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { pageTypes } from "../api/page.ts";

/** One file of the window. */
export interface SiteFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The files of the window by the path they are asked for, `/index.html` also as `/`. */
export type Site = ReadonlyMap<string, SiteFile>;

/**
 * Reads the built window into memory: then no path in a request is ever a path on disk. Undefined when it is not built.
 */
export async function loadSite(folder: string): Promise<Site | undefined> {
  const site = new Map<string, SiteFile>();
  const walk = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const inner = `${path}/${entry.name}`;
      const type = pageTypes[extname(entry.name)];
      if (entry.isDirectory()) await walk(inner);
      else if (entry.isFile() && type !== undefined)
        site.set(inner, { type, bytes: await readFile(join(folder, inner)) });
    }
  };
  try {
    await walk("");
  } catch {
    return undefined;
  }
  const index = site.get("/index.html");
  if (index === undefined) return undefined;
  return site.set("/", index);
}
