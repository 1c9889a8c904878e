import { describe, expect, it } from "vitest";
import { avatarOf, glazeCount, motifs, teaCount } from "../../renderer/model/avatar.ts";
import { stepStates } from "../../renderer/model/start/lobby.ts";
import { cleanName, cleanOwnName, cleanText, nameLengthMax, textLengthMax } from "../../renderer/model/names.ts";
import { lookAt } from "../../renderer/model/start/paste.ts";
import { Scope } from "../../renderer/model/scope.ts";
import { bestLanguage } from "../../renderer/model/settings.ts";
import { Cell } from "../../renderer/model/value.ts";
import { keyOf } from "./scenes.ts";

describe("values and scopes", () => {
  it("calls listeners for another value only, and not after they were taken away", () => {
    const cell = new Cell(1);
    let calls = 0;
    const end = cell.subscribe(() => (calls += 1));
    cell.set(1);
    cell.set(2);
    end();
    cell.set(3);
    expect(calls).toBe(1);
  });

  it("a listener that takes itself away does not keep others from hearing", () => {
    const cell = new Cell(1);
    const heard: string[] = [];
    const end = cell.subscribe(() => {
      heard.push("first");
      end();
    });
    cell.subscribe(() => heard.push("second"));
    cell.set(2);
    cell.set(3);
    expect(heard).toEqual(["first", "second", "second"]);
  });

  it("a scope ends what it owns, newest first, once, and at once when it has ended already", () => {
    const ended: number[] = [];
    const scope = new Scope();
    scope.own(() => ended.push(1));
    scope.own(() => ended.push(2));
    scope.end();
    scope.end();
    scope.own(() => ended.push(3));
    expect(ended).toEqual([2, 1, 3]);
  });
});

describe("text of strangers", () => {
  it("keeps a name of any script as it is", () => {
    for (const name of ["Lin Yue", "阿里木江", "فاطمة", "བསྟན་འཛིན།", "Zoë", "👨‍👩‍👧‍👦 famille"]) {
      expect(cleanName(name)).toBe(name);
    }
  });

  it("cuts a name of 10,000 characters to one line, and says that it did", () => {
    const shown = cleanName("长".repeat(10_000));
    expect(shown).toHaveLength(nameLengthMax + 1);
    expect(shown.endsWith("…")).toBe(true);
  });

  it("takes out what turns text round or has no width", () => {
    expect(cleanName("\u202Eevil\u2066\u200B name\u0000\u0007\uFEFF")).toBe("evil name");
  });

  it("leaves the joiners that Persian needs", () => {
    expect(cleanName("می\u200Cخواهم")).toBe("می\u200Cخواهم");
  });

  it("is not buried under a pile of marks", () => {
    expect(cleanName(`a${"\u0301".repeat(3000)}b`).length).toBeLessThan(10);
  });

  it("leaves markup as text", () => {
    expect(cleanName("<img src=x onerror=alert(1)>")).toBe("<img src=x onerror=alert(1)>");
  });

  it("sends at most the 64 units that an engine takes, and no half character", () => {
    const name = cleanOwnName("🫖".repeat(10_000));
    expect(name.length).toBeLessThanOrEqual(64);
    expect(encodeURIComponent(name)).toMatch(/^(%F0%9F%AB%96)+$/);
  });

  it("cuts typed text to what may be typed", () => {
    expect(cleanText("x".repeat(10_000))).toHaveLength(textLengthMax);
  });

  it("nothing of a name may remain", () => {
    expect(cleanName("\u200B\u202E \n")).toBe("");
  });
});

describe("what was pasted", () => {
  it.each([
    ["thi1-AbC_9", "invite"],
    ["teahouse://join#thi1-AbC", "invite"],
    ["  »thi1-\nAbC«  ", "invite"],
    ["THI1-abc", "invite"],
    ["thc1-AbC", "card"],
    ["thi2-AbC", "other-version"],
    ["thc9999-AbC", "other-version"],
    ["https://example.org", "unknown"],
    [" \n\u200B ", "empty"],
    ["", "empty"],
    ["thi1-".padEnd(5000, "a"), "too-long"],
  ])("%j is seen as %s", (text, seen) => {
    expect(lookAt(text)).toBe(seen);
  });
});

describe("bowls", () => {
  it("follow from the identity alone, and stay within the palette whatever came as identity", () => {
    for (const identity of [keyOf(1), "", "not hex at all", "x".repeat(10_000)]) {
      const bowl = avatarOf(identity);
      expect(avatarOf(identity)).toEqual(bowl);
      expect(bowl.glaze).toBeLessThan(glazeCount);
      expect(bowl.tea).toBeLessThan(teaCount);
      expect(motifs).toContain(bowl.motif);
    }
  });

  it("hardly ever look alike: of 200 people no two share a bowl, and every glaze and motif is used", () => {
    const bowls = Array.from({ length: 200 }, (_, number) => avatarOf(keyOf(number)));
    expect(new Set(bowls.map((bowl) => JSON.stringify(bowl))).size).toBe(200);
    expect(new Set(bowls.map(({ glaze }) => glaze)).size).toBe(glazeCount);
    expect(new Set(bowls.map(({ motif }) => motif)).size).toBe(motifs.length);
  });
});

describe("languages", () => {
  it.each([
    [["zh-TW"], "zh-Hant"],
    [["zh-HK", "en"], "zh-Hant"],
    [["zh-Hans-HK"], "zh-Hans"],
    [["zh"], "zh-Hans"],
    [["zh_CN"], "zh-Hans"],
    [["yue"], "zh-Hant"],
    [["ug", "zh-CN"], "zh-Hans"],
    [["fr-FR", "en-GB"], "en"],
    [[], "en"],
  ])("%j begins in %s", (wanted, language) => {
    expect(bestLanguage(wanted)).toBe(language);
  });
});

describe("steps of getting in", () => {
  it("shows the first as going on before anything was said", () => {
    expect([...stepStates([]).values()]).toEqual(["now", "ahead", "ahead", "ahead"]);
  });

  it("shows a step that was not needed as such", () => {
    expect([...stepStates(["asking-relays", "waiting-for-papers"]).values()]).toEqual([
      "done",
      "skipped",
      "now",
      "ahead",
    ]);
  });

  it("shows the end as done", () => {
    const states = stepStates(["asking-relays", "asking-dht", "waiting-for-papers", "joined"]);
    expect([...states.values()]).toEqual(["done", "done", "done", "done"]);
  });
});
