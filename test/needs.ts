import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program of the system that tests call. */
export interface Need {
  readonly command: string;
  /** Not the command is needed but a font for this language (ISO 639), which the command, fc-list, knows of. */
  readonly fontFor?: string;
  /** Its package on Debian. */
  readonly debian: string;
  readonly why: string;
  /** Only what runs as root calls it. */
  readonly onlyAsRoot?: boolean;
}

/** Everything the tests need beside what npm installs. */
export const needs: readonly Need[] = [
  { command: "espeak-ng", debian: "espeak-ng", why: "synthesizes the speech that whole-process tests listen to" },
  { command: "chromium", debian: "chromium", why: "is the browser that tests of the window run in" },
  { command: "ip", debian: "iproute2", why: "makes the networks of the censor's box", onlyAsRoot: true },
  { command: "ethtool", debian: "ethtool", why: "has packets whole before they are delayed", onlyAsRoot: true },
  { command: "nft", debian: "nftables", why: "is the censor's packet filter", onlyAsRoot: true },
  { command: "iptables", debian: "iptables", why: "looks for strings in packets for the censor", onlyAsRoot: true },
  { command: "sysctl", debian: "procps", why: "lets the censor forward packets", onlyAsRoot: true },
  { command: "tcpdump", debian: "tcpdump", why: "records what crosses the censor", onlyAsRoot: true },
];

/** What pictures of the window need besides, to show every language that it speaks. */
export const pictureNeeds: readonly Need[] = [
  ...needs,
  { command: "fc-list", fontFor: "zh", debian: "fontconfig fonts-noto-cjk", why: "draws Chinese" },
  { command: "fc-list", fontFor: "ar", debian: "fontconfig fonts-noto-core", why: "draws Arabic" },
];

/** Those of `wanted` whose command is in no folder of `path`, which is written as the environment variable PATH. */
export function missingNeeds(wanted: readonly Need[], path: string): Need[] {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return wanted.filter(({ command, fontFor }) => {
    const program = folders.map((folder) => join(folder, command)).find(isExecutable);
    return program === undefined || (fontFor !== undefined && !hasFont(program, fontFor));
  });
}

function hasFont(program: string, language: string): boolean {
  return execFileSync(program, [`:lang=${language}`], { encoding: "utf8" }).trim() !== "";
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One line for each missing program: what it is for and how to install it. */
export function explainNeeds(missing: readonly Need[]): string {
  const reasons = missing.map(({ command, fontFor, why }) => {
    return fontFor === undefined ? `${command} is missing: it ${why}.` : `A font is missing: one that ${why}.`;
  });
  const packages = missing.map(({ debian }) => debian).join(" ");
  return [...reasons, `On Debian: apt-get install ${packages}`].join("\n");
}

/**
 * Installs what is missing when this is Debian and we are root. Throws an Error that says what to install when it is
 * not, or when installing did not help.
 */
export function installNeeds(wanted: readonly Need[] = needs): void {
  const path = process.env["PATH"] ?? "";
  const isRoot = process.getuid?.() === 0;
  const called = wanted.filter(({ onlyAsRoot }) => isRoot || onlyAsRoot !== true);
  let missing = missingNeeds(called, path);
  if (missing.length === 0) return;
  if (existsSync("/etc/debian_version") && isRoot) {
    const options = {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    const run = (...args: string[]): void => void execFileSync("apt-get", args, options as object);
    run("update", "-qq");
    run("install", "-y", "-qq", "--no-install-recommends", ...missing.flatMap(({ debian }) => debian.split(" ")));
    missing = missingNeeds(called, path);
  }
  if (missing.length > 0) throw new Error(explainNeeds(missing));
}
