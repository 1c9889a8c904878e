import { describe, expect, it } from "vitest";
import { wordsFor } from "../../electron/words.ts";

describe("words outside the window", () => {
  it.each([
    ["en-GB", "Leave and quit"],
    ["de", "Leave and quit"],
    ["zhx", "Leave and quit"],
    ["zh", "离开房间并退出"],
    ["zh-CN", "离开房间并退出"],
    ["zh-Hans-HK", "离开房间并退出"],
    ["zh-TW", "離開房間並結束"],
    ["zh-HK", "離開房間並結束"],
    ["zh-Hant", "離開房間並結束"],
  ])("%s: %s", (locale, quit) => {
    expect(wordsFor(locale).quit).toBe(quit);
  });
});
