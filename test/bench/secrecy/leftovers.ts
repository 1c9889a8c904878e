import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHost } from "../../../p2p/host.ts";
import type { TeahouseProcess } from "../../e2e/processes.ts";
import { Processes, clip, loopback } from "../../e2e/rooms.ts";
import { type Figure, figureOf } from "../figure.ts";

/** GOALS.md: S6. */
const wipeMsMax = 1_000;
const title = "Quiet-Title-4711";
const name = "Quiet-Name-4712";
const guest = {
  profile: "wss",
  listen: [],
  announce: [],
  bootstrap: [],
  dht: "off",
  tls: undefined,
  seed: undefined,
  blind: false,
} as const;

/** What a real room left behind. */
export interface Leftovers {
  /** Files in the home, the temporary folder and every folder of settings that its processes were given. */
  readonly files: readonly string[];
  /** From the panic gesture to an engine that knows nothing any more. */
  readonly wipeMs: number;
  /** Everything that the relay printed, and everybody's stderr. */
  readonly relaySaid: string;
  readonly errorsSaid: string;
  /** Words that none of it may hold: title, name, invite, room, and who was there. */
  readonly private: readonly string[];
}

/**
 * A whole room of real processes without `--data`, in an empty home: a relay, a host who plays, one listener who leaves and one
 * who is killed; and an engine that is wiped. The relay is killed last, so that nothing tidies up after it either.
 */
export async function liveAndLeave(): Promise<Leftovers> {
  const home = await mkdtemp(join(tmpdir(), "teahouse-home-"));
  const processes = new Processes();
  const environment = { HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home };
  const start = (args: readonly string[], stdin = ""): TeahouseProcess => processes.start(args, { environment, stdin });
  try {
    const relay = start(["relay", "--listen", loopback]);
    const card = String((await relay.next("card"))["card"]);
    const hosting = ["host", "--via", "-", "--title", title, "--name", name, "--audio", clip, "--loop"];
    const host = start(hosting, card);
    const room = await host.next("room");
    const { listener: invite = "" } = room["invites"] as Record<string, string>;
    const listeners = [start(["listen", "-", "--name", name], invite), start(["listen", "-"], invite)];
    const ready = await Promise.all([host, ...listeners].map((each) => each.next("ready")));
    await Promise.all(listeners.map((each) => each.next("sound")));
    const wipeMs = await timeWipe(invite);
    listeners[0]?.kill("SIGTERM");
    listeners[1]?.kill("SIGKILL");
    await Promise.all(listeners.map((each) => each.exited));
    for (const each of [host, relay]) {
      each.kill("SIGKILL");
      await each.exited;
    }
    const all = [relay, host, ...listeners];
    return {
      files: await readdir(home, { recursive: true }),
      wipeMs,
      relaySaid: [...relay.lines.map((line) => JSON.stringify(line)), ...relay.strayLines].join("\n"),
      errorsSaid: all.map((each) => each.stderr).join("\n"),
      private: [title, name, invite, String(room["room"]), ...ready.map((line) => String(line["peer"]))],
    };
  } finally {
    await processes.end();
    await rm(home, { recursive: true });
  }
}

async function timeWipe(invite: string): Promise<number> {
  const engine = await createHost(guest);
  try {
    const sound = new Promise<void>((resolve) => engine.subscribe((event) => event.event === "sound" && resolve()));
    await engine.start();
    await engine.join(invite, { name });
    await sound;
    const begunAt = performance.now();
    await engine.wipe();
    return performance.now() - begunAt;
  } finally {
    await engine.stop();
  }
}

/** S6: traces after leaving and after SIGKILL, and how long a wipe takes. */
export async function measureLeftovers(): Promise<readonly Figure[]> {
  const { files, wipeMs } = await liveAndLeave();
  return [
    figureOf({
      id: "S6",
      what: "files that a room left on disk, after leaving and SIGKILL, beside one at most",
      goal: 0,
      better: "less",
      sides: { ours: files.length, baseline: 1 },
    }),
    figureOf({
      id: "S6",
      what: "wipe of an engine in a room, ms ÷ 1 s",
      goal: 1,
      better: "less",
      sides: { ours: Math.round(wipeMs), baseline: wipeMsMax },
    }),
  ];
}
