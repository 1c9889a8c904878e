import type { PeerOutput } from "../../../p2p/core/peer-io.ts";
import { isMedia } from "./bent-machine.ts";
import type { Bending } from "./bent-machine.ts";

/** Later than any deadline, sooner than anybody's patience. */
const lateMs = 600;

const mediaOf = (output: PeerOutput): Uint8Array | undefined =>
  output.kind === "send" && isMedia(output.bytes) ? output.bytes : undefined;

/** Ways to cheat with what is to be passed on. */
export const mediaCheats: Readonly<Record<string, () => Bending>> = {
  "forwards nothing": () => ({ output: (output) => (mediaOf(output) ? [] : [output]) }),
  "forwards half": () => {
    let count = 0;
    return { output: (output) => (mediaOf(output) && count++ % 2 === 0 ? [] : [output]) };
  },
  "forwards late": () => ({ delayMs: (output) => (mediaOf(output) ? lateMs : 0) }),
  "forwards twice": () => ({ output: (output) => (mediaOf(output) ? [output, output] : [output]) }),
  "forwards damaged packets": () => ({
    output(output) {
      const bytes = mediaOf(output);
      if (bytes === undefined || output.kind !== "send") return [output];
      const damaged = bytes.slice();
      damaged[damaged.length - 1]! ^= 1;
      return [{ ...output, bytes: damaged }];
    },
  }),
};
