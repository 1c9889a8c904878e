import { describe, expect, it } from "vitest";
import { worldStart } from "./world.ts";
import { bend, isMedia } from "./cheats/bent-machine.ts";
import type { Bending } from "./cheats/bent-machine.ts";
import { defaultOptions, drawOptions } from "./options.ts";
import type { Rule, SimOptions } from "./options.ts";
import { hasFailed, summaryLine, summaryText, violationLines } from "./report.ts";
import { seeds } from "./seeds.ts";
import { simulate } from "./simulation.ts";
import type { SimResult } from "./simulation.ts";

/** A run takes seconds of CPU, and this machine may be busy: what is checked is the outcome, never how long it took. */
const patient = { timeout: 300_000 };

/** A small room in good health: what is broken in it was broken on purpose. */
const small: SimOptions = {
  ...defaultOptions("small"),
  listeners: 12,
  relays: 0.25,
  core: 1,
  speakers: 1,
  seconds: 16,
};

const story = (result: SimResult): string => [JSON.stringify(result.options), ...violationLines(result)].join("\n");

describe("rooms under faults", patient, () => {
  it.each(seeds)(
    "seed $seed ($why): nothing breaks, everybody recovers, and the run met what it should",
    ({ seed }) => {
      const result = simulate(drawOptions(seed));
      expect(result.invariantsBroken, story(result)).toBe(0);
      expect(result.coverageMissing, story(result)).toEqual([]);
      expect(hasFailed(result)).toBe(false);
    },
  );

  it("one seed is one run, another is another", () => {
    const options: SimOptions = { ...small, loss: 0.02, churn: 2, kills: [{ what: { share: 0.5 }, atSecond: 5 }] };
    const first = simulate(options);
    expect(simulate(options).trace).toBe(first.trace);
    expect(simulate({ ...options, seed: "other" }).trace).not.toBe(first.trace);
    expect(first.inputs).toBeGreaterThan(1000);
  });

  it("a room in good health hears everything, also with the real signatures and seals", () => {
    for (const realCrypto of [false, true]) {
      const result = simulate({ ...small, seconds: 12, realCrypto });
      expect(result.invariantsBroken, story(result)).toBe(0);
      expect(result.figures.withoutSound).toBe(0);
      expect(result.figures.onTimeMedian).toBeGreaterThan(0.99);
    }
  });
});

describe("members who lend", patient, () => {
  it("[OV19] carry those for whom the ranked relays have no room, and nobody is left without sound when some die", () => {
    const options: SimOptions = {
      ...small,
      seed: "lenders",
      listeners: 90,
      relays: 0.5,
      uplinks: "tailed",
      core: 4,
      seconds: 26,
      churn: 1,
      kills: [{ what: { share: 0.1 }, atSecond: 14 }],
    };
    const result = simulate(options);
    expect(result.invariantsBroken, story(result)).toBe(0);
    expect(result.figures.withoutSound, story(result)).toBe(0);
    expect(result.figures.depthMax).toBeGreaterThan(2);
  });
});

describe("members who cheat", patient, () => {
  it("[OV51] do not keep the others from hearing, and what becomes of them is not reported", () => {
    const room = { listeners: 60, seconds: 30, core: 4, speakers: 0, topology: "regional" } as const;
    const result = simulate({ ...small, ...room, hostile: 0.1, seed: "cheats" });
    expect(result.invariantsBroken, story(result)).toBe(0);
    expect(result.figures.missShare, story(result)).toBeLessThan(0.005);
    expect(result.figures.withoutSound).toBe(0);
  });

  it("are caught when they are said to be honest", () => {
    const cheats = bend("listener", () => ({
      output: (output) => (output.kind === "heard" ? [output, output] : [output]),
    }));
    expect(hasFailed(simulate({ ...small, hostile: 0 }, cheats))).toBe(true);
  });
});

describe("rules that fall in the middle of a room", patient, () => {
  const many: SimOptions = { ...small, listeners: 16, relays: 0.25, core: 2, seconds: 45 };
  const at = { atSecond: 10 };
  const frozen = { ...at, kind: "freeze", bytes: 16_000 } as const;
  it.each([
    { what: "streams are reset every ten seconds", rules: [{ ...at, kind: "reset", everySeconds: 10 }] },
    { what: "streams freeze, data channels pass", rules: [frozen] },
    { what: "data channels are dead, streams pass", rules: [{ ...at, kind: "udp" }] },
    { what: "a third of the relays are blocked", rules: [{ ...at, kind: "block", share: 0.3 }] },
  ] satisfies { readonly what: string; readonly rules: readonly Rule[] }[])(
    "[SS10] [SS12] [OV7] $what: nobody is without sound for ten seconds, and everybody hears everything again",
    ({ what, rules }) => {
      const result = simulate({ ...many, seed: what, rules });
      expect(result.invariantsBroken, story(result)).toBe(0);
      expect(result.figures.withoutSound, story(result)).toBe(0);
    },
  );

  it("[OV16] streams freeze and data channels are dead: everybody is told why, and can read what the host types", () => {
    const result = simulate({ ...many, seed: "silenced", rules: [frozen, { ...at, kind: "udp" }] });
    expect(result.invariantsBroken, story(result)).toBe(0);
    expect(result.figures.withoutSound).toBeGreaterThan(0);
  });

  it("a room where nobody is told is found out", () => {
    const mute = bend("listener", () => ({
      output: (output) => (output.kind === "event" && output.event.event === "trouble" ? [] : [output]),
    }));
    const result = simulate({ ...many, seed: "silenced", rules: [frozen, { ...at, kind: "udp" }] }, mute);
    expect(result.violations.map(({ checker }) => checker)).toContain("explained");
  });
});

/** Who breaks a rule, how, and who has to see it. */
const bent: readonly {
  readonly what: string;
  readonly part: "listener" | "relay";
  readonly checker: string;
  readonly killed?: boolean;
  readonly make: () => Bending;
}[] = [
  {
    what: "plays a packet twice",
    part: "listener",
    checker: "ear",
    make: () => ({ output: (output) => (output.kind === "heard" ? [output, output] : [output]) }),
  },
  {
    what: "plays something else than was said",
    part: "listener",
    checker: "ear",
    make: () => ({
      output(output) {
        if (output.kind !== "heard") return [output];
        const opus = output.packet.opus.map((byte, index) => (index === 50 ? byte ^ 1 : byte));
        return [{ kind: "heard", packet: { ...output.packet, opus } }];
      },
    }),
  },
  {
    what: "forwards a packet twice",
    part: "relay",
    checker: "forwarding",
    make: () => ({
      output: (output) => (output.kind === "send" && isMedia(output.bytes) ? [output, output] : [output]),
    }),
  },
  {
    what: "sends a packet back to where it came from",
    part: "relay",
    checker: "forwarding",
    make: () => ({
      input(input, _now, say) {
        if (input.kind === "message" && isMedia(input.bytes))
          say({ kind: "send", link: input.link, bytes: input.bytes });
        return input;
      },
    }),
  },
  {
    what: "takes more children than it allows",
    part: "relay",
    checker: "capacity",
    killed: true,
    make: () => ({
      input(input) {
        if (input.kind !== "command" || input.command.kind !== "volunteer") return input;
        return { kind: "command", command: { ...input.command, options: { maxChildren: 1000 } } };
      },
    }),
  },
  {
    what: "never plays anything",
    part: "listener",
    checker: "silence",
    make: () => ({ output: (output) => (output.kind === "heard" ? [] : [output]) }),
  },
  {
    what: "falls silent when the faults are over",
    part: "listener",
    checker: "liveness",
    make: () => ({
      output: (output, now) => (output.kind === "heard" && now > worldStart + 12_000 ? [] : [output]),
    }),
  },
  {
    what: "uses a link that is closed",
    part: "listener",
    checker: "links",
    killed: true,
    make: () => ({
      input(input, _now, say) {
        if (input.kind === "link-closed") say({ kind: "close", link: input.link });
        return input;
      },
    }),
  },
];

describe("checkers", patient, () => {
  it.each(bent)("catch a $part that $what", ({ part, checker, make, killed }) => {
    // A dead relay where it takes one: then links close, and slots run short. Elsewhere there is room, so no excuse.
    const kills = killed === true ? [{ what: { share: 0.3 }, atSecond: 4 }] : [];
    const options: SimOptions = { ...small, seconds: 20, kills, silent: 0 };
    const result = simulate(options, bend(part, make));
    const caught = new Set(result.violations.map((violation) => violation.checker));
    expect([...caught], story(result)).toContain(checker);
    expect(hasFailed(result)).toBe(true);
  });

  it("find nothing in the same room when everybody is honest", () => {
    const result = simulate({ ...small, kills: [{ what: { share: 0.3 }, atSecond: 4 }], silent: 0 });
    expect(result.invariantsBroken, story(result)).toBe(0);
  });

  it("a run with a kill that shows nothing fails for want of coverage", () => {
    const result = simulate({
      ...small,
      listeners: 3,
      relays: 1,
      churn: 0.1,
      kills: [{ what: { share: 0.3 }, atSecond: 4 }],
    });
    expect(result.coverageMissing).toContain("full");
    expect(hasFailed(result)).toBe(true);
  });
});

describe("the report", patient, () => {
  it("has every field of the contract, and null where nothing was measured", () => {
    const summary = JSON.parse(summaryLine(simulate({ ...small, seconds: 10 }))) as Record<string, unknown>;
    const fields = [
      "seed peers delayP95Ms delayRatioToGreedy delayRatioToRandom depthMax withoutSound outageMsP95",
      "outageRatioToReactive onTimeMedian onTimeP5 missRatioToNoBackup controlKbpsPerPeer controlShare duplicateShare",
      "joinMsP95 joinRatioToNaive bystanderMoves invariantsBroken coverageMissing cpuSeconds rssMb",
    ];
    for (const field of fields.join(" ").split(" ")) expect(summary).toHaveProperty(field);
    expect(summary).toMatchObject({ event: "sim", seed: "small", peers: 16, coverageMissing: [], outageMsP95: null });
    // Nobody died, so there was nothing to mend; the trees and the joins are there to be compared.
    expect(summary).toMatchObject({ outageRatioToReactive: null });
    expect(summary["delayRatioToGreedy"]).toBeGreaterThan(0.5);
    expect(summary["joinRatioToNaive"]).toBeGreaterThan(0);
    const unasked = JSON.parse(summaryLine(simulate({ ...small, seconds: 10, baseline: "none" }))) as typeof summary;
    expect(unasked).toMatchObject({ delayRatioToGreedy: null, delayRatioToRandom: null, joinRatioToNaive: null });
  });

  it("says the same to a person", () => {
    const text = summaryText(simulate({ ...small, seconds: 10 })).join("\n");
    expect(text).toContain("Seed small is well.");
    expect(text).toMatch(/invariants broken +0/);
  });
});
