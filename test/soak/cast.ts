import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passphraseVariable } from "../../p2p/cli/identity-store.ts";
import { TeahouseProcess, type EventLine } from "../e2e/processes.ts";
import { clip, closedPort, loopback } from "../e2e/rooms.ts";
import type { Record, SoakSample } from "./figures.ts";
import type { SoakOptions } from "./options.ts";
import type { Stay } from "./schedule.ts";

/** Told of everything that happens. */
export type Witness = (from: string, line: EventLine) => void;

interface Player {
  readonly process: TeahouseProcess;
  readonly samples: SoakSample[];
  readonly stay: Stay;
  readonly name: string;
  readonly bornAt: number;
  endedAt: number | undefined;
  soundAt: number | undefined;
  stageAt: number | undefined;
  isMeantToEnd: boolean;
}

/** What a relay comes back with: address, identity, card. */
interface Home {
  readonly folder: string;
  readonly port: number;
}

/** The processes of one soak, by their names. */
export class Cast {
  /** What ended though nobody ended it. */
  readonly broken: string[] = [];
  readonly #options: SoakOptions;
  readonly #witness: Witness;
  readonly #players: Player[] = [];
  readonly #homes = new Map<number, Home>();
  readonly #folder = mkdtempSync(join(tmpdir(), "teahouse-soak-"));
  #invites: { readonly [role: string]: string } = {};
  #isOver = false;

  constructor(options: SoakOptions, witness: Witness) {
    this.#options = options;
    this.#witness = witness;
  }

  /** Relays, then the host on them. Rejects when one of them does not come up. */
  async open(relays: readonly Stay[], host: Stay): Promise<void> {
    const ups = await Promise.all(relays.map((stay) => this.enter(stay)));
    const cards = await Promise.all(ups.map(async ({ process }) => String((await process.next("card"))["card"])));
    const { process } = await this.#start(host, ["host", "--via", "-"], cards.join("\n"));
    this.#invites = (await process.next("room"))["invites"] as { [role: string]: string };
  }

  /** Starts whoever comes now. */
  async enter(stay: Stay): Promise<{ readonly process: TeahouseProcess }> {
    switch (stay.kind) {
      case "relay":
        return this.#relay(stay);
      case "speaker":
        return this.#start(stay, ["speak", "-", "--audio", clip, "--loop"], this.#invites["speaker"]);
      case "heir":
        return this.#start(stay, ["listen", "-"], this.#invites["heir"]);
      case "listener":
        return this.#start(stay, ["listen", "-", ...lendingOf(stay)], this.#invites["listener"]);
      case "host":
        throw new Error("a room has one host");
      default:
        return stay.kind satisfies never;
    }
  }

  /** Ends whoever goes now. */
  exit(stay: Stay): void {
    const player = this.#players.find((candidate) => candidate.stay === stay);
    if (player === undefined || player.process.isGone) return;
    player.isMeantToEnd = true;
    player.process.kill(stay.ending === "crash" ? "SIGKILL" : "SIGTERM");
    this.#witness(player.name, { event: stay.ending === "crash" ? "crashed" : "leaves", t: 0 });
  }

  get records(): Record[] {
    return this.#players.map(({ stay, ...player }) => ({ ...player, kind: stay.kind }));
  }

  /** Ends everybody; resolves when all are gone. */
  async close(): Promise<void> {
    this.#isOver = true;
    const left = this.#players.filter(({ process }) => !process.isGone);
    await Promise.all(left.map(({ process }) => process.end()));
    this.#sweep();
  }

  /** Ends them at once: this process is about to be gone. */
  abandon(): void {
    this.#isOver = true;
    for (const { process } of this.#players) if (!process.isGone) process.kill("SIGKILL");
    this.#sweep();
  }

  #sweep(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A relay that comes back does so at its old address, as the same one: its card and the room's hints hold. */
  async #relay(stay: Stay): Promise<Player> {
    const home = this.#homes.get(stay.seat) ?? {
      folder: join(this.#folder, `relay-${stay.seat + 1}`),
      port: await closedPort(),
    };
    this.#homes.set(stay.seat, home);
    const listen = `/ip4/127.0.0.1/tcp/${home.port}/tls/ws`;
    return this.#start(stay, ["relay", "--listen", listen, "--data", home.folder]);
  }

  async #start(stay: Stay, args: readonly string[], stdin = ""): Promise<Player> {
    const number = this.#players.filter(({ stay: { kind } }) => kind === stay.kind).length + 1;
    const name = `${stay.kind}-${number}`;
    const samples: SoakSample[] = [];
    const onLine = (line: EventLine): void => {
      const at = performance.now();
      if (line.event === "sound") player.soundAt ??= at;
      if (line.event === "role" && line["role"] !== "listener") player.stageAt ??= at;
      if (line.event === "stats") samples.push(sampleOf(line, at));
      this.#witness(name, line);
    };
    const environment = { [passphraseVariable]: "a soak keeps no secrets" };
    const process = new TeahouseProcess([...args, "--profile", this.#options.profile], { stdin, environment, onLine });
    const bornAt = performance.now();
    const born = { bornAt, endedAt: undefined, soundAt: undefined, stageAt: undefined, isMeantToEnd: false };
    const player: Player = { process, samples, stay, name, ...born };
    this.#players.push(player);
    void process.exited.then(({ code }) => this.#ended(player, code));
    return player;
  }

  #ended(player: Player, code: number | null): void {
    player.endedAt = performance.now();
    if (player.isMeantToEnd || this.#isOver) return;
    const trouble = player.process.last("refused") ?? player.process.last("error");
    const why = trouble === undefined ? "" : `: ${String(trouble["message"])}`;
    this.broken.push(`${player.name} ended by itself with exit code ${code}${why}`);
  }
}

/** One seat in three carries for others, as people do who may. */
function lendingOf({ seat }: Stay): string[] {
  return seat % 3 === 1 ? ["--lend", "--listen", loopback] : [];
}

/** What is kept of a line: an hour of many processes is held in memory. */
function sampleOf(line: EventLine, at: number): SoakSample {
  const { framesExpected, framesOnTime, framesSent, worstGapMs, packetsForwarded, rssMb, cpuMs } =
    line as unknown as SoakSample;
  return { at, framesExpected, framesOnTime, framesSent, worstGapMs, packetsForwarded, rssMb, cpuMs };
}
