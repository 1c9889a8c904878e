import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

/** How long a browser may take to answer before another way is looked for: a cold start on a slow disk. */
const answerMsMax = 20_000;
/** How long a browser that was asked to go may take. */
const goodbyeMsMax = 3000;
const removalsMax = 50;
const removalPauseMs = 50;

/** Chromium and its kin, the one with the least telemetry first. */
const commands = [
  "chromium",
  "chromium-browser",
  "ungoogled-chromium",
  "brave-browser",
  "google-chrome-stable",
  "google-chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
];

const macApps = ["Chromium", "Brave Browser", "Google Chrome", "Microsoft Edge"];
const windowsApps = [
  "Chromium\\Application\\chrome.exe",
  "BraveSoftware\\Brave-Browser\\Application\\brave.exe",
  "Google\\Chrome\\Application\\chrome.exe",
  "Microsoft\\Edge\\Application\\msedge.exe",
];

/** What of the surroundings decides which browser there is. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Whether windows can be shown. */
export function hasDisplay({ platform, environment }: Surroundings): boolean {
  if (platform === "win32" || platform === "darwin") return true;
  return Boolean(environment["DISPLAY"]) || Boolean(environment["WAYLAND_DISPLAY"]);
}

/** The program of a Chromium on this computer; undefined when there is none. */
export function findBrowser({ platform, environment }: Surroundings): string | undefined {
  if (platform === "darwin") {
    return macApps.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`).find((file) => existsSync(file));
  }
  if (platform === "win32") {
    const folders = [environment["PROGRAMFILES"], environment["PROGRAMFILES(X86)"], environment["LOCALAPPDATA"]];
    const files = folders.flatMap((folder) => (folder ? windowsApps.map((app) => join(folder, app)) : []));
    return files.find((file) => existsSync(file));
  }
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What its arguments depend on. */
export type BrowserArguments = Pick<BrowserOptions, "address" | "isRoot" | "hopPort"> & { readonly profile: string };

/**
 * How the browser is started: an app's window without an address bar, a profile that is thrown away, and nothing that
 * calls home. Certificates are not looked at because relays sign their own and Noise pins who answers; that is only
 * safe because nothing else is ever visited with this profile. WebRTC uses the default route's address and no other.
 */
export function browserArguments({ address, profile, isRoot, hopPort }: BrowserArguments): string[] {
  return [
    `--app=${address}`,
    `--user-data-dir=${profile}`,
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-service-autorun",
    "--ignore-certificate-errors",
    // Else a bar across the window calls that option unsupported.
    "--test-type",
    // Whatever leaves this computer by TCP passes our own hop, which knows where a name leads. Names are looked up there too.
    ...(hopPort === undefined ? [] : [`--proxy-server=socks5://127.0.0.1:${hopPort}`]),
    "--autoplay-policy=no-user-gesture-required",
    "--force-webrtc-ip-handling-policy=default_public_interface_only",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,InterestFeedContentSuggestions,MediaRouter,OptimizationHints,Translate,WebRtcHideLocalIpsWithMdns",
    "--disk-cache-size=1",
    "--password-store=basic",
    "--use-mock-keychain",
    // Chromium's own sandbox refuses to run as root.
    ...(isRoot ? ["--no-sandbox"] : []),
    "--window-size=1080,760",
  ];
}

/** A browser's cookie. */
export interface BrowserCookie {
  readonly name: string;
  readonly value: string;
}

/** How a browser is started. */
export interface BrowserOptions {
  readonly program: string;
  /** Where it begins: a page without secrets, because everybody on this computer can read a process's arguments. */
  readonly address: string;
  readonly cookie: BrowserCookie;
  readonly isRoot: boolean;
  /** Where on 127.0.0.1 the hop is; absent: it connects by itself. */
  readonly hopPort?: number;
  /** Further arguments, for tests without a display. */
  readonly more?: readonly string[];
}

/** A browser that we started. */
export interface Browser {
  /** Resolves when it has the cookie; rejects when it does not come up. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended and its profile is deleted. */
  readonly closed: Promise<void>;
  readonly pid: number;
  /** Ends it. Resolves with `closed`. */
  close(): Promise<void>;
}

/** Starts a browser on a fresh profile, which is deleted when it ends. */
export async function startBrowser(options: BrowserOptions): Promise<Browser> {
  const profile = await mkdtemp(join(profileFolder(), "teahouse-window-"));
  const inPipe = 3;
  const outPipe = 4;
  const child = spawn(
    options.program,
    [...browserArguments({ ...options, profile }), ...(options.more ?? [])],
    // A group of its own: Ctrl-C is for us to pass on, and its helpers can be ended together.
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: process.platform !== "win32" },
  );
  const closed = endOf(child).then(() => {
    endHelpers(child.pid);
    return removeProfile(profile);
  });
  const ready = giveCookie(child.stdio[inPipe] as Writable, child.stdio[outPipe] as Readable, options, closed);
  // Whoever does not wait for it learns from `closed`.
  ready.catch(() => undefined);
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), goodbyeMsMax);
    await closed;
    clearTimeout(timer);
  };
  return { ready, closed, pid: child.pid ?? 0, close };
}

/** Memory where the system offers a folder in it, so that not even a crash leaves the profile on a disk. */
function profileFolder(): string {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  return runtime !== undefined && existsSync(runtime) ? runtime : tmpdir();
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}

/** Ends what is left of a browser's process group: its network process would write the profile anew. */
function endHelpers(pid: number | undefined): void {
  if (pid === undefined || process.platform === "win32") return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them are gone already.
  }
}

/** Deletes the profile until it stays away: a helper that is being ended may still be writing. */
async function removeProfile(profile: string): Promise<void> {
  for (let attempt = 0, absences = 0; attempt < removalsMax && absences < 2; attempt += 1) {
    await rm(profile, { recursive: true, force: true }).catch(() => undefined);
    await pause(removalPauseMs);
    absences = existsSync(profile) ? 0 : absences + 1;
  }
}

/**
 * Hands the session's cookie over by the debugging pipe, which only this process holds: neither arguments nor a file
 * carries it. A browser whose pipe closes ends itself, so that it does not outlive us.
 */
async function giveCookie(
  input: Writable,
  output: Readable,
  { address, cookie }: BrowserOptions,
  closed: Promise<void>,
): Promise<void> {
  for (const stream of [input, output]) stream.on("error", () => undefined);
  const url = new URL("/", address).href;
  const params = { cookies: [{ ...cookie, url, httpOnly: true, sameSite: "Strict" }] };
  input.write(`${JSON.stringify({ id: 1, method: "Storage.setCookies", params })}\0`);
  const answered = (async () => {
    const [first] = (await once(output, "data")) as [Buffer];
    let text = first.toString();
    while (!text.includes("\0")) text += String(((await once(output, "data")) as [Buffer])[0]);
    if (!text.includes('"id":1') || text.includes('"error"')) throw new Error("the browser refused the cookie");
  })();
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the browser does not answer")), answerMsMax);
    void closed.then(() => reject(new Error("the browser ended")));
  });
  answered.catch(() => undefined);
  try {
    await Promise.race([answered, failed]);
  } finally {
    clearTimeout(timer);
    failed.catch(() => undefined);
    // Nothing else is asked, and what it might tell is let go.
    output.resume();
  }
}
