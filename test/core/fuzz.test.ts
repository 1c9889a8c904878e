import { describe, expect, it } from "vitest";
import { equal } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { mutate } from "./fixtures.ts";
import { parsers } from "./parsers.ts";

const randomInputs = 5_000;
const mutatedInputs = 5_000;
const seed = process.env["TEST_SEED"] ?? "teahouse";

describe.each(Object.entries(parsers))(`%s (TEST_SEED=${seed})`, (name, parser) => {
  const rng = new Rng(seed).fork(name);

  it("accepts its sample", () => {
    expect(parser.accepts(parser.sample)).toBe(true);
  });

  it("takes random bytes without a throw", () => {
    for (let run = 0; run < randomInputs; run++) {
      const bytes = rng.bytes(rng.int(2 * parser.sample.length));
      // Half of them begin as a good one does, so that they get past the first check.
      const head = rng.int(2) * rng.int(Math.min(bytes.length, parser.sample.length) + 1);
      bytes.set(parser.sample.subarray(0, head));
      expect(typeof parser.accepts(bytes)).toBe("boolean");
    }
  });

  it("takes mutated bytes without a throw, and for good only where nothing protects them", () => {
    let accepted = 0;
    for (let run = 0; run < mutatedInputs; run++) {
      const bytes = mutate(rng, parser.sample);
      expect(equal(bytes, parser.sample)).toBe(false);
      if (parser.accepts(bytes)) accepted++;
    }
    if (parser.sealed) expect(accepted).toBe(0);
    else expect(accepted).toBeLessThan(mutatedInputs);
  });

  it("takes every prefix of its sample without a throw, and for good only where nothing protects it", () => {
    for (let length = 0; length < parser.sample.length; length++) {
      const accepted = parser.accepts(parser.sample.subarray(0, length));
      if (parser.sealed) expect(accepted).toBe(false);
      else expect(typeof accepted).toBe("boolean");
    }
  });
});
