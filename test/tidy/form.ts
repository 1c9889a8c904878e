import type { Module } from "./modules.ts";
import { isCode, isDeclaration, lineAt, type Finding, type SourceFile } from "./sources.ts";

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** What may follow the name: `test` and `config` say what kind of file it is. */
const fileName = /^(?<stem>[^.]+)(\.(test|config|d))?\.(ts|tsx|js|mjs)$/;

/** File and folder names of code that are not in kebab case. */
export function checkNames(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path } of files.filter((file) => isCode(file.path))) {
    const parts = path.split("/");
    const stem = fileName.exec(parts.pop() ?? "")?.groups?.["stem"] ?? "";
    const bad = [...parts.filter((part) => !part.startsWith(".")), stem].some((part) => !kebab.test(part));
    if (bad) findings.push({ path, line: 0, message: "is not named in kebab case" });
  }
  return findings;
}

/** Default exports, outside the configuration files whose tools ask for one. */
export function checkDefaultExports(modules: readonly Module[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text, program } of modules) {
    if (path.endsWith(".config.ts")) continue;
    for (const node of program.body) {
      const byName =
        node.type === "ExportNamedDeclaration" &&
        node.specifiers.some(({ exported }) => ("name" in exported ? exported.name : exported.value) === "default");
      if (node.type === "ExportDefaultDeclaration" || byName) {
        findings.push({ path, line: lineAt(text, node.start), message: "has a default export" });
      }
    }
  }
  return findings;
}

/** Exported declarations of the product without a doc comment right above them. */
export function checkDocComments(modules: readonly Module[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text, program, comments } of modules) {
    if (!/^(p2p|electron|renderer)\//.test(path) || isDeclaration(path)) continue;
    const documented = new Set<string>();
    for (const node of program.body) {
      if (node.type !== "ExportNamedDeclaration" || node.declaration === null) continue;
      const above = comments.findLast(({ end }) => end <= node.start);
      const isDoc = above?.type === "Block" && above.value.startsWith("*") && above.value.trim().length > 1;
      const touches = above !== undefined && /^\s*$/.test(text.slice(above.end, node.start));
      for (const name of declaredNames(node.declaration)) {
        // The overloads of a function share the comment of the first.
        if (isDoc && touches) documented.add(name);
        else if (!documented.has(name)) {
          findings.push({ path, line: lineAt(text, node.start), message: `exports ${name} without a doc comment` });
        }
      }
    }
  }
  return findings;
}

type Declaration = Extract<Module["program"]["body"][number], { type: "ExportNamedDeclaration" }>["declaration"];

function declaredNames(declaration: NonNullable<Declaration>): string[] {
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.map(({ id }) => (id.type === "Identifier" ? id.name : "a pattern"));
  }
  return "id" in declaration && declaration.id?.type === "Identifier" ? [declaration.id.name] : ["something"];
}
