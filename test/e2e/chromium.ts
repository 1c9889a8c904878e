import { type Browser, chromium } from "playwright-core";
import { findBrowser } from "../../p2p/shell/browser.ts";

/** What keeps a Chromium without a display from calling home, and lets it run as root. */
export const quietArguments = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** What lets a browser that is not ours lend as ours does: relays sign their own certificates, and here all is loopback. */
export const lendingArguments = [
  "--ignore-certificate-errors",
  "--allow-loopback-in-peer-connection",
  "--force-webrtc-ip-handling-policy=default_public_interface_only",
];

/** The Chromium of this computer. */
export function chromiumProgram(): string {
  const program = findBrowser({ platform: process.platform, environment: process.env });
  if (program === undefined) throw new Error("no Chromium is installed; see test/needs.ts");
  return program;
}

/** Starts it under playwright, on a profile of its own. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumProgram(), args: quietArguments });
}
