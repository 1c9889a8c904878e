import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { channels } from "../../electron/channels.ts";
import { quieten } from "../../electron/quiet.ts";
import { desktopBridgeName } from "../../p2p/api/desktop.ts";
import { pageHeaders } from "../../p2p/api/page.ts";
import { type BuiltApp, buildApp, type RunningDesktop, startDouble, until } from "./desktops.ts";
import {
  AppDouble,
  ContentsDouble,
  emitPreventable,
  type SessionDouble,
  type WindowDouble,
} from "./electron-double.ts";

// The numbers are those of the checklist in Electron's security guide; 19, the fuses, is in packaging.test.ts, where
// the packed binary is looked at.

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = "app://window/index.html";

let built: BuiltApp;
let runtime: string;
let desktop: RunningDesktop;
let window: WindowDouble;
let contents: ContentsDouble;
let session: SessionDouble;

beforeAll(async () => {
  built = buildApp("main", "preload");
  runtime = mkdtempSync(join(tmpdir(), "teahouse-runtime-"));
  desktop = startDouble(built, runtime);
  desktop.app.becomeReady();
  await until(() => desktop.app.windows.length > 0);
  [window, session] = [desktop.app.windows[0] as WindowDouble, desktop.sessions[0] as SessionDouble];
  contents = window.webContents;
});
afterAll(async () => {
  desktop.app.quit();
  await desktop.app.whenQuit;
  built.remove();
  rmSync(runtime, { recursive: true, force: true });
});

const preferences = () => window.options.webPreferences ?? {};

/** Everything the main process and the preload are made of, their libraries included, less the comments. */
function builtText(): string {
  const text = ["main.js", "preload.cjs"].map((name) => readFileSync(join(built.folder, name), "utf8")).join("\n");
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** Whether the session lets the page load an address. */
function mayLoad(url: string): boolean {
  let isCancelled = false;
  const answer = ({ cancel }: { cancel: boolean }): void => void (isCancelled = cancel);
  session.handlers.get("onBeforeRequest")?.(...([{ url }, answer] as never[]));
  return !isCancelled;
}

interface Wish {
  readonly permission: string;
  readonly url?: string;
  readonly isMainFrame?: boolean;
  readonly mediaTypes?: readonly string[];
}

function request({ permission, url = page, isMainFrame = true, mediaTypes }: Wish): Promise<boolean> {
  return new Promise((resolve) => {
    const details = { requestingUrl: url, isMainFrame, ...(mediaTypes === undefined ? {} : { mediaTypes }) };
    session.handlers.get("permissionRequest")?.(...([contents, permission, resolve, details] as never[]));
  });
}

function check({ permission, url = page, isMainFrame = true, mediaTypes }: Wish): unknown {
  const details = {
    requestingUrl: url,
    isMainFrame,
    ...(mediaTypes === undefined ? {} : { mediaType: mediaTypes[0] }),
  };
  return session.handlers.get("permissionCheck")?.(...([contents, permission, "app://window", details] as never[]));
}

describe("Electron's security checklist", () => {
  it("1: only content of ours is loaded, and no request reaches a network", () => {
    expect(window.loaded).toEqual([page]);
    expect(mayLoad(page)).toBe(true);
    expect(mayLoad("blob:app://window/0c1d")).toBe(true);
    for (const url of [
      "http://127.0.0.1/",
      "https://example.org/",
      "ws://127.0.0.1/",
      "wss://example.org/",
      "ftp://x/",
    ]) {
      expect([url, mayLoad(url)]).toEqual([url, false]);
    }
    expect(mayLoad("file:///etc/passwd")).toBe(false);
    expect(mayLoad("app://elsewhere/index.html")).toBe(false);
  });

  it("2: pages have no Node", () => {
    const { nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames } = preferences();
    expect([nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames]).toEqual([false, false, false]);
  });

  it("3: the preload's world is isolated from the page's", () => {
    expect(preferences().contextIsolation).toBe(true);
  });

  it("4: every page is sandboxed, by the window and by the app, before it starts", () => {
    expect(preferences().sandbox).toBe(true);
    expect(desktop.app.calls[0]).toBe("enableSandbox");
  });

  it.each<Wish>([
    { permission: "media", mediaTypes: ["audio"] },
    { permission: "speaker-selection" },
    { permission: "clipboard-sanitized-write" },
  ])("5: our own page is granted $permission", async (wish) => {
    expect([await request(wish), check(wish)]).toEqual([true, true]);
  });

  it.each<Wish>([
    { permission: "media", mediaTypes: ["video"] },
    { permission: "media", mediaTypes: [] },
    { permission: "media" },
    { permission: "media", mediaTypes: ["audio"], url: "https://example.org/" },
    { permission: "media", mediaTypes: ["audio"], url: "app://window.example.org/" },
    { permission: "media", mediaTypes: ["audio"], url: "not an address" },
    { permission: "media", mediaTypes: ["audio"], isMainFrame: false },
    { permission: "speaker-selection", url: "https://example.org/" },
    ...["clipboard-read", "display-capture", "fileSystem", "geolocation", "hid", "idle-detection", "keyboardLock"].map(
      (permission) => ({ permission }),
    ),
    ...["local-fonts", "local-network-access", "loopback-network", "midiSysex", "notifications", "openExternal"].map(
      (permission) => ({ permission }),
    ),
    ...["pointerLock", "serial", "storage-access", "usb", "window-management", "unknown", "one of next year"].map(
      (permission) => ({ permission }),
    ),
  ])("5: nobody is granted $permission ($mediaTypes, $url, $isMainFrame)", async (wish) => {
    expect([await request(wish), check(wish)]).toEqual([false, false]);
  });

  it("5: nobody is granted a camera by asking for the microphone beside it", async () => {
    for (const mediaTypes of [
      ["audio", "video"],
      ["video", "audio"],
      ["audio", "audio"],
    ]) {
      expect([mediaTypes, await request({ permission: "media", mediaTypes })]).toEqual([mediaTypes, false]);
    }
    // A check names one medium at a time.
    const checks = ["audio", "video"].map((medium) => check({ permission: "media", mediaTypes: [medium] }));
    expect(checks).toEqual([true, false]);
  });

  it("5: no device is handed out, and no screen", () => {
    expect(session.handlers.get("devicePermission")?.()).toBe(false);
    expect(session.values.get("displayMedia")).toBeNull();
    const answers: string[] = [];
    const answer = (id: string): void => void answers.push(id);
    expect(emitPreventable(contents, "select-bluetooth-device", [{ deviceId: "1" }], answer)).toBe(true);
    expect(answers).toEqual([""]);
  });

  it("6: web security is on", () => {
    expect(preferences().webSecurity).toBe(true);
  });

  it("7: a content security policy comes with every file of the page", async () => {
    const handler = session.handlers.get("protocol app");
    const response = (await handler?.(...([new Request(page)] as never[]))) as Response;
    expect(response.status).toBe(200);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toBe(pageHeaders["Content-Security-Policy"]);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; /);
    expect(policy).toContain("connect-src 'self' wss:; ");
    expect(policy.replace(" wss:", "")).not.toMatch(/'unsafe-(?:inline|eval)'|\*|https?:|wss?:/);
  });

  it("8: no insecure content is run", () => {
    expect(preferences().allowRunningInsecureContent).toBe(false);
  });

  it("9: no experimental feature is on", () => {
    expect(preferences().experimentalFeatures).toBe(false);
  });

  it("10: no Blink feature is switched on", () => {
    expect(preferences().enableBlinkFeatures).toBeUndefined();
    expect(builtText()).not.toContain("enable-blink-features");
  });

  it("11: there is no <webview> that could allow popups", () => {
    expect(preferences().webviewTag).toBe(false);
    expect(builtText()).not.toContain("allowpopups");
  });

  it("12: a <webview> is refused even so", () => {
    expect(emitPreventable(contents, "will-attach-webview", {}, { src: page })).toBe(true);
  });

  it("13: the page goes nowhere, but may begin anew", () => {
    const navigate = (url: string, isMainFrame = true): boolean => {
      const event = { url, isMainFrame, isPrevented: false, preventDefault: () => (event.isPrevented = true) };
      contents.emit("will-frame-navigate", event);
      return !event.isPrevented;
    };
    expect(navigate(page)).toBe(true);
    expect(navigate(page, false)).toBe(false);
    expect(navigate("app://window/other.html")).toBe(false);
    expect(navigate("https://example.org/")).toBe(false);
    expect(navigate("javascript:alert(1)")).toBe(false);
    expect(emitPreventable(contents, "will-redirect", page)).toBe(true);
    expect(preferences().navigateOnDragDrop).toBe(false);
  });

  it("14: the page opens no window", () => {
    const open = contents.values.get("windowOpen") as (details: { url: string }) => unknown;
    expect(open({ url: page })).toEqual({ action: "deny" });
  });

  it("12, 13, 14: all of this holds for every page that comes to be, whoever makes it", () => {
    const other = new ContentsDouble();
    desktop.app.emit("web-contents-created", {}, other);
    const open = other.values.get("windowOpen") as (details: { url: string }) => unknown;
    expect(open({ url: page })).toEqual({ action: "deny" });
    expect(emitPreventable(other, "will-frame-navigate", "https://example.org/")).toBe(true);
    expect(emitPreventable(other, "will-attach-webview", {}, {})).toBe(true);
    expect(other.values.get("webrtcPolicy")).toBe("default_public_interface_only");
  });

  it("15: nothing is opened outside of the app", () => {
    expect(builtText()).not.toMatch(/openExternal|openPath|\bshell\b/);
  });

  it("16: Electron is of this year, and exactly the version that was chosen", () => {
    const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
    const { devDependencies } = read("package.json") as { devDependencies: Record<string, string> };
    const wanted = devDependencies["electron"];
    expect(read("node_modules/electron/package.json")).toMatchObject({ version: wanted });
    // Three majors are supported at a time; a newer one comes every eight weeks.
    expect(Number.parseInt(wanted ?? "", 10)).toBeGreaterThanOrEqual(45);
  });

  it("17: messages count only from our own page in our own window", () => {
    const { connect, protect, setTalkKey, wipe } = channels;
    expect(new Set(desktop.ipcMain.eventNames())).toEqual(new Set([connect, protect, setTalkKey, wipe]));
    const foreign = [null, { url: page }, { url: "https://example.org/" }];
    const started = desktop.children.length;
    for (const senderFrame of foreign) {
      desktop.ipcMain.emit(channels.protect, { senderFrame }, true);
      desktop.ipcMain.emit(channels.connect, { senderFrame });
      desktop.ipcMain.emit(channels.setTalkKey, { senderFrame }, "F8");
    }
    expect([window.isProtected, desktop.children.length, desktop.shortcuts.size]).toEqual([false, started, 0]);
    const own = { senderFrame: contents.mainFrame };
    contents.mainFrame.url = "https://example.org/";
    desktop.ipcMain.emit(channels.protect, own, true);
    contents.mainFrame.url = page;
    for (const wrong of ["true", 1, {}, undefined]) desktop.ipcMain.emit(channels.protect, own, wrong);
    expect(window.isProtected).toBe(false);
    desktop.ipcMain.emit(channels.protect, own, true);
    expect(window.isProtected).toBe(true);
  });

  it("18: nothing is loaded from files, but from a scheme of our own", () => {
    expect(desktop.schemes.map(({ scheme }) => scheme)).toEqual(["app"]);
    expect(builtText()).not.toMatch(/loadFile|file:\/\//);
  });

  it("20: the page gets eight named things, and nothing of Electron", () => {
    const { world, bridge } = desktop.page();
    expect(Object.keys(world)).toEqual([desktopBridgeName]);
    const others = ["onHidden", "onLink", "onSleep", "onTalkKey", "setContentProtection", "setTalkKey", "wipe"];
    expect(Object.keys(bridge).sort()).toEqual(["connect", ...others]);
    const heard: unknown[][] = [];
    bridge.onLink((...args: unknown[]) => heard.push(args));
    contents.send(channels.link, "teahouse://join#a");
    expect(heard).toEqual([["teahouse://join#a"]]);
    expect([bridge.connect(), bridge.setContentProtection(false)]).toEqual([undefined, undefined]);
  });
});

describe("the hidden window that lends its network", () => {
  let lender: WindowDouble;
  let lending: SessionDouble;
  beforeAll(async () => {
    await until(() => desktop.app.hiddenWindows.length > 0);
    [lender, lending] = [desktop.app.hiddenWindows[0] as WindowDouble, desktop.sessions[1] as SessionDouble];
  });

  it("is held to all that the visible one is, in a session of its own, and never shown", () => {
    const { session: own, ...held } = lender.options.webPreferences ?? {};
    const { session: other, autoplayPolicy: _, ...visible } = preferences();
    expect(held).toEqual(visible);
    expect(own).not.toBe(other);
    expect(lender.options).toMatchObject({ show: false, focusable: false });
    expect([lender.isShown, lender.loaded]).toEqual([false, ["app://window/lend.html"]]);
    expect(lender.webContents.values.get("webrtcPolicy")).toBe("default_public_interface_only");
    expect([lending.partition.startsWith("persist:"), lending.options]).toEqual([false, { cache: false }]);
    expect(emitPreventable(lending, "will-download", {})).toBe(true);
  });

  it("loads its own files and reaches relays, by WebSockets inside TLS and by our hop, and nothing else", () => {
    const reaches = (url: string): boolean => {
      let isCancelled = true;
      const answer = ({ cancel }: { cancel: boolean }): void => void (isCancelled = cancel);
      lending.handlers.get("onBeforeRequest")?.(...([{ url }, answer] as never[]));
      return !isCancelled;
    };
    const reached = ["app://window/lend.html", "wss://192.0.2.1/", "wss://relay.example/a"];
    const refused = ["ws://192.0.2.1/", "https://192.0.2.1/", "http://127.0.0.1/", "file:///etc/passwd", "app://else/"];
    expect([reached.map(reaches), refused.map(reaches)]).toEqual([reached.map(() => true), refused.map(() => false)]);
    expect(lending.values.get("proxy")).toEqual({
      proxyRules: expect.stringMatching(/^socks5:\/\/127\.0\.0\.1:\d+$/) as unknown,
    });
  });

  it("calls itself what Chromium would", () => {
    expect(lending.values.get("userAgent")).toBe(
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    );
  });

  it("takes a relay's own certificate, which the visible window does not", () => {
    const answers: unknown[] = [];
    for (const { handlers } of [lending, session]) {
      const answer = (result: unknown): void => void answers.push(result);
      handlers.get("certificateVerify")?.(...([{ hostname: "192.0.2.1" }, answer] as never[]));
    }
    expect(answers).toEqual([0, -2]);
  });

  it.each([
    ["local-network-access", "app://window/lend.html", true],
    ["local-network", "app://window/lend.html", true],
    ["loopback-network", "app://window/lend.html", true],
    ["local-network-access", "https://example.org/", false],
    ["media", "app://window/lend.html", false],
    ["clipboard-sanitized-write", "app://window/lend.html", false],
    ["geolocation", "app://window/lend.html", false],
  ])("is granted %s for %s: %s", async (permission, requestingUrl, isGranted) => {
    const granted = await new Promise((resolve) => {
      lending.handlers.get("permissionRequest")?.(...([{}, permission, resolve, { requestingUrl }] as never[]));
    });
    const details = { requestingUrl };
    const checked = lending.handlers.get("permissionCheck")?.(...([{}, permission, "", details] as never[]));
    expect([granted, checked]).toEqual([isGranted, isGranted]);
  });
});

describe("what the app keeps to itself", () => {
  it("the window's session is in memory, without cache, spelling dictionary or download", () => {
    expect([session.partition.startsWith("persist:"), session.options]).toEqual([false, { cache: false }]);
    expect([session.values.get("spellChecker"), session.values.get("spellCheckerLanguages")]).toEqual([false, []]);
    expect([preferences().spellcheck, preferences().v8CacheOptions]).toEqual([false, "none"]);
    expect(emitPreventable(session, "will-download", {})).toBe(true);
  });

  it("no certificate is accepted where nothing is to be reached, and none of the person's is shown", () => {
    const answers: unknown[] = [];
    const answer = (result: unknown): void => void answers.push(result);
    session.handlers.get("certificateVerify")?.(...([{ hostname: "example.org" }, answer] as never[]));
    expect(emitPreventable(desktop.app, "select-client-certificate", null, "https://x", [], () => answer("none"))).toBe(
      true,
    );
    expect(answers).toEqual([-2, "none"]);
  });

  it("WebRTC shows no address of the local network", () => {
    expect(contents.values.get("webrtcPolicy")).toBe("default_public_interface_only");
  });

  it("Chromium speaks to nobody by itself and writes no crash report", () => {
    expect([...desktop.app.switches].sort()).toEqual([
      "disable-background-networking",
      "disable-breakpad",
      "disable-component-update",
      "disable-domain-reliability",
      "disable-features",
      "disable-gpu-shader-disk-cache",
      "disable-http-cache",
      "no-pings",
    ]);
    expect(builtText()).not.toMatch(/crashReporter|autoUpdater|addRecentDocument|setJumpList/);
  });

  it("an installed app ignores switches that look or reach inside, and has no tools for developers", async () => {
    const app = new AppDouble();
    app.isPackaged = true;
    for (const name of ["remote-debugging-port", "js-flags", "lang"]) app.switches.add(name);
    quieten(app as unknown as Parameters<typeof quieten>[0]);
    expect(["remote-debugging-port", "js-flags", "lang"].map((name) => app.switches.has(name))).toEqual([
      false,
      false,
      true,
    ]);
    const folder = mkdtempSync(join(tmpdir(), "teahouse-runtime-"));
    const packed = startDouble(built, folder, { prepare: (double) => (double.app.isPackaged = true) });
    packed.app.becomeReady();
    await until(() => packed.app.windows.length > 0);
    expect(packed.app.windows[0]?.options.webPreferences?.devTools).toBe(false);
    packed.app.quit();
    await packed.app.whenQuit;
    rmSync(folder, { recursive: true, force: true });
  });

  it("macOS asks the person for the microphone itself, and its no is a no", async () => {
    const folder = mkdtempSync(join(tmpdir(), "teahouse-runtime-"));
    const answers = [true, false];
    const mac = startDouble(built, folder, {
      platform: "darwin",
      prepare: ({ electron }) => {
        Object.assign(electron.systemPreferences, { askForMediaAccess: () => Promise.resolve(answers.shift()) });
      },
    });
    mac.app.becomeReady();
    await until(() => mac.app.windows.length > 0);
    const ask = (): Promise<boolean> =>
      new Promise((resolve) => {
        const details = { requestingUrl: page, isMainFrame: true, mediaTypes: ["audio"] };
        mac.sessions[0]?.handlers.get("permissionRequest")?.(...([{}, "media", resolve, details] as never[]));
      });
    expect([await ask(), await ask(), answers]).toEqual([true, false, []]);
    mac.app.quit();
    await mac.app.whenQuit;
    rmSync(folder, { recursive: true, force: true });
  });

  it("nothing of the app writes a log", () => {
    const sources = readdirSync(join(root, "electron")).filter((name) => name.endsWith(".ts"));
    expect(sources.length).toBeGreaterThan(8);
    for (const name of sources) {
      expect(readFileSync(join(root, "electron", name), "utf8")).not.toMatch(/console\.|process\.std(?:out|err)/);
    }
  });
});
