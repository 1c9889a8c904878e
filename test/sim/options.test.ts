import { describe, expect, it } from "vitest";
import { parseSimCommand, SimUsageError } from "./command-line.ts";
import { defaultOptions, drawOptions, lendingShare, relayCount } from "./options.ts";

const parse = (line: string): ReturnType<typeof parseSimCommand> => parseSimCommand(line.split(" "));

describe("the simulator's options", () => {
  it("are read as the command-line contract has them", () => {
    const { options, json } = parse(
      "--listeners 50 --seconds 40 --seed x --relays 0.25 --topology regional --loss 0.01 --churn 5 --kill 0.1@30 " +
        "--kill host@20s --kill one@25 --partition 0.1@15+5 --speakers 3 --baseline none --json",
    );
    expect(json).toBe(true);
    expect(parse("--svg tree.svg").svg).toBe("tree.svg");
    expect(options).toMatchObject({
      seed: "x",
      listeners: 50,
      seconds: 40,
      relays: 0.25,
      topology: "regional",
      loss: 0.01,
      churn: 5,
      speakers: 3,
      kills: [
        { what: { share: 0.1 }, atSecond: 30 },
        { what: "host", atSecond: 20 },
        { what: "one", atSecond: 25 },
      ],
      partition: { share: 0.1, atSecond: 15, seconds: 5 },
    });
  });

  it("say who else comes, sleeps, stays and cheats", () => {
    const line =
      "--flash 1500@10/30 --suspend 0.1@12+6 --sessions 0.1 --join-seconds 20 --packet-ms 1000 --hostile 0.1";
    expect(parse(line).options).toMatchObject({
      flash: { joins: 1500, atSecond: 10, seconds: 30 },
      suspension: { share: 0.1, atSecond: 12, seconds: 6 },
      sessions: 0.1,
      joinSeconds: 20,
      packetMs: 1000,
      hostile: 0.1,
    });
  });

  it("name rules of a censor that fall in the middle", () => {
    const line = "--rule freeze:16000@10 --rule reset:30@11 --rule block:0.5@12 --rule udp@13";
    expect(parse(line).options.rules).toEqual([
      { kind: "freeze", bytes: 16_000, atSecond: 10 },
      { kind: "reset", everySeconds: 30, atSecond: 11 },
      { kind: "block", share: 0.5, atSecond: 12 },
      { kind: "udp", atSecond: 13 },
    ]);
  });

  it("have defaults, and with --drawn all follow from the seed", () => {
    expect(parseSimCommand([]).options).toEqual(defaultOptions("1"));
    expect(parse("--drawn --seed 7").options).toEqual(drawOptions("7"));
    expect(drawOptions("7")).toEqual(drawOptions("7"));
    expect(drawOptions("7")).not.toEqual({ ...drawOptions("8"), seed: "7" });
    expect(parse("--drawn --seed 7 --loss 0.25").options.loss).toBe(0.25);
  });

  it.each([
    ["--listeners 0", /--listeners takes a whole number from 1 to 100000/],
    ["--listeners many", /--listeners/],
    ["--loss 2", /--loss takes a number from 0 to 0.5/],
    ["--topology flat", /regional or global/],
    ["--kill 0.1", /a share of those who lend, one or host, and a second/],
    ["--kill 1.5@20", /--kill/],
    ["--partition 0.1@20", /--partition/],
    ["--rule freeze:0@20", /--rule takes freeze and bytes/],
    ["--rule block:1@20", /--rule/],
    ["--rule udp:3@20", /--rule/],
    ["--seconds 20 --rule udp@19", /8 s before the end/],
    ["--seconds 20 --kill 0.1@19", /8 s before the end/],
    ["--baseline best", /--baseline takes none, random, greedy/],
    ["--uplinks wide", /ample or tailed/],
    ["--nat 2", /--nat/],
    ["--flash 0@10/5", /--flash takes a number of people/],
    ["--suspend 2@10+5", /--suspend takes a share of the members/],
    ["--packet-ms 10", /--packet-ms/],
    ["--hostile 0.9", /--hostile/],
    ["--nonsense", /nonsense/],
    ["stray", /stray/],
  ])("refuse %s with a sentence", (line, message) => {
    expect(() => parse(line)).toThrow(SimUsageError);
    expect(() => parse(line)).toThrow(message);
  });

  it("name no more relays than a relay view holds: who lends beyond that is a member who lends", () => {
    const many = { listeners: 5000, relays: 0.25 };
    expect(relayCount(many)).toBe(24);
    expect(lendingShare(many)).toBeCloseTo((1250 - 24) / 5000);
    const few = { listeners: 3, relays: 0.1 };
    expect([relayCount(few), lendingShare(few)]).toEqual([1, 0]);
    expect(parse("--listeners 5000 --relays 0.25").options.uplinks).toBe("tailed");
    expect(parse("--listeners 100 --relays 0.1").options.uplinks).toBe("ample");
  });
});
