import type { HeardPacket } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import type { Output, OutputEdge, OutputHandlers, OutputPace, OutputStats, Timers } from "../edges.ts";
import { soundFault } from "../faults.ts";
import { Listeners } from "../listeners.ts";
import { Restarts } from "../restarts.ts";
import type {
  CueKind,
  Recording,
  SoundDevice,
  SoundFault,
  SoundFaultCode,
  Speakers,
  SpeakersStats,
  Unsubscribe,
} from "../types.ts";

/** 200 %: for a voice that is too quiet. */
const volumeMax = 2;

/** Which fault is told of several: the one without which the others do not matter. */
const told: readonly SoundFaultCode[] = ["sound-broken", "speaker-blocked", "no-speaker", "speaker-unplugged"];

const nothing: OutputStats = { underruns: 0, bufferedMs: 0, outputLatencyMs: 0, speakers: new Map() };

/** Decides about loudspeakers: which one, what went wrong, and when to try again. */
export class LoudSpeakers implements Speakers {
  readonly #edge: OutputEdge;
  readonly #restarts: Restarts;
  readonly #levelsTo = new Listeners<ReadonlyMap<VoiceKey, number>>();
  readonly #devicesTo = new Listeners<readonly SoundDevice[]>();
  readonly #faultTo = new Listeners<SoundFault | undefined>();
  /** Faults that hold; one of them is told. */
  readonly #faults = new Set<SoundFaultCode>();
  #fault: SoundFault | undefined;
  #output: Output | undefined;
  /** Counts what was begun or ended, so that what comes too late is known. */
  #run = 0;
  #started = false;
  #opening: Promise<void> | undefined;
  #pace: OutputPace = "quick";
  #endWatch: Unsubscribe | undefined;
  #levels: ReadonlyMap<VoiceKey, number> = new Map();
  #devices: readonly SoundDevice[] = [];
  #device: string | undefined;
  #volume = 1;
  #deafened = false;
  #levelling = true;
  #attention: Attention = "listening";
  /** Speakers whose volume is not 1. */
  readonly #volumes = new Map<VoiceKey, number>();
  #playBack: AbortController | undefined;
  #stats = nothing;
  /** Of loudspeakers that were open before these. */
  #underrunsBefore = 0;

  constructor(edge: OutputEdge, timers: Timers) {
    this.#edge = edge;
    this.#restarts = new Restarts(timers);
  }

  get levels(): ReadonlyMap<VoiceKey, number> {
    return this.#levels;
  }

  get volume(): number {
    return this.#volume;
  }

  get devices(): readonly SoundDevice[] {
    return this.#devices;
  }

  get device(): string | undefined {
    return this.#device;
  }

  get fault(): SoundFault | undefined {
    return this.#fault;
  }

  async start(): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      this.#endWatch = this.#edge.onChange(() => void this.#refresh());
      this.#reopen();
    } else await this.#output?.unblock();
    await this.#opening;
  }

  stop(): void {
    this.#started = false;
    this.#run += 1;
    this.#restarts.cancel();
    this.#endWatch?.();
    this.#endWatch = undefined;
    this.#close();
    this.#stats = nothing;
    this.#underrunsBefore = 0;
    this.#volumes.clear();
    this.endPlayBack();
    this.#faults.clear();
    this.#showFault();
  }

  push(packet: HeardPacket): void {
    this.#output?.push(packet);
  }

  get deafened(): boolean {
    return this.#deafened;
  }

  setVolume(volume: number): void {
    this.#volume = bounded(volume);
    this.#output?.setVolume(this.#heardVolume());
  }

  setSpeakerVolume(speaker: VoiceKey, volume: number): void {
    const next = bounded(volume);
    if (next === 1) this.#volumes.delete(speaker);
    else this.#volumes.set(speaker, next);
    this.#output?.setSpeakerVolume(speaker, next);
  }

  setDeafened(deafened: boolean): void {
    this.#deafened = deafened;
    this.#output?.setVolume(this.#heardVolume());
  }

  setLevelling(levelling: boolean): void {
    this.#levelling = levelling;
    this.#output?.setLevelling(levelling);
  }

  setAttention(attention: Attention): void {
    this.#attention = attention;
    this.#output?.setAttention(attention);
  }

  cue(kind: CueKind): void {
    if (!this.#deafened) this.#output?.cue(kind);
  }

  async playBack(recording: Recording): Promise<void> {
    this.endPlayBack();
    const own = new AbortController();
    this.#playBack = own;
    await isDone(this.#edge.playBack(recording, this.#device, own.signal));
  }

  endPlayBack(): void {
    this.#playBack?.abort();
    this.#playBack = undefined;
  }

  async setDevice(id: string | undefined): Promise<void> {
    this.#device = id;
    await this.#choose();
  }

  stats(): SpeakersStats {
    return this.#stats;
  }

  onLevels(listener: (levels: ReadonlyMap<VoiceKey, number>) => void): Unsubscribe {
    return this.#levelsTo.add(listener);
  }

  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe {
    return this.#devicesTo.add(listener);
  }

  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe {
    return this.#faultTo.add(listener);
  }

  #reopen(): void {
    this.#opening = this.#open();
  }

  async #open(): Promise<void> {
    const run = ++this.#run;
    const mine = (act: () => void): void => void (run === this.#run && act());
    try {
      const handlers: OutputHandlers = {
        onLevels: (levels) => mine(() => this.#showLevels(levels)),
        onStats: (stats) => mine(() => this.#count(stats)),
        onBlocked: (blocked) => mine(() => this.#holds("speaker-blocked", blocked)),
        onDropping: () => mine(() => this.#calmDown()),
        onBroken: () => mine(() => this.#broken()),
      };
      const output = await this.#edge.open(handlers, this.#pace);
      if (run !== this.#run) {
        output.close();
        return;
      }
      this.#underrunsBefore = this.#stats.underruns;
      this.#output?.close();
      this.#output = output;
      this.#holds("sound-broken", false);
      output.setVolume(this.#heardVolume());
      output.setLevelling(this.#levelling);
      output.setAttention(this.#attention);
      for (const [speaker, volume] of this.#volumes) output.setSpeakerVolume(speaker, volume);
      await this.#refresh();
    } catch {
      mine(() => this.#broken());
    }
  }

  /** Whatever was opened anew goes on counting. */
  #count(stats: OutputStats): void {
    this.#stats = { ...stats, underruns: stats.underruns + this.#underrunsBefore };
  }

  /** What is torn is worse than what is late: from now on, until the window is opened anew. */
  #calmDown(): void {
    if (this.#pace === "calm") return;
    this.#pace = "calm";
    // They play on until the others do.
    this.#reopen();
  }

  #broken(): void {
    this.#run += 1;
    this.#close();
    if (!this.#restarts.again(() => this.#reopen())) this.#holds("sound-broken", true);
  }

  #close(): void {
    this.#output?.close();
    this.#output = undefined;
    this.#underrunsBefore = this.#stats.underruns;
    this.#stats = { ...nothing, underruns: this.#underrunsBefore };
    if (this.#levels.size > 0) this.#showLevels(new Map());
  }

  async #refresh(): Promise<void> {
    const run = this.#run;
    const [devices, hasOutput] = await Promise.all([this.#edge.devices(), this.#edge.hasOutput()]);
    if (run !== this.#run) return;
    this.#holds("no-speaker", !hasOutput);
    this.#devices = devices;
    this.#devicesTo.tell(devices);
    await this.#choose();
  }

  /** To the chosen device where it is there, else to the default one: sound goes on, and comes back with the device. */
  async #choose(): Promise<void> {
    const output = this.#output;
    if (output === undefined) return;
    const run = this.#run;
    const there = this.#device === undefined || this.#devices.some(({ id }) => id === this.#device);
    const reached = there && (await isDone(output.setSink(this.#device)));
    if (!reached) await isDone(output.setSink(undefined));
    if (run === this.#run) this.#holds("speaker-unplugged", !reached && this.#device !== undefined);
  }

  #heardVolume(): number {
    return this.#deafened ? 0 : this.#volume;
  }

  #showLevels(levels: ReadonlyMap<VoiceKey, number>): void {
    this.#levels = levels;
    this.#levelsTo.tell(levels);
  }

  #holds(code: SoundFaultCode, holds: boolean): void {
    if (holds) this.#faults.add(code);
    else this.#faults.delete(code);
    this.#showFault();
  }

  #showFault(): void {
    const code = told.find((each) => this.#faults.has(each));
    if (code === this.#fault?.code) return;
    this.#fault = code === undefined ? undefined : soundFault(code);
    this.#faultTo.tell(this.#fault);
  }
}

function bounded(volume: number): number {
  return Number.isFinite(volume) ? Math.min(volumeMax, Math.max(0, volume)) : 1;
}

async function isDone(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
