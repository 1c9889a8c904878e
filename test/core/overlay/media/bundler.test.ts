import { describe, expect, it } from "vitest";
import type { Layer } from "../../../../p2p/api/engine.ts";
import { millis } from "../../../../p2p/api/ids.ts";
import { Bundler, microphonesMax } from "../../../../p2p/core/overlay/media/bundler.ts";
import { Pairs } from "../../../../p2p/core/overlay/media/pairs.ts";
import type { Passed } from "../../../../p2p/core/overlay/media/spread.ts";
import { sampleEdge } from "../edges.ts";

function passed(voiceId: number, sequence: number, layer: Layer = "normal"): Passed {
  return { voiceId, sequence, layer } as Passed;
}

/** A bundler, and what it sent: when, and which voices. */
function bench(): { bundler: Bundler; sent: (readonly [at: number, voices: string])[] } {
  const sent: (readonly [number, string])[] = [];
  const bundler = new Bundler(({ packets }, now) => {
    sent.push([now, packets.map(({ voiceId, layer }) => `${voiceId}${layer === "low" ? "l" : ""}`).join()]);
  });
  return { bundler, sent };
}

/** Lets it wake when it wants to, up to a time. */
function wake(bundler: Bundler, until: number): void {
  for (let at = bundler.dueAt; at <= until; at = bundler.dueAt) {
    bundler.handleTimeout(millis(at));
  }
}

describe("bundles", () => {
  it("[OV43] one microphone waits for nobody, with both its layers", () => {
    const { bundler, sent } = bench();
    bundler.add([passed(1, 1), passed(1, 1, "low")], undefined, millis(0));
    bundler.add([passed(1, 2), passed(1, 2, "low")], undefined, millis(40));
    expect(sent).toEqual([
      [0, "1,1l"],
      [40, "1,1l"],
    ]);
    expect(bundler.dueAt).toBe(Infinity);
  });

  it("[OV43] says who brought what, so that nobody is sent back their own", () => {
    const [one, two] = [sampleEdge(1, "down").edge, sampleEdge(2, "down").edge];
    const owners: string[] = [];
    const bundler = new Bundler(({ from }) => {
      for (const [edge, own] of from)
        owners.push(`${edge === one ? "one" : "two"}: ${own.map((each) => each.voiceId).join()}`);
    });
    bundler.add([passed(1, 1), passed(2, 1)], undefined, millis(0));
    owners.length = 0;
    bundler.add([passed(1, 2)], one, millis(40));
    bundler.add([passed(2, 2)], two, millis(50));
    expect(owners).toEqual(["one: 1", "two: 2"]);
  });

  it("[OV43] several are sent when the last of them has come, and never later than a tick after the first", () => {
    const { bundler, sent } = bench();
    for (let tick = 0; tick < 5; tick++) {
      for (const [voice, offset] of [
        [1, 0],
        [2, 15],
        [3, 30],
      ] as const) {
        wake(bundler, 40 * tick + offset);
        bundler.add([passed(voice, tick)], undefined, millis(40 * tick + offset));
      }
    }
    expect(sent.slice(-3)).toEqual([
      [80, "2,3,1"],
      [120, "2,3,1"],
      [160, "2,3,1"],
    ]);
    // The third closes its microphone: it is waited for one tick, and then no more.
    wake(bundler, 240);
    bundler.add([passed(1, 6), passed(2, 6)], undefined, millis(240));
    wake(bundler, 280);
    bundler.add([passed(1, 7), passed(2, 7)], undefined, millis(290));
    expect(sent.slice(-2)).toEqual([
      [280, "1,2"],
      [290, "1,2"],
    ]);
  });

  it("[OV43] a voice that brings a second tick before the others have theirs ends the bundle", () => {
    const { bundler, sent } = bench();
    bundler.add([passed(1, 1)], undefined, millis(0));
    bundler.add([passed(2, 1)], undefined, millis(1));
    bundler.add([passed(1, 2)], undefined, millis(2));
    bundler.add([passed(1, 3)], undefined, millis(3));
    bundler.add([passed(1, 4)], undefined, millis(4));
    expect(sent).toEqual([
      [0, "1"],
      [2, "2,1"],
      [4, "1"],
    ]);
  });

  it("[OV43] the floor has six places, first come; who falls silent gives its own back", () => {
    const { bundler, sent } = bench();
    const voices = Array.from({ length: microphonesMax + 1 }, (_, voice) => voice);
    for (let tick = 0; tick < 20; tick++) {
      wake(bundler, 40 * tick);
      for (const voice of voices) bundler.add([passed(voice, tick)], undefined, millis(40 * tick));
    }
    wake(bundler, 900);
    expect(sent.at(-1)?.[1]).toBe("0,1,2,3,4,5");
    for (let tick = 30; tick < 40; tick++) {
      for (const voice of voices.slice(1)) bundler.add([passed(voice, tick)], undefined, millis(40 * tick));
      wake(bundler, 40 * tick + 39);
    }
    expect(sent.at(-1)?.[1]).toBe("1,2,3,4,5,6");
  });

  it("[OV44] two ticks go together, and the first is not kept when no second comes", () => {
    const sent: (readonly [number, number])[] = [];
    const pairs = new Pairs((packets, now) => sent.push([now, packets.length]));
    pairs.add([passed(1, 1, "low")], millis(0));
    pairs.add([passed(2, 1, "low")], millis(5));
    pairs.add([passed(1, 2, "low")], millis(40));
    expect(sent).toEqual([[40, 3]]);
    pairs.add([], millis(50));
    expect(pairs.dueAt).toBe(Infinity);
    pairs.add([passed(1, 3, "low")], millis(80));
    expect(pairs.dueAt).toBe(140);
    pairs.handleTimeout(millis(139));
    pairs.handleTimeout(millis(140));
    expect(sent).toEqual([
      [40, 3],
      [140, 1],
    ]);
  });
});
