import { createCrypto } from "../../../p2p/io/crypto.ts";
import { allParsers, drive, quickCrypto } from "../../fuzz/all.ts";
import { driveRoom } from "../../fuzz/machine.ts";
import { slowFuzzers } from "../../fuzz/slow.ts";
import { type Figure, figureOf } from "../figure.ts";

/** GOALS.md: S4. What has real signatures, decoders or sockets behind it gets fewer. */
const inputsEach = 100_000;
const realInputs = 2_000;
const roomMessages = 20_000;
const slowInputs = 500;
const seed = "bench";

/** S4: the parser that took fewest inputs before anything broke, and what broke in all. */
export async function measureFuzzing(): Promise<readonly Figure[]> {
  let [fewest, broken] = [Infinity, 0];
  const real = allParsers(createCrypto());
  for (const [name, parser] of Object.entries(allParsers(quickCrypto(seed)))) {
    const outcome = drive(name, parser, seed, inputsEach);
    fewest = Math.min(fewest, outcome.broke ? outcome.inputs - 1 : outcome.inputs);
    const honest = real[name];
    if (outcome.broke || (honest && drive(name, honest, seed, realInputs).broke)) broken++;
  }
  const whole = [() => Promise.resolve(driveRoom(seed, roomMessages))];
  const slow = Object.values(slowFuzzers).map((fuzz) => () => fuzz(seed, slowInputs));
  for (const each of [...whole, ...slow]) {
    await each().catch(() => broken++);
  }
  return [
    figureOf({
      id: "S4",
      what: "inputs that the least tried parser of foreign bytes took ÷ 100,000",
      goal: 1,
      better: "more",
      sides: { ours: fewest, baseline: inputsEach },
    }),
    figureOf({
      id: "S4",
      what: "parsers, and whole peers, that something broke, beside one at most",
      goal: 0,
      better: "less",
      sides: { ours: broken, baseline: 1 },
    }),
  ];
}
