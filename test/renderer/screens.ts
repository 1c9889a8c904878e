import type { Page } from "playwright-core";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import type { ProbeStep, ProbeVerdict } from "../../p2p/api/way.ts";
import { emit, enterRoom, inviteText, someoneSpeaks } from "./enter-room.ts";
import { drive } from "./fixture-page.ts";
import { keepingScreens } from "./keeping-screens.ts";
import { errorEvent, keyOf, names, placeEvent, stepEvent, textEvent, tryOf, wayEvent } from "./scenes.ts";

/** A card that the window takes for one. */
export const cardText = `thc1-${keyOf(4)}${keyOf(5)}`;

/** A screen as it can be met: brought about by what a person and an engine do. */
export interface ScreenScript {
  readonly name: string;
  show(page: Page): Promise<void>;
}

async function toLobby(page: Page): Promise<void> {
  await page.locator("textarea").first().fill(inviteText);
  await page.locator("textarea").first().press("Enter");
  await page.locator(".lobby").waitFor();
}

/** Joining failed, and the lobby says so. */
async function turnedAway(page: Page): Promise<void> {
  await toLobby(page);
  await drive(page, "refuse", "no-network");
  await page.locator("form .action-main").click();
  await page.locator(".problem").waitFor();
  await drive(page, "refuse");
}

/** Joining failed, and it is looked why; without a verdict it lasts. */
async function lookWhy(page: Page, tries: readonly ProbeStep[], verdict?: ProbeVerdict): Promise<void> {
  await turnedAway(page);
  await drive(page, "scriptProbe", tries, verdict);
  await page.locator("form .row .action-plain").last().click();
  await page
    .locator(".probe-step")
    .nth(tries.length - 1)
    .waitFor();
}

const talk: readonly EngineEvent[] = [
  textEvent(3, names[3] ?? "", "可以請你再說一次那段路的名字嗎？"),
  textEvent(9, "", "I cannot speak here, but I am with you all."),
  textEvent(7, "فاطمة", "شكرا لكم جميعا"),
  textEvent(20, "me", "We had the same bakery on the corner of our street.", true),
];

async function unmute(page: Page): Promise<void> {
  await page.locator(".voice-button").click();
  await drive(page, "hearMicrophone", 0.7);
}

const openRooms = [
  { room: keyOf(31), title: "夜談 · What we remember of home", members: 2412, invite: inviteText },
  { room: keyOf(32), title: "شب شعر", members: 86, invite: inviteText },
  { room: keyOf(33), title: "", members: 1, invite: inviteText },
];

/** Every screen and every state of one that looks different. */
export const screens: readonly ScreenScript[] = [
  ...keepingScreens,
  { name: "start", show: async () => undefined },
  {
    name: "start-problem",
    async show(page) {
      await page.locator("textarea").first().fill(cardText);
      await page.locator("textarea").first().press("Enter");
      await page.locator(".problem").waitFor();
    },
  },
  {
    name: "start-hall",
    async show(page) {
      await drive(page, "listRooms", openRooms);
      await page.locator(".hall > .action").click();
      await page.locator(".hall-room").last().waitFor();
    },
  },
  {
    name: "start-self",
    async show(page) {
      await page.locator(".card-quiet:not(.hall) button").click();
      await page.locator(".way").nth(2).click();
    },
  },
  { name: "lobby", show: toLobby },
  {
    name: "lobby-trying",
    async show(page) {
      await toLobby(page);
      await page.locator(".meter-field button").click();
      await drive(page, "hearMicrophone", 0.62);
    },
  },
  {
    name: "lobby-masked",
    async show(page) {
      await toLobby(page);
      await page.locator(".toggle").click();
      await page.locator(".meter-field button").click();
      await page.locator(".meter-field button").click();
      await drive(page, "hearMicrophone", 0.55);
      await page.locator(".meter").waitFor();
    },
  },
  {
    name: "lobby-denied",
    async show(page) {
      await toLobby(page);
      await page.locator(".meter-field button").click();
      await drive(page, "failMicrophone", "microphone-denied");
      await page.locator(".problem").waitFor();
    },
  },
  {
    name: "entering",
    async show(page) {
      await toLobby(page);
      await drive(page, "holdEntering");
      await page.locator("form .action-main").click();
      await page.locator(".steps").waitFor();
      await emit(page, stepEvent("asking-relays"), stepEvent("waiting-for-papers"));
    },
  },
  {
    name: "why-running",
    async show(page) {
      await toLobby(page);
      await drive(page, "holdEntering");
      await page.locator("form .action-main").click();
      await page.locator(".steps").waitFor();
      await drive(page, "scriptProbe", [
        tryOf("relay", 1, "timeout"),
        tryOf("relay", 2),
        tryOf("transfer", 2, "frozen"),
      ]);
      await page.locator(".lobby-entering .action-bare").click();
      await page.locator(".probe-step").nth(2).waitFor();
    },
  },
  {
    name: "why-waiting",
    async show(page) {
      await lookWhy(page, [tryOf("relay", 1, "too soon"), tryOf("relay", 2, "timeout"), tryOf("dht", 0, "no record")]);
    },
  },
  {
    name: "why-blocked",
    async show(page) {
      const tries = [tryOf("relay", 1, "cut"), tryOf("relay", 2, "timeout"), tryOf("dht", 0, "no record")];
      await lookWhy(page, tries, "tls-blocked");
      await page.locator(".probe-verdict").waitFor();
    },
  },
  {
    name: "why-works",
    async show(page) {
      const tries = [tryOf("relay", 1), tryOf("transfer", 1), tryOf("webrtc", 1, "timeout"), tryOf("dht", 0)];
      await lookWhy(page, tries, "udp-blocked");
      await page.locator(".probe-verdict").waitFor();
    },
  },
  {
    name: "lobby-turned-away",
    show: turnedAway,
  },
  {
    name: "lobby-passphrase",
    async show(page) {
      await toLobby(page);
      await drive(page, "refuse", "passphrase-wrong");
      await page.locator("form .action-main").click();
      await page.locator("input[type=password]").waitFor();
    },
  },
  {
    name: "start-lost",
    async show(page) {
      await toLobby(page);
      await page.locator("form .action-main").click();
      await page.locator(".room").waitFor();
      await emit(page, errorEvent("stalled"), { event: "left" });
      await page.locator(".start .problem").waitFor();
    },
  },
  {
    name: "way",
    async show(page) {
      await page.locator(".top button").last().click();
      await page.locator(".way-setting button").click();
      await page.locator(".sheet .way").first().waitFor();
    },
  },
  {
    name: "way-proxy",
    async show(page) {
      await page.locator(".top button").last().click();
      await page.locator(".way-setting button").click();
      await page.locator(".sheet .way").nth(3).click();
      await drive(page, "refuse", "proxy-damaged");
      await page.locator(".sheet input[inputmode=url]").fill("socks5://mei:secret@127.0.0.1:99999");
      await page.locator(".sheet .action-main").click();
      await page.locator(".sheet .problem").waitFor();
    },
  },
  {
    name: "room-listener",
    async show(page) {
      await enterRoom(page, "listener", 8, 8000);
      await emit(page, ...talk, wayEvent("wss"), wayEvent("webrtc"));
      await someoneSpeaks(page);
    },
  },
  {
    name: "room-hand",
    async show(page) {
      await enterRoom(page, "listener", 3, 12);
      await someoneSpeaks(page);
      await page.locator(".bar-voice button").click();
    },
  },
  {
    name: "room-host-muted",
    async show(page) {
      await enterRoom(page, "host", 4, 312);
      await emit(page, ...talk.slice(0, 2), wayEvent("wss"), wayEvent("webrtc"));
    },
  },
  {
    name: "room-host-live",
    async show(page) {
      await enterRoom(page, "host", 4, 312);
      await unmute(page);
    },
  },
  {
    name: "room-sixteen",
    async show(page) {
      await enterRoom(page, "speaker", 16, 8000);
      await emit(page, ...talk);
      await someoneSpeaks(page);
      await unmute(page);
    },
  },
  {
    name: "room-person",
    async show(page) {
      await enterRoom(page, "host", 6, 90);
      await page.locator(".seat-button").nth(2).click();
      await page.locator(".person input").fill("1.5");
      await page.locator(".seat-badge-volume").waitFor();
    },
  },
  {
    name: "room-deaf",
    async show(page) {
      await enterRoom(page, "listener", 6, 90);
      await page.keyboard.press("d");
      await page.locator(".bar-words", { hasText: /D/ }).waitFor();
    },
  },
  {
    name: "room-talks-muted",
    async show(page) {
      await enterRoom(page, "speaker", 4, 90);
      await page.locator(".room-tools button").last().click();
      await page.locator(".toggle").first().click();
      await page.keyboard.press("Escape");
      await page.locator(".sheet").waitFor({ state: "detached" });
      await drive(page, "talkMuted");
      await page.locator(".voice-button[data-nudged]").waitFor();
    },
  },
  {
    name: "room-paused",
    async show(page) {
      await enterRoom(page, "speaker", 4, 90);
      await unmute(page);
      await emit(page, errorEvent("stalled"));
      await page.locator(".bar[data-voice=paused]").waitFor();
    },
  },
  {
    name: "room-slept",
    async show(page) {
      await enterRoom(page, "speaker", 4, 90);
      await unmute(page);
      await drive(page, "sleep");
      await page.locator(".bar[data-voice=muted]").waitFor();
    },
  },
  {
    name: "room-udp-blocked",
    async show(page) {
      await enterRoom(page, "listener", 6, 90);
      await emit(
        page,
        placeEvent(4, { kind: "stream", feeds: true }, { kind: "stream", feeds: false }),
        wayEvent("wss", { failures: { webrtc: { timeout: 2 } } }),
      );
      await page.locator(".way-note").waitFor();
    },
  },
  {
    name: "room-stalled",
    async show(page) {
      await enterRoom(page, "speaker", 6, 90);
      await emit(page, { event: "invite", invite: inviteText }, wayEvent("wss"), wayEvent("webrtc"));
      await emit(page, errorEvent("stalled"));
      await drive(page, "failMicrophone", "microphone-unplugged");
      await page.locator(".problem").waitFor();
    },
  },
  {
    name: "share",
    async show(page) {
      await enterRoom(page, "host", 4, 312);
      await page.locator(".room-tools button").first().click();
      await page.locator(".sheet .action-bare").last().click();
      await page.locator(".qr").waitFor();
    },
  },
  {
    name: "settings",
    async show(page) {
      await enterRoom(page, "listener", 8, 8000);
      await page.locator(".room-tools button").last().click();
      await page.locator(".sheet").waitFor();
    },
  },
  {
    name: "settings-sound",
    async show(page) {
      await enterRoom(page, "speaker", 8, 8000);
      await page.locator(".room-tools button").last().click();
      await page.locator(".sheet .meter-field button").click();
      await drive(page, "hearMicrophone", 0.62);
      await page.locator(".meter[data-works]").waitFor();
    },
  },
  {
    name: "settings-talk-key",
    async show(page) {
      await enterRoom(page, "speaker", 8, 8000);
      await page.locator(".room-tools button").last().click();
      await page.locator("[data-part='talk-key']").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "keys",
    async show(page) {
      await enterRoom(page, "listener", 8, 8000);
      await page.keyboard.press("?");
      await page.locator(".sheet").waitFor();
    },
  },
  {
    name: "ended-second-window",
    async show(page) {
      await drive(page, "setLine", "second-window");
      await page.locator(".ended").waitFor();
    },
  },
  {
    name: "ended-line-lost",
    async show(page) {
      await drive(page, "setLine", "line-lost");
      await page.locator(".ended").waitFor();
    },
  },
  {
    name: "ended-engine-gone",
    async show(page) {
      await drive(page, "setLine", "engine-gone");
      await page.locator(".ended").waitFor();
    },
  },
];
