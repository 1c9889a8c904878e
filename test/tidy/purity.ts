import { Visitor } from "oxc-parser";
import type { Module } from "./modules.ts";
import { lineAt, type Finding } from "./sources.ts";

/** Globals through which time, chance or the world would reach code that must be given them. */
const worldly = new Set([
  "Buffer",
  "Date",
  "Function",
  "TextDecoder",
  "TextEncoder",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "eval",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "structuredClone",
]);

/** Layers that are given the world as arguments. The engine too only carries: its ports bring clock and links. */
const pureFolders = ["p2p/api/", "p2p/core/", "p2p/engine/"];

/**
 * Uses of worldly globals in pure layers. A name that the file itself binds (a parameter `crypto`) is that binding:
 * the compiler, which knows none of these globals there but `Date` and `Math`, finds the rest.
 */
export function checkPurity(modules: readonly Module[]): Finding[] {
  return modules.filter(({ path }) => pureFolders.some((folder) => path.startsWith(folder))).flatMap(checkModule);
}

function checkModule({ path, text, program }: Module): Finding[] {
  const findings: Finding[] = [];
  const bound = new Set<string>();
  /** Names by position: a shorthand property is visited as key and as value. */
  const used = new Map<number, string>();
  const notReferences = new Set<number>();
  const bind = (pattern: unknown): void => collectNames(pattern, bound);
  new Visitor({
    VariableDeclarator: (node) => bind(node.id),
    FunctionDeclaration: (node) => [node.id, ...node.params].forEach(bind),
    FunctionExpression: (node) => node.params.forEach(bind),
    ArrowFunctionExpression: (node) => node.params.forEach(bind),
    TSEmptyBodyFunctionExpression: (node) => node.params.forEach(bind),
    CatchClause: (node) => bind(node.param),
    ImportSpecifier: (node) => bind(node.local),
    ImportNamespaceSpecifier: (node) => bind(node.local),
    TSFunctionType: (node) => node.params.forEach(bind),
    TSMethodSignature: (node) => {
      node.params.forEach(bind);
      if (!node.computed) notReferences.add(node.key.start);
    },
    TSPropertySignature: (node) => void (node.computed || notReferences.add(node.key.start)),
    PropertyDefinition: (node) => void (node.computed || notReferences.add(node.key.start)),
    MethodDefinition: (node) => void (node.computed || notReferences.add(node.key.start)),
    Property: (node) => {
      if (!node.computed && !node.shorthand) notReferences.add(node.key.start);
    },
    MemberExpression: (node) => {
      if (!node.computed) notReferences.add(node.property.start);
      const isRandom = node.object.type === "Identifier" && node.object.name === "Math";
      if (isRandom && /^\.?\[?["'`]?random\b/.test(text.slice(node.object.end, node.end))) {
        findings.push({ path, line: lineAt(text, node.start), message: "uses Math.random: randomness is an argument" });
      }
    },
    Identifier: (node) => void (worldly.has(node.name) && used.set(node.start, node.name)),
  }).visit(program);
  for (const [start, name] of used) {
    if (notReferences.has(start) || bound.has(name)) continue;
    findings.push({ path, line: lineAt(text, start), message: `uses ${name}: the world comes in as an argument` });
  }
  return findings;
}

/** The names that a binding pattern makes. */
function collectNames(pattern: unknown, names: Set<string>): void {
  if (typeof pattern !== "object" || pattern === null || !("type" in pattern)) return;
  const node = pattern as Readonly<Record<string, unknown>>;
  if (node["type"] === "Identifier") names.add(node["name"] as string);
  for (const child of [node["left"], node["argument"], node["value"], node["parameter"]]) collectNames(child, names);
  for (const list of [node["elements"], node["properties"]]) {
    if (Array.isArray(list)) for (const child of list) collectNames(child, names);
  }
}
