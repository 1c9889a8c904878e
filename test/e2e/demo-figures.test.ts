import { describe, expect, it } from "vitest";
import { demoFigures, lostListeners } from "../demo/figures.ts";
import type { Observed, Sample } from "../demo/figures.ts";
import { parseDemoOptions } from "../demo/options.ts";
import { listenersMaxOf, shapeOf } from "../demo/shape.ts";

const window = { from: 10_000, to: 30_000 };

/** A process that prints each second; `heard` says how many frames it was sent and got on time by a second. */
function observed(from: string, heard: (second: number) => [number, number], seconds = 32, offsetMs = 300): Observed {
  const samples = Array.from({ length: seconds }, (_, second): Sample => {
    const [framesExpected, framesOnTime] = heard(second);
    return {
      at: second * 1000 + offsetMs,
      t: second * 1000 + 77,
      framesExpected,
      framesOnTime,
      framesConcealed: framesExpected - framesOnTime,
      worstGapMs: second === 5 ? 900 : second === 15 ? 40 : 0,
      packetsForwarded: second * 100,
      hops: second < 20 ? 3 : 2,
      children: 4,
      links: { stream: 1, webrtc: 1 },
      rssMb: 80 + second,
      cpuMs: second * 50,
    };
  });
  return { from, samples, soundMs: 500, wasHurt: false };
}

const steady = (second: number): [number, number] => [second * 50, second * 50 - (second > 12 ? 10 : 0)];

describe("the demo's figures", () => {
  it("cover the window only", () => {
    const figures = demoFigures([observed("listener-1", steady), observed("listener-2", steady)], [], window);
    expect(figures.listeners[0]).toEqual({
      from: "listener-1",
      framesExpected: 1000,
      framesOnTime: 990,
      framesConcealed: 10,
      hops: 3,
      link: "webrtc",
      soundMs: 500,
      worstGapMs: 40,
      rssMb: 110,
    });
    expect(figures).toMatchObject({ event: "demo", soundMsP95: 500, worstGapMs: 40 });
  });

  it("count what a listener missed that stopped expecting frames while others went on", () => {
    const deaf = observed("listener-3", (second) => steady(Math.min(second, 20)));
    const others = [1, 2, 4, 5].map((index) => observed(`listener-${index}`, steady));
    const figures = demoFigures([...others, deaf], [], window).listeners.at(-1);
    expect(figures).toMatchObject({ framesExpected: 1000, framesOnTime: 490, worstGapMs: 10_000 });
  });

  it("count nothing as missed when the speaker died for everybody", () => {
    const deaf = [1, 2, 3].map((index) => observed(`listener-${index}`, (second) => steady(Math.min(second, 20))));
    expect(demoFigures(deaf, [], window).listeners[0]).toMatchObject({ framesExpected: 500, framesOnTime: 490 });
    expect(lostListeners(deaf, window)).toEqual([]);
  });

  it("name listeners that lost sound for good, and nobody else", () => {
    const deaf = observed("listener-3", (second) => steady(Math.min(second, 20)));
    const back = observed("listener-2", (second) => (second > 15 && second < 25 ? steady(15) : steady(second)));
    const others = [1, 4, 5].map((index) => observed(`listener-${index}`, steady));
    expect(lostListeners([...others, back, deaf], window)).toEqual(["listener-3"]);
  });

  it("leave the gap of whoever was killed or stopped out of the room's worst", () => {
    const frozen = { ...observed("listener-3", (second) => steady(Math.min(second, 20))), wasHurt: true };
    const others = [1, 2, 4].map((index) => observed(`listener-${index}`, steady));
    const figures = demoFigures([...others, frozen], [], window);
    expect(figures.listeners.at(-1)).toMatchObject({ worstGapMs: 10_000 });
    expect(figures.worstGapMs).toBe(40);
  });

  it("give a relay's share of a core, also of one that was killed in the window", () => {
    const { relays } = demoFigures([], [observed("relay-1", steady, 20), observed("relay-2", steady)], window);
    expect(relays).toEqual([
      { from: "relay-1", children: 4, packetsForwarded: 900, cpuShare: 0.05, rssMb: 99 },
      { from: "relay-2", children: 4, packetsForwarded: 2000, cpuShare: 0.05, rssMb: 111 },
    ]);
  });
});

describe("the demo's tree", () => {
  it.each([
    [1, 2, { coreSize: 1, relayFanout: 1 }],
    [2, 3, { coreSize: 1, relayFanout: 2 }],
    [3, 3, { coreSize: 1, relayFanout: 3 }],
    [3, 4, { coreSize: 1, relayFanout: 1 }],
    [7, 4, { coreSize: 1, relayFanout: 5 }],
  ])("of %i relays and depth %i", (relays, depth, shape) => {
    expect(shapeOf(relays, depth)).toEqual(shape);
  });

  it.each([
    [3, 2],
    [3, 5],
    [1, 3],
    [3, 1],
  ])("of %i relays cannot have depth %i", (relays, depth) => {
    expect(shapeOf(relays, depth)).toBeUndefined();
  });

  it.each([
    [2, 1, { coreSize: 1, relayFanout: 1 }, [0, undefined]],
    [3, 12, { coreSize: 1, relayFanout: 3 }, [6, undefined, undefined]],
    [3, 6, { coreSize: 1, relayFanout: 1 }, [1, 1, undefined]],
    [1, 6, { coreSize: 1, relayFanout: 1 }, [undefined]],
  ])("of %i relays leaves some of %i listeners to its foot", (relays, listeners, shape, most) => {
    expect(most.map((_, rank) => listenersMaxOf(rank, relays, listeners, shape))).toEqual(most);
  });
});

describe("the demo's options", () => {
  it("are those of the contract", () => {
    const args = "--json --for 20s --listeners 12 --relays 3 --depth 3 --profile webrtc --kill relay-1@10s";
    const faults = "--lend 2 --kill host@11s --stop relay-2@9s+3s";
    expect(parseDemoOptions(`${args} ${faults}`.split(" "))).toEqual({
      json: true,
      forMs: 20_000,
      listeners: 12,
      lending: 2,
      relays: 3,
      shape: { coreSize: 1, relayFanout: 3 },
      profile: "webrtc",
      kills: [
        { target: "relay-1", atMs: 10_000 },
        { target: "host", atMs: 11_000 },
      ],
      pauses: [{ target: "relay-2", atMs: 9000, forMs: 3000 }],
    });
  });

  it.each([
    ["--kill relay-4@1s", "--kill takes who and when"],
    ["--kill relay-1", "--kill takes who and when"],
    ["--kill host@30s --for 20s", "--kill host@30s comes after the end of --for"],
    ["--stop relay-2@1s", "--stop takes who, when and for how long"],
    ["--stop relay-9@1s+1s", "--stop takes who, when and for how long"],
    ["--stop relay-2@18s+2s --for 20s", "--stop relay-2@18s+2s does not go on before the end of --for"],
    ["--depth 5", "--depth takes 3 to 4 with --relays 3, not 5"],
    ["--depth 2", "--depth takes 3 to 4 with --relays 3, not 2"],
    ["--listeners 0", "--listeners takes a whole number"],
    ["--listeners many", "--listeners takes a whole number"],
    ["--lend 13", "--lend takes a whole number from 0 to 12"],
    ["--for ever", "--for takes a time"],
    ["--profile quic", "--profile takes"],
    ["--volume 3", "Unknown option '--volume'"],
  ])("refuse %s", (args, sentence) => {
    expect(() => parseDemoOptions(args.split(" "))).toThrow(sentence);
  });
});
