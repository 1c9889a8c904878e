import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkDefaultExports, checkDocComments, checkNames } from "./tidy/form.ts";
import { checkConfinement, checkLayers } from "./tidy/layers.ts";
import { parseModules } from "./tidy/modules.ts";
import { checkProjects } from "./tidy/projects.ts";
import { checkPurity } from "./tidy/purity.ts";
import { checkReach, scriptEntries } from "./tidy/reach.ts";
import { describeFindings, readTree, type Finding } from "./tidy/sources.ts";
import { checkSpecRules } from "./tidy/spec-rules.ts";
import { checkTexts } from "./tidy/texts.ts";

const files = readTree(fileURLToPath(new URL("..", import.meta.url)));
const modules = parseModules(files);
const scripts = scriptEntries(files.find(({ path }) => path === "package.json")?.text ?? "{}");

const rules: readonly (readonly [title: string, check: () => Finding[]])[] = [
  ["every import stays within the layers of the house", () => checkLayers(modules)],
  ["api, core and engine are given time, chance and the world", () => checkPurity(modules)],
  ["every layer has its own compiler project, none of them weakened", () => checkProjects(files)],
  ["every exported declaration of the product has a doc comment", () => checkDocComments(modules)],
  ["files and folders of code are named in kebab case", () => checkNames(files)],
  ["there are no default exports", () => checkDefaultExports(modules)],
  ["every file of code is reached by a program or a test", () => checkReach(modules, scripts)],
  ["every rule of SPEC.md is cited by a test, and every citation exists", () => checkSpecRules(files, modules)],
  ["no file names a path of one machine or leaves work for later", () => checkTexts(files)],
];

describe("the tree is tidy", () => {
  it("has files to check", () => {
    expect(modules.length).toBeGreaterThan(10);
  });

  it("[PK15] what opens packets is imported by members only, and out of reach for relays", () => {
    expect(describeFindings(checkConfinement(modules))).toEqual([]);
  });

  it.each(rules)("%s", (_title, check) => {
    expect(describeFindings(check())).toEqual([]);
  });
});
