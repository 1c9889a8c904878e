import type { App } from "electron";

/** Whatever would write to disk or speak to anybody by itself. */
const quietSwitches = [
  "disable-background-networking",
  "disable-breakpad",
  "disable-component-update",
  "disable-domain-reliability",
  "disable-gpu-shader-disk-cache",
  "disable-http-cache",
  "no-pings",
];

/** What a link or a launcher could slip among the arguments of an installed app to look or reach inside. */
const foreignSwitches = [
  "disable-web-security",
  "ignore-certificate-errors",
  "js-flags",
  "load-extension",
  "remote-allow-origins",
  "remote-debugging-pipe",
  "remote-debugging-port",
];

/** Sets Chromium's switches. Before the app is ready. */
export function quieten({ commandLine, isPackaged }: Pick<App, "commandLine" | "isPackaged">): void {
  for (const name of quietSwitches) commandLine.appendSwitch(name);
  // WebRTC would announce made-up local names to the whole network; our candidates leave in no description anyway.
  commandLine.appendSwitch("disable-features", "WebRtcHideLocalIpsWithMdns");
  if (isPackaged) for (const name of foreignSwitches) commandLine.removeSwitch(name);
}
