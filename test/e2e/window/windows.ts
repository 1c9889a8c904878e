import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from "playwright-core";
import { wavBytes } from "../../io/audio/wav-bytes.ts";
import { chromiumProgram, quietArguments } from "../chromium.ts";
import type { TeahouseProcess } from "../processes.ts";
import { installTap } from "./tap.ts";

/** A Chromium of its own, with a microphone that plays a clip in a loop. */
export class FakePerson {
  readonly context: BrowserContext;
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, context: BrowserContext, folder: string) {
    this.#browser = browser;
    this.context = context;
    this.#folder = folder;
  }

  /** Starts the browser; `speech` is what its microphone hears. */
  static async start(speech: Float32Array): Promise<FakePerson> {
    const folder = await mkdtemp(join(tmpdir(), "teahouse-person-"));
    const file = join(folder, "speech.wav");
    await writeFile(file, wavBytes([speech]));
    const browser = await chromium.launch({
      executablePath: chromiumProgram(),
      args: [
        ...quietArguments,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-audio-capture=${file}`,
      ],
    });
    const context = await browser.newContext({
      locale: "en-US",
      // The tap is no part of the window, whose policy would refuse it.
      bypassCSP: true,
      // Nobody looks: what rings would cost is left to sound.
      reducedMotion: "reduce",
    });
    await installTap(context);
    return new FakePerson(browser, context, folder);
  }

  /** Opens the window at an address that the shell printed. */
  async open(address: string): Promise<RoomWindow> {
    const page = await this.context.newPage();
    await page.goto(address);
    return new RoomWindow(page);
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The address that `teahouse --no-open` prints for its window. */
export async function addressOf(shell: TeahouseProcess): Promise<string> {
  return String((await shell.next("window"))["url"]);
}

/** What a person does in the window, by what stands on its controls. */
export class RoomWindow {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Makes a room that these relays carry. */
  async makeRoom(title: string, cards: readonly string[], name: string): Promise<void> {
    await this.button("Make a room").click();
    await this.page.getByLabel("What the room is called").fill(title);
    const card = this.page.getByRole("textbox", { name: "Relay card" });
    await card.fill(cards.join("\n"));
    await this.page.locator("form", { has: card }).getByRole("button", { name: "Go on" }).click();
    await this.page.getByLabel("Your name in this room").fill(name);
    await this.button("Open the room").click();
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  /** The listener's invite, as the window shows it. */
  async invite(): Promise<string> {
    await this.button("Invite").click();
    await this.button("Show it").click();
    const invite = await this.page.getByLabel("The invite as text").inputValue();
    await this.button("Close").click();
    return invite;
  }

  async join(invite: string, name: string): Promise<void> {
    const field = this.page.getByRole("textbox", { name: "Paste your invite" });
    await field.fill(invite);
    await this.page.locator("form", { has: field }).getByRole("button", { name: "Go on" }).click();
    await this.page.getByLabel("Your name in this room").fill(name);
    await this.button("Go in").click();
    await this.button("Leave the room").waitFor();
  }

  /** The seat of somebody on stage. */
  seat(name: string): Locator {
    return this.page.locator("li.seat", { has: this.page.getByText(name, { exact: true }) });
  }

  /** What does not change while a person stays the same: the voice's key and the drawing. */
  async identityOf(name: string): Promise<string> {
    const seat = this.seat(name);
    return `${await seat.getAttribute("data-voice")} ${await seat.locator("svg").first().innerHTML()}`;
  }
}
