import type { SpokenPacket, VoiceStrength } from "../../../p2p/api/engine.ts";
import type { Capture, CaptureEdge, Gate, Timers } from "../edges.ts";
import { microphoneFaultCode, soundFault } from "../faults.ts";
import { levelOf } from "../level.ts";
import { Listeners } from "../listeners.ts";
import { drawMask, type Chance, type MaskCharacter } from "../mask/mask-character.ts";
import { MutedSpeech } from "./muted-speech.ts";
import { Restarts } from "../restarts.ts";
import type { Microphone, Recording, SoundDevice, SoundFault, SoundFaultCode, Unsubscribe } from "../types.ts";

/** How long the microphone stays open after push-to-talk was let go (Mumble's default is as long). */
const holdTailMs = 200;
/** A room is never this quiet (-100 dBFS): what is, is a microphone that gives zeros. */
const deadRms = 1e-5;
/** The longest recording, in ms: 2 MB. */
const recordMsMax = 10_000;
/** Samples of a ms. */
const samplesPerMs = 48;
/** So long it must give nothing before we say so. */
const deadMsMin = 4000;
/**
 * An open microphone is measured 20 times a second. Looked at once a second, it may be found so many times in a row without
 * any reading; then what leads from it to us stopped, as after a sleep, and is made anew. Not a time: a page that stood still
 * did not look.
 */
const lookMs = 1000;
const emptyLooksMax = 5;

/** Faults that a device which comes, or a permission which is given, may end. */
const retried: readonly SoundFaultCode[] = [
  "no-microphone",
  "microphone-denied",
  "microphone-busy",
  "microphone-unplugged",
];

/** Decides about the microphone: whether it is open, which one, what went wrong, and when to try again. */
export class RoomMicrophone implements Microphone {
  readonly #edge: CaptureEdge;
  readonly #timers: Timers;
  readonly #restarts: Restarts;
  readonly #packetTo = new Listeners<SpokenPacket>();
  readonly #levelTo = new Listeners<number>();
  readonly #devicesTo = new Listeners<readonly SoundDevice[]>();
  readonly #faultTo = new Listeners<SoundFault | undefined>();
  readonly #liveTo = new Listeners<boolean>();
  readonly #mutedSpeechTo = new Listeners<void>();
  readonly #mutedSpeech = new MutedSpeech();
  readonly #chance: Chance;
  #capture: Capture | undefined;
  /** The device that `#capture` is of; undefined is the default one. */
  #openDevice: string | undefined;
  /** Which one that default was. */
  #openDefault: string | undefined;
  /** Counts what was begun or ended, so that what comes too late is known. */
  #run = 0;
  #started = false;
  #opening: Promise<void> | undefined;
  #endWatch: Unsubscribe | undefined;
  #muted = true;
  #held = false;
  #endTail: Unsubscribe | undefined;
  #metering = false;
  #mindful = false;
  #mask: MaskCharacter;
  #masked = false;
  #strength: VoiceStrength = "copied";
  #recorded: ((recording: Recording | undefined) => void) | undefined;
  #gate: Gate = "shut";
  #level = 0;
  #shown = false;
  #devices: readonly SoundDevice[] = [];
  #device: string | undefined;
  #fault: SoundFault | undefined;
  /** Since when the open microphone has given nothing. */
  #deadSince: number | undefined;
  /** Looks at the open microphone since its last reading. */
  #emptyLooks = 0;
  #endLook: Unsubscribe | undefined;

  /** `chance` draws the masks: let it be secret. */
  constructor(edge: CaptureEdge, timers: Timers, chance: Chance) {
    this.#edge = edge;
    this.#timers = timers;
    this.#chance = chance;
    this.#mask = drawMask(chance);
    this.#restarts = new Restarts(timers);
  }

  get muted(): boolean {
    return this.#muted;
  }

  get live(): boolean {
    return this.#gate === "live";
  }

  get masked(): boolean {
    return this.#masked;
  }

  get level(): number {
    return this.#level;
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
      this.#endWatch = this.#edge.onChange(() => void this.#changed());
      this.#reopen();
    } else if (this.#fault !== undefined && this.#capture === undefined) this.#reopen();
    await this.#opening;
  }

  stop(): void {
    this.#started = false;
    this.#run += 1;
    this.#restarts.cancel();
    this.#endTail?.();
    this.#endTail = undefined;
    this.#held = false;
    this.#endWatch?.();
    this.#endWatch = undefined;
    this.#close();
    this.#setFault(undefined);
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    if (muted && !this.#held) this.#dropTail();
    this.#regate();
  }

  setHeld(held: boolean): void {
    if (held) this.#dropTail();
    else if (this.#held) {
      this.#dropTail();
      this.#endTail = this.#timers.after(holdTailMs, () => {
        this.#endTail = undefined;
        this.#regate();
      });
    }
    this.#held = held;
    this.#regate();
  }

  setMetering(metering: boolean): void {
    this.#metering = metering;
    this.#regate();
  }

  setMindful(mindful: boolean): void {
    this.#mindful = mindful;
    this.#regate();
  }

  setMasked(masked: boolean): void {
    if (masked === this.#masked) return;
    this.#masked = masked;
    this.#capture?.setMask(this.#worn());
  }

  setStrength(strength: VoiceStrength): void {
    this.#strength = strength;
    this.#capture?.setStrength(strength);
  }

  renewMask(): void {
    this.#mask = drawMask(this.#chance);
    if (this.#masked) this.#capture?.setMask(this.#mask);
  }

  async record(ms: number): Promise<Recording | undefined> {
    this.endRecording();
    if (this.#capture === undefined) return undefined;
    const recorded = new Promise<Recording | undefined>((resolve) => (this.#recorded = resolve));
    this.#regate();
    this.#capture.record(Math.round(Math.min(recordMsMax, Math.max(1, ms)) * samplesPerMs));
    return recorded;
  }

  endRecording(): void {
    if (this.#recorded !== undefined) this.#capture?.record(0);
  }

  async setDevice(id: string | undefined): Promise<void> {
    const same = id === this.#device && this.#capture !== undefined && this.#openDevice === id;
    this.#device = id;
    if (this.#started && !same) this.#reopen();
    await this.#opening;
  }

  onPacket(listener: (packet: SpokenPacket) => void): Unsubscribe {
    return this.#packetTo.add(listener);
  }

  onLevel(listener: (level: number) => void): Unsubscribe {
    return this.#levelTo.add(listener);
  }

  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe {
    return this.#devicesTo.add(listener);
  }

  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe {
    return this.#faultTo.add(listener);
  }

  onMutedSpeech(listener: () => void): Unsubscribe {
    return this.#mutedSpeechTo.add(listener);
  }

  onLive(listener: (live: boolean) => void): Unsubscribe {
    return this.#liveTo.add(listener);
  }

  #reopen(): void {
    this.#opening = this.#open();
  }

  /** The chosen device, or the default one while that is not there. */
  async #open(): Promise<void> {
    const run = ++this.#run;
    this.#close();
    const chosen = this.#device;
    try {
      const opened = await this.#opened(chosen, run);
      if (run !== this.#run) {
        opened.capture.close();
        return;
      }
      this.#capture = opened.capture;
      this.#openDevice = opened.device;
      // Before any gate: no sound without the mask leaves.
      opened.capture.setMask(this.#worn());
      opened.capture.setStrength(this.#strength);
      this.#setFault(undefined);
      this.#regate();
    } catch (error) {
      const code = microphoneFaultCode(error);
      // That the last one was unplugged says more than that there is none.
      const known = code === "no-microphone" && this.#fault?.code === "microphone-unplugged";
      if (run === this.#run && !known) this.#setFault(code);
    }
    await this.#refresh();
    if (run === this.#run) this.#openDefault = this.#devices[0]?.id;
  }

  async #opened(device: string | undefined, run: number): Promise<{ capture: Capture; device: string | undefined }> {
    const mine = (act: () => void): void => void (run === this.#run && act());
    const handlers = {
      onPacket: (packet: SpokenPacket) => mine(() => this.live && this.#packetTo.tell(packet)),
      onRms: (rms: number) => mine(() => this.#measured(rms)),
      onRecorded: (pcm: Recording) => mine(() => this.#endRecorded(pcm)),
      onEnded: () => mine(() => this.#ended()),
      onBroken: () => mine(() => this.#broken()),
    };
    try {
      return { capture: await this.#edge.open(device, handlers), device };
    } catch (error) {
      if (device === undefined || microphoneFaultCode(error) !== "no-microphone") throw error;
      return { capture: await this.#edge.open(undefined, handlers), device: undefined };
    }
  }

  /** Said at once; then whatever microphone there still is takes over. */
  #ended(): void {
    this.#setFault("microphone-unplugged");
    this.#reopen();
  }

  #broken(): void {
    this.#run += 1;
    this.#close();
    if (!this.#restarts.again(() => this.#reopen())) this.#setFault("sound-broken");
  }

  /** Devices or permission changed. */
  async #changed(): Promise<void> {
    await this.#refresh();
    if (!this.#started) return;
    const isBack =
      this.#capture !== undefined &&
      this.#device !== this.#openDevice &&
      this.#devices.some(({ id }) => id === this.#device);
    // The system's default is another one now, as when a headset is plugged in: whoever follows it, follows.
    const [first] = this.#devices;
    const moved =
      this.#capture !== undefined &&
      this.#openDevice === undefined &&
      this.#device === undefined &&
      first !== undefined &&
      this.#openDefault !== undefined &&
      first.id !== this.#openDefault;
    const mayWork = this.#capture === undefined && this.#fault !== undefined && retried.includes(this.#fault.code);
    if (isBack || moved || mayWork) this.#reopen();
  }

  async #refresh(): Promise<void> {
    this.#devices = await this.#edge.devices();
    this.#devicesTo.tell(this.#devices);
  }

  #close(): void {
    this.#capture?.close();
    this.#capture = undefined;
    this.#endRecorded(undefined);
    this.#regate();
  }

  #worn(): MaskCharacter | undefined {
    return this.#masked ? this.#mask : undefined;
  }

  #endRecorded(recording: Recording | undefined): void {
    const tell = this.#recorded;
    this.#recorded = undefined;
    tell?.(recording === undefined || recording.length === 0 ? undefined : recording);
    if (tell !== undefined) this.#regate();
  }

  #dropTail(): void {
    this.#endTail?.();
    this.#endTail = undefined;
  }

  #regate(): void {
    const open = !this.#muted || this.#held || this.#endTail !== undefined;
    const measured = this.#metering || this.#mindful || this.#recorded !== undefined;
    const gate = this.#capture === undefined ? "shut" : open ? "live" : measured ? "metering" : "shut";
    this.#capture?.setGate(gate);
    const wasLive = this.live;
    if (gate !== this.#gate) {
      this.#gate = gate;
      this.#deadSince = undefined;
      this.#mutedSpeech.reset();
      this.#endLook?.();
      this.#endLook = undefined;
      this.#emptyLooks = 0;
      if (gate !== "shut") this.#lookOn();
    }
    this.#reveal();
    if (this.live !== wasLive) this.#liveTo.tell(this.live);
  }

  /** Whether the level is shown now. Whoever only might have forgotten that they are muted is shown none. */
  #reveal(): void {
    const wants = this.live || this.#metering || this.#recorded !== undefined;
    const shown = this.#gate !== "shut" && wants;
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (shown) return;
    this.#showLevel(0);
    if (this.#fault?.code === "microphone-silent") this.#setFault(undefined);
  }

  #lookOn(): void {
    this.#endLook = this.#timers.after(lookMs, () => {
      this.#emptyLooks += 1;
      if (this.#emptyLooks >= emptyLooksMax) this.#broken();
      else this.#lookOn();
    });
  }

  #measured(rms: number): void {
    this.#emptyLooks = 0;
    if (this.#gate === "shut") return;
    const now = this.#timers.now();
    if (!this.live && this.#mindful && this.#mutedSpeech.hear(rms, now)) this.#mutedSpeechTo.tell();
    if (!this.#shown) return;
    this.#showLevel(levelOf(rms));
    if (rms > deadRms) {
      this.#deadSince = undefined;
      if (this.#fault?.code === "microphone-silent") this.#setFault(undefined);
    } else {
      this.#deadSince ??= now;
      if (now - this.#deadSince >= deadMsMin && this.#fault === undefined) this.#setFault("microphone-silent");
    }
  }

  #showLevel(level: number): void {
    this.#level = level;
    this.#levelTo.tell(level);
  }

  #setFault(code: SoundFaultCode | undefined): void {
    if (code === this.#fault?.code) return;
    this.#fault = code === undefined ? undefined : soundFault(code);
    this.#faultTo.tell(this.#fault);
  }
}
