import type { Finding, SourceFile } from "./sources.ts";

// Put together from pieces, so that this file does not break its own rules.
const folder = (name: string): string => `/${name}/`;

/** What no file that others will read may hold. */
const forbidden: readonly { readonly pattern: RegExp; readonly message: string; readonly only?: string }[] = [
  {
    pattern: new RegExp(`(?<![\\w.}])(${["work", "tmp", "root", "home", "Users"].map(folder).join("|")})`),
    message: "names a path of one machine (tests: os.tmpdir())",
  },
  {
    pattern: new RegExp(`\\b(${["FIX" + "ME", "TO" + "DO", "HA" + "CK"].join("|")})\\b`),
    message: "leaves work for later: do it, or open an issue",
  },
  {
    pattern: /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)/,
    message: "names a registry that others do not have",
    only: "package-lock.json",
  },
];

/** Lines with words or paths that must not be committed. */
export function checkTexts(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text } of files) {
    for (const [index, line] of text.split("\n").entries()) {
      for (const { pattern, message, only = path } of forbidden) {
        if (only === path && pattern.test(line)) findings.push({ path, line: index + 1, message });
      }
    }
  }
  return findings;
}
