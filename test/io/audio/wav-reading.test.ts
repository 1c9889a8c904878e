import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { text as readText } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { joined, readAudio, rmsError, sine } from "../../audio/sounds.ts";
import { openAudioFile } from "../../../p2p/io/audio/file.ts";
import { scratchDirectory } from "./scratch.ts";
import { chunk, concatenate, text, wavBytes } from "./wav-bytes.ts";

const scratch = scratchDirectory();
const tone = sine(24_000, 440, 48_000);
/** What each format must keep of a sine: its quantisation error, with room for rounding. */
const formats: readonly [name: string, format: number, bits: number, error: number][] = [
  ["8-bit", 1, 8, 0.004],
  ["16-bit", 1, 16, 0.00002],
  ["24-bit", 1, 24, 1e-6],
  ["32-bit", 1, 32, 1e-6],
  ["float", 3, 32, 1e-7],
  ["double", 3, 64, 1e-7],
  ["A-law", 6, 8, 0.01],
  ["mu-law", 7, 8, 0.01],
];

describe("WAV", () => {
  it.each(formats)("is read as %s", async (name, format, bits, error) => {
    const path = await scratch.write(`${name}.wav`, wavBytes([tone], { format, bits }));
    const samples = await readAudio(path);
    expect(samples.length).toBe(tone.length);
    expect(rmsError(samples, tone)).toBeLessThan(error);
  });

  it.each([8000, 11_025, 22_050, 44_100, 96_000, 192_000])(
    "of %i Hz is resampled in pitch and length",
    async (rateHz) => {
      const path = await scratch.write(`${rateHz}.wav`, wavBytes([sine(rateHz, 440, rateHz)], { rateHz, bits: 24 }));
      const samples = await readAudio(path);
      expect(samples.length).toBe(48_000);
      // The edges ring: the sound begins and ends there.
      expect(rmsError(samples.subarray(2000, 22_000), tone.subarray(2000, 22_000))).toBeLessThan(1e-4);
    },
  );

  it("takes the mean of its channels", async () => {
    const opposite = await readAudio(
      await scratch.write("opposite.wav", wavBytes([tone, tone.map((sample) => -sample)])),
    );
    expect(opposite.every((sample) => Math.abs(sample) < 1e-4)).toBe(true);
    const third = wavBytes([tone, new Float32Array(tone.length), new Float32Array(tone.length)], { extensible: true });
    const samples = await readAudio(await scratch.write("third.wav", third));
    expect(
      rmsError(
        samples,
        tone.map((sample) => sample / 3),
      ),
    ).toBeLessThan(1e-4);
  });

  it("makes samples playable that are not", async () => {
    const wild = Float32Array.of(0.25, NaN, Infinity, -Infinity, 7, -7);
    const samples = await readAudio(await scratch.write("wild.wav", wavBytes([wild], { format: 3, bits: 32 })));
    expect([...samples]).toEqual([0.25, 0, 1, -1, 1, -1]);
  });

  it.each([
    ["a chunk of odd length before the samples", { before: [chunk("LIST", new Uint8Array(4097))] }],
    ["a chunk of megabytes before the samples", { before: [chunk("junk", new Uint8Array(5_000_000))] }],
    ["the extensible format", { extensible: true }],
    ["64-bit sizes", { rf64: true }],
    ["an open-ended size", { claimedBytes: 0xffff_ffff }],
    ["a size beyond the end of the file", { claimedBytes: 1_000_000 }],
    ["chunks after the samples", { after: chunk("LIST", new Uint8Array(1000).fill(0x7f)) }],
  ])("with %s is read", async (name, options) => {
    const samples = await readAudio(await scratch.write(`${name}.wav`, wavBytes([tone], options)));
    expect(samples.length).toBe(tone.length);
    expect(rmsError(samples, tone)).toBeLessThan(1e-4);
  });

  it("that is cut within a sample plays as far as it goes", async () => {
    const bytes = wavBytes([tone, tone]);
    const samples = await readAudio(await scratch.write("cut.wav", bytes.subarray(0, 44 + 4 * 1000 + 3)));
    expect(rmsError(samples, tone.subarray(0, 1000))).toBeLessThan(1e-4);
    expect(samples.length).toBe(1000);
  });

  const plain = wavBytes([tone]);
  const changed = (offset: number, ...values: number[]): Uint8Array => {
    const bytes = plain.slice();
    bytes.set(values, offset);
    return bytes;
  };
  it.each([
    ["no channels", changed(22, 0, 0)],
    ["a block size that does not fit", changed(32, 3, 0)],
    ["ADPCM", changed(20, 2, 0)],
    ["12-bit samples", changed(34, 12, 0)],
    ["a rate of nothing", changed(24, 0, 0, 0, 0)],
    ["an absurd rate", changed(24, 255, 255, 255, 255)],
    ["samples before their format", concatenate([plain.subarray(0, 12), plain.subarray(36)])],
    ["no samples chunk", plain.subarray(0, 36)],
    ["a header cut short", plain.subarray(0, 30)],
    ["nothing after its first words", text("RIFF\0\0\0\0WAVE")],
  ])("with %s is unreadable", async (name, bytes) => {
    const path = await scratch.write(`bad ${name}.wav`, bytes);
    await expect(openAudioFile(path)).rejects.toMatchObject({ name: "TeahouseError", code: "audio-unreadable" });
  });

  it.each([
    ["an empty samples chunk", wavBytes([new Float32Array(0)])],
    ["an open-ended chunk with nothing in it", wavBytes([new Float32Array(0)], { claimedBytes: 0xffff_ffff })],
    ["less than one sample", wavBytes([tone]).subarray(0, 45)],
  ])("with %s is empty", async (name, bytes) => {
    const path = await scratch.write(`empty ${name}.wav`, bytes);
    await expect(openAudioFile(path)).rejects.toMatchObject({ code: "audio-empty" });
  });

  it("of six hours needs no memory for them", async () => {
    const path = scratch.path("six-hours.wav");
    const sixHoursBytes = 6 * 3600 * 44_100 * 4;
    const header = wavBytes([new Float32Array(0), new Float32Array(0)], {
      rateHz: 44_100,
      claimedBytes: sixHoursBytes,
    });
    // Sparse: it takes no room on the disk either.
    const file = await open(path, "w");
    await file.write(header, 0, header.length, 0);
    await file.truncate(header.length + sixHoursBytes);
    await file.close();
    const script = new URL("memory-probe.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, path, "100"], { stdio: ["ignore", "pipe", "inherit"] });
    const [[code], output] = await Promise.all([once(child, "exit"), readText(child.stdout)]);
    expect(code).toBe(0);
    const { seconds, rssMbMax } = JSON.parse(output) as { seconds: number; rssMbMax: number };
    expect(seconds).toBeGreaterThanOrEqual(100);
    expect(rssMbMax).toBeLessThan(150);
  });

  it("stops when it is closed, also while a piece is being read", async () => {
    const path = await scratch.write("long.wav", wavBytes([joined(Array.from({ length: 20 }, () => tone))]));
    const file = await openAudioFile(path);
    const iterator = file[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    const pending = iterator.next();
    await file.close();
    await pending;
    expect((await iterator.next()).done).toBe(true);
    await file.close();
  });
});
