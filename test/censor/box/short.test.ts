import { afterAll, beforeAll, expect, it } from "vitest";
import { sides } from "../box.ts";
import type { CensorLine } from "../figures.ts";
import { cases, isShort } from "../rules/all.ts";
import { CensorSession } from "../session.ts";

let session: CensorSession;

beforeAll(async () => {
  session = await CensorSession.open();
});

afterAll(async () => {
  await session?.close();
});

const lineOf = (lines: readonly CensorLine[], side: string): CensorLine | undefined =>
  lines.find((line) => line.side === side);

it("a plain Chromium's hellos were recorded, by address and by name, and none of them is Node's", () => {
  const heads = [...session.browserHellos].map((hello) => hello.slice(0, 4));
  expect(new Set(heads)).toEqual(new Set(["t13i", "t13d", "dd3i"]));
  // The ciphers of every Chromium since 2019.
  const tls = [...session.browserHellos].filter((hello) => hello.startsWith("t"));
  expect(tls.every((hello) => hello.includes("_8daaf6152771_"))).toBe(true);
});

it.each(cases.filter(isShort))(
  "$name: sound or the right words, and nothing on the wire gives the app away",
  async (which) => {
    const lines = await session.run(which, sides, 1);
    for (const line of lines)
      expect(line).toMatchObject({ ok: 1, remarks: line.outcome === "sound" ? [] : [expect.any(String)] });
    expect(lineOf(lines, "desktop")).toMatchObject({ outcome: "sound", leaks: [], popcountBlocked: 0 });
    expect(lineOf(lines, "volunteer")).toMatchObject({ leaks: [], popcountBlocked: 0 });
  },
);
