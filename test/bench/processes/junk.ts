import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { EngineApi, HeardPacket } from "../../../p2p/api/engine.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { createHost } from "../../../p2p/host.ts";
import type { TeahouseProcess } from "../../e2e/processes.ts";
import { clip, closedPort, Processes } from "../../e2e/rooms.ts";
import { type Figure, figureOf } from "../figure.ts";
import type { AttackOrder, AttackReport } from "./attackers.ts";

const attackers = fileURLToPath(new URL("./attackers.ts", import.meta.url));
const calmSeconds = 10;
const attackSeconds = 30;
const listenerCount = 3;
/** The contract's: ready to play so long after capture. */
const onTimeMs = 400;
/** GOALS.md, S3. */
const lossMax = 0.01;
const memoryMax = 2;
const coreShareMax = 0.8;

/** S3: a real relay that carries a room while everybody is bad to it. */
export async function measureJunk(): Promise<readonly Figure[]> {
  const processes = new Processes();
  const ears: Ear[] = [];
  try {
    const port = await closedPort();
    const relay = processes.start(["relay", "--listen", `/ip4/127.0.0.1/tcp/${port}/tls/ws`, "--no-dht"]);
    const card = String((await relay.next("card"))["card"]);
    const speech = ["--audio", clip, "--loop", "--no-dht"];
    const host = await processes.host([{ process: relay, card, addresses: [] }], ...speech);
    for (let count = 0; count < listenerCount; count++) ears.push(await Ear.open(host.invite));
    const calm = await spanOf(relay, ears, calmSeconds);
    const attack = attacked({ port, invite: host.invite, speakerInvite: host.speakerInvite });
    const under = await spanOf(relay, ears, attackSeconds);
    return figuresOf(calm, under, await attack);
  } finally {
    await Promise.all(ears.map((ear) => ear.engine.stop()));
    await processes.end();
  }
}

/** An honest listener, who counts the honest voice alone: what a shouting one loses is its own. */
class Ear {
  readonly engine: EngineApi;
  readonly voice: string;
  #first: number | undefined;
  #last = 0;
  readonly #onTime = new Set<number>();

  private constructor(engine: EngineApi, voice: string) {
    this.engine = engine;
    this.voice = voice;
    engine.hear((packet) => this.#hear(packet));
  }

  static async open(invite: string): Promise<Ear> {
    const nothing = { listen: [], announce: [], bootstrap: [], tls: undefined, seed: undefined, blind: false } as const;
    const engine = await createHost({ ...nothing, profile: "auto", dht: "off" });
    const voice = new Promise<string>((resolve) =>
      engine.subscribe((event) => event.event === "sound" && resolve(event.speaker)),
    );
    await engine.start();
    await engine.join(invite, {});
    return new Ear(engine, await voice);
  }

  /** Packets that came in time, and those that were sent, since it was asked last. */
  take(): { readonly onTime: number; readonly sent: number } {
    const sent = this.#first === undefined ? 0 : this.#last - this.#first + 1;
    const counts = { onTime: this.#onTime.size, sent };
    this.#first = undefined;
    this.#onTime.clear();
    return counts;
  }

  #hear({ speaker, sequence, capturedAt, receivedAt }: HeardPacket): void {
    if (speaker !== this.voice) return;
    this.#first ??= sequence;
    this.#last = Math.max(this.#last, sequence);
    if (sequence >= this.#first && receivedAt - capturedAt <= onTimeMs) this.#onTime.add(sequence);
  }
}

async function attacked(order: AttackOrder): Promise<AttackReport> {
  const child = spawn(process.execPath, [attackers, String(attackSeconds)], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return JSON.parse(String(value)) as AttackReport;
}

interface Span {
  readonly lossShare: number;
  readonly coreShare: number;
  readonly rssMbMax: number;
  readonly rejected: number;
}

async function spanOf(relay: TeahouseProcess, ears: readonly Ear[], seconds: number): Promise<Span> {
  const before = await relay.following("stats");
  for (const ear of ears) ear.take();
  const after = await relay.next("stats", ({ t }) => t >= before.t + seconds * 1000);
  const counts = ears.map((ear) => ear.take());
  // Who heard nothing at all learned of no number: what the span was long is owed.
  const owed = Math.floor((seconds * 1000) / limits.packetMs);
  const losses = counts.map(({ onTime, sent }) => 1 - onTime / Math.max(sent, owed * 0.9));
  const between = relay.lines.filter(({ event, t }) => event === "stats" && t >= before.t && t <= after.t);
  const rejected = Object.values((after["packetsRejected"] ?? {}) as Record<string, number>);
  return {
    lossShare: Math.max(0, losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
    coreShare: (Number(after["cpuMs"]) - Number(before["cpuMs"])) / (after.t - before.t),
    rssMbMax: Math.max(...between.map((line) => Number(line["rssMb"]))),
    rejected: rejected.reduce((sum, count) => sum + count, 0),
  };
}

function figuresOf(calm: Span, under: Span, did: AttackReport): Figure[] {
  const what = "a relay under junk packets, idle connections, a speaker at 10 times the rate, Sybils";
  const { rejected } = under;
  return [
    figureOf({
      id: "S3",
      what: `${what}: honest packets not on time ÷ 1 %`,
      goal: 1,
      better: "less",
      sides: { ours: rounded(under.lossShare), baseline: lossMax, calm: rounded(calm.lossShare), ...did },
    }),
    figureOf({
      id: "S3",
      what: `${what}: most memory, MB ÷ when calm`,
      goal: memoryMax,
      better: "less",
      sides: { ours: under.rssMbMax, baseline: calm.rssMbMax },
    }),
    figureOf({
      id: "S3",
      what: `${what}: share of a core ÷ 80 %`,
      goal: 1,
      better: "less",
      sides: { ours: rounded(under.coreShare), baseline: coreShareMax, calm: rounded(calm.coreShare), rejected },
    }),
  ];
}

function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}
