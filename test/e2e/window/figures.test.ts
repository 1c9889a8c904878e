import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectFolder } from "../../../p2p/cli/window-build.ts";
import { drive, type FixtureSite, startFixtureSite } from "../../renderer/fixture-page.ts";
import { voiceOf } from "../../renderer/scenes.ts";
import { screens } from "../../renderer/screens.ts";

/** The figure. */
const gzipBytesMax = 500 * 1024;
/** React and the components alone are more. */
const gzipBytesMin = 100 * 1024;
/** A WebAssembly module inside a script, as the Opus library brings it: a template that begins as all modules do. */
const wasmTemplate = /`\\0asm(?:[^`\\]|\\[^])*`/g;
const config = fileURLToPath(new URL("../../../renderer/vite.config.ts", import.meta.url));
const framesMeasured = 300;

describe("the built window", () => {
  it("is at most 500 KB gzipped, without WASM, and tells nothing of where it was built", async () => {
    const folder = await mkdtemp(join(tmpdir(), "teahouse-built-"));
    let bytes = 0;
    let modules = 0;
    try {
      await build({ configFile: config, logLevel: "error", build: { outDir: folder, reportCompressedSize: false } });
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.name.endsWith(".wasm")) continue;
        const text = await readFile(join(entry.parentPath, entry.name), "latin1");
        expect(text.includes(projectFolder), entry.name).toBe(false);
        modules += text.match(wasmTemplate)?.length ?? 0;
        bytes += gzipSync(Buffer.from(text.replaceAll(wasmTemplate, ""), "latin1")).length;
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    console.log(`the window: ${(bytes / 1024).toFixed(0)} KB gzipped without ${modules} copies of WASM`);
    // One in the worker that speaks, one in the worker that plays: else the measure is no longer what it says.
    expect(modules).toBe(2);
    expect(bytes).toBeGreaterThan(gzipBytesMin);
    expect(bytes).toBeLessThanOrEqual(gzipBytesMax);
  });
});

describe("a room of 16 speakers and 8,000 listeners", () => {
  let site: FixtureSite;

  beforeAll(async () => {
    site = await startFixtureSite();
  });

  afterAll(() => site?.stop());

  it("draws while everybody speaks; how long each frame takes is printed beside an idle page", async () => {
    const idle = await site.open({ reducedMotion: false });
    const idleMs = await framesOf(idle, false);
    await idle.context().close();
    const page = await site.open({ reducedMotion: false });
    await screens.find(({ name }) => name === "room-sixteen")!.show(page);
    const roomMs = await framesOf(page, true);
    console.log(`frames of an idle page: ${summary(idleMs)}; of the room: ${summary(roomMs)}`);
    const levels = page.locator('.seat[data-speaking][style*="--level"]');
    expect(await levels.count()).toBeGreaterThanOrEqual(15);
  });

  /** From one frame to the next, ms; meanwhile all 16 speak, each at another level 20 times a second. */
  async function framesOf(page: Page, speaking: boolean): Promise<number[]> {
    let round = 0;
    const timer = setInterval(() => {
      if (!speaking) return;
      round += 1;
      const levels = Array.from({ length: 16 }, (_, index) => [voiceOf(index), 0.3 + ((round + index) % 10) / 15]);
      // A page that is being closed hears nothing more.
      drive(page, "hearOthers", levels).catch(() => undefined);
    }, 50);
    try {
      return await page.evaluate(
        (count) =>
          new Promise<number[]>((resolve) => {
            const frames: number[] = [];
            let last: number | undefined;
            const frame = (now: number): void => {
              if (last !== undefined) frames.push(now - last);
              last = now;
              if (frames.length < count) requestAnimationFrame(frame);
              else resolve(frames);
            };
            requestAnimationFrame(frame);
          }),
        framesMeasured,
      );
    } finally {
      clearInterval(timer);
    }
  }

  function summary(frames: readonly number[]): string {
    const sorted = frames.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
    return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms`;
  }
});
