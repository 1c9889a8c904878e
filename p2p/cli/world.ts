import type { EngineApi, SpokenPacket, VoiceStrength } from "../api/engine.ts";
import type { HostSetup } from "../host.ts";
import type { ExitCode } from "./life.ts";
import type { WindowRequest } from "./options.ts";
import type { Printer } from "./printer.ts";
import type { SecretSource } from "./secrets.ts";
import type { ProcessUsage } from "./summary.ts";

/** A file being spoken. */
export interface Played {
  readonly done: Promise<void>;
  /** How what is encoded from now on is made. */
  setStrength(strength: VoiceStrength): void;
  stop(): void;
}

/** A file that was opened and proved to be audio. */
export interface Player {
  /** Hands out one packet each 40 ms. `done` resolves at the end of the file, never with `loop`. */
  play(onPacket: (packet: SpokenPacket) => void): Played;
}

/** What commands need from outside; tests hand in another one. */
export interface CliWorld {
  readonly stdin: SecretSource;
  readonly printer: Printer;
  /** Aborted by the first SIGINT or SIGTERM, or when nobody reads our output any more. */
  readonly interrupted: AbortSignal;
  /** Value of the passphrase variable. */
  readonly passphrase: string | undefined;
  /** Throws `TeahouseError` with what is wrong with it; so does the next. */
  checkInvite(text: string): void;
  checkCard(text: string): void;
  createEngine(setup: HostSetup): Promise<EngineApi>;
  /** Throws `TeahouseError` `audio-missing`, `audio-unreadable` or `audio-empty`. */
  openPlayer(path: string, loop: boolean): Promise<Player>;
  usage(): ProcessUsage;
  /** Opens the window and stays until it is closed. */
  runWindow(request: WindowRequest, world: CliWorld): Promise<ExitCode>;
}
