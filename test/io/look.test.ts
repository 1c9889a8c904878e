import { describe, expect, it } from "vitest";
import { lookOf } from "../../p2p/io/look.ts";

describe("what names look like", () => {
  it("[RM52] letters of other scripts, widths, cases and marks come to the same; other names do not", () => {
    for (const name of ["Аna", "Ａna", "ana", "A n a", "Аnа", "Ana\u200b"]) expect(lookOf(name), name).toBe("ana");
    for (const name of ["Anna", "Ans", "茶館", "Bahar"]) expect(lookOf(name), name).not.toBe("ana");
    expect(lookOf("茶館")).toBe("茶館");
    expect(lookOf("")).toBe("");
  });
});
