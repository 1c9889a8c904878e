import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from "playwright-core";
import { wavBytes } from "../../io/audio/wav-bytes.ts";
import { chromiumProgram, lendingArguments, quietArguments } from "../chromium.ts";
import type { TeahouseProcess } from "../processes.ts";
import { installTap } from "./tap.ts";

const english = JSON.parse(
  readFileSync(new URL("../../../renderer/ui/locales/en.json", import.meta.url), "utf8"),
) as Readonly<Record<string, string>>;

/** What stands on the window for a translation's key. */
export function words(key: string): string {
  const text = english[key];
  if (text === undefined) throw new Error(`the window has no words for ${key}`);
  return text;
}

/** A machine that does much else is late with everything. */
const patienceMs = 120_000;

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

  /** Starts the browser; `speech` is what its microphone hears, and `mouth` whether that is recorded. */
  static async start(speech: Float32Array, { mouth } = { mouth: false }): Promise<FakePerson> {
    const folder = await mkdtemp(join(tmpdir(), "teahouse-person-"));
    const file = join(folder, "speech.wav");
    await writeFile(file, wavBytes([speech]));
    const browser = await chromium.launch({
      executablePath: chromiumProgram(),
      args: [
        ...quietArguments,
        // A call between two browsers of one computer: by its own address, and by no name that must be looked up.
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        ...lendingArguments,
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
    context.setDefaultTimeout(patienceMs);
    await installTap(context, { mouth });
    return new FakePerson(browser, context, folder);
  }

  /** Opens the window at an address that the shell printed. */
  async open(address: string): Promise<RoomWindow> {
    const page = await this.context.newPage();
    await page.goto(address);
    return new RoomWindow(page);
  }

  /** Every process of the browser: who sleeps, sleeps with all of them. */
  async processes(): Promise<number[]> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo.map(({ id }) => id);
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

/** What a person does in the window. Controls are found by the translation keys of what stands on them. */
export class RoomWindow {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(key: string): Locator {
    return this.page.getByRole("button", { name: words(key), exact: true });
  }

  field(key: string): Locator {
    return this.page.getByRole("textbox", { name: words(key), exact: true });
  }

  heading(key: string): Locator {
    return this.page.getByRole("heading", { name: words(key), exact: true });
  }

  /** Makes a room that these relays carry. */
  async makeRoom(title: string, cards: readonly string[], name: string): Promise<void> {
    await this.button("make.begin").click();
    await this.field("make.name").fill(title);
    const card = this.field("make.card-field");
    await card.fill(cards.join("\n"));
    await this.page
      .locator("form", { has: card })
      .getByRole("button", { name: words("make.go"), exact: true })
      .click();
    await this.field("lobby.name").fill(name);
    await this.button("lobby.go-host").click();
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  /** The listener's invite, as the window shows it. */
  async invite(): Promise<string> {
    await this.button("room.share").click();
    await this.button("share.show").click();
    const invite = await this.field("share.text").inputValue();
    await this.button("common.close").click();
    return invite;
  }

  async join(invite: string, name: string): Promise<void> {
    const field = this.field("join.field");
    await field.fill(invite);
    await this.page
      .locator("form", { has: field })
      .getByRole("button", { name: words("join.go"), exact: true })
      .click();
    await this.field("lobby.name").fill(name);
    await this.button("lobby.go").click();
    await this.button("bar.leave").waitFor();
  }

  /** The seat of somebody on stage. */
  seat(name: string): Locator {
    return this.page.locator("li.seat", { has: this.page.getByText(name, { exact: true }) });
  }

  /** Who somebody on stage is: the bowl is drawn from the identity key alone. */
  identityOf(name: string): Promise<string> {
    return this.seat(name).locator("svg").first().innerHTML();
  }
}
