import { describe, expect, it } from "vitest";
import { Rng } from "../../p2p/core/rng.ts";
import { listenerFigures, memoryFigures, sentByOf, stageLoss, type Record, type SoakSample } from "./figures.ts";
import { parseSoakOptions } from "./options.ts";
import { scheduleOf } from "./schedule.ts";

const hourMs = 3_600_000;

/** A process that prints each second for so long; `of` says what stands in a line. */
function recordOf(seconds: number, of: (second: number) => Partial<SoakSample>, more: Partial<Record> = {}): Record {
  const samples = Array.from({ length: seconds }, (_, second): SoakSample => {
    const nothing = { framesExpected: 0, framesOnTime: 0, framesSent: 0, worstGapMs: 0, packetsForwarded: 0 };
    return { at: second * 1000, ...nothing, rssMb: 100, cpuMs: 0, ...of(second) };
  });
  return {
    name: "listener-1",
    kind: "listener",
    bornAt: 0,
    endedAt: undefined,
    soundAt: 0,
    stageAt: undefined,
    samples,
    ...more,
  };
}

const speaker = recordOf(100, (second) => ({ framesSent: 50 * second }), { kind: "speaker" });
const sentBy = sentByOf([speaker]);

describe("the churn of a soak", () => {
  const size = { durationMs: hourMs, relays: 4, listeners: 8 };
  const stays = scheduleOf(size, new Rng("1"));

  it("comes from the seed", () => {
    expect(scheduleOf(size, new Rng("1"))).toEqual(stays);
    expect(scheduleOf(size, new Rng("2"))).not.toEqual(stays);
  });

  it("leaves nobody of those who began it in the second half, and no seat empty for long", () => {
    for (const { fromMs, toMs, kind } of stays.filter((stay) => stay.fromMs === 0)) {
      expect(toMs, kind).toBeLessThanOrEqual(hourMs / 2);
      expect(fromMs).toBe(0);
    }
    for (let seat = 0; seat < size.listeners; seat++) {
      const own = stays.filter((stay) => stay.kind === "listener" && stay.seat === seat);
      for (const [index, { toMs }] of own.entries()) {
        expect((own[index + 1]?.fromMs ?? hourMs) - toMs).toBeLessThan(4000);
      }
    }
  });

  it("has crashes and goodbyes of every kind, and relays that stay for memory to be seen", () => {
    const endings = new Set(stays.map(({ kind, ending }) => `${kind} ${ending}`));
    for (const kind of ["relay", "speaker", "listener"]) {
      expect(endings).toContain(`${kind} crash`);
      expect(endings).toContain(`${kind} leave`);
    }
    const lasting = stays.filter(({ fromMs, toMs }) => toMs === hourMs && fromMs < hourMs * 0.46);
    expect(lasting.filter(({ kind }) => kind === "relay")).toHaveLength(3);
    expect(lasting.filter(({ kind }) => kind === "listener").length).toBeGreaterThanOrEqual(2);
  });
});

describe("a soak's figures", () => {
  it("are those of a listener who heard everything", () => {
    const well = recordOf(60, (second) => ({ framesExpected: 50 * second, framesOnTime: 50 * second }));
    expect(listenerFigures(well, sentBy, hourMs)).toEqual({
      name: "listener-1",
      onTimeShare: 1,
      gapsMs: [],
      lost: undefined,
    });
  });

  it("count what was sent while a listener was deaf, and name who stayed so", () => {
    const heard = (second: number) => 50 * Math.min(second, 20);
    const deaf = recordOf(60, (second) => ({ framesExpected: heard(second), framesOnTime: heard(second) }));
    const figures = listenerFigures(deaf, sentBy, hourMs);
    expect(figures.onTimeShare).toBeCloseTo(1000 / (59 * 50 - 100), 3);
    expect(figures.lost).toContain("heard nothing more");
    const never = recordOf(60, () => ({}), { soundAt: undefined, endedAt: 60_000 });
    expect(listenerFigures(never, sentBy, hourMs).lost).toBe("never had sound");
    const brief = recordOf(3, () => ({}), { soundAt: undefined, endedAt: 3000 });
    expect(listenerFigures(brief, sentBy, hourMs).lost).toBeUndefined();
  });

  it("name a speaker whom nobody let on stage", () => {
    const late = { kind: "speaker", endedAt: 60_000 } as const;
    expect(
      stageLoss(
        recordOf(60, () => ({}), late),
        hourMs,
      ),
    ).toBe("listener-1 never got the stage");
    expect(
      stageLoss(
        recordOf(60, () => ({}), { ...late, stageAt: 5000 }),
        hourMs,
      ),
    ).toBeUndefined();
  });

  it("count a gap over several lines once", () => {
    const gaps: { [second: number]: number } = { 5: 400, 6: 1400, 7: 1600, 20: 60 };
    const record = recordOf(30, (second) => ({ framesExpected: 50 * second, worstGapMs: gaps[second] ?? 0 }));
    expect(listenerFigures(record, sentBy, hourMs).gapsMs).toEqual([1600, 60]);
  });

  it("see a leak of each kind of process, whatever its size at the start, and nothing of warming up", () => {
    const grows = (level: number) => (second: number) => ({
      rssMb: level + (second < 600 ? second / 10 : 60) + (12 * second) / 3600,
    });
    const relays = [100, 150].map((level) => recordOf(3600, grows(level), { kind: "relay" }));
    const figures = memoryFigures("relay", relays, 600_000);
    expect(figures).toMatchObject({ kind: "relay", processes: 2, hours: 1.67, mbPerHour: 12 });
    expect(figures.rssMbMax).toBeCloseTo(222, 0);
    expect(memoryFigures("speaker", relays, 600_000)).toMatchObject({ processes: 0, mbPerHour: 0 });
  });
});

describe("the soak's options", () => {
  it("are an hour's, unless it is said otherwise", () => {
    expect(parseSoakOptions([])).toMatchObject({ durationMs: hourMs, json: false, seed: "1" });
    expect(parseSoakOptions(["--for", "30s", "--json"])).toMatchObject({ durationMs: 30_000, json: true });
    expect(parseSoakOptions(["--help"])).toBeUndefined();
  });

  it.each([
    ["--for 5s", "--for takes at least 12s here"],
    ["--relays 1", "--relays takes a whole number from 2 to 100"],
    ["--volume 3", "Unknown option '--volume'"],
  ])("refuse %s", (args, sentence) => {
    expect(() => parseSoakOptions(args.split(" "))).toThrow(sentence);
  });
});
