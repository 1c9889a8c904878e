import axe from "axe-core";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../eventually.ts";
import { drive, startFixtureSite, type FixtureSite, type PageOptions } from "../fixture-page.ts";
import { factsOf, membersEvent, names, personOf, stageEvent, textEvent, tryOf, voiceOf } from "../scenes.ts";
import { enterRoom, inviteText } from "../enter-room.ts";
import { screens, type ScreenScript } from "../screens.ts";

let site: FixtureSite;
beforeAll(async () => {
  site = await startFixtureSite();
});
afterAll(async () => {
  await site.stop();
});

/** Uses a fresh page, and fails on anything that the page itself complains about. */
async function withPage(options: PageOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await site.open(options);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await use(page);
    expect(complaints).toEqual([]);
  } finally {
    await page.context().close();
  }
}

/** Resolves once the keyboard is there: the focus comes and goes with a frame, not at once. */
function hasFocus(part: Locator): Promise<void> {
  return eventually(async () => {
    expect(await part.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
  });
}

function named(name: string): ScreenScript {
  const screen = screens.find((one) => one.name === name);
  if (screen === undefined) throw new Error(`no screen is called ${name}`);
  return screen;
}

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

async function faultsOf(page: Page): Promise<string[]> {
  // In the page's own world, so that its policy against foreign scripts stays as it is.
  await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

/** Parts that are pressed and smaller than 44 pixels. */
const smallTargets = `[...document.querySelectorAll("button, input, textarea, [role=radio], label")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 2)
  .filter((one) => one.closest(".hidden-words, [style*='clip']") === null)
  .filter((one) => one.tagName !== "LABEL" || one.matches(".way, .segment"))
  .filter((one) => one.getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML.slice(0, 120))`;

describe.each(screens)("$name", (screen) => {
  it("axe finds nothing in evening and morning; it fits 360 pixels in every language, with targets of 44 pixels", async () => {
    await withPage({ dark: true }, async (page) => {
      await screen.show(page);
      expect(await faultsOf(page)).toEqual([]);
      await drive(page, "setTheme", "light");
      await page.locator("html[data-theme=light]").waitFor();
      expect(await faultsOf(page)).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      for (const language of ["zh-Hans", "zh-Hant", "en"]) {
        await drive(page, "setLanguage", language);
        await page.locator(`html[lang="${language}"]`).waitFor();
        const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
        expect([language, overflow]).toEqual([language, 0]);
      }
      expect(await page.evaluate(smallTargets)).toEqual([]);
      expect(await faultsOf(page)).toEqual([]);
    });
  });
});

describe("text of strangers", () => {
  const hostile = [
    "<img src=x onerror=window.hit=1>",
    "\u202Eevil\u2066",
    "x".repeat(10_000),
    "&lt;b&gt;",
    "{{count}} $t(common.app)",
  ];

  it("is shown as it is: no markup, no turned direction, no width that pushes others out", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "host", 3, 5);
      const people = hostile.map((name, index) => personOf(index, name, "speaker"));
      const hands = hostile.map((name, index) => ({ id: `h${index}`, name, self: false }));
      await drive(page, "emit", stageEvent("<b>\u202Etitle</b>", people, hands));
      await drive(page, "emit", { event: "room-state", ...factsOf({ title: "<b>\u202Etitle</b>", hands: [] }) });
      await drive(page, "emit", ...hostile.map((name, index) => textEvent(index, name, name)));
      await page.locator(".texts li").nth(4).waitFor();
      const shown = await page.locator(".seat-name").allTextContents();
      expect(shown.slice(0, 2)).toEqual(["<img src=x onerror=window.hit=1>", "evil"]);
      expect(shown[2]).toBe(`${"x".repeat(40)}…`);
      expect(shown.slice(3)).toEqual(["&lt;b&gt;", "{{count}} $t(common.app)"]);
      expect(await page.locator(".room-title").textContent()).toBe("<b>title</b>");
      expect(await page.locator(".seat img, .texts img, .room b").count()).toBe(0);
      expect(await page.evaluate("window.hit")).toBeUndefined();
      expect(await page.locator(".seat-name bdi").count()).toBe(hostile.length);
      expect(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")).toBe(0);
      const widest = await page.evaluate<number>(
        "Math.max(...[...document.querySelectorAll('.seat')].map((one) => one.offsetWidth))",
      );
      expect(widest).toBeLessThan(220);
    });
  });

  it("is read aloud isolated, so that it cannot turn the sentence round", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "listener", 0, 5);
      await drive(page, "emit", stageEvent("", [personOf(7, "فاطمة", "speaker")]));
      expect(await page.locator("[aria-live] p", { hasText: "came on stage" }).textContent()).toBe(
        "\u2068فاطمة\u2069 came on stage.",
      );
    });
  });
});

describe("by keyboard alone", () => {
  it("joins by a pasted invite, raises a hand, types and leaves", async () => {
    await withPage({}, async (page) => {
      const tabTo = async (name: RegExp): Promise<void> => {
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press("Tab");
          const label = await page.evaluate<string>(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent",
          );
          if (name.test(label)) return;
        }
        throw new Error(`Tab never reached ${name.source}`);
      };
      await tabTo(/Paste your invite/);
      await page.keyboard.insertText(inviteText);
      await page.keyboard.press("Enter");
      await page.locator(".lobby").waitFor();
      await page.locator("h1:focus").waitFor();
      await tabTo(/Your name/);
      await page.keyboard.insertText("Mei");
      await tabTo(/^Go in$/);
      await page.keyboard.press("Enter");
      await page.locator(".room").waitFor();
      await page.keyboard.press("h");
      expect(await drive<string[]>(page, "calls")).toContain("raiseHand");
      await page.keyboard.press("t");
      await page.keyboard.insertText("hmm");
      // Letters belong to the field now.
      await page.keyboard.press("h");
      expect(await page.locator(".composer input").inputValue()).toBe("hmmh");
      await page.keyboard.press("Enter");
      expect(await page.locator(".composer input").inputValue()).toBe("");
      await tabTo(/Leave the room/);
      await page.keyboard.press("Enter");
      await page.locator(".start").waitFor();
    });
  });

  it("looks why there is no way in, hears each result in words, stops, and comes back to where it was", async () => {
    await withPage({}, async (page) => {
      await named("lobby-turned-away").show(page);
      await drive(page, "scriptProbe", [tryOf("relay", 1, "cut")]);
      await page.locator("form .row .action-plain").last().focus();
      await page.keyboard.press("Enter");
      await page.locator("[role=log] li", { hasText: "the connection is cut" }).waitFor();
      expect(await page.locator(".sheet [role=status]").textContent()).toBe(
        "Trying the next way. Each takes 8 seconds at most.",
      );
      const stop = page.locator(".sheet .action", { hasText: "Stop" });
      while (!(await stop.evaluate((button) => button === button.ownerDocument.activeElement))) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await page.locator(".sheet [role=status]", { hasText: "Stopped." }).waitFor();
      expect(await drive<string[]>(page, "calls")).toContain("stopProbe");
      await page.keyboard.press("Escape");
      await page.locator(".sheet").waitFor({ state: "detached" });
      // The focus comes back with the next frame.
      await page.locator("button:focus", { hasText: "Why can't I connect?" }).waitFor();
    });
  });

  it("keeps order from a person's card, and comes back to the person", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "host", 4, 5);
      const seat = page.locator(".seat-button").first();
      await seat.focus();
      await page.keyboard.press("Enter");
      const mute = page.locator(".deeds .action", { hasText: "Mute for everybody" });
      await mute.waitFor();
      while (!(await mute.evaluate((button) => button === button.ownerDocument.activeElement))) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await page.locator(".person").waitFor({ state: "detached" });
      expect(await drive<string[]>(page, "calls")).toContain("act");
      await hasFocus(seat);
    });
  });

  it("wipes everything by one combination, also inside a field, and asks nothing", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "speaker", 4, 5);
      await page.locator(".voice-button").click();
      await page.locator(".composer input").fill("not for others");
      await page.keyboard.press("Control+Shift+Backspace");
      await page.locator(".start").waitFor();
      expect(await drive<boolean>(page, "microphoneLive")).toBe(false);
      expect(await drive<string[]>(page, "calls")).toContain("wipe");
      expect(await page.locator("body").innerText()).not.toContain("What we remember of home");
      expect(await page.title()).toBe("Teahouse");
    });
  });

  it("shows where the focus is", async () => {
    await withPage({}, async (page) => {
      await page.keyboard.press("Tab");
      const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline).toBe("solid");
    });
  });

  it("Space held is push-to-talk, also after a click on a button, and ends when the window loses the keyboard", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "speaker", 3, 5);
      const live = (): Promise<boolean> => drive<boolean>(page, "microphoneLive");
      await page.keyboard.down("Space");
      expect(await live()).toBe(true);
      expect(await page.locator(".bar").getAttribute("data-voice")).toBe("held");
      await page.keyboard.up("Space");
      expect(await live()).toBe(false);
      await page.locator(".voice-button").click();
      await page.locator(".voice-button").click();
      await page.keyboard.down("Space");
      expect(await live()).toBe(true);
      await page.evaluate("window.dispatchEvent(new Event('blur'))");
      expect(await live()).toBe(false);
      await page.keyboard.up("Space");
      expect(await live()).toBe(false);
    });
  });

  it("Space presses a button that Tab reached, and types in a field", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "speaker", 3, 5);
      await page.locator(".voice-button").focus();
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Space");
      expect(await page.locator(".bar").getAttribute("data-voice")).toBe("live");
      // "Mute, pressed" would be heard as muted.
      expect(await page.locator(".voice-button").getAttribute("aria-pressed")).toBeNull();
      await page.keyboard.press("m");
      expect(await page.locator(".bar").getAttribute("data-voice")).toBe("muted");
      await page.locator(".composer input").focus();
      await page.keyboard.press("Space");
      await page.keyboard.press("m");
      expect(await page.locator(".composer input").inputValue()).toBe(" m");
      expect(await page.locator(".bar").getAttribute("data-voice")).toBe("muted");
    });
  });

  it("a sheet keeps the focus, closes with Escape and gives it back; keys of the room wait meanwhile", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "speaker", 3, 5);
      const button = page.locator(".room-tools button").last();
      await button.focus();
      await page.keyboard.press("Enter");
      await page.locator(".sheet").waitFor();
      await page.keyboard.press("m");
      expect(await page.locator(".bar").getAttribute("data-voice")).toBe("muted");
      for (let presses = 0; presses < 20; presses++) await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.closest('.sheet') !== null")).toBe(true);
      await page.keyboard.press("Escape");
      await page.locator(".sheet").waitFor({ state: "detached" });
      await hasFocus(button);
    });
  });
});

describe("sixteen voices and eight thousand ears", () => {
  it("move rings without drawing anything else anew; how long that takes is printed beside a frame", async () => {
    await withPage({ reducedMotion: false }, async (page) => {
      await enterRoom(page, "listener", 16, 8000);
      const voices = names.map((_, index) => voiceOf(index));
      const result = await page.evaluate<{
        readonly mutations: number;
        readonly workMs: number;
        readonly speaking: number;
      }>(
        `(async (voices) => {
          const room = document.querySelector(".room");
          let mutations = 0;
          const isRing = (one) => one.type === "attributes" && one.target.classList.contains("seat");
          const observer = new MutationObserver((list) => { mutations += list.filter((one) => !isRing(one)).length; });
          observer.observe(room, { subtree: true, childList: true, attributes: true, characterData: true });
          const times = [];
          for (let tick = 0; tick < 60; tick++) {
            const begin = performance.now();
            window.fixture.hearOthers(voices.map((voice, index) => [voice, Math.abs(Math.sin(tick * 0.7 + index))]));
            document.body.getBoundingClientRect();
            getComputedStyle(document.querySelector(".seat-bowl"), "::after").transform;
            times.push(performance.now() - begin);
            await new Promise((resolve) => requestAnimationFrame(resolve));
          }
          // A ring goes out soon after its voice, however slow the frames were.
          window.fixture.hearOthers(voices.map((voice) => [voice, 0.8]));
          const speaking = document.querySelectorAll(".seat[data-speaking]").length;
          times.sort((a, b) => a - b);
          await Promise.resolve();
          return { mutations, workMs: times[Math.floor(times.length / 2)], speaking };
        })(${JSON.stringify(voices)})`,
      );
      expect(result.speaking).toBe(16);
      expect(result.mutations).toBe(0);
      console.log(`sixteen rings move in ${result.workMs.toFixed(1)} ms (aim: a frame, 16 ms)`);
    });
  });

  it("a change of the crowd draws the crowd and nothing of the stage", async () => {
    await withPage({}, async (page) => {
      await enterRoom(page, "listener", 16, 8000);
      await page.evaluate(
        `window.seen = 0; new MutationObserver((list) => { window.seen += list.length; })
          .observe(document.querySelector(".seats"), { subtree: true, childList: true, attributes: true, characterData: true })`,
      );
      await drive(page, "emit", membersEvent(16, 8001, 42));
      await page.locator(".audience-count", { hasText: "8,001" }).waitFor();
      expect(await page.evaluate("window.seen")).toBe(0);
    });
  });
});

describe("who sees differently", () => {
  it("sees the ring and the live microphone in forced colours too", async () => {
    await withPage({ forcedColors: true }, async (page) => {
      await enterRoom(page, "speaker", 3, 5);
      await drive(page, "hearOthers", [[voiceOf(0), 0.9]]);
      await page.locator(".seat[data-speaking]").waitFor();
      const ring = await page.evaluate<string>(
        "getComputedStyle(document.querySelector('.seat[data-speaking] .seat-bowl'), '::before').opacity",
      );
      expect(ring).toBe("1");
    });
  });

  it("sees nothing move who asked for that", async () => {
    await withPage({ reducedMotion: true }, async (page) => {
      await enterRoom(page, "listener", 3, 5);
      expect(await page.evaluate("document.getAnimations().length")).toBe(0);
    });
  });

  it("reads from right to left without anything leaving the window", async () => {
    await withPage({ width: 360, height: 740 }, async (page) => {
      await enterRoom(page, "speaker", 6, 50);
      await page.evaluate("document.documentElement.dir = 'rtl'");
      expect(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")).toBe(0);
      const [bar, leave] = await page.evaluate<[number, number]>(
        "[document.querySelector('.voice-button'), document.querySelector('.action-danger')].map((one) => one.getBoundingClientRect().x)",
      );
      expect(bar).toBeGreaterThan(leave);
    });
  });
});
