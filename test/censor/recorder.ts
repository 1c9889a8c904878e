import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { insideInterface, type Box, type Place, type Side } from "./box.ts";
import { readCapture, type Capture } from "./wire/pcap.ts";

/** A recording to which nothing came for this long has everything that passed before. */
const quietMs = 100;

/** Records everything that crosses one interface. */
export class Recorder {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  /** Records at the censor's interface towards one side. */
  static start(box: Box, side: Side): Promise<Recorder> {
    return Recorder.startAt(box, "censor", insideInterface[side]);
  }

  /** Resolves when it records. */
  static async startAt(box: Box, place: Place, wire: string): Promise<Recorder> {
    const file = join(box.folder, `${place}-${wire}.pcap`);
    // -U: each packet is written as it comes; -Z: as root, whose folder it is.
    const words = [
      "tcpdump",
      "-i",
      wire,
      "-n",
      "--immediate-mode",
      "-U",
      "-s",
      "0",
      "-B",
      "16384",
      "-Z",
      "root",
      "-w",
      file,
    ];
    const child = box.spawn(place, words, { stdio: ["ignore", "ignore", "pipe"] });
    const exited = once(child, "exit").then(() => {
      throw new Error("tcpdump ended before it recorded");
    });
    exited.catch(() => undefined);
    if (child.stderr === null) throw new Error("the pipe was asked for");
    const lines = createInterface({ input: child.stderr });
    const listening = new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        if (line.includes("listening on")) resolve();
      });
    });
    await Promise.race([listening, exited]);
    return new Recorder(child, file);
  }

  /** What was recorded so far. */
  async peek(): Promise<Capture> {
    return readCapture(await readFile(this.#file));
  }

  async #size(): Promise<number> {
    return (await stat(this.#file)).size;
  }

  /** Stops, and gives what was recorded. */
  async stop(): Promise<Capture> {
    // What the kernel holds for it is lost when it is told to stop.
    for (let size = -1, now = await this.#size(); now > size; now = await this.#size()) {
      size = now;
      await pause(quietMs);
    }
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    await exited;
    const capture = await this.peek();
    await rm(this.#file, { force: true });
    return capture;
  }
}
