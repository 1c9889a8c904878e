import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWindow, isBuildStale } from "../../p2p/cli/window-build.ts";
import { Processes, clip } from "./rooms.ts";
import type { RelayUp } from "./rooms.ts";
import type { TeahouseProcess } from "./processes.ts";
import { addressOf, FakePerson } from "./window/windows.ts";

const processes = new Processes();
const passphrase = "correct horse battery";
let relay: RelayUp;
let host: TeahouseProcess;
let issued: Record<string, unknown>;
let visitor: FakePerson;

beforeAll(async () => {
  if (await isBuildStale()) await buildWindow();
  relay = await processes.relay();
  const args = ["host", "--via", "-", "--open", "--title", "Tea for all", "--audio", clip, "--loop"];
  const terms = ["--invite", "speaker", "--invite-for", "10m", "--single-use", "--with-passphrase"];
  const environment = { TEAHOUSE_PASSPHRASE: passphrase };
  host = processes.start([...args, ...terms], { stdin: relay.card, environment });
  issued = await host.next("issued");
  visitor = await FakePerson.start(new Float32Array(48_000));
});

afterAll(async () => {
  await visitor?.end();
  await processes.end();
});

describe("an open room", () => {
  it("[DS11] is found by who has no invite, and joined by what is found", async () => {
    // The host pays for its places first, and then puts its listing: whoever comes early looks again.
    let found: Record<string, unknown> | undefined;
    while (found === undefined) {
      const rooms = processes.start(["rooms", "--bootstrap", ...relay.addresses]);
      expect(await rooms.exited).toMatchObject({ code: 0 });
      found = rooms.lines.find(({ event }) => event === "open-room");
    }
    expect(found).toMatchObject({ title: "Tea for all" });
    const listener = processes.listener(String(found?.["invite"]));
    expect(await listener.next("joined")).toMatchObject({ room: found?.["room"], role: "listener" });
    await listener.next("sound");
  });

  it("is found from the first screen of the window, and gone into with two clicks", async () => {
    const shell = processes.start(["--no-open", "--bootstrap", ...relay.addresses]);
    const window = await visitor.open(await addressOf(shell));
    const room = window.page.locator(".hall-room", { hasText: "Tea for all" }).getByRole("button");
    // Whoever looks early looks again; the button waits meanwhile.
    while ((await room.count()) === 0) await window.page.locator(".hall > .action").click();
    await room.click();
    await window.button("lobby.go").click();
    await window.page.getByRole("heading", { level: 1, name: "Tea for all" }).waitFor();
    expect(await shell.next("stats", ({ framesOnTime }) => Number(framesOnTime) > 0)).toBeDefined();
  });

  it("[RM39] [RM51] gives out an invite on its own terms: of a role, for one, with a passphrase, for a time", async () => {
    expect(issued).toMatchObject({ role: "speaker", singleUse: true, hasPassphrase: true, expiresInMs: 600_000 });
    const invite = String(issued["invite"]);
    const without = processes.start(["listen", "-"], { stdin: invite });
    expect(await without.exited).toMatchObject({ code: 2 });
    const environment = { TEAHOUSE_PASSPHRASE: passphrase };
    const first = processes.start(["speak", "-", "--audio", clip, "--loop"], { stdin: invite, environment });
    await first.next("joined");
    await first.next("role", ({ role }) => role === "speaker");
    const second = processes.start(["listen", "-"], { stdin: invite, environment });
    expect(await second.exited).toMatchObject({ code: 4 });
    expect(second.lines.find(({ event }) => event === "refused")).toMatchObject({ code: "invite-used" });
  });
});
