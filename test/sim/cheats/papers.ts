import type { Advert } from "../../../p2p/core/overlay/directory/advert.ts";
import { encodePaper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import type { Paper } from "../../../p2p/core/overlay/news/papers.ts";
import { encodeFrame, parseFrame } from "../../../p2p/core/session/frames.ts";
import type { PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import type { Bending } from "./bent-machine.ts";

/** Children that a liar offers for each that its uplink carries. */
const boast = 10;
/** Tickets that a forger remembers. */
const ticketsMax = 32;

/** A paper that came or goes in one fragment; most do. */
function paperOf(bytes: Uint8Array): Paper | undefined {
  const frame = parseFrame(bytes);
  return frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
}

/** Says something else than the machine wrote, in the same fragment, so that the lane goes on. */
function bendPapers(bend: (paper: Paper) => Paper): Pick<Bending, "output"> {
  return {
    output(output: PeerOutput) {
      if (output.kind !== "send") return [output];
      const frame = parseFrame(output.bytes);
      if (frame?.kind !== "fragment" || !frame.last) return [output];
      const paper = parsePaper(frame.bytes);
      const bent = paper && bend(paper);
      if (!bent || bent === paper) return [output];
      return [{ ...output, bytes: encodeFrame({ ...frame, bytes: encodePaper(bent) }) }];
    },
  };
}

const bendAdvert = (paper: Paper, bend: (advert: Advert) => Advert): Paper =>
  paper.kind === "about" && paper.advert ? { ...paper, advert: bend(paper.advert) } : paper;

/** Ways to cheat with what is said of oneself and of others, for who lends. */
export const paperCheats: Readonly<Record<string, () => Bending>> = {
  "offers more than it has": () => ({
    input(input) {
      if (input.kind !== "command" || input.command.kind !== "volunteer") return input;
      const { options } = input.command;
      const maxChildren = (options.maxChildren ?? 1) * boast;
      return { kind: "command", command: { ...input.command, options: { ...options, maxChildren } } };
    },
  }),
  "says that it is nearer than it is": () =>
    bendPapers((paper) => {
      if (paper.kind === "standing") return { ...paper, rootDelayMs: 1 };
      return bendAdvert(paper, (advert) => ({ ...advert, rootDelayMs: 1 }));
    }),
  "says that it hangs at the top": () =>
    bendPapers((paper) => {
      if (paper.kind !== "standing") return bendAdvert(paper, (advert) => ({ ...advert, depth: 1 }));
      // Whoever is between is left out: its children do not see that they may hang above it.
      return { ...paper, path: paper.path.length > 2 ? [paper.path[0]!, paper.path.at(-1)!] : paper.path };
    }),
  "replays and forges tickets": () => {
    const tickets: Paper[] = [];
    let turn = 0;
    const keep = (paper: Paper): void => {
      tickets.push(paper);
      if (tickets.length > ticketsMax) tickets.shift();
    };
    return {
      input(input: PeerInput) {
        const paper = input.kind === "message" ? paperOf(input.bytes) : undefined;
        if (paper?.kind === "hand-off" || paper?.kind === "expect") keep(paper);
        // A place that somebody else was offered, as if it had been asked to take in whoever comes.
        if (paper?.kind === "offers") for (const advert of paper.adverts) keep({ kind: "hand-off", advert });
        return input;
      },
      // What neighbours count and where it stands is left unsaid every other time; a ticket goes instead.
      ...bendPapers((paper) => {
        const replaced = paper.kind === "census" || paper.kind === "place" || paper.kind === "standing";
        return (replaced && turn++ % 2 === 0 ? tickets[turn % Math.max(1, tickets.length)] : undefined) ?? paper;
      }),
    };
  },
};
