import { fits, type Module } from "./modules.ts";
import { isDeclaration, type Finding } from "./sources.ts";

/** Where programs and tests begin. What none of them reaches is dead. */
const entryPatterns = [
  "p2p/host.ts",
  "p2p/supervisor.ts",
  "p2p/engine-process.ts",
  "p2p/cli.ts",
  "p2p/teahouse.js",
  "electron/main.ts",
  "electron/peer-process.ts",
  "electron/preload.ts",
  "renderer/main.tsx",
  "renderer/net/lend-page.ts",
  "renderer/vite.config.ts",
  "test/**.test.ts",
  "test/**.test.tsx",
  "test/**.config.ts",
];

/** The files that an npm script or the person's launcher starts: `node PATH`. */
export function scriptEntries(packageJson: string): string[] {
  const { scripts = {} } = JSON.parse(packageJson) as { scripts?: Record<string, string> };
  return Object.values(scripts).flatMap((script) => /\bnode (?<path>[\w./-]+)/.exec(script)?.groups?.["path"] ?? []);
}

/** Files of code that no program and no test reaches, and imports of files that are not there. */
export function checkReach(modules: readonly Module[], scripts: readonly string[]): Finding[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const missing: Finding[] = [];
  const isEntry = (path: string): boolean =>
    scripts.includes(path) || entryPatterns.some((pattern) => fits(path, pattern));
  const waiting = modules.filter(({ path }) => isEntry(path));
  const reached = new Set(waiting);
  for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
    for (const { target } of module.imports) {
      const next = target === undefined ? undefined : byPath.get(target);
      if (next === undefined || reached.has(next)) continue;
      reached.add(next);
      waiting.push(next);
    }
  }
  for (const { path, imports } of modules) {
    for (const { target, line } of imports) {
      if (target === undefined || byPath.has(target) || target.endsWith(".json") || target.endsWith(".css")) continue;
      missing.push({ path, line, message: `imports ${target}, which is not there` });
    }
  }
  const dead = modules.filter((module) => !reached.has(module) && !isDeclaration(module.path));
  return [...missing, ...dead.map(({ path }) => ({ path, line: 0, message: "is reached by no program and no test" }))];
}
