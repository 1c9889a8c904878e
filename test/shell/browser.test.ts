import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runElectron } from "../../p2p/cli/electron.ts";
import { isBuildStale } from "../../p2p/cli/window-build.ts";
import { browserArguments, findBrowser, hasDisplay } from "../../p2p/shell/browser.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teahouse-browser-"));
});

afterAll(() => rm(folder, { recursive: true }));

describe("the window in Electron", () => {
  it("does not open for who wanted it ended while it was made ready", async () => {
    const nothing = { program: join(folder, "no-electron"), main: "main.js" };
    expect(await runElectron(nothing, AbortSignal.abort())).toBe(0);
    expect(await runElectron(nothing, new AbortController().signal)).toBe(70);
  });
});

describe("the browser that the shell starts", () => {
  it("is looked for only where windows can be shown", () => {
    expect(hasDisplay({ platform: "linux", environment: {} })).toBe(false);
    expect(hasDisplay({ platform: "linux", environment: { DISPLAY: "" } })).toBe(false);
    expect(hasDisplay({ platform: "linux", environment: { DISPLAY: ":0" } })).toBe(true);
    expect(hasDisplay({ platform: "linux", environment: { WAYLAND_DISPLAY: "wayland-0" } })).toBe(true);
    expect(hasDisplay({ platform: "darwin", environment: {} })).toBe(true);
    expect(hasDisplay({ platform: "win32", environment: {} })).toBe(true);
  });

  it("is a Chromium in the PATH that can be run, the one that calls home least before others", async () => {
    const bin = join(folder, "bin");
    await mkdir(bin);
    const find = (): string | undefined => findBrowser({ platform: "linux", environment: { PATH: `::${bin}` } });
    expect(find()).toBeUndefined();
    await writeFile(join(bin, "google-chrome"), "");
    expect(find()).toBeUndefined();
    await chmod(join(bin, "google-chrome"), 0o755);
    expect(find()).toBe(join(bin, "google-chrome"));
    await writeFile(join(bin, "chromium"), "", { mode: 0o755 });
    expect(find()).toBe(join(bin, "chromium"));
    expect(findBrowser({ platform: "linux", environment: {} })).toBeUndefined();
    expect(findBrowser({ platform: "win32", environment: {} })).toBeUndefined();
  });

  it("has a throw-away profile, no calls home, no secret in its arguments, and its sandbox unless we are root", () => {
    const address = "http://127.0.0.1:1/opening";
    const args = browserArguments({ address, profile: "profile", isRoot: false });
    expect(args).toEqual(
      expect.arrayContaining([
        `--app=${address}`,
        "--user-data-dir=profile",
        "--remote-debugging-pipe",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-domain-reliability",
        "--force-webrtc-ip-handling-policy=default_public_interface_only",
      ]),
    );
    expect(args.some((argument) => argument.startsWith("--remote-debugging-port"))).toBe(false);
    expect(args).not.toContain("--no-sandbox");
    expect(args).not.toContain("--disable-web-security");
    expect(args.filter((one) => one.startsWith("--proxy"))).toEqual([]);
    expect(browserArguments({ address, profile: "profile", isRoot: false, hopPort: 1080 })).toContain(
      "--proxy-server=socks5://127.0.0.1:1080",
    );
    expect(browserArguments({ address, profile: "profile", isRoot: true })).toContain("--no-sandbox");
  });
});

describe("the built window", () => {
  it("is stale when it is missing or older than what it is made of", async () => {
    const project = join(folder, "project");
    const site = join(project, "dist");
    await mkdir(join(project, "renderer", "ui"), { recursive: true });
    await mkdir(site, { recursive: true });
    const source = join(project, "renderer", "ui", "a.tsx");
    await writeFile(source, "");
    await utimes(source, 1000, 1000);
    expect(await isBuildStale(project, site)).toBe(true);
    await writeFile(join(site, "index.html"), "");
    await utimes(join(site, "index.html"), 2000, 2000);
    expect(await isBuildStale(project, site)).toBe(false);
    await utimes(source, 3000, 3000);
    expect(await isBuildStale(project, site)).toBe(true);
  });
});
