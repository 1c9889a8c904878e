import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWindow, isBuildStale } from "../../../p2p/cli/window-build.ts";
import type { EventLine, TeahouseProcess } from "../processes.ts";
import { clip, type HostUp, Processes, type RelayUp } from "../rooms.ts";
import { engineOf } from "./engine-of.ts";
import { addressOf, FakePerson, type RoomWindow } from "./windows.ts";

const processes = new Processes();
let person: FakePerson;
let relays: RelayUp[];
let host: HostUp;

beforeAll(async () => {
  if (await isBuildStale()) await buildWindow();
  person = await FakePerson.start(new Float32Array(48_000));
  relays = await Promise.all([processes.relay("--no-dht"), processes.relay("--no-dht")]);
  host = await processes.host(relays, "--no-dht", "--audio", clip, "--loop");
});

afterAll(async () => {
  await person?.end();
  await processes.end();
});

/** A window in the room, and the shell behind it, whose engine has no network but the window's. */
async function open(...args: string[]): Promise<{ readonly window: RoomWindow; readonly shell: TeahouseProcess }> {
  const shell = processes.start(["--no-open", "--no-dht", ...args]);
  const window = await person.open(await addressOf(shell));
  await window.join(host.invite, "Guest");
  return { window, shell };
}

const linksOf = ({ links }: EventLine): Record<string, number> => links as Record<string, number>;
/** Sound that came in time until then. */
const heardIn = (line: EventLine | undefined): number => Number(line?.["framesOnTime"] ?? 0);

describe("a window that lends its network", () => {
  it("joins over native relays by its sockets and its WebRTC, and again after a reload and a killed engine", async () => {
    const { window, shell } = await open();
    const stats = await shell.next("stats", (line) => (linksOf(line)["webrtc"] ?? 0) > 0 && heardIn(line) > 0);
    expect(linksOf(stats)["stream"]).toBeGreaterThan(0);
    await window.page.reload();
    await window.button("bar.leave").waitFor();
    // Everything lent was lost with the page: what is there now is new.
    const before = heardIn(shell.last("stats"));
    await shell.following("stats", (line) => (linksOf(line)["webrtc"] ?? 0) > 0 && heardIn(line) > before + 50);
    // The next engine, with counts of its own, finds the same page lending.
    const back = shell.following("joined");
    process.kill(await engineOf(shell), "SIGKILL");
    await back;
    await shell.following("stats", (line) => (linksOf(line)["webrtc"] ?? 0) > 0 && heardIn(line) > 0);
    expect(shell.lines.map(({ event }) => event)).not.toContain("left");
    await window.page.close();
    await shell.end();
  });

  it("goes into the room by itself when the demo asks it to", async () => {
    const shell = processes.start(["--no-open", "--no-dht", "--enter", "-", "--name", "Guest"], { stdin: host.invite });
    const window = await person.open(await addressOf(shell));
    await window.button("bar.leave").waitFor();
    const stats = await shell.next("stats", (line) => heardIn(line) > 0);
    expect(linksOf(stats)["stream"]).toBeGreaterThan(0);
    await window.page.close();
    await shell.end();
  });

  it("with profile wss uses its sockets alone", async () => {
    const { window, shell } = await open("--profile", "wss");
    await shell.next("stats", (line) => heardIn(line) > 250);
    const kinds = shell.lines.filter(({ event }) => event === "stats").flatMap((line) => Object.keys(linksOf(line)));
    expect([...new Set(kinds)]).toEqual(["stream"]);
    await window.page.close();
    await shell.end();
  });
});
