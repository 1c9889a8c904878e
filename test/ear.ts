import { parseArgs } from "node:util";
import type { EngineApi, HeardPacket, Profile } from "../p2p/api/engine.ts";
import { TeahouseError } from "../p2p/api/errors.ts";
import { parseDurationMs } from "../p2p/cli/duration.ts";
import { printFailure } from "../p2p/cli/life.ts";
import { textPrinter } from "../p2p/cli/printer.ts";
import { resolveInvite } from "../p2p/cli/secrets.ts";
import { createHost } from "../p2p/host.ts";
import { createVoiceDecoder } from "../p2p/io/audio/opus.ts";
import { playoutDelayMs } from "../p2p/io/audio/playout.ts";
import { RoomPlayout } from "../p2p/io/audio/room-playout.ts";
import { WavWriter } from "../p2p/io/audio/wav.ts";
import { createClock } from "../p2p/io/clock.ts";

/**
 * The developer's ear: joins a room as a listener and writes what would have been heard, from the first sound on, at a
 * fixed 400 ms after capture. It exists because a number can lie where a recording cannot.
 *
 *     npm run ear -- INVITE --wav OUT.wav --for 20s [--profile webrtc] [--bootstrap MULTIADDR]
 */

interface EarOptions {
  readonly invite: string;
  readonly wav: string;
  readonly forMs: number;
  readonly profile: Profile;
  readonly bootstrap: readonly string[];
}

const help = 'npm run ear -- INVITE --wav OUT.wav --for 20s; an invite can also come on stdin, as "-".';
/** How often what is due is written: rarely, since each time costs a wake-up, and well within what a playout keeps. */
const renderMs = 200;
const samplesPerSecond = 48_000;

function parseEarOptions(): EarOptions {
  const { values, positionals } = parse();
  const [invite] = positionals;
  const profile = values.profile ?? "auto";
  if (invite === undefined || positionals.length > 1 || values.wav === undefined) throw usage();
  if (profile !== "lan" && profile !== "wss" && profile !== "webrtc" && profile !== "auto") throw usage();
  const forMs = parseDurationMs("--for", values.for ?? "20s");
  return { invite, wav: values.wav, forMs, profile, bootstrap: values.bootstrap ?? [] };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        wav: { type: "string" },
        for: { type: "string" },
        profile: { type: "string" },
        bootstrap: { type: "string", multiple: true },
        json: { type: "boolean" },
      },
    });
  } catch {
    throw usage();
  }
}

function usage(): TeahouseError {
  return new TeahouseError("usage", `Use: ${help}`);
}

/** What is heard from now on; the recording begins with the first sound, 400 ms after it was spoken. */
class Ear {
  room: RoomPlayout | undefined;
  readonly firstSound: Promise<void>;

  constructor(engine: EngineApi) {
    this.firstSound = new Promise((resolve) => {
      engine.hear((packet: HeardPacket) => {
        this.room ??= new RoomPlayout(createVoiceDecoder, packet.capturedAt + playoutDelayMs);
        this.room.push(packet);
        resolve();
      });
    });
  }
}

/** Writes until the recording is as long as asked, or until interrupted. */
async function record(ear: Ear, wav: WavWriter, forMs: number, interrupted: AbortSignal): Promise<void> {
  const clock = createClock();
  const samplesWanted = Math.round((forMs / 1000) * samplesPerSecond);
  while (!interrupted.aborted && ear.room !== undefined && wav.samples < samplesWanted) {
    await new Promise<void>((resolve) => setTimeout(resolve, renderMs));
    const pcm = await ear.room.render(clock.now());
    await wav.write(pcm.subarray(0, samplesWanted - wav.samples));
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function listen(options: EarOptions, interrupted: AbortSignal): Promise<void> {
  const invite = await resolveInvite(options.invite, process.stdin, () => false);
  const wav = await WavWriter.open(options.wav);
  const engine = await createHost({
    profile: options.profile,
    listen: [],
    announce: [],
    bootstrap: options.bootstrap,
    dht: "client",
    tls: undefined,
    seed: undefined,
    blind: false,
  });
  const ear = new Ear(engine);
  const hearing = async (): Promise<void> => {
    await engine.start();
    await engine.join(invite, {});
    await ear.firstSound;
  };
  try {
    await Promise.race([hearing(), aborted(interrupted)]);
    await record(ear, wav, options.forMs, interrupted);
    const { framesOnTime = 0, framesConcealed = 0, packetsLate = 0 } = ear.room?.counts ?? {};
    await ear.room?.free();
    const line = { event: "ear", framesOnTime, framesConcealed, packetsLate, seconds: wav.samples / samplesPerSecond };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await wav.close();
    await engine.leave();
    await engine.stop();
  }
}

const interruption = new AbortController();
process.on("SIGINT", () => interruption.abort());
process.on("SIGTERM", () => interruption.abort());
const printer = textPrinter(
  () => undefined,
  (line) => process.stderr.write(`${line}\n`),
);
let code = 0;
try {
  await listen(parseEarOptions(), interruption.signal);
} catch (error) {
  code = printFailure(printer, error);
}
// The network libraries keep threads of their own.
process.exit(code);
