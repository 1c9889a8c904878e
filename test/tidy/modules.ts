import { posix } from "node:path";
import { parseSync, Visitor, type Program, type Comment } from "oxc-parser";
import { isCode, lineAt, type SourceFile } from "./sources.ts";

/** One `import`, `export … from` or `import()` of a module, or a `new URL("./file.ts", import.meta.url)` to be started. */
export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
  /** Erased before the program runs: it binds types only. */
  readonly typeOnly: boolean;
  /** The file of the tree that is meant, or undefined for a package or a Node builtin. */
  readonly target: string | undefined;
}

/** A file of code, parsed. */
export interface Module {
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly imports: readonly ModuleImport[];
}

/** Parses every file of code. Throws for one that does not parse: no rule could be trusted after that. */
export function parseModules(files: readonly SourceFile[]): Module[] {
  return files.filter(({ path }) => isCode(path)).map(parseModule);
}

function parseModule({ path, text }: SourceFile): Module {
  const parsed = parseSync(path, text);
  const error = parsed.errors[0];
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  return { path, text, program: parsed.program, comments: parsed.comments, imports: readImports(path, text, parsed) };
}

function readImports(path: string, text: string, { program }: { readonly program: Program }): ModuleImport[] {
  const imports: ModuleImport[] = [];
  const add = (specifier: string, position: number, typeOnly: boolean): void => {
    imports.push({ specifier, line: lineAt(text, position), typeOnly, target: resolveTarget(path, specifier) });
  };
  new Visitor({
    ImportDeclaration(node) {
      const named = node.specifiers.length > 0;
      const allTypes = node.specifiers.every((one) => one.type === "ImportSpecifier" && one.importKind === "type");
      add(node.source.value, node.start, node.importKind === "type" || (named && allTypes));
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) add(node.source.value, node.start, node.exportKind === "type");
    },
    ExportAllDeclaration(node) {
      add(node.source.value, node.start, node.exportKind === "type");
    },
    ImportExpression(node) {
      if (node.source.type === "Literal" && typeof node.source.value === "string") {
        add(node.source.value, node.start, false);
      } else {
        add("(computed)", node.start, false);
      }
    },
    NewExpression(node) {
      const [file] = node.arguments;
      const isUrl = node.callee.type === "Identifier" && node.callee.name === "URL";
      if (!isUrl || file?.type !== "Literal" || typeof file.value !== "string" || !isCode(file.value)) return;
      // Without a dot the URL means a file beside this one, all the same.
      add(file.value.startsWith(".") ? file.value : `./${file.value}`, node.start, false);
    },
    TSImportType(node) {
      add(node.source.value, node.start, true);
    },
  }).visit(program);
  return imports;
}

function resolveTarget(from: string, specifier: string): string | undefined {
  // What follows a question mark tells the bundler how to load the file.
  const [file = ""] = specifier.split("?");
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), file) : undefined;
}

/** The package of a bare specifier (`@scope/name`, `name`, `node:name`). */
export function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

/** Whether a path fits a pattern: `*` stands for anything within one folder, `**` for anything. */
export function fits(path: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*\*?/g, (stars) => (stars === "**" ? ".*" : "[^/]*"));
  return new RegExp(`^${source}$`).test(path);
}
