import type { HeardPacket, SpokenPacket, VoiceStrength } from "../../p2p/api/engine.ts";
import type { VoiceKey } from "../../p2p/api/ids.ts";
import type { Attention } from "../../p2p/core/jitter/delay.ts";
import type { MaskCharacter } from "./mask/mask-character.ts";
import type { CueKind, SoundDevice, SpeakerStats, Unsubscribe } from "./types.ts";

/** Time for what decides, so that tests can hold it still. */
export interface Timers {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Runs once after `ms`; the result cancels it. */
  after(ms: number, run: () => void): Unsubscribe;
}

/** What an open microphone tells. */
export interface CaptureHandlers {
  onPacket(packet: SpokenPacket): void;
  /** 20 times a second: root mean square of what came, 1 at most. */
  onRms(rms: number): void;
  /** What was to be kept, at 48 kHz, as others would hear it. */
  onRecorded(pcm: Float32Array<ArrayBuffer>): void;
  /** The device went away. Nothing follows. */
  onEnded(): void;
  /** A part of ours failed. Nothing follows. */
  onBroken(): void;
}

/** What an open microphone does: `shut` is silence and no sound measured, `metering` measures, `live` makes packets too. */
export type Gate = "shut" | "metering" | "live";

/** An open microphone. It begins `shut`, and without a mask. */
export interface Capture {
  /** No packet begun before it is told. */
  setGate(gate: Gate): void;
  /** Told before a gate is opened: no sound without the mask leaves after it. */
  setMask(character: MaskCharacter | undefined): void;
  /** How the normal layer is made from now on. Begins `copied`. */
  setStrength(strength: VoiceStrength): void;
  /** Keeps so many samples from now on, then tells them; 0 ends that early. Nothing is kept while `shut`. */
  record(samples: number): void;
  close(): void;
}

/** The world of a microphone. */
export interface CaptureEdge {
  /** Undefined is the default device. Rejects as `getUserMedia` does. */
  open(device: string | undefined, handlers: CaptureHandlers): Promise<Capture>;
  devices(): Promise<readonly SoundDevice[]>;
  /** Devices came or went, or permission was given or taken: it may pay to try again. */
  onChange(listener: () => void): Unsubscribe;
}

/** What open loudspeakers tell. */
export interface OutputHandlers {
  onLevels(levels: ReadonlyMap<VoiceKey, number>): void;
  onStats(stats: OutputStats): void;
  /** The browser lets sound out, or does not. */
  onBlocked(blocked: boolean): void;
  /** The device drops sound, because it is asked for little at a time: see `OutputPace`. */
  onDropping(): void;
  /** A part of ours failed. Nothing follows. */
  onBroken(): void;
}

/** How much a device takes at a time: `quick` for little delay, `calm` where a computer with much to do is late with that. */
export type OutputPace = "quick" | "calm";

/** How open loudspeakers do. */
export interface OutputStats {
  readonly underruns: number;
  readonly bufferedMs: number;
  readonly outputLatencyMs: number;
  readonly speakers: ReadonlyMap<VoiceKey, SpeakerStats>;
}

/** Open loudspeakers. */
export interface Output {
  push(packet: HeardPacket): void;
  setVolume(volume: number): void;
  /** How loud this speaker is among the others: 0 to 2. */
  setSpeakerVolume(speaker: VoiceKey, volume: number): void;
  /** Whether speakers who are too quiet or too loud are brought nearer to the others. */
  setLevelling(levelling: boolean): void;
  /** Whether this person just listens, as at first, or converses: then there is less delay, and more is guessed. */
  setAttention(attention: Attention): void;
  /** A soft sign that only this person hears. */
  cue(kind: CueKind): void;
  /** Undefined is the default. Rejects when there is no such device, or the browser offers no choice. */
  setSink(device: string | undefined): Promise<void>;
  /** Asks the browser again to let sound out. Resolves when it answered. */
  unblock(): Promise<void>;
  close(): void;
}

/** The world of loudspeakers. */
export interface OutputEdge {
  open(handlers: OutputHandlers, pace: OutputPace): Promise<Output>;
  /** Plays 48 kHz to this person alone, beside whatever else is open. Resolves at its end, or when `signal` aborts. */
  playBack(pcm: Float32Array<ArrayBuffer>, device: string | undefined, signal: AbortSignal): Promise<void>;
  devices(): Promise<readonly SoundDevice[]>;
  /** Whether there is anything to hear with, also before its name may be known. */
  hasOutput(): Promise<boolean>;
  onChange(listener: () => void): Unsubscribe;
}
