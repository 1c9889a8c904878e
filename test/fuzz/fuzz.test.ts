import { describe, expect, it } from "vitest";
import { seededCrypto } from "../core/fixtures.ts";
import { allParsers, drive, quickCrypto } from "./all.ts";
import { keptInputs } from "./corpus.ts";
import { driveRoom } from "./machine.ts";
import { slowFuzzers } from "./slow.ts";

/** Inputs for each parser; those whose signatures are real cost a hundred times as much. */
const quickInputs = 100_000;
const realInputs = 1_500;
const roomMessages = 4_000;
const slowInputs = 150;
const seed = process.env["TEST_SEED"] ?? "teahouse";

const quick = allParsers(quickCrypto(seed));
const real = allParsers(seededCrypto(seed));

describe.each(Object.keys(quick))(`%s (TEST_SEED=${seed})`, (name) => {
  const [parser, honest] = [quick[name], real[name]];

  it("accepts its samples, and says the same of what is kept in the tree whatever it runs on", () => {
    for (const sample of parser?.samples ?? []) expect(parser?.accepts(sample)).toBe(true);
    for (const sample of honest?.samples ?? []) expect(honest?.accepts(sample)).toBe(true);
    for (const kept of keptInputs(name)) expect(typeof honest?.accepts(kept)).toBe("boolean");
  });

  it(`takes ${quickInputs} mutants without a throw, and forged ones never`, () => {
    const outcome = parser && drive(name, parser, seed, quickInputs);
    expect(outcome?.broke).toBeUndefined();
    expect(outcome?.inputs).toBe(quickInputs);
    // A fuzzer whose inputs all fail the first check, or never one, finds nothing behind it.
    expect(outcome?.accepted).toBeGreaterThan(0);
  });

  it("takes none that real signatures, seals and checksums keep out", () => {
    expect(honest && drive(name, honest, seed, realInputs).broke).toBeUndefined();
  });

  it("takes every beginning of its samples without a throw, and a sealed one only whole", () => {
    for (const sample of parser?.samples ?? []) {
      for (let length = 0; length < sample.length; length++) {
        const taken = parser?.accepts(sample.subarray(0, length));
        if (parser?.sealed) expect(taken).toBe(false);
        else expect(typeof taken).toBe("boolean");
      }
    }
  });
});

describe(`whole peers (TEST_SEED=${seed})`, () => {
  it("[SS4] live through mutants of what a real room says, on every link, and throw nothing", () => {
    const { refused, heard } = driveRoom(seed, roomMessages);
    // The mutants got behind the frames: into packets, papers, lanes and sessions.
    for (const reason of ["frame", "signature", "paper", "view", "unknown-voice", "session"]) {
      expect([reason, (refused.get(reason) ?? 0) > 0]).toEqual([reason, true]);
    }
    expect(heard).toBeGreaterThan(0);
  });
});

describe(`what has decoders and sockets behind it (TEST_SEED=${seed})`, () => {
  it.each(Object.keys(slowFuzzers))("%s: a few mutants, nothing thrown but what has a sentence", async (name) => {
    await expect(slowFuzzers[name]?.(seed, slowInputs)).resolves.toBeUndefined();
  });
});
