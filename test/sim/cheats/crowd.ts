import { dialId } from "../../../p2p/api/ids.ts";
import type { LinkId } from "../../../p2p/api/ids.ts";
import type { RelayAddress } from "../../../p2p/api/link.ts";
import type { PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import { encodePaper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { encodeFrame, parseFrame } from "../../../p2p/core/session/frames.ts";
import type { Frame } from "../../../p2p/core/session/frames.ts";
import { isMedia } from "./bent-machine.ts";
import type { Bending } from "./bent-machine.ts";

/** Links that a flooder opens at once, and how often. */
const floodDials = 10;
const floodEveryMs = 1000;
/** Numbers of its own dials, far from those of the machine. */
const floodDialFirst = 1_000_000;
/** Who keeps its slots says so often that it is there. */
const keepEveryMs = 1000;

const aliveStill = encodeFrame({ kind: "tick", nextMs: 0, stalled: false, passing: false });

const frameOf = (output: PeerOutput): Frame | undefined =>
  output.kind === "send" ? parseFrame(output.bytes) : undefined;

/** Ways to cheat for anybody, with who one is and how much one asks for. */
export const crowdCheats: Readonly<Record<string, () => Bending>> = {
  "claims to be core": () => ({
    output(output) {
      const frame = frameOf(output);
      if (frame?.kind !== "hello" || output.kind !== "send") return [output];
      return [{ ...output, bytes: encodeFrame({ ...frame, role: "core" }) }];
    },
  }),
  "says that it lends": () => ({
    output(output) {
      const frame = frameOf(output);
      if (frame?.kind !== "hello" || output.kind !== "send") return [output];
      return [{ ...output, bytes: encodeFrame({ ...frame, lends: true }) }];
    },
  }),
  "floods with joins": floods,
  "says everything twice": () => ({
    output: (output) => (output.kind === "send" && !isMedia(output.bytes) ? [output, output] : [output]),
  }),
  "never releases a slot": keepsSlots,
};

/** Opens links under its own key, again and again, to whom it dialed first. */
function floods(): Bending {
  let target: RelayAddress | undefined;
  let floodedAt = -Infinity;
  let next = floodDialFirst;
  return {
    input(input: PeerInput, now, say) {
      if (target !== undefined && now >= floodedAt + floodEveryMs) {
        floodedAt = now;
        for (let count = 0; count < floodDials; count++)
          say({ kind: "dial", dial: dialId(next++), target, fresh: true });
      }
      return input;
    },
    output(output) {
      if (output.kind === "dial") target ??= output.target;
      return [output];
    },
  };
}

/** Gives no slot back: it asks for media where it should ask for no more, says no goodbye, and keeps every link alive. */
function keepsSlots(): Bending {
  const kept = new Set<LinkId>();
  let keptAt = -Infinity;
  return {
    input(input: PeerInput, now, say) {
      if (input.kind === "link-closed") kept.delete(input.link);
      if (now < keptAt + keepEveryMs) return input;
      keptAt = now;
      for (const link of kept) say({ kind: "send", link, bytes: aliveStill });
      return input;
    },
    output(output) {
      if (output.kind === "close") kept.add(output.link);
      const frame = frameOf(output);
      if (output.kind === "close" || frame?.kind === "bye") return [];
      if (frame?.kind !== "fragment" || output.kind !== "send") return [output];
      const paper = parsePaper(frame.bytes);
      if (paper?.kind !== "feed" || paper.on) return [output];
      return [
        { ...output, bytes: encodeFrame({ ...frame, bytes: encodePaper({ ...paper, on: true, quiet: false }) }) },
      ];
    },
  };
}
