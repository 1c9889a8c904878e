import { describe, expect, it } from "vitest";
import type { RoomTag } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import {
  type AdmissionFacts,
  refusalOf,
  reservedSlots,
  slotsFree,
} from "../../../../p2p/core/overlay/door/admission.ts";
import { plainWish } from "../../../../p2p/core/overlay/media/layers.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { reservesMax } from "../../../../p2p/core/overlay/heal/reserves.ts";
import type { Hello } from "../../../../p2p/core/session/frames.ts";
import { peerName, sampleEdge } from "../edges.ts";

const stranger = peerName(1);
const relay = peerName(2);

function hello(changes: Partial<Hello> = {}): Hello {
  const session = new Uint8Array(16);
  const tag = "00".repeat(32) as RoomTag;
  return {
    kind: "hello",
    version: 1,
    session,
    tag,
    role: "member",
    feed: true,
    wish: plainWish,
    have: [],
    proof: undefined,
    ...changes,
  };
}

function facts(changes: Partial<AdmissionFacts> = {}): AdmissionFacts {
  const base = {
    edges: new Edges(),
    carries: true,
    children: 0,
    childrenMax: 8,
    feeding: 0,
    relays: [relay],
    proved: false,
    favoured: false,
  };
  return { ...base, ...changes };
}

describe("who gets in", () => {
  it("[OV8] nobody beyond the volunteer's cap and the tree's own slots, whatever is proved", () => {
    const fed = { feeding: 8 + reservedSlots };
    for (const proved of [true, false]) {
      for (const role of ["member", "relay", "core"] as const) {
        expect(refusalOf(hello({ role }), relay, facts({ ...fed, proved }))).toBe("full");
      }
    }
    expect(refusalOf(hello({ feed: false }), relay, facts({ ...fed, proved: true }))).toBeUndefined();
  });

  it("[OV8] the host session on four edges and no more", () => {
    const edges = new Edges();
    for (let number = 1; number <= 4; number++) {
      expect(refusalOf(hello(), stranger, facts({ edges, proved: true }))).toBeUndefined();
      edges.add(sampleEdge(number, "down", { authority: true }).edge);
    }
    expect(refusalOf(hello(), stranger, facts({ edges, proved: true }))).toBe("full");
  });

  it("[OV8] members while there is a slot", () => {
    expect(refusalOf(hello(), stranger, facts({ children: 6 }))).toBeUndefined();
    expect(refusalOf(hello(), stranger, facts({ children: 7 }))).toBe("full");
    expect(refusalOf(hello(), stranger, facts({ children: 8 }))).toBe("full");
    expect(refusalOf(hello(), stranger, facts({ childrenMax: 0 }))).toBe("full");
  });

  it("[OV22] who lends, or comes by our parent's word, may have the slots that are kept, but none above the cap", () => {
    expect(refusalOf(hello(), stranger, facts({ children: 7, favoured: true }))).toBeUndefined();
    expect(refusalOf(hello(), stranger, facts({ children: 8, favoured: true }))).toBe("full");
  });

  it("[OV8] the host session always, and the room's own relays whatever the children; others are no relays", () => {
    const full = { children: 8 };
    expect(refusalOf(hello(), stranger, facts({ ...full, proved: true }))).toBeUndefined();
    for (const role of ["relay", "core"] as const) {
      expect(refusalOf(hello({ role }), relay, facts(full))).toBeUndefined();
      expect(refusalOf(hello({ role }), stranger, facts())).toBe("proof");
    }
  });

  it("[OV8] standbys beside the children, but not without end", () => {
    const edges = new Edges();
    const waiting = hello({ feed: false });
    expect(refusalOf(waiting, stranger, facts({ edges, children: 8 }))).toBeUndefined();
    const most = limits.relaysMax + 8 * reservesMax;
    for (let number = 0; number < most; number++) {
      expect(refusalOf(waiting, stranger, facts({ edges }))).toBeUndefined();
      edges.add(sampleEdge(10 + number, "down", { feed: false }).edge);
      edges.add(sampleEdge(100 + number, "down").edge);
    }
    expect(refusalOf(waiting, stranger, facts({ edges, children: 8 }))).toBe("full");
    // With a slot left they may come to see whether they hang better here, twice as many.
    for (let number = 0; number < most; number++) {
      expect(refusalOf(waiting, stranger, facts({ edges }))).toBeUndefined();
      edges.add(sampleEdge(200 + number, "down", { feed: false }).edge);
    }
    expect(refusalOf(waiting, stranger, facts({ edges }))).toBe("full");
  });

  it("[OV8] nobody at a node that lends nothing, not even the host", () => {
    expect(refusalOf(hello(), stranger, facts({ carries: false }))).toBe("not-carrying");
    expect(refusalOf(hello(), stranger, facts({ carries: false, proved: true }))).toBe("not-carrying");
  });

  it("[OV8] an eighth of the slots, but one of four at least, is kept for standbys that become children", () => {
    expect([0, 3, 4, 7, 8, 16, 100].map((max) => slotsFree(0, max))).toEqual([0, 3, 3, 6, 7, 14, 88]);
    expect(slotsFree(14, 16)).toBe(0);
    expect(slotsFree(16, 16)).toBe(0);
  });
});
