import { afterAll, beforeAll, expect, it } from "vitest";
import { SoundPages } from "../../e2e/sound-pages.ts";
import { openBusyPage, stretch, type BusyStretch } from "../busy-ui.ts";

let pages: SoundPages;
beforeAll(async () => {
  pages = await SoundPages.build();
});
afterAll(() => pages.close());

it("sound waits for no screen: no underrun and no lost word while the page's own thread is busy", async () => {
  const page = await openBusyPage(pages);
  // The cores are shared with others, who can starve any thread: one whole stretch shows that the page is not what it waits for.
  const seen: BusyStretch[] = [];
  const isWhole = ({ underruns, holes }: BusyStretch): boolean => underruns === 0 && holes === 0;
  while (seen.length < 10 && !seen.some(isWhole)) seen.push(await stretch(page, 5000));
  const whole = seen.find(isWhole);
  expect({ seen, found: whole !== undefined }).toEqual({ seen, found: true });
  expect(whole!.busyShare).toBeGreaterThan(0.6);
  expect(whole!.packets).toBeGreaterThan(100);
});
