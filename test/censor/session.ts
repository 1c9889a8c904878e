import { buildWindow, isBuildStale } from "../../p2p/cli/window-build.ts";
import { Box, insideAddress, outsideAddress, type Side } from "./box.ts";
import { censorLine, type CensorLine } from "./figures.ts";
import { greetRelays } from "./participants.ts";
import { Recorder } from "./recorder.ts";
import type { Case } from "./rules/all.ts";
import { Stage } from "./stage.ts";
import { tryCase, type TrialResult } from "./trial.ts";
import { dtlsHello } from "./wire/datagram.ts";
import { flowsOf } from "./wire/flows.ts";
import { ja4, parseTlsHello } from "./wire/hello.ts";

/** Enough that half of them can die, that one may freeze, and that a stand-by is left. */
const relayCount = 4;

/** A box with a room in it, in which one case after the other is tried. */
export class CensorSession {
  readonly #box: Box;
  #stage: Stage;
  readonly browserHellos: ReadonlySet<string>;

  private constructor(box: Box, stage: Stage, browserHellos: ReadonlySet<string>) {
    this.#box = box;
    this.#stage = stage;
    this.browserHellos = browserHellos;
  }

  /** Makes the box, opens the room, and records what a plain Chromium's hellos look like. */
  static async open(): Promise<CensorSession> {
    if (await isBuildStale()) await buildWindow();
    const box = await Box.make(relayCount);
    try {
      const stage = await Stage.open(box);
      try {
        return new CensorSession(box, stage, await recordHellos(box));
      } catch (error) {
        await stage.close();
        throw error;
      }
    } catch (error) {
      box.remove();
      throw error;
    }
  }

  /** Tries a case so many times, on these sides at once. */
  async run(which: Case, sides: readonly Side[], tries: number): Promise<CensorLine[]> {
    const results: TrialResult[] = [];
    for (let count = 0; count < tries; count += 1) {
      const setting = { box: this.#box, stage: this.#stage, browserHellos: this.browserHellos };
      results.push(...(await tryCase(setting, which, sides)));
      if (which.rule.kills !== undefined) await this.#renewStage();
    }
    return sides.map((side) =>
      censorLine(
        which.name,
        side,
        results.filter((result) => result.side === side),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#stage.close();
    this.#box.remove();
  }

  async #renewStage(): Promise<void> {
    await this.#stage.close();
    this.#stage = await Stage.open(this.#box);
  }
}

/** JA4 of TLS as the censor sees it, and of DTLS, which a browser greets only itself with, on its own loopback. */
async function recordHellos(box: Box): Promise<ReadonlySet<string>> {
  const recorders = [await Recorder.start(box, "desktop"), await Recorder.startAt(box, "desktop", "lo")];
  const greeted = await greetRelays(box, box.relays.slice(0, 2).map(outsideAddress)).catch((error: unknown) => error);
  const [tls, dtls] = await Promise.all(recorders.map((recorder) => recorder.stop()));
  if (greeted instanceof Error) throw greeted;
  const tlsHellos = flowsOf(tls?.packets ?? [], insideAddress.desktop).flatMap(({ sent }) => parseTlsHello(sent) ?? []);
  // Both ends are one address there.
  const datagrams = dtls?.packets ?? [];
  const ports = [...new Set(datagrams.map(({ sourcePort }) => sourcePort))];
  const dtlsHellos = ports.flatMap(
    (port) => dtlsHello(datagrams.filter(({ sourcePort }) => sourcePort === port).map(({ payload }) => payload)) ?? [],
  );
  if (tlsHellos.length === 0 || dtlsHellos.length === 0) throw new Error("the plain Chromium greeted nobody");
  return new Set([...tlsHellos, ...dtlsHellos].map(ja4));
}
