/** Writes the golden vectors anew: `node test/core/vectors/write.ts`. Only for a format that changed its version. */
import { writeFileSync } from "node:fs";
import { goldenVectors } from "./golden.ts";

for (const [name, vectors] of Object.entries(goldenVectors())) {
  writeFileSync(new URL(`./${name}.json`, import.meta.url), `${JSON.stringify(vectors, undefined, 2)}\n`);
}
