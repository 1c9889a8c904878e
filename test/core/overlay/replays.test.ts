import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { Replays } from "../../../p2p/core/overlay/replays.ts";
import { sampleEdge } from "./edges.ts";

describe("replays", () => {
  const held = [
    { voice: 1, sequence: 90 },
    { voice: 2, sequence: 40 },
  ];
  const asked = [
    { voice: 1, sequence: 50 },
    { voice: 3, sequence: 7 },
  ];

  it("[OV6] an ask that comes right after another was answered gets only what is newer", () => {
    const replays = new Replays();
    const { edge } = sampleEdge(1, "down");
    expect(replays.known(edge, asked, millis(1000))).toEqual(asked);
    replays.answered(edge, held, millis(1000));
    expect(replays.known(edge, asked, millis(1100))).toEqual([
      { voice: 1, sequence: 90 },
      { voice: 3, sequence: 7 },
    ]);
  });

  it("[OV6] an ask that comes later, or from another, gets all that it lacks", () => {
    const replays = new Replays();
    const { edge } = sampleEdge(1, "down");
    replays.answered(edge, held, millis(1000));
    expect(replays.known(edge, asked, millis(1200))).toEqual(asked);
    expect(replays.known(sampleEdge(2, "down").edge, asked, millis(1001))).toEqual(asked);
  });
});
