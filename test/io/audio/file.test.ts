import { execFile } from "node:child_process";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { openAudioFile } from "../../../p2p/io/audio/file.ts";
import { scratchDirectory } from "./scratch.ts";
import { concatenate, text } from "./wav-bytes.ts";

const scratch = scratchDirectory();
const speech = await readAudio(fixturePath("speech.flac"));
/** The fixtures, and how many seconds of the clip from its first second on they hold. */
const fixtures: readonly [name: string, seconds: number][] = [
  ["mono-22050.flac", 0.3],
  ["mono-22050.oga", 0.3],
  ["mono-22050.mp3", 1],
  ["stereo-44100.mp3", 1],
  ["mono-22050.ogg", 1],
  ["mono-48000.opus", 1],
];
const fixture = (name: string): Promise<Uint8Array> => readFile(fixturePath(`audio/${name}`));
const unreadable = { name: "TeahouseError", code: "audio-unreadable" };

describe("openAudioFile", () => {
  it.each(fixtures)("reads %s", async (name, seconds) => {
    const samples = await readAudio(fixturePath(`audio/${name}`));
    // MP3 without a length in its header keeps the encoder's padding: up to 0.1 s.
    expect(Math.abs(samples.length / 48_000 - seconds)).toBeLessThan(0.11);
    const original = speech.slice(48_000, 48_000 * (1 + seconds));
    const result = compareSpeech(original, samples.slice(0, original.length), 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.97);
    expect(result.worstGapMs).toBe(0);
  });

  it("tells the format by content, not by name", async () => {
    const path = await scratch.write("flac-called.mp3", await fixture("mono-22050.flac"));
    expect((await readAudio(path)).length).toBe(14_400);
  });

  it.each(["mono-22050.flac", "mono-22050.mp3"])("reads %s behind a tag with a picture", async (name) => {
    const tag = concatenate([
      text("ID3"),
      Uint8Array.of(4, 0, 0, 0, 0x7f, 0x7f, 0x7f),
      new Uint8Array(0x1f_ffff).fill(0xff),
    ]);
    const path = await scratch.write(`tagged-${name}`, concatenate([tag, await fixture(name)]));
    expect((await readAudio(path)).length).toBe((await readAudio(fixturePath(`audio/${name}`))).length);
  });

  it("reads FLAC whose metadata are larger than any of its frames", async () => {
    const bytes = await fixture("mono-22050.flac");
    const padding = concatenate([Uint8Array.of(1, 0x7f, 0xff, 0xff), new Uint8Array(0x7f_ffff).fill(0xff)]);
    const path = await scratch.write("picture.flac", concatenate([bytes.subarray(0, 42), padding, bytes.subarray(42)]));
    expect((await readAudio(path)).length).toBe(14_400);
  });

  it.each(fixtures)("plays %s as far as it goes when it was cut", async (name) => {
    const bytes = await fixture(name);
    const whole = (await readAudio(fixturePath(`audio/${name}`))).length;
    // Ogg packs a second into one page: it needs a longer file to be cut in.
    const repeated = name.endsWith(".opus") || name.includes(".og") ? concatenate([bytes, bytes]) : bytes;
    const cut = await readAudio(
      await scratch.write(`cut-${name}`, repeated.subarray(0, Math.floor(repeated.length * 0.75))),
    );
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.length).toBeLessThan(repeated === bytes ? whole : 2 * whole);
  });

  it("goes on after a damaged spot in FLAC", async () => {
    const bytes = new Uint8Array(await readFile(fixturePath("speech.flac")));
    const frames = bytes.subarray(firstFrame(bytes));
    const fourTimes = concatenate([bytes, frames, frames, frames]);
    fourTimes.fill(0x55, 100_000, 100_100);
    const samples = await readAudio(await scratch.write("damaged.flac", fourTimes));
    expect(samples.length / speech.length).toBeGreaterThan(2);
    expect(samples.length / speech.length).toBeLessThan(4);
  });

  it("hears MP3 through and after a damaged spot", async () => {
    const bytes = await fixture("stereo-44100.mp3");
    const damaged = concatenate([bytes, new Uint8Array(3000).fill(0xa5), bytes]);
    const samples = await readAudio(await scratch.write("damaged.mp3", damaged));
    expect(samples.length / 48_000).toBeGreaterThan(1.7);
  });

  it("says nothing on the console about damage", async () => {
    const spoken = vi.spyOn(console, "error");
    const bytes = new Uint8Array(await fixture("mono-22050.mp3"));
    bytes.fill(0xff, 2000, 2600);
    await readAudio(await scratch.write("noisy.mp3", concatenate([bytes, new Uint8Array(20_000).fill(0x41)])));
    expect(spoken).not.toHaveBeenCalled();
    spoken.mockRestore();
  });

  it("never hangs and never throws anything but its own errors, whatever is damaged", async () => {
    let state = 7;
    const random = (below: number): number =>
      Math.floor(((state = (state * 16_807) % 2_147_483_647) / 2_147_483_647) * below);
    let damagedFiles = 0;
    for (let round = 0; round < 20; round += 1) {
      for (const [name] of fixtures) {
        const bytes = new Uint8Array(await fixture(name));
        for (let flips = 1 + random(20); flips > 0; flips -= 1)
          bytes[random(round % 2 === 0 ? 200 : bytes.length)] = random(256);
        const outcome = await readAudio(await scratch.write("fuzzed", bytes)).catch((error: unknown) => error);
        if (!(outcome instanceof Float32Array)) {
          expect(outcome).toMatchObject({ name: "TeahouseError" });
          damagedFiles += 1;
        }
      }
    }
    expect(damagedFiles).toBeGreaterThan(5);
  });
});

describe("openAudioFile refuses", () => {
  it("a path where nothing is", async () => {
    await expect(openAudioFile(scratch.path("nothing.wav"))).rejects.toMatchObject({ code: "audio-missing" });
    await expect(openAudioFile(fixturePath("speech.flac/inside"))).rejects.toMatchObject({ code: "audio-missing" });
  });

  it("a directory", async () => {
    await mkdir(scratch.path("directory"));
    await expect(openAudioFile(scratch.path("directory"))).rejects.toMatchObject(unreadable);
  });

  it("a pipe, without waiting for somebody to write", async () => {
    await promisify(execFile)("mkfifo", [scratch.path("pipe")]);
    await expect(openAudioFile(scratch.path("pipe"))).rejects.toMatchObject(unreadable);
  });

  it("a link that leads nowhere but to itself", async () => {
    await symlink("circle.flac", scratch.path("circle.flac"));
    await expect(openAudioFile(scratch.path("circle.flac"))).rejects.toMatchObject(unreadable);
  });

  it.each([
    ["text", text("This is not a sound. ".repeat(5000))],
    ["zeros", new Uint8Array(100_000)],
    ["ones", new Uint8Array(100_000).fill(0xff)],
    ["a few bytes", Uint8Array.of(0xff, 0xfb)],
    [
      "FLAC without frames that decode",
      concatenate([text("fLaC"), Uint8Array.of(0x80, 0, 0, 34), new Uint8Array(5000)]),
    ],
    ["FLAC that ends in its metadata", concatenate([text("fLaC"), Uint8Array.of(0, 0, 0, 34), new Uint8Array(34)])],
    ["FLAC without its first block", concatenate([text("fLaC"), Uint8Array.of(0x84, 0, 0, 34), new Uint8Array(5000)])],
    ["Ogg of something else", concatenate([text("OggS"), new Uint8Array(22), Uint8Array.of(1, 8), text("Speex   ")])],
  ])("%s", async (name, bytes) => {
    const path = await scratch.write(`refused ${name}`, bytes);
    await expect(openAudioFile(path)).rejects.toMatchObject(unreadable);
  });

  it("files without sound", async () => {
    const nothing = await scratch.write("nothing", new Uint8Array(0));
    await expect(openAudioFile(nothing)).rejects.toMatchObject({ code: "audio-empty" });
    const flac = await fixture("mono-22050.flac");
    const onlyHeader = await scratch.write("header.flac", flac.subarray(0, firstFrame(flac)));
    await expect(openAudioFile(onlyHeader)).rejects.toMatchObject({ code: "audio-empty" });
    const opus = await fixture("mono-48000.opus");
    const firstPage = await scratch.write("page.opus", opus.subarray(0, 47));
    await expect(openAudioFile(firstPage)).rejects.toMatchObject({ code: "audio-empty" });
  });

  it("with one sentence that holds no path", async () => {
    const path = scratch.path("nothing.wav");
    const error: unknown = await openAudioFile(path).catch((reason: unknown) => reason);
    expect((error as Error).message).not.toContain(path);
    expect((error as Error).message).toMatch(/^[A-Z][^.]+\.$/);
  });
});

/** Where the metadata of a FLAC file end. */
function firstFrame(bytes: Uint8Array): number {
  for (let position = 4; ;) {
    const last = (bytes[position]! & 0x80) !== 0;
    position += 4 + bytes[position + 1]! * 65_536 + bytes[position + 2]! * 256 + bytes[position + 3]!;
    if (last) return position;
  }
}
