import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readAudio, rmsError, sine } from "../../audio/sounds.ts";
import { WavWriter } from "../../../p2p/io/audio/wav.ts";
import { scratchDirectory } from "./scratch.ts";

const scratch = scratchDirectory();
const tone = sine(4800, 440, 48_000);

describe("WavWriter", () => {
  it("writes what can be read again, in the order of the calls, awaited or not", async () => {
    const path = scratch.path("written.wav");
    const writer = await WavWriter.open(path);
    const reused = new Float32Array(100);
    for (let start = 0; start < tone.length; start += 100) {
      reused.set(tone.subarray(start, start + 100));
      void writer.write(reused);
    }
    expect(writer.samples).toBe(4800);
    await writer.close();
    await writer.close();
    const samples = await readAudio(path);
    expect(samples.length).toBe(4800);
    expect(rmsError(samples, tone)).toBeLessThan(0.00003);
  });

  it("puts the true sizes into the header", async () => {
    const path = scratch.path("sizes.wav");
    const writer = await WavWriter.open(path);
    await writer.write(tone);
    await writer.close();
    const header = (await readFile(path)).subarray(0, 44);
    expect(header.toString("latin1", 0, 4) + header.toString("latin1", 8, 16) + header.toString("latin1", 36, 40)).toBe(
      "RIFFWAVEfmt data",
    );
    expect([header.readUInt32LE(4), header.readUInt32LE(40)]).toEqual([36 + 9600, 9600]);
    // PCM, mono, 48,000 Hz, bytes a second, bytes a sample, bits.
    expect([20, 22, 32, 34].map((offset) => header.readUInt16LE(offset))).toEqual([1, 1, 2, 16]);
    expect([header.readUInt32LE(24), header.readUInt32LE(28)]).toEqual([48_000, 96_000]);
  });

  it("leaves a recording that can be played when the process dies before close", async () => {
    const path = scratch.path("killed.wav");
    const writer = await WavWriter.open(path);
    await writer.write(tone);
    expect((await readAudio(path)).length).toBe(4800);
    await writer.close();
  });

  it("clips what is too loud instead of wrapping around", async () => {
    const path = scratch.path("loud.wav");
    const writer = await WavWriter.open(path);
    await writer.write(Float32Array.of(2, -2, NaN, 0.5));
    await writer.close();
    const samples = await readAudio(path);
    expect([...samples.subarray(0, 3)].map((sample) => Math.round(sample * 100) / 100)).toEqual([1, -1, 0]);
  });

  it("refuses to write after close, and to open where it cannot", async () => {
    const writer = await WavWriter.open(scratch.path("closed.wav"));
    await writer.close();
    await expect(writer.write(tone)).rejects.toThrow("closed");
    await expect(WavWriter.open(scratch.path("missing/inside.wav"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
