import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Stock } from "./mutate.ts";
import type { Parser } from "./parser.ts";

/**
 * Inputs kept in the tree, a folder for each parser: what it once stumbled over, and shapes that are hard to find by chance.
 * One file an input, named by the beginning of its SHA-256.
 */
const folder = fileURLToPath(new URL("./corpus", import.meta.url));

function folderOf(name: string): string {
  return join(folder, name.replace(/[^a-z0-9]+/g, "-"));
}

/** What is kept for a parser. */
export function keptInputs(name: string): Uint8Array[] {
  const own = folderOf(name);
  if (!existsSync(own)) return [];
  return readdirSync(own)
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(own, file))));
}

/** Keeps an input for good; its file's name. */
export function keepInput(name: string, input: Uint8Array): string {
  const own = folderOf(name);
  mkdirSync(own, { recursive: true });
  const file = join(own, createHash("sha256").update(input).digest("hex").slice(0, 16));
  writeFileSync(file, input);
  return file;
}

/** Everything to mutate for a parser: its samples, and what is kept. */
export function stockOf(name: string, parser: Parser): Stock {
  return { inputs: [...parser.samples, ...keptInputs(name)], text: parser.text === true };
}

/** The folders there are, to find those that no parser has any more. */
export function corpusFolders(): { readonly has: readonly string[]; folderOf(name: string): string } {
  const has = existsSync(folder) ? readdirSync(folder) : [];
  return { has, folderOf: (name) => folderOf(name).slice(folder.length + 1) };
}
