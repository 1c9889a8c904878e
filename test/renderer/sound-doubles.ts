import type { SpokenPacket, VoiceStrength } from "../../p2p/api/engine.ts";
import type { Attention } from "../../p2p/core/jitter/delay.ts";
import { millis, type VoiceKey } from "../../p2p/api/ids.ts";
import type {
  CueKind,
  Microphone,
  Recording,
  SoundDevice,
  SoundFault,
  SoundFaultCode,
  Speakers,
  SpeakersStats,
  Unsubscribe,
} from "../../renderer/audio/types.ts";

class Ears<T> {
  readonly #listeners = new Set<(value: T) => void>();

  add(listener: (value: T) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }

  get count(): number {
    return this.#listeners.size;
  }
}

const faultOf = (code: SoundFaultCode | undefined): SoundFault | undefined =>
  code === undefined ? undefined : { code, sentence: `sound.${code}` };

/** A microphone without a device: a test says what it hears. */
export class MicrophoneDouble implements Microphone {
  muted = true;
  level = 0;
  device: string | undefined;
  fault: SoundFault | undefined;
  devices: readonly SoundDevice[] = [];
  isStarted = false;
  isMetering = false;
  #held = false;
  readonly packets = new Ears<SpokenPacket>();
  readonly levels = new Ears<number>();
  readonly deviceEars = new Ears<readonly SoundDevice[]>();
  readonly faults = new Ears<SoundFault | undefined>();
  readonly lives = new Ears<boolean>();

  get live(): boolean {
    return this.isStarted && (!this.muted || this.#held) && this.fault === undefined;
  }

  start(): Promise<void> {
    this.isStarted = true;
    return Promise.resolve();
  }

  stop(): void {
    this.isStarted = false;
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.lives.tell(this.live);
  }

  setHeld(held: boolean): void {
    this.#held = held;
    this.lives.tell(this.live);
  }

  setMetering(metering: boolean): void {
    this.isMetering = metering;
  }

  strength: VoiceStrength = "copied";

  setStrength(strength: VoiceStrength): void {
    this.strength = strength;
  }

  masked = false;
  masksDrawn = 0;
  isMindful = false;
  readonly mutedSpeech = new Ears<void>();
  #recorded: ((recording: Recording | undefined) => void) | undefined;

  setMindful(mindful: boolean): void {
    this.isMindful = mindful;
  }

  setMasked(masked: boolean): void {
    this.masked = masked;
  }

  renewMask(): void {
    this.masksDrawn += 1;
  }

  record(): Promise<Recording | undefined> {
    this.endRecording();
    if (!this.isStarted || this.fault !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => (this.#recorded = resolve));
  }

  endRecording(): void {
    this.finishRecording(new Float32Array(4800));
  }

  /** What was to be recorded is full, or nothing came of it. */
  finishRecording(recording: Recording | undefined): void {
    const tell = this.#recorded;
    this.#recorded = undefined;
    tell?.(recording);
  }

  onMutedSpeech(listener: () => void): Unsubscribe {
    return this.mutedSpeech.add(listener);
  }

  setDevice(id: string | undefined): Promise<void> {
    this.device = id;
    return Promise.resolve();
  }

  onPacket(listener: (packet: SpokenPacket) => void): Unsubscribe {
    return this.packets.add(listener);
  }

  onLevel(listener: (level: number) => void): Unsubscribe {
    return this.levels.add(listener);
  }

  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe {
    return this.deviceEars.add(listener);
  }

  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe {
    return this.faults.add(listener);
  }

  onLive(listener: (live: boolean) => void): Unsubscribe {
    return this.lives.add(listener);
  }

  /** What the device hears now. */
  hear(level: number): void {
    this.level = level;
    this.levels.tell(level);
  }

  /** A packet, if the microphone would make one. */
  speak(): void {
    if (this.live) this.packets.tell({ opus: new Uint8Array([1, 2, 3]), capturedAt: millis(0) });
  }

  fail(code: SoundFaultCode | undefined): void {
    this.fault = faultOf(code);
    this.faults.tell(this.fault);
  }

  plug(devices: readonly SoundDevice[]): void {
    this.devices = devices;
    this.deviceEars.tell(devices);
  }
}

/** Loudspeakers without a device. */
export class SpeakersDouble implements Speakers {
  levels: ReadonlyMap<VoiceKey, number> = new Map();
  volume = 1;
  device: string | undefined;
  devices: readonly SoundDevice[] = [];
  fault: SoundFault | undefined;
  isStarted = false;
  pushed = 0;
  readonly levelEars = new Ears<ReadonlyMap<VoiceKey, number>>();
  readonly deviceEars = new Ears<readonly SoundDevice[]>();
  readonly faults = new Ears<SoundFault | undefined>();

  start(): Promise<void> {
    this.isStarted = true;
    return Promise.resolve();
  }

  stop(): void {
    this.isStarted = false;
  }

  push(): void {
    this.pushed += 1;
  }

  deafened = false;
  levelling = true;
  readonly volumes = new Map<VoiceKey, number>();
  readonly cues: CueKind[] = [];
  readonly played: Recording[] = [];
  #playBackEnd: (() => void) | undefined;

  setVolume(volume: number): void {
    this.volume = Math.min(2, Math.max(0, volume));
  }

  setSpeakerVolume(speaker: VoiceKey, volume: number): void {
    this.volumes.set(speaker, volume);
  }

  setDeafened(deafened: boolean): void {
    this.deafened = deafened;
  }

  setLevelling(levelling: boolean): void {
    this.levelling = levelling;
  }

  attention: Attention = "listening";

  setAttention(attention: Attention): void {
    this.attention = attention;
  }

  cue(kind: CueKind): void {
    this.cues.push(kind);
  }

  playBack(recording: Recording): Promise<void> {
    this.endPlayBack();
    this.played.push(recording);
    return new Promise((resolve) => (this.#playBackEnd = resolve));
  }

  endPlayBack(): void {
    this.#playBackEnd?.();
    this.#playBackEnd = undefined;
  }

  setDevice(id: string | undefined): Promise<void> {
    this.device = id;
    return Promise.resolve();
  }

  stats(): SpeakersStats {
    return { underruns: 0, bufferedMs: 40, outputLatencyMs: 10, speakers: new Map() };
  }

  onLevels(listener: (levels: ReadonlyMap<VoiceKey, number>) => void): Unsubscribe {
    return this.levelEars.add(listener);
  }

  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe {
    return this.deviceEars.add(listener);
  }

  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe {
    return this.faults.add(listener);
  }

  /** What is heard now. */
  hear(levels: ReadonlyMap<VoiceKey, number>): void {
    this.levels = levels;
    this.levelEars.tell(levels);
  }

  fail(code: SoundFaultCode | undefined): void {
    this.fault = faultOf(code);
    this.faults.tell(this.fault);
  }

  plug(devices: readonly SoundDevice[]): void {
    this.devices = devices;
    this.deviceEars.tell(devices);
  }
}
