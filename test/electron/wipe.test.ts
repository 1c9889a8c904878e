import { describe, expect, it } from "vitest";
import { channels } from "../../electron/channels.ts";
import { wipeKey } from "../../electron/wipe-key.ts";
import { TestDesktops, until } from "./desktops.ts";

const desktops = new TestDesktops();

describe("the desktop app", () => {
  it("wipes by a key from behind other windows, which it takes only in a room, and ends within a second", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    expect(desktop.shortcuts.has(wipeKey)).toBe(false);
    await client.join("thi1-abc", {});
    await until(() => desktop.shortcuts.has(wipeKey));
    await client.leave();
    await until(() => !desktop.shortcuts.has(wipeKey));
    await client.join("thi1-abc", {});
    await until(() => desktop.shortcuts.has(wipeKey));
    const pressedAt = performance.now();
    desktop.shortcuts.get(wipeKey)?.();
    expect([desktop.app.windows.length, desktop.shortcuts.size]).toEqual([0, 0]);
    expect(await desktop.app.whenQuit).toBe(0);
    console.log(`ended ${Math.round(performance.now() - pressedAt)} ms after the key`);
    // Nobody was asked, and no window came back.
    expect([desktop.errorBoxes, desktop.app.windows.length]).toEqual([[], 0]);
    expect(desktop.engines[0]?.calls).toContain("leave");
  });

  it("wipes when its page wants it, and goes on with the keys that the system gives to nobody", async () => {
    const desktop = await desktops.open();
    desktop.refusedKeys.add(wipeKey);
    const { client, page } = await desktop.connectPage();
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    expect(desktop.shortcuts.size).toBe(0);
    page.bridge.wipe();
    expect(await desktop.app.whenQuit).toBe(0);
  });

  it("wipes for nobody but its own page", async () => {
    const desktop = await desktops.open();
    await desktop.connectPage();
    for (const senderFrame of [null, { url: "https://example.org/" }]) {
      desktop.ipcMain.emit(channels.wipe, { senderFrame });
    }
    expect([desktop.app.windows.length, desktop.app.exitCode]).toEqual([1, undefined]);
  });
});
