import { beforeAll, describe, expect, it } from "vitest";
import { type Leftovers, liveAndLeave } from "../bench/secrecy/leftovers.ts";

describe("what a real room leaves behind", () => {
  let leftovers: Leftovers;

  beforeAll(async () => {
    leftovers = await liveAndLeave();
  });

  it("no file, neither after leaving nor after SIGKILL", () => {
    expect(leftovers.files).toEqual([]);
  });

  it("not a word of it in what a relay prints, or in anybody's errors: no title, name, room, invite or guest", () => {
    expect(leftovers.relaySaid).toContain('"event":"card"');
    const said = leftovers.private.filter(
      (word) => word === "" || leftovers.relaySaid.includes(word) || leftovers.errorsSaid.includes(word),
    );
    expect(said).toEqual([]);
    expect(leftovers.errorsSaid.trim()).toBe("");
  });
});
