import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { allParsers, quickCrypto } from "../fuzz/all.ts";
import { corpusFolders } from "../fuzz/corpus.ts";
import { slowFuzzers } from "../fuzz/slow.ts";
import { apart } from "../fuzz/parsers/apart.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = ["p2p", "electron", "renderer/net", "renderer/model"];
const reading = /^(parse|read|open|check|verify|decode|find|look)[A-Z]/;

interface Found {
  readonly name: string;
  readonly file: string;
}

function exportedReaders(): Found[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => {
        const source = readFileSync(join(root, folder, file), "utf8");
        const names = [...source.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)].map(
          ([, name = ""]) => name,
        );
        return names.map((name) => ({ name, file: join(folder, file) }));
      }),
  );
}

describe("the list of fuzzed parsers", () => {
  const parsers = allParsers(quickCrypto("completeness"));
  const driven = new Set(Object.values(parsers).flatMap((parser) => parser.covers));
  const exported = exportedReaders();

  it("has every function of the project that reads what somebody else wrote", () => {
    const missing = exported.filter(
      ({ name }) => reading.test(name) && !driven.has(name) && !Object.hasOwn(apart, name),
    );
    // Whoever adds one gives it samples in test/fuzz/parsers, or says in apart.ts why there is nothing to fuzz.
    expect(missing).toEqual([]);
  });

  it("names nothing that is not there any more, and nothing twice over", () => {
    const names = new Set(exported.map(({ name }) => name));
    expect([...driven, ...Object.keys(apart)].filter((name) => !names.has(name))).toEqual([]);
    expect(Object.keys(apart).filter((name) => driven.has(name))).toEqual([]);
    const { has, folderOf } = corpusFolders();
    const known = new Set([...Object.keys(parsers), ...Object.keys(slowFuzzers)].map(folderOf));
    expect(has.filter((folder) => folder !== "README.md" && !known.has(folder))).toEqual([]);
  });
});
