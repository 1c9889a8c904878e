import type { EngineEvent } from "../api/engine.ts";
import { TeahouseError } from "../api/errors.ts";
import { forkEngine } from "../engine-fork.ts";
import { type Browser, findBrowser, hasDisplay, startBrowser, type Surroundings } from "../shell/browser.ts";
import { type Shell, startShell } from "../shell/shell.ts";
import { createSupervisor, type Supervisor } from "../supervisor.ts";
import { inviteOf } from "./commands.ts";
import { electronSituation, runElectron } from "./electron.ts";
import { printFailure } from "./life.ts";
import type { ExitCode } from "./life.ts";
import { wayOf } from "./options.ts";
import type { WindowRequest } from "./options.ts";
import { statsEvent } from "./summary.ts";
import { buildWindow, isBuildStale, siteFolder } from "./window-build.ts";
import type { CliWorld } from "./world.ts";

/**
 * `teahouse` without a command, which is `npm start`: opens the window. In Electron where that is possible; else the
 * browser shell in a Chromium that it starts; else the browser shell's address, printed. Ends when the window is closed
 * or on a signal.
 */
export async function runWindow(request: WindowRequest, world: CliWorld): Promise<ExitCode> {
  if (request.data !== undefined || (request.name !== undefined && request.enter === undefined)) {
    throw new TeahouseError(
      "usage",
      "The window takes no --name and no --data: it asks for the name, and keeps nothing.",
    );
  }
  const invite = request.enter === undefined ? undefined : await inviteOf(request.enter, world);
  const surroundings: Surroundings = { platform: process.platform, environment: process.env };
  if (await isBuildStale()) {
    world.printer.print({ event: "note", message: "Building the window; this takes a few seconds." });
    await buildWindow();
  }
  const note = (message: string): void => world.printer.print({ event: "note", message });
  const electron = obstacleOf(request) ?? (await electronSituation(surroundings, note));
  if (electron.program !== undefined) {
    world.printer.print({ event: "window", open: true, shell: "electron", message: "Teahouse opens in Electron." });
    return runElectron(electron, world.interrupted);
  }
  return new BrowserShell(request, world, surroundings, electron.reason, invite).run();
}

/** Why this cannot be Electron's, whatever there is here. */
function obstacleOf(request: WindowRequest): { readonly program?: undefined; readonly reason: string } | undefined {
  if (!request.open) return { reason: "it was asked not to open a window" };
  const { listen, bootstrap, profile, dht, forMs, json, proxy, enter } = request;
  const isPlain =
    proxy === undefined &&
    listen.length === 0 &&
    bootstrap.length === 0 &&
    profile === "auto" &&
    dht &&
    enter === undefined &&
    forMs === undefined;
  return isPlain && !json ? undefined : { reason: "it was given options that Electron's window does not take" };
}

/** One run of the browser shell. */
class BrowserShell {
  readonly #request: WindowRequest;
  readonly #world: CliWorld;
  readonly #surroundings: Surroundings;
  /** Why it is not Electron. */
  readonly #reason: string;
  readonly #supervisor: Supervisor;
  #browser: Browser | undefined;
  /** The room that it goes into by itself, once. */
  #invite: string | undefined;
  #isOver = false;

  constructor(
    request: WindowRequest,
    world: CliWorld,
    surroundings: Surroundings,
    reason: string,
    invite: string | undefined,
  ) {
    this.#request = request;
    this.#world = world;
    this.#surroundings = surroundings;
    this.#reason = reason;
    this.#invite = invite;
    const { profile, listen, bootstrap, dht } = request;
    const way = wayOf(request);
    this.#supervisor = createSupervisor(() =>
      forkEngine({ profile, listen, bootstrap, dht, ...(way === undefined ? {} : { way }) }),
    );
  }

  async run(): Promise<ExitCode> {
    const over = new AbortController();
    const { interrupted, printer } = this.#world;
    if (interrupted.aborted) return 0;
    interrupted.addEventListener("abort", () => over.abort(), { once: true });
    const ended = new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve()));
    const supervisor = this.#supervisor;
    if (this.#request.json) supervisor.engine.subscribe((event) => this.#print(event));
    // The engine comes up while the window does.
    const engineUp = supervisor.start();
    // Awaited below; until then a failure is no crash.
    engineUp.catch(() => undefined);
    const shell = await startShell({
      siteFolder,
      engine: supervisor.engine,
      onAbsence: (isAbsent) => void this.#absence(shell, isAbsent),
      onLender: (port, isOurs) => {
        supervisor.lend(port, { byHop: isOurs });
        void this.#enter();
      },
      onLenderGone: () => supervisor.dismissLender(),
    });
    supervisor.onGone(() => shell.hangUp("engine-gone"));
    let code: ExitCode = 0;
    const showing = this.#show(shell);
    try {
      await Promise.race([engineUp, ended]);
      const shown = await Promise.race([showing, ended]);
      const { forMs } = this.#request;
      if (forMs !== undefined) setTimeout(() => over.abort(), forMs).unref();
      await (shown === undefined ? ended : Promise.race([shown.closed, ended]));
    } catch (error) {
      code = printFailure(printer, error);
    }
    this.#isOver = true;
    await Promise.all([this.#closeBrowser(showing), shell.stop(), supervisor.stop()]);
    return code;
  }

  /** Without a page that lends its network there would be no way in. */
  async #enter(): Promise<void> {
    const invite = this.#invite;
    this.#invite = undefined;
    if (invite === undefined) return;
    const { name } = this.#request;
    try {
      await this.#supervisor.engine.join(invite, name === undefined ? {} : { name });
    } catch (error) {
      // The window stays: whoever sits before it may try another invite.
      printFailure(this.#world.printer, error);
    }
  }

  /** Also one that was just being started. */
  async #closeBrowser(showing: Promise<unknown>): Promise<void> {
    await this.#browser?.close();
    await showing.catch(() => undefined);
    await this.#browser?.close();
  }

  /** Opens the window, or says where it is. */
  async #show(shell: Shell): Promise<Browser | undefined> {
    const obstacle = await this.#open(shell);
    if (this.#isOver) return undefined;
    if (obstacle === undefined) {
      const message = `Teahouse opens in a browser window of its own, because ${this.#reason}.`;
      this.#world.printer.print({ event: "window", open: true, shell: "browser", message });
      return this.#browser;
    }
    this.#printAddress(shell, `because ${obstacle}`);
    return undefined;
  }

  /** Starts a browser. The result says why there is none. */
  async #open(shell: Shell): Promise<string | undefined> {
    if (!this.#request.open) return "it was asked not to open a window";
    if (!hasDisplay(this.#surroundings)) return "there is no display here";
    const program = findBrowser(this.#surroundings);
    if (program === undefined) return "no Chromium was found";
    let enter = (): void => undefined;
    const entry = new Promise<void>((resolve) => (enter = resolve));
    const browser = await startBrowser({
      program,
      address: shell.openingAddress(entry),
      cookie: shell.issueCookie(),
      isRoot: process.getuid?.() === 0,
      hopPort: await this.#supervisor.openHop(),
    });
    this.#browser = browser;
    try {
      await browser.ready;
    } catch {
      this.#browser = undefined;
      await browser.close();
      return "the Chromium that was found does not start";
    }
    enter();
    return undefined;
  }

  #printAddress(shell: Shell, why: string): void {
    const url = shell.issueAddress();
    const message = `Open Teahouse in a Chromium on this computer, ${why}: ${url} (good for one opening)`;
    this.#world.printer.print({ event: "window", open: false, shell: "address", url, message });
  }

  /** The window is gone for good: nobody stays in a room that nobody sees. */
  async #absence(shell: Shell, isAbsent: boolean): Promise<void> {
    if (!isAbsent || this.#isOver) return;
    // An engine that cannot be reached is not in the room either.
    await this.#supervisor.engine.leave().catch(() => undefined);
    // Who closed the whole browser lost its cookie with it.
    if (this.#browser === undefined) this.#printAddress(shell, "because its window was closed");
  }

  #print(event: EngineEvent): void {
    this.#world.printer.print(event.event === "stats" ? statsEvent(event, this.#world.usage()) : event);
  }
}
