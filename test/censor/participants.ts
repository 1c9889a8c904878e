import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { browserArguments } from "../../p2p/shell/browser.ts";
import { chromiumProgram } from "../e2e/chromium.ts";
import { TeahouseProcess } from "../e2e/processes.ts";
import type { Box, Side } from "./box.ts";
import type { DriverAnswer, DriverOrder } from "./window-driver.ts";

const driver = fileURLToPath(new URL("./window-driver.ts", import.meta.url));
/** On the loopback of the desktop's namespace, where nobody else is. */
const debuggingPort = 9333;
/** What Chromium needs to run where there is no display and no loudspeaker: none of it touches what goes over the wire. */
const withoutDisplay = [
  "--headless=new",
  "--disable-gpu",
  "--use-fake-device-for-media-stream",
  `--remote-debugging-port=${debuggingPort}`,
];

const english = JSON.parse(
  readFileSync(new URL("../../renderer/ui/locales/en.json", import.meta.url), "utf8"),
) as Readonly<Record<string, string>>;

/** Somebody who joins by an invite, and whose own events tell what came of it. */
export interface Participant {
  readonly process: TeahouseProcess;
  /** The code of the explanation that this person was given; undefined: none, or not yet. */
  explanation(): Promise<string | undefined>;
  /** How alike what the page plays is to what is said, 0 to 1, heard again until it is enough; absent where there is no page, or nobody listens there. */
  likenessAtPage?(enough: number): Promise<number>;
  end(): Promise<void>;
}

/** How somebody joins. */
export interface JoinWay {
  readonly box: Box;
  readonly invite: string;
  /** Whether what the page plays is to be listened to. */
  readonly atPage: boolean;
}

/** Starts one side with a cold invite. Resolves when it was told to join. */
export function joinBy(side: Side, way: JoinWay): Promise<Participant> {
  return side === "desktop" ? joinByWindow(way) : Promise.resolve(joinByCommand(way));
}

/** `teahouse listen`: Node's own network. */
function joinByCommand({ box, invite }: JoinWay): Participant {
  const process = new TeahouseProcess(["listen", "-"], {
    inside: box.inside("volunteer"),
    environment: box.environment,
    stdin: invite,
  });
  return {
    process,
    explanation: () => {
      const trouble = process.lines.findLast(({ event }) => event === "error" || event === "refused");
      return Promise.resolve(trouble === undefined ? undefined : String(trouble["code"]));
    },
    end: async () => void (await process.end()),
  };
}

/** `teahouse`, which opens its window in a Chromium as on any desktop, and a person's hands at it. */
async function joinByWindow({ box, invite, atPage }: JoinWay): Promise<Participant> {
  const path = [await chromiumFolder(box), process.env["PATH"] ?? ""].join(delimiter);
  const shell = new TeahouseProcess([], {
    inside: box.inside("desktop"),
    // The window needs a display that is named, and Chromium is told not to use it.
    environment: { PATH: path, DISPLAY: ":99", ...box.environment },
  });
  const hands = new Hands(box);
  const end = async (): Promise<void> => {
    hands.end();
    await shell.end();
  };
  try {
    const { shell: kind } = await shell.next("window");
    if (kind !== "browser") throw new Error(`the window came up as "${String(kind)}", not in a Chromium`);
    await hands.do({ order: "join", port: debuggingPort, invite, atPage });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    process: shell,
    explanation: async () => {
      const text = await hands.do({ order: "problem" });
      const key = Object.keys(english).find((name) => /^(fault|link)\./.test(name) && english[name] === text);
      return text === undefined ? undefined : (key?.replace(/^\w+\./, "") ?? text);
    },
    ...(atPage ? { likenessAtPage: async (enough: number) => Number(await hands.do({ order: "hear", enough })) } : {}),
    end,
  };
}

/** A folder whose `chromium` is this computer's, without a display. */
async function chromiumFolder(box: Box): Promise<string> {
  const folder = join(box.folder, "bin");
  await mkdir(folder, { recursive: true });
  const program = join(folder, "chromium");
  await writeFile(program, `#!/bin/sh\nexec ${chromiumProgram()} ${withoutDisplay.join(" ")} "$@"\n`);
  await chmod(program, 0o755);
  return folder;
}

/**
 * The ClientHellos of a plain Chromium of this machine, as whoever records hears them: it opens the relays' sites, by
 * their addresses and by a name, as pages and as WebSockets, twice, so that resumed sessions are among them; and
 * itself by WebRTC.
 */
export async function greetRelays(box: Box, addresses: readonly string[]): Promise<void> {
  const profile = join(box.folder, "plain-profile");
  const map = `--host-resolver-rules=MAP www.example.org ${addresses[0] ?? ""}`;
  const own = browserArguments({ address: "about:blank", profile, isRoot: true })
    // The pipe would have to be spoken to.
    .filter((word) => word !== "--remote-debugging-pipe")
    // So that it can reach itself by its plain address, which changes no hello.
    .map((word) => (word.startsWith("--disable-features=") ? `${word},WebRtcHideLocalIpsWithMdns` : word));
  const words = [chromiumProgram(), ...own, ...withoutDisplay, map];
  const browser = box.spawn("desktop", words, { stdio: "ignore" });
  const exited = once(browser, "exit");
  const hands = new Hands(box);
  try {
    await hands.do({ order: "greet", port: debuggingPort, addresses: [...addresses, "www.example.org"] });
  } finally {
    hands.end();
    browser.kill("SIGTERM");
    await exited;
  }
}

/** The driver, one order at a time. */
class Hands {
  readonly #child: ChildProcess;

  constructor(box: Box) {
    this.#child = box.spawn("desktop", [process.execPath, driver], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  }

  async do(order: DriverOrder): Promise<string | undefined> {
    const answered = new Promise<DriverAnswer>((resolve, reject) => {
      const gone = (): void => reject(new Error("the hands at the window are gone"));
      this.#child.once("exit", gone);
      this.#child.once("message", (answer: DriverAnswer) => {
        this.#child.off("exit", gone);
        resolve(answer);
      });
    });
    this.#child.send(order);
    const answer = await answered;
    if (!answer.ok) throw new Error(answer.error);
    return answer.text;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}
