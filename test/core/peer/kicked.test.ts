import { describe, expect, it } from "vitest";
import { kickSomebody } from "./kicks.ts";

describe("somebody who was put out", () => {
  it.each(["one", "two", "three"])(
    "[RM44] opens nothing more, whatever wire it hears; who stays misses nothing (seed %s)",
    (seed) => {
      const kicked = kickSomebody(seed, 5);
      expect(kicked.openedBefore).toBeGreaterThan(0);
      // Two seconds are the goal; a message to the farthest speaker and one on its way are what it takes.
      expect(kicked.openedForMs).toBeLessThan(500);
      expect(kicked.closedAfter).toBeGreaterThan(kicked.openedBefore);
      expect(kicked.heard).toEqual(kicked.heard.map(() => kicked.said));
      expect(kicked.heardByKicked).toBeLessThan(5);
    },
  );
});
