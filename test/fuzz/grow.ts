import { parsePaper } from "../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { parseFrame } from "../../p2p/core/session/frames.ts";
import { allParsers, quickCrypto } from "./all.ts";
import { keepInput, stockOf } from "./corpus.ts";
import { sayings } from "./machine.ts";
import { mutant } from "./mutate.ts";

/** Mutants that got all the way through, for each parser: nobody finds a second such by changing a byte. */
const acceptedEach = 3;
const triesEach = 20_000;

/**
 * Fills the corpus anew, from a seed: of what a real room says one frame and one paper of each kind and size, and for each
 * parser a few mutants that it took though they are unlike its samples. What once broke a parser is kept beside these.
 */
export function growCorpus(seed: string): number {
  return growFromRoom(seed) + growFromMutants(seed);
}

function growFromRoom(seed: string): number {
  const kinds = new Map<string, () => void>();
  for (const bytes of sayings(seed)) {
    const frame = parseFrame(bytes);
    if (!frame) continue;
    kinds.set(`frame ${frame.kind}`, () => keepInput("frame", bytes));
    const paper = frame.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
    if (frame.kind === "fragment" && paper) kinds.set(`paper ${paper.kind}`, () => keepInput("paper", frame.bytes));
  }
  for (const keep of kinds.values()) keep();
  return kinds.size;
}

function growFromMutants(seed: string): number {
  let kept = 0;
  for (const [name, parser] of Object.entries(allParsers(quickCrypto(seed)))) {
    if (parser.sealed) continue;
    const rng = new Rng(`${seed}/grow`).fork(name);
    const stock = stockOf(name, parser);
    const lengths = new Set(parser.samples.map((sample) => sample.length));
    for (let tries = 0, own = 0; tries < triesEach && own < acceptedEach; tries++) {
      const input = mutant(rng, stock);
      if (lengths.has(input.length) || input.length > 2_048 || !parser.accepts(input)) continue;
      lengths.add(input.length);
      keepInput(name, input);
      own++;
      kept++;
    }
  }
  return kept;
}
