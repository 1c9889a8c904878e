import { describe, expect, it } from "vitest";
import { checkDefaultExports, checkDocComments, checkNames } from "./form.ts";
import { checkConfinement, checkLayers } from "./layers.ts";
import { parseModules, type Module } from "./modules.ts";
import { checkProjects } from "./projects.ts";
import { checkPurity } from "./purity.ts";
import { checkReach, scriptEntries } from "./reach.ts";
import { describeFindings, type Finding, type SourceFile } from "./sources.ts";
import { checkSpecRules } from "./spec-rules.ts";
import { checkTexts } from "./texts.ts";

/** A small tree, from paths and texts. */
function tree(texts: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }));
}

/** What a rule says about one file with this text. */
function judge(check: (modules: readonly Module[]) => Finding[], path: string, text: string): string[] {
  return describeFindings(check(parseModules(tree({ [path]: text }))));
}

describe("the layer rule finds", () => {
  const planted: readonly (readonly [path: string, text: string, message: string])[] = [
    ["p2p/api/a.ts", 'import { b } from "../core/b.ts";', "p2p/api may not import p2p/core/b.ts"],
    ["p2p/api/a.ts", 'import type { B } from "../core/b.ts";', "p2p/api may not import p2p/core/b.ts"],
    ["p2p/core/a.ts", 'import { b } from "../engine/b.ts";', "p2p/core may not import p2p/engine/b.ts"],
    ["p2p/core/a.ts", 'export * from "../io/b.ts";', "p2p/core may not import p2p/io/b.ts"],
    ["p2p/core/a.ts", 'let b: import("../io/b.ts").B;', "p2p/core may not import p2p/io/b.ts"],
    ["p2p/core/a.ts", 'import { sign } from "node:crypto";', "p2p/core may not import the Node builtin node:crypto"],
    ["p2p/core/a.ts", 'import "@noble/curves/ed25519";', "p2p/core may not import the package @noble/curves/ed25519"],
    ["p2p/engine/a.ts", 'await import("node:fs");', "p2p/engine may not import the Node builtin node:fs"],
    ["p2p/engine/a.ts", 'import { b } from "../io/b.ts";', "p2p/engine may not import p2p/io/b.ts"],
    ["p2p/io/a.ts", 'import { b } from "../engine/ports.ts";', "p2p/io may not import p2p/engine/ports.ts"],
    ["p2p/io/a.ts", 'import type { B } from "../engine/drive.ts";', "p2p/io may not import p2p/engine/drive.ts"],
    ["p2p/port/a.ts", 'import { b } from "../core/b.ts";', "p2p/port may not import p2p/core/b.ts"],
    ["p2p/host.ts", 'import { b } from "../test/b.ts";', "p2p (composition) may not import test/b.ts"],
    ["electron/main.ts", 'import { b } from "../p2p/host.ts";', "electron may not import p2p/host.ts"],
    ["electron/main.ts", 'import { b } from "../renderer/b.ts";', "electron may not import renderer/b.ts"],
    ["renderer/audio/a.ts", 'import { b } from "../../p2p/core/b.ts";', "renderer/audio may not import p2p/core/b.ts"],
    ["renderer/net/a.ts", 'import "ws";', "renderer/net may not import the package ws"],
    ["renderer/model/a.ts", 'import { b } from "../audio/b.ts";', "renderer/model may not import renderer/audio/b.ts"],
    [
      "renderer/model/a.ts",
      'import { useState } from "react";',
      "only renderer/ui/**, renderer/main.tsx, test/** may import react",
    ],
    ["p2p/io/a.ts", 'import { app } from "electron";', "only electron/**, test/** may import electron"],
    ["p2p/io/a.ts", "await import(name);", "imports a computed path, which no rule can follow"],
  ];

  it.each(planted)("%s: %s", (path, text, message) => {
    expect(judge(checkLayers, path, text)).toEqual([`${path}:1 ${message}`]);
  });

  it("a file outside the house", () => {
    expect(judge(checkLayers, "p2p/utils/a.ts", "")).toEqual(["p2p/utils/a.ts belongs to no layer of the house"]);
  });

  it("nothing where the table allows it", () => {
    const allowed: readonly (readonly [path: string, text: string])[] = [
      ["p2p/core/a.ts", 'import { b } from "../api/b.ts"; import { c } from "./room/c.ts";'],
      ["p2p/io/a.ts", 'import type { B } from "../engine/ports.ts"; import { c } from "node:fs"; import "ws";'],
      ["p2p/io/a.ts", 'import { type B } from "../engine/ports.ts";'],
      ["p2p/cli/a.ts", 'import { b } from "../host.ts"; import { c } from "../io/c.ts";'],
      ["electron/peer-process.ts", 'import { b } from "../p2p/host.ts"; import "electron";'],
      ["renderer/audio/a.ts", 'import { b } from "../../p2p/core/jitter/b.ts";'],
      ["renderer/model/a.ts", 'import type { B } from "../audio/b.ts";'],
      ["renderer/ui/a.tsx", 'import { useState } from "react"; import { b } from "../model/b.ts";'],
      ["test/a.ts", 'import { b } from "../p2p/core/packet/seal.ts"; import "electron";'],
    ];
    expect(allowed.flatMap(([path, text]) => judge(checkLayers, path, text))).toEqual([]);
  });
});

describe("the confinement rule finds", () => {
  const why = "relays are built without the part that opens packets";

  it("an import by anybody but members and the host", () => {
    const path = "p2p/core/overlay/room-node.ts";
    expect(judge(checkConfinement, path, '\nimport { open } from "../packet/seal.ts";')).toEqual([
      `${path}:2 may not import p2p/core/packet/seal.ts: ${why}`,
    ]);
    expect(judge(checkConfinement, "p2p/core/room/member/member.ts", 'import "../../packet/seal.ts";')).toEqual([]);
  });

  it("a relay that would load it through a member, and not one that takes a type", () => {
    const modules = (link: string): Module[] =>
      parseModules(
        tree({
          "p2p/core/peer.ts": link,
          "p2p/core/room/member/member.ts": 'import { open } from "../../packet/seal.ts";',
          "p2p/core/packet/seal.ts": "",
        }),
      );
    expect(describeFindings(checkConfinement(modules('import { m } from "./room/member/member.ts";')))).toEqual([
      `p2p/core/peer.ts loads p2p/core/packet/seal.ts by way of p2p/core/room/member/member.ts: ${why}`,
    ]);
    expect(checkConfinement(modules('import type { M } from "./room/member/member.ts";'))).toEqual([]);
  });
});

describe("the purity rule finds", () => {
  it.each([
    ["Date", "const now = Date.now();"],
    ["Date", "const now = new Date();"],
    ["setTimeout", "setTimeout(() => {}, 1);"],
    ["console", 'console.log("a");'],
    ["performance", "performance.now();"],
    ["crypto", "crypto.randomUUID();"],
    ["process", "process.exit(1);"],
    ["globalThis", 'globalThis["Date"];'],
    ["process", "const all = { process };"],
  ])("%s in %s", (name, text) => {
    expect(judge(checkPurity, "p2p/core/a.ts", text)).toEqual([
      `p2p/core/a.ts:1 uses ${name}: the world comes in as an argument`,
    ]);
  });

  it.each(["Math.random()", 'Math["random"]()'])("%s", (text) => {
    expect(judge(checkPurity, "p2p/core/a.ts", text)).toEqual([
      "p2p/core/a.ts:1 uses Math.random: randomness is an argument",
    ]);
  });

  it("nothing in names that are not the global, and nothing in other layers", () => {
    const innocent = `
      interface Wires { readonly crypto: Crypto; process(date: number): void }
      class Peer { #crypto; constructor(crypto: Crypto) { this.#crypto = crypto; } process() { return this.#crypto; } }
      const made = { console: 1, process: Math.floor(2) };
      made.console;
    `;
    expect(judge(checkPurity, "p2p/core/a.ts", innocent)).toEqual([]);
    expect(judge(checkPurity, "p2p/io/clock.ts", "Date.now();")).toEqual([]);
  });
});

describe("the rules of form find", () => {
  it("names that are not in kebab case", () => {
    const paths = ["p2p/core/roomState.ts", "p2p/Core/a.ts", "p2p/core/a_b.ts", "renderer/ui/Stage.tsx", "test/a.b.ts"];
    const good = [
      "p2p/core/room-state.ts",
      "test/a-b.test.ts",
      "test/vitest.config.ts",
      "README.md",
      "p2p/globals.d.ts",
    ];
    const files = tree(Object.fromEntries([...paths, ...good].map((path) => [path, ""])));
    expect(checkNames(files).map(({ path }) => path)).toEqual(paths);
  });

  it.each(["export default 1;", "export default class A {}", "const a = 1;export { a as default };"])(
    "a default export: %s",
    (text) => {
      expect(judge(checkDefaultExports, "p2p/core/a.ts", text)).toEqual(["p2p/core/a.ts:1 has a default export"]);
      expect(judge(checkDefaultExports, "test/vitest.config.ts", text)).toEqual([]);
    },
  );

  it.each([
    ["a", "export const a = 1;"],
    ["a", "/* not a doc comment */\nexport function a() {}"],
    ["a", "// not a doc comment\nexport class a {}"],
    ["a", "/** About b. */\nconst b = 1;\nexport interface a {}"],
    ["a", "/** */\nexport type a = 1;"],
  ])("an export without a doc comment: %s in %s", (name, text) => {
    const found = judge(checkDocComments, "p2p/core/a.ts", text);
    expect(found).toEqual([expect.stringContaining(`exports ${name} without a doc comment`)]);
    expect(judge(checkDocComments, "test/a.ts", text)).toEqual([]);
  });

  it("nothing in documented exports, overloads and re-exports", () => {
    const text = `
      /** One. */
      export const a = 1;
      /** Two. */
      export function b(one: string): void;
      export function b(one: number): void;
      export { c } from "./c.ts";
    `;
    expect(judge(checkDocComments, "p2p/core/a.ts", text)).toEqual([]);
  });
});

describe("the reach rule finds", () => {
  it("files that nothing reaches, and imports of nothing", () => {
    const modules = parseModules(
      tree({
        "p2p/host.ts": 'import "./io/used.ts"; import "./io/gone.ts";',
        "p2p/io/used.ts": "",
        "p2p/io/dead.ts": 'import "./dead-too.ts";',
        "p2p/io/dead-too.ts": 'import "./dead.ts";',
        "test/ear.ts": 'new Worker(new URL("probe.ts", import.meta.url));',
        "test/probe.ts": "",
        "test/forgotten.ts": "",
      }),
    );
    const scripts = scriptEntries('{ "scripts": { "ear": "node test/ear.ts" } }');
    expect(describeFindings(checkReach(modules, scripts))).toEqual([
      "p2p/host.ts:1 imports p2p/io/gone.ts, which is not there",
      "p2p/io/dead.ts is reached by no program and no test",
      "p2p/io/dead-too.ts is reached by no program and no test",
      "test/forgotten.ts is reached by no program and no test",
    ]);
  });
});

describe("the rule about rules finds", () => {
  it("rules without a test, tests without a rule, and rules stated twice", () => {
    const files = tree({
      "p2p/core/SPEC.md": "# Rules\n**[PK1]** one\n- **[PK2]** two\n**[PK3]** three\n**[PK4]** four\n**[PK4]** five\n",
      "test/a.test.ts": [
        'it("[PK1] is kept", () => {});',
        'it.each([1])("[PK3][PK4] are kept", () => {});',
        "describe(`[XX9] ${1}`, () => {});",
        'it("see [PK2], not cited at the beginning", () => {});',
        'say("[PK2] is no test");',
      ].join("\n"),
    });
    expect(describeFindings(checkSpecRules(files, parseModules(files)))).toEqual([
      "p2p/core/SPEC.md:3 PK2 is cited by no test title",
      "test/a.test.ts:3 cites XX9: not in p2p/core/SPEC.md",
      "p2p/core/SPEC.md:6 PK4 is stated twice",
    ]);
  });

  it("a tree without its specification", () => {
    expect(describeFindings(checkSpecRules([], []))).toEqual(["p2p/core/SPEC.md is missing"]);
  });
});

describe("the rule about texts finds", () => {
  it.each([
    ["names a path of one machine (tests: os.tmpdir())", `cd ${"/wo"}rk/main`],
    ["names a path of one machine (tests: os.tmpdir())", `"${"/tm"}p/x"`],
    ["leaves work for later: do it, or open an issue", `// TO${"DO"}: later`],
    ["leaves work for later: do it, or open an issue", `FIX${"ME"}`],
  ])("%s", (message, text) => {
    expect(describeFindings(checkTexts(tree({ "README.md": `fine\n${text}\n` })))).toEqual([`README.md:2 ${message}`]);
  });

  it("a lock file that names a private registry, and not the public one", () => {
    const lock = (host: string): SourceFile[] => tree({ "package-lock.json": `"resolved": "https://${host}/a.tgz"` });
    expect(checkTexts(lock("npm.example"))).toHaveLength(1);
    expect(checkTexts(lock("registry.npmjs.org"))).toEqual([]);
  });

  it("nothing in paths and words that only look alike", () => {
    expect(checkTexts(tree({ "a.ts": "https://example.org/home/ ./tmp/x Todos /works/ `${root}/tmp/`" }))).toEqual([]);
  });
});

describe("the project rule finds", () => {
  const base = JSON.stringify({
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
    },
  });
  const bare = { lib: ["ES2023"], types: [] };
  const good = {
    "tsconfig.json": '{ "references": [{ "path": "./p2p/core" }, { "path": "./p2p" }] }',
    "p2p/tsconfig.base.json": base,
    "p2p/core/a.ts": "",
    "p2p/core/tsconfig.json": JSON.stringify({ extends: "../tsconfig.base.json", compilerOptions: bare }),
    "p2p/tsconfig.json": JSON.stringify({ extends: "./tsconfig.base.json" }),
  };
  const findings = (changes: Readonly<Record<string, string>>): string[] =>
    describeFindings(checkProjects(tree({ ...good, ...changes })));

  it("nothing in a good house", () => {
    expect(findings({})).toEqual([]);
  });

  it("a folder of code that the compiler or the build does not know", () => {
    expect(findings({ "electron/main.ts": "" })).toEqual(["electron/tsconfig.json is missing: its folder has code"]);
    expect(findings({ "tsconfig.json": '{ "references": [{ "path": "./p2p" }] }' })).toEqual([
      "tsconfig.json does not refer to p2p/core",
    ]);
  });

  it("weakened options", () => {
    const core = (options: object, parent = "../tsconfig.base.json"): Record<string, string> => ({
      "p2p/core/tsconfig.json": JSON.stringify({ extends: parent, compilerOptions: options }),
    });
    expect(findings(core({ ...bare, strict: false }))).toEqual(["p2p/core/tsconfig.json turns strict off"]);
    expect(findings(core({ ...bare, types: ["node"] }))).toEqual([
      'p2p/core/tsconfig.json must have "lib": ["ES2023"] and "types": []',
    ]);
    expect(findings(core(bare, "./other.json"))).toEqual([
      "p2p/core/tsconfig.json does not extend p2p/tsconfig.base.json",
    ]);
    expect(findings({ "p2p/tsconfig.base.json": base.replace('"strict":true,', "") })).toEqual([
      "p2p/tsconfig.base.json lacks strict",
    ]);
  });
});
