import { isCode, type Finding, type SourceFile } from "./sources.ts";

/** Folders that are compiled by themselves once they hold code; the compiler sees only what each refers to. */
const projectFolders = [
  "p2p/api",
  "p2p/core",
  "p2p/engine",
  "p2p/io",
  "p2p/port",
  "p2p/shell",
  "p2p",
  "electron",
  "renderer",
  "test",
];

/** Layers that may know the language and nothing of a platform. */
const bareFolders = ["p2p/api", "p2p/core", "p2p/engine"];

/** Options without which the sources would not run as they are, or would be checked less. */
const requiredOptions = [
  "strict",
  "noUncheckedIndexedAccess",
  "exactOptionalPropertyTypes",
  "erasableSyntaxOnly",
  "verbatimModuleSyntax",
];

interface ProjectFile {
  readonly extends?: string;
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
  readonly references?: readonly { readonly path: string }[];
}

/** Folders of code without a compiler project, projects the build leaves out, and options that were weakened. */
export function checkProjects(files: readonly SourceFile[]): Finding[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const read = (path: string): ProjectFile | undefined => {
    const text = texts.get(path);
    return text === undefined ? undefined : (JSON.parse(text) as ProjectFile);
  };
  const findings: Finding[] = [];
  const found = (path: string, message: string): void => void findings.push({ path, line: 0, message });
  const built = new Set(read("tsconfig.json")?.references?.map(({ path }) => path.replace(/^\.\//, "")));
  for (const project of projectFolders) {
    const path = `${project}/tsconfig.json`;
    if (!files.some((file) => isCode(file.path) && file.path.startsWith(`${project}/`))) continue;
    const config = read(path);
    if (config === undefined) {
      found(path, "is missing: its folder has code");
      continue;
    }
    if (!built.has(project)) found("tsconfig.json", `does not refer to ${project}`);
    if (!config.extends?.endsWith("tsconfig.base.json")) found(path, "does not extend p2p/tsconfig.base.json");
    const options = config.compilerOptions ?? {};
    for (const name of requiredOptions) if (options[name] === false) found(path, `turns ${name} off`);
    const bare = JSON.stringify([options["lib"], options["types"]]) === '[["ES2023"],[]]';
    if (bareFolders.includes(project) && !bare) found(path, 'must have "lib": ["ES2023"] and "types": []');
  }
  const base = read("p2p/tsconfig.base.json")?.compilerOptions ?? {};
  for (const name of requiredOptions) if (base[name] !== true) found("p2p/tsconfig.base.json", `lacks ${name}`);
  return findings;
}
