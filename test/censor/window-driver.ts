import { setTimeout as pause } from "node:timers/promises";
import { chromium, type Browser, type Page } from "playwright-core";
import { compareSpeech } from "../audio/compare.ts";
import { fixturePath, readAudio } from "../audio/sounds.ts";
import { forget, installTap, recorded, takeRecording } from "../e2e/window/tap.ts";
import { RoomWindow, words } from "../e2e/window/windows.ts";

/**
 * A person's hands at the window: a program in the desktop's namespace, because the window's debugging port is on that
 * loopback alone. Its parent says what to do, one thing at a time.
 */

/** What the parent says. */
export type DriverOrder =
  | { readonly order: "join"; readonly port: number; readonly invite: string; readonly atPage: boolean }
  | { readonly order: "problem" }
  /** Answers with how alike what the page plays is to the clip, 0 to 1; listens again while it is not enough. */
  | { readonly order: "hear"; readonly enough: number }
  /** Makes a plain Chromium greet these addresses, by page and by WebSocket, twice, and itself by WebRTC. */
  | { readonly order: "greet"; readonly port: number; readonly addresses: readonly string[] };

/** What it answers: `text` is the problem that stands in the window, if any. */
export type DriverAnswer =
  { readonly ok: true; readonly text?: string } | { readonly ok: false; readonly error: string };

/** A browser that just starts takes this long at most, on a machine that is busy. */
const attachMsMax = 30_000;
const attachPauseMs = 100;
/** A connection made while its first page comes up may never get through; the next one does. */
const connectMsMax = 4_000;
/** Only the hello counts: a site need not answer a WebSocket in time. */
const greetMsMax = 2_000;
/** Of the 8 s clip, which is played in a loop. */
const stretchMs = 3000;
const sampleRate = 48_000;
/** A busy machine may tear a hole into any stretch of sound: the next one is listened to then. */
const stretchesMax = 20;
let browser: Browser | undefined;
let window: RoomWindow | undefined;

async function attach(port: number): Promise<Browser> {
  for (const started = Date.now(); ; await pause(attachPauseMs)) {
    try {
      browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: connectMsMax });
      return browser;
    } catch (error) {
      if (Date.now() - started > attachMsMax) throw error;
    }
  }
}

/** The page that the browser was started with. */
async function firstPage(port: number): Promise<Page> {
  const [context] = (await attach(port)).contexts();
  if (context === undefined) throw new Error("the browser has no context");
  return context.pages()[0] ?? context.waitForEvent("page");
}

async function join(port: number, invite: string, atPage: boolean): Promise<void> {
  window = new RoomWindow(await firstPage(port));
  if (atPage) {
    const context = window.page.context();
    // The tap is no part of the window, whose policy would refuse it.
    const session = await context.newCDPSession(window.page);
    await session.send("Page.setBypassCSP", { enabled: true });
    await installTap(context, { mouth: false });
    await window.page.reload();
  }
  await window.field("join.field").waitFor({ timeout: attachMsMax });
  const field = window.field("join.field");
  await field.fill(invite);
  const form = window.page.locator("form", { has: field });
  await form.getByRole("button", { name: words("join.go"), exact: true }).click();
  await window.field("lobby.name").fill("Tenzin");
  await window.button("lobby.go").click();
}

async function problem(): Promise<string | undefined> {
  // An alert, or in the room the words beside its title.
  const places = window?.page.locator('[role="alert"], .pill[data-mood="bad"]');
  const texts = (await places?.allInnerTexts()) ?? [];
  return texts.map((text) => text.trim()).find((text) => text !== "");
}

async function hear(enough: number): Promise<number> {
  if (window === undefined) throw new Error("nobody joined");
  const speech = await readAudio(fixturePath("speech.flac"));
  let best = 0;
  for (let stretch = 0; stretch < stretchesMax && best < enough; stretch += 1) {
    await forget(window.page);
    await recorded(window.page, stretchMs);
    const { samples } = await takeRecording(window.page, "ear", stretchMs);
    best = Math.max(best, compareSpeech(speech, samples, sampleRate).envelopeCorrelation);
  }
  return best;
}

async function greet(port: number, addresses: readonly string[]): Promise<Page> {
  const page = await firstPage(port);
  for (const address of [...addresses, ...addresses]) {
    await page.goto(`https://${address}/`, { waitUntil: "commit" });
    // The site's own policy may forbid its pages to connect anywhere.
    await page.goto("about:blank");
    // Twice from one page: the second resumes the first's session, which makes another hello.
    for (let time = 0; time < 2; time += 1) await greetBySocket(page, `wss://${address}/`);
  }
  return page;
}

function greetBySocket(page: Page, url: string): Promise<void> {
  return page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const socket = new WebSocket(wanted.url);
        socket.addEventListener("close", () => resolve());
        setTimeout(() => {
          socket.close();
          resolve();
        }, wanted.patienceMs);
      }),
    { url, patienceMs: greetMsMax },
  );
}

/** A data channel from the page to itself. Resolves when DTLS has come through. */
async function greetItself(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
    one.addEventListener("icecandidate", ({ candidate }) => void other.addIceCandidate(candidate ?? undefined));
    other.addEventListener("icecandidate", ({ candidate }) => void one.addIceCandidate(candidate ?? undefined));
    const channel = one.createDataChannel("");
    const opened = new Promise((resolve) => channel.addEventListener("open", resolve));
    await one.setLocalDescription();
    await other.setRemoteDescription(one.localDescription ?? { type: "offer", sdp: "" });
    await other.setLocalDescription();
    await one.setRemoteDescription(other.localDescription ?? { type: "answer", sdp: "" });
    await opened;
    one.close();
    other.close();
  });
}

async function obey(order: DriverOrder): Promise<DriverAnswer> {
  switch (order.order) {
    case "join":
      await join(order.port, order.invite, order.atPage);
      return { ok: true };
    case "problem": {
      const text = await problem();
      return { ok: true, ...(text === undefined ? {} : { text }) };
    }
    case "hear":
      return { ok: true, text: String(await hear(order.enough)) };
    case "greet":
      await greetItself(await greet(order.port, order.addresses));
      return { ok: true };
    default:
      return order satisfies never;
  }
}

process.on("message", (order: DriverOrder) => {
  obey(order)
    .catch((error: unknown): DriverAnswer => ({ ok: false, error: error instanceof Error ? error.message : "unknown" }))
    .then((answer) => process.send?.(answer))
    .catch(() => undefined);
});
process.once("disconnect", () => process.exit(0));
