import { Visitor } from "oxc-parser";
import type { Module } from "./modules.ts";
import { lineAt, type Finding, type SourceFile } from "./sources.ts";

const specPath = "p2p/core/SPEC.md";
/** The names under which vitest's makers of tests are known; a chain (`it.each(…)`) begins with one of them. */
const makers = new Set(["it", "test", "describe"]);

/** One rule's id, and where it stands. */
interface Citation {
  readonly id: string;
  readonly path: string;
  readonly line: number;
}

/** Rules that no test cites, citations of rules that are not there, and rules stated twice. */
export function checkSpecRules(files: readonly SourceFile[], modules: readonly Module[]): Finding[] {
  const spec = files.find(({ path }) => path === specPath);
  if (spec === undefined) return [{ path: specPath, line: 0, message: "is missing" }];
  const stated = statedRules(spec);
  const cited = modules.filter(({ path }) => path.startsWith("test/")).flatMap(citedRules);
  const statedIds = new Set(stated.map(({ id }) => id));
  const citedIds = new Set(cited.map(({ id }) => id));
  const finding = ({ path, line }: Citation, message: string): Finding => ({ path, line, message });
  return [
    ...stated.filter(({ id }) => !citedIds.has(id)).map((one) => finding(one, `${one.id} is cited by no test title`)),
    ...cited.filter(({ id }) => !statedIds.has(id)).map((one) => finding(one, `cites ${one.id}: not in ${specPath}`)),
    ...stated
      .filter(({ id }, index) => stated.findIndex((other) => other.id === id) !== index)
      .map((one) => finding(one, `${one.id} is stated twice`)),
  ];
}

function statedRules({ path, text }: SourceFile): Citation[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const id = /^(?:[-*] )?\*\*\[(?<id>[A-Z]{2}\d+)\]\*\*/.exec(line)?.groups?.["id"];
    return id === undefined ? [] : [{ id, path, line: index + 1 }];
  });
}

function citedRules({ path, text, program }: Module): Citation[] {
  const cited: Citation[] = [];
  new Visitor({
    CallExpression(node) {
      const title = node.arguments[0];
      if (title === undefined || !makers.has(leftmostName(node.callee))) return;
      const words = titleText(title);
      const ids = /^(?:\[[A-Z]{2}\d+\] ?)+/.exec(words)?.[0] ?? "";
      for (const [id] of ids.matchAll(/[A-Z]{2}\d+/g)) cited.push({ id, path, line: lineAt(text, node.start) });
    },
  }).visit(program);
  return cited;
}

function leftmostName(callee: unknown): string {
  const node = callee as Readonly<Record<string, unknown>>;
  if (node["type"] === "Identifier") return node["name"] as string;
  if (node["type"] === "MemberExpression") return leftmostName(node["object"]);
  if (node["type"] === "CallExpression") return leftmostName(node["callee"]);
  return "";
}

/** The constant words with which a title begins. */
function titleText(title: unknown): string {
  const node = title as Readonly<Record<string, unknown>>;
  if (node["type"] === "Literal") return String(node["value"]);
  if (node["type"] !== "TemplateLiteral") return "";
  const [first] = node["quasis"] as readonly { readonly value: { readonly cooked: string | null } }[];
  return first?.value.cooked ?? "";
}
