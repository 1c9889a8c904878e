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

/** Tries of one case: a machine that does much else is too late with its own sound now and then. */
const triesMax = 3;

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
    let lines: readonly CensorLine[] = [];
    for (let tries = 0; tries < triesMax && (lines.length === 0 || !lines.every(isWell)); tries++) {
      lines = await session.run(which, sides, 1);
      // This no try may show.
      for (const line of lines) expect(line).toMatchObject({ leaks: [], popcountBlocked: 0 });
    }
    expect(lines.map((line) => [line, isWell(line)])).toEqual(lines.map((line) => [line, true]));
  },
);

/** The desktop hears; a volunteer hears or says why not. */
function isWell({ side, ok, outcome, remarks }: CensorLine): boolean {
  const isRemarked = remarks.length === (outcome === "sound" ? 0 : 1);
  return ok === 1 && isRemarked && (side === "volunteer" || outcome === "sound");
}
