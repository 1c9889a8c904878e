import { type LinkId, linkId, millis, type PeerId } from "../../../p2p/api/ids.ts";
import { type Edge, newEdge } from "../../../p2p/core/overlay/edge.ts";
import { type Paper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { type EdgeRole, type Frame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { Session } from "../../../p2p/core/session/session.ts";

/** A real edge whose far end is the test: everything sent on it is kept. */
export interface SampleEdge {
  readonly edge: Edge;
  readonly frames: Frame[];
  /** Papers sent, which must each fit into one fragment. */
  papers(): Paper[];
  media(): Extract<Frame, { kind: "media" }>[];
}

/** A peer id that a test can read. */
export function peerName(number: number): PeerId {
  return number.toString(16).padStart(64, "0") as PeerId;
}

/** An edge to the peer of this number, over one stream. */
export function sampleEdge(
  number: number,
  direction: Edge["direction"],
  changes: { readonly role?: EdgeRole; readonly feed?: boolean; readonly authority?: boolean } = {},
): SampleEdge {
  const frames: Frame[] = [];
  const send = (_link: LinkId, bytes: Uint8Array): void => {
    const frame = parseFrame(bytes);
    if (!frame) throw new Error("sent what is no frame");
    frames.push(frame);
  };
  const dialed = direction === "up";
  const id = new Rng(number).bytes(16);
  const session = new Session(id, peerName(number), dialed, { send, close: () => undefined }, millis(0));
  session.addLink(linkId(number), "stream", false, millis(0));
  const { role = direction === "mesh" ? "core" : "member", feed = true, authority = false } = changes;
  const edge = newEdge(session, role, direction, feed, authority, millis(0));
  edge.welcomed = true;
  const papers = (): Paper[] =>
    frames.flatMap((frame) => {
      const paper = frame.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
      return paper ? [paper] : [];
    });
  return { edge, frames, papers, media: () => frames.filter((frame) => frame.kind === "media") };
}
