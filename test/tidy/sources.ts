import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text file of the tree. Rules get lists of these, so that planted bad examples can stand in for the tree. */
export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** One broken rule. */
export interface Finding {
  readonly path: string;
  /** 1 for the first line; 0 when the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** What a rule found, one line each, for an assertion that shows everything at once. */
export function describeFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, message }) => `${path}${line > 0 ? `:${line}` : ""} ${message}`);
}

/** Whether the file holds code of ours that a parser can read. */
export function isCode(path: string): boolean {
  return /\.(ts|tsx|js|mjs)$/.test(path);
}

/** Whether the path stands for declarations only: nothing to run, nothing to import. */
export function isDeclaration(path: string): boolean {
  return path.endsWith(".d.ts");
}

/** What .gitignore leaves out, and git's own. Read without git, so that a copy without its history can be checked too. */
const ignored = new Set([".git", "node_modules", "dist"]);

/** Every text file that is or would be committed, below `root`. */
export function readTree(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}${entry.name}`;
      if (ignored.has(entry.name) || path.endsWith(".tsbuildinfo")) continue;
      if (entry.isDirectory()) walk(`${path}/`);
      if (!entry.isFile()) continue;
      const bytes = readFileSync(join(root, path));
      if (!bytes.includes(0)) files.push({ path, text: bytes.toString("utf8") });
    }
  };
  walk("");
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The line, counted from 1, of a position in a text. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < position; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
