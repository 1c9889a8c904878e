import { readFileSync, readdirSync } from "node:fs";
import { parseSync, Visitor } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../p2p/api/errors.ts";
import { languages } from "../../renderer/model/settings.ts";

const uiFolder = new URL("../../renderer/ui/", import.meta.url);
const modelFolder = new URL("../../renderer/model/", import.meta.url);
const soundTypes = new URL("../../renderer/audio/types.ts", import.meta.url);

type Translation = Readonly<Record<string, string>>;
const read = (language: string): Translation =>
  JSON.parse(readFileSync(new URL(`locales/${language}.json`, uiFolder), "utf8")) as Translation;
const translations = new Map(languages.map((language) => [language as string, read(language)]));
const english = translations.get("en") ?? {};

/** Keys without the endings of plurals. */
const bare = (translation: Translation): string[] =>
  [...new Set(Object.keys(translation).map((key) => key.replace(/_(zero|one|two|few|many|other)$/, "")))].sort();
const holes = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "").sort();
const sourcesOf = (folder: URL, ending: RegExp): (readonly [name: string, text: string])[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name))
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);

describe.each([...translations])("the translation %s", (language, translation) => {
  it("has the same keys as English", () => {
    expect(bare(translation)).toEqual(bare(english));
  });

  it("has every plural that its language counts with, and no other", () => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    const counted = Object.keys(translation).filter((key) => /_\w+$/.test(key));
    for (const base of new Set(counted.map((key) => key.replace(/_\w+$/, "")))) {
      const has = counted.filter((key) => key.startsWith(`${base}_`)).map((key) => key.slice(base.length + 1));
      expect([base, has.toSorted()]).toEqual([base, wanted]);
    }
  });

  it("leaves the same holes to be filled", () => {
    for (const [key, text] of Object.entries(translation)) {
      const other = english[key] ?? "";
      expect([key, holes(text)]).toEqual([key, holes(other)]);
    }
  });

  it("has a sentence for every fault of the engine and of sound, which says what to do", () => {
    const sound = [...readFileSync(soundTypes, "utf8").matchAll(/^ {2}\| "([\w-]+)"/gm)];
    const keys = [
      ...Object.keys(exitCodes).map((code) => `fault.${code}`),
      ...sound.map(([, code]) => `sound.${code}`),
    ];
    expect(sound.length).toBeGreaterThan(5);
    for (const key of keys)
      expect([key, /[;:.,；：，]/.test(translation[key]?.slice(0, -1) ?? "")]).toEqual([key, true]);
  });

  it("ends sentences as sentences and leaves no text empty", () => {
    for (const [key, text] of Object.entries(translation)) {
      expect([key, text.trim() === text && text !== ""]).toEqual([key, true]);
      if (/^(fault|sound|announce)\./.test(key)) expect([key, /[.。]$|\}$/.test(text)]).toEqual([key, true]);
    }
  });
});

describe("Chinese", () => {
  /** Pairs that never stand in the other script, from words this app uses. */
  const simplifiedOnly = /[这个们听说话请关开间邮录听发继续设备网络连线给离开该换]/u;
  const traditionalOnly = /[這們聽說話請關開間郵錄發繼續設備網絡連線給離該換個]/u;

  it("for the mainland holds no traditional characters, and the other way round", () => {
    const hans = Object.values(translations.get("zh-Hans") ?? {}).join("");
    const hant = Object.values(translations.get("zh-Hant") ?? {}).join("");
    const both = new Set(Array.from(simplifiedOnly.source).filter((letter) => traditionalOnly.source.includes(letter)));
    const foreign = (text: string, script: RegExp): string[] =>
      Array.from(text).filter((letter) => script.test(letter) && !both.has(letter));
    expect(foreign(hans, traditionalOnly)).toEqual([]);
    expect(foreign(hant, simplifiedOnly)).toEqual([]);
  });
});

describe("components", () => {
  const components = sourcesOf(uiFolder, /\.tsx$/);

  it("hold no words of their own: neither between tags nor in what is read aloud", () => {
    const found: string[] = [];
    const spoken = ["aria-label", "aria-description", "title", "alt", "placeholder", "label"];
    for (const [name, text] of components) {
      new Visitor({
        JSXText(node) {
          // A command is the same in every language.
          if (/\p{L}/u.test(node.value) && node.value.trim() !== "npx teahouse relay")
            found.push(`${name}: ${node.value.trim()}`);
        },
        JSXAttribute(node) {
          if (node.name.type !== "JSXIdentifier" || !spoken.includes(node.name.name)) return;
          // The letters that invites and cards begin with are no language either.
          const value = node.value?.type === "Literal" ? String(node.value.value) : "";
          if (/\p{L}/u.test(value) && !/^th[ic]1-…$/.test(value)) found.push(`${name}: ${node.name.name}=${value}`);
        },
      }).visit(parseSync(name, text).program);
    }
    expect(components.length).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });

  it("use every text there is, so that none is translated for nobody", () => {
    const source = [...components, ...sourcesOf(uiFolder, /\.ts$/), ...sourcesOf(modelFolder, /\.ts$/)].map(
      ([, text]) => text,
    );
    const code = source.join("\n");
    const patterns = [...code.matchAll(/`([\w.-]*)\$\{[^}]*\}([\w.-]*)`/g)].map(
      ([, head = "", tail = ""]) => [head, tail] as const,
    );
    const isUsed = (key: string): boolean =>
      code.includes(`"${key}"`) ||
      patterns.some(([head, tail]) => head.includes(".") && key.startsWith(head) && key.endsWith(tail));
    expect(bare(english).filter((key) => !key.startsWith("sound.") && !isUsed(key))).toEqual([]);
  });

  it("style nothing by left and right: the page runs both ways", () => {
    const physical =
      /(^|[\s;{])((margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right|top|bottom)|left|right|top|bottom|width|height|(min|max)-(width|height)|float|clear)\s*:|text-align\s*:\s*(left|right)|border-(top|bottom)-(left|right)-radius/;
    const styles = sourcesOf(uiFolder, /\.css$/);
    const found = styles.flatMap(([name, text]) =>
      text
        .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
        .split("\n")
        .flatMap((line, index) => (physical.test(line) ? [`${name}:${index + 1} ${line.trim()}`] : [])),
    );
    expect(styles.length).toBeGreaterThan(3);
    expect(found).toEqual([]);
    expect(physical.test("  margin-left: 1px;")).toBe(true);
    expect(
      components.filter(([, text]) => /\b(left|right|marginLeft|marginRight|paddingLeft|paddingRight):/.test(text)),
    ).toEqual([]);
  });
});
