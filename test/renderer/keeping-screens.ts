import type { EngineEvent } from "../../p2p/api/engine.ts";
import { millis } from "../../p2p/api/ids.ts";
import { reactions } from "../../p2p/api/room.ts";
import { emit, enterRoom, handOf, quality, roomState, someoneSpeaks } from "./enter-room.ts";
import { belowOf, keyOf, knownOf, names, personOf, placeEvent, voiceOf } from "./scenes.ts";
import type { ScreenScript } from "./screens.ts";

/** A relay that fell silent twice, and the reserve that stepped in. */
const repairs: readonly EngineEvent[] = [
  { event: "cover", reason: "silent", gapMs: 88, packetsRecovered: 2 },
  { event: "move", reason: "silent", gapMs: 0, packetsRecovered: 3 },
  { event: "cover", reason: "silent", gapMs: 121, packetsRecovered: 0 },
];

const lent = {
  event: "lending",
  on: true,
  paused: null,
  children: 5,
  childrenMax: 6,
  kbps: 318,
  kbpsMax: 1024,
} as const;
/** The stage of a room with two keepers, where not everything is well. */
const stage = names.slice(0, 5).map((name, index) => personOf(index, name, index === 0 ? "host" : "speaker"));

/** Screens of the tree, and of whatever people do in a room beside talking. */
export const keepingScreens: readonly ScreenScript[] = [
  {
    name: "tree-listener",
    async show(page) {
      await enterRoom(page, "listener", 5, 2400);
      await emit(page, ...repairs);
      await page.locator(".panel-place button").first().click();
      await page.locator(".tree [data-covering]").waitFor();
    },
  },
  {
    name: "tree-lending",
    async show(page) {
      await enterRoom(page, "listener", 3, 2400);
      const below = Array.from({ length: 12 }, (_, index) => belowOf(index, index % 4 !== 3));
      await emit(page, placeEvent(6, { kind: "webrtc", feeds: true }, { kind: "stream", feeds: false }));
      await emit(page, { ...placeEvent(6, { kind: "webrtc", feeds: true }, { kind: "webrtc", feeds: false }), below });
      await emit(page, { ...quality, children: 9 });
      await page.locator(".panel-place button").first().click();
      await page.locator(".tree-picture").waitFor();
    },
  },
  {
    name: "lend-asked",
    async show(page) {
      await enterRoom(page, "listener", 5, 2400);
      await emit(page, { event: "short", short: true, free: 3, listeners: 2400 });
      await page.locator(".notice[data-kind=help]").waitFor();
    },
  },
  {
    name: "lend",
    async show(page) {
      await enterRoom(page, "listener", 3, 2400);
      await emit(page, { ...lent }, { ...quality, children: 5 });
      await page.locator(".panel-place button").last().click();
      await page.locator(".lend-meter").waitFor();
    },
  },
  {
    name: "keep-person",
    async show(page) {
      await enterRoom(page, "host", 6, 90);
      await page.locator(".seat-button").nth(2).click();
      await page.locator("section.deeds").waitFor();
    },
  },
  {
    name: "keep-verify",
    async show(page) {
      await enterRoom(page, "listener", 6, 90);
      await page.locator(".seat-button").nth(2).click();
      await page.locator(".person .deeds .action").first().click();
      await page.locator(".code").waitFor();
    },
  },
  {
    name: "keep-ban",
    async show(page) {
      await enterRoom(page, "host", 6, 90);
      await page.locator(".seat-button").nth(2).click();
      await page.locator(".deeds .action").last().click();
      await page.locator(".ban").waitFor();
    },
  },
  {
    name: "keep-moderator",
    async show(page) {
      await enterRoom(page, "moderator", 6, 90);
      const state = roomState("moderator", stage, [handOf(61, "Osman", 0), handOf(62, "Osmаn", 2)], 90);
      const people = state.people.map((person, index) => ({
        ...person,
        muted: index === 3 ? ("keeper" as const) : ("no" as const),
        records: index === 2,
        lookAlike: index === 4,
      }));
      await emit(page, { ...state, people });
      await page.locator(".hands li").nth(1).waitFor();
      await page.locator(".notice").first().waitFor();
    },
  },
  {
    name: "keep-offer",
    async show(page) {
      await enterRoom(page, "listener", 5, 90);
      const state = roomState("listener", stage, [], 90);
      const self = knownOf(40, "Mei", { self: true, invitedToStage: true });
      await emit(page, { ...state, people: [...state.people, self], slowModeS: 15 });
      await page.locator(".notice[data-kind=offer]").waitFor();
      await page.locator(".composer input").fill("I would love to");
      await page.keyboard.press("Enter");
      await page.locator(".texts-slow").waitFor();
    },
  },
  {
    name: "keep-muted",
    async show(page) {
      await enterRoom(page, "speaker", 4, 90);
      const state = roomState("speaker", stage, [], 90);
      const self = knownOf(40, "Mei", { self: true, role: "speaker", voice: voiceOf(40), muted: "keeper" });
      await emit(page, { ...state, people: [...state.people, self], pushToTalkOnly: true });
      await page.locator(".bar-words strong", { hasText: /[^.]/ }).waitFor();
      await page.keyboard.press("m");
    },
  },
  {
    name: "keep-reactions",
    async show(page) {
      await enterRoom(page, "listener", 8, 8000);
      await someoneSpeaks(page);
      const events = reactions.map((reaction, index): EngineEvent => ({
        event: "reaction",
        identity: keyOf(index),
        name: names[index] ?? "",
        reaction,
        self: index === 3,
      }));
      await emit(page, ...events);
      await page.locator(".bar-tools .action").nth(1).click();
      await page.locator(".react-list").waitFor();
    },
  },
  {
    name: "keep-people",
    async show(page) {
      await enterRoom(page, "host", 6, 312);
      const state = roomState("host", stage, [], 312);
      const more = [
        knownOf(71, "Lin Yuе", { lookAlike: true }),
        knownOf(72, "Noisy", { banned: true }),
        knownOf(73, "فاطمة", { invitedToStage: true }),
      ];
      await emit(page, { ...state, people: [...state.people, ...more] });
      await page.locator(".audience .action").click();
      await page.locator(".person-row").first().waitFor();
    },
  },
  {
    name: "keep-room",
    async show(page) {
      await enterRoom(page, "host", 4, 312);
      const rules = "One speaks, the others listen.\nNo names of people who are not here.";
      const links = ["https://example.org/reading-list"];
      await emit(page, { ...roomState("host", stage, [], 312), rules, links, slowModeS: 15 });
      await page.locator(".room-tools button").nth(1).click();
      await page.locator(".who").waitFor();
    },
  },
  {
    name: "keep-room-listener",
    async show(page) {
      await enterRoom(page, "listener", 4, 312);
      const rules = "一人說話，其他人聽。\n不提不在場的人的名字。";
      await emit(page, { ...roomState("listener", stage, [], 312), rules, access: "locked" });
      await page.locator(".room-tools button").nth(1).click();
      await page.locator(".who").waitFor();
    },
  },
  {
    name: "share-own",
    async show(page) {
      await enterRoom(page, "host", 4, 312);
      const expires = millis(Date.UTC(2026, 11, 1, 9));
      const terms = { expires, singleUse: false, hasPassphrase: false, revoked: false };
      await emit(page, {
        event: "invites-issued",
        invites: [
          { id: "a", role: "listener", ...terms, revoked: true },
          { id: "b", role: "speaker", ...terms, singleUse: true, hasPassphrase: true },
        ],
      });
      await page.locator(".room-tools button").first().click();
      await page.locator(".sheet .stack > .action").click();
      await page.locator(".sheet input[maxlength]").waitFor();
    },
  },
];
