import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageVersion } from "../../p2p/version.ts";
import { type BuiltApp, buildApp } from "./desktops.ts";

let built: BuiltApp;
let runtime: string;

beforeAll(() => {
  built = buildApp();
  runtime = mkdtempSync(join(tmpdir(), "teahouse-runtime-"));
});
afterAll(() => {
  built.remove();
  rmSync(runtime, { recursive: true, force: true });
});

describe("the built app under plain Node, with Electron doubled", () => {
  it("opens, reaches a real engine, gets it back after a crash, and ends without a trace", async () => {
    const script = fileURLToPath(new URL("./built-app.ts", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, built.folder], {
      env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    });
    const version = await packageVersion();
    const lines = stdout.split("\n").filter((line) => line !== "");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: "window", loaded: ["app://window/index.html"] },
      { event: "engine", version },
      { event: "engine-again", version, state: "open", processes: 2 },
      expect.objectContaining({ event: "refused", code: "invite-damaged" }),
      { event: "quit", code: 0 },
    ]);
    expect(stderr).toBe("");
    expect(readdirSync(join(runtime, "teahouse"))).toEqual([]);
  });

  it("is a few files that import nothing but Node, Electron and the one native module", () => {
    const names = readdirSync(built.folder).sort();
    expect(names).toEqual([
      "main.js",
      "peer-process.js",
      "preload.cjs",
      "tray-template.png",
      "tray-template@2x.png",
      "tray.png",
      "tray@2x.png",
    ]);
    const imports = (name: string): string[] => {
      const text = readFileSync(join(built.folder, name), "utf8");
      const found = [...text.matchAll(/^import .*?from "(?<from>[^"]+)";$/gm)].map(
        (match) => match.groups?.["from"] ?? "",
      );
      return [...new Set(found)].filter((one) => !one.startsWith("node:")).sort();
    };
    expect(imports("main.js")).toEqual(["electron"]);
    expect(imports("peer-process.js").filter((one) => one.startsWith("node-datachannel"))).toEqual([
      "node-datachannel",
      "node-datachannel/polyfill",
    ]);
    expect(imports("peer-process.js")).not.toContain("electron");
  });
});

describe("npm run smoke:electron", () => {
  it("fails and says why where Electron's program is missing", async () => {
    const script = fileURLToPath(new URL("./smoke.ts", import.meta.url));
    const env = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: runtime };
    await expect(promisify(execFile)(process.execPath, [script], { env })).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: "Electron's program is not installed, so nothing was tried. To get it: npx install-electron\n",
    });
  });
});
