import type { EngineApi, EngineEvent } from "../../../p2p/api/engine.ts";
import type { Microphone, SoundDevice, Speakers } from "../../audio/types.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Timers } from "../timers.ts";
import { Standstill } from "./standstill.ts";
import { Trial } from "./trial.ts";
import { Cell } from "../value.ts";

/** A microphone or loudspeaker that can be chosen; its label comes from outside. */
export type { SoundDevice } from "../../audio/types.ts";

/**
 * What the microphone does for the room: `shut` off stage, `muted`, `live`, `held` while push-to-talk is pressed, `hushed`
 * while push-to-mute is, and `paused` when it was stopped because we cannot hear the room.
 */
export type MicrophoneState = "shut" | "muted" | "live" | "held" | "hushed" | "paused";

/** Whether the room hears us in this state. */
export function isHeard(state: MicrophoneState): boolean {
  return state === "live" || state === "held";
}

/** A microphone that was stopped comes back by itself within this time, and never later by surprise. */
export const pauseMsMax = 10_000;
/** How long "you are muted" is held out to whoever talks all the same. */
const hintMs = 6000;

/** Sound of this window: one's own microphone to the engine, everybody's voices to the ear. */
export class Voice {
  readonly microphone: Microphone;
  readonly speakers: Speakers;
  readonly state = new Cell<MicrophoneState>("shut");
  /**
   * Held, or hushed, by a key of the whole system: another window in front changes nothing, and a system that never tells
   * when the key is let go leaves it so until the next press.
   */
  readonly bySystem = new Cell(false);
  readonly microphoneFault = new Cell<Sentence | undefined>(undefined);
  readonly speakersFault = new Cell<Sentence | undefined>(undefined);
  readonly microphones = new Cell<readonly SoundDevice[]>([]);
  readonly loudspeakers = new Cell<readonly SoundDevice[]>([]);
  readonly microphoneDevice = new Cell<string | undefined>(undefined);
  readonly loudspeakerDevice = new Cell<string | undefined>(undefined);
  /** Master volume, 0 to 2. */
  readonly volume = new Cell(1);
  /** Nothing is heard, and nobody hears us. */
  readonly deafened = new Cell(false);
  /** Others hear another voice in place of one's own. */
  readonly masked = new Cell(false);
  /** Less data for duller sound: everybody is heard in the low layer. */
  readonly lowData = new Cell(false);
  /** Speakers too quiet or too loud are brought nearer to the others. */
  readonly levelling = new Cell(true);
  /** A soft sign sounds when a held key opens or shuts the microphone. */
  readonly cues = new Cell(true);
  /** Whoever talks while muted is told so; for that, loudness is measured while muted. */
  readonly mindful = new Cell(true);
  /** Set while somebody muted is told that they talk. */
  readonly talksMuted = new Cell(false);
  /** The microphone was open when this computer fell asleep, and was muted for that; until it is opened again. */
  readonly slept = new Cell(false);
  /** How often this computer slept, or this page stood still, while in a room. */
  readonly standstills = new Cell(0);
  /** The microphone is tried: its level is shown. */
  readonly trying = new Cell(false);
  /** Recording oneself to hear what others would. */
  readonly trial: Trial;
  readonly #engine: EngineApi;
  readonly #timers: Timers;
  readonly #standstill: Standstill;
  #onStage = false;
  #held = false;
  #hushed = false;
  #hidden = false;
  /** We cannot hear the room now. */
  #roomLost = false;
  /** Ends waiting for the room, while a stopped microphone does. */
  #endPause: (() => void) | undefined;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #endHint: (() => void) | undefined;

  /** `wallClock` tells Unix ms: it goes on while the computer sleeps. */
  constructor(
    engine: EngineApi,
    microphone: Microphone,
    speakers: Speakers,
    timers: Timers,
    scope: Scope,
    wallClock: () => number,
  ) {
    this.microphone = microphone;
    this.speakers = speakers;
    this.#engine = engine;
    this.#timers = timers;
    this.trial = new Trial(this, scope);
    this.#standstill = new Standstill(timers, wallClock, pauseMsMax, () => this.sleep());
    // What comes first after a sleep was said before it, or is said by somebody who does not know that they are heard.
    scope.own(microphone.onPacket((packet) => !this.#standstill.look() && this.#onStage && engine.speak(packet)));
    const follow = (event: EngineEvent): void => {
      if (event.event === "strength") microphone.setStrength(event.strength);
      // Of another room nothing is known.
      else if (event.event === "left") microphone.setStrength("copied");
    };
    scope.own(engine.subscribe(follow));
    engine.snapshot().forEach(follow);
    scope.own(engine.hear((packet) => speakers.push(packet)));
    scope.own(microphone.onFault((fault) => this.microphoneFault.set(fault && sentence(fault.sentence))));
    scope.own(speakers.onFault((fault) => this.speakersFault.set(fault && sentence(fault.sentence))));
    scope.own(microphone.onDevices((devices) => this.microphones.set(devices)));
    scope.own(speakers.onDevices((devices) => this.loudspeakers.set(devices)));
    scope.own(microphone.onMutedSpeech(() => this.#hint()));
    this.microphones.set(microphone.devices);
    this.loudspeakers.set(speakers.devices);
    scope.own(() => this.close());
  }

  /** Before joining: the level can be seen and nothing is sent. */
  async tryOut(): Promise<void> {
    this.trying.set(true);
    this.microphone.setMetering(true);
    await this.microphone.start();
  }

  /** Ends trying out: off stage nobody keeps a microphone open. */
  endTryOut(): void {
    this.trial.stop();
    this.trying.set(false);
    this.microphone.setMetering(false);
    if (!this.#onStage) this.microphone.stop();
  }

  /** Lets the room be heard. Call it from a click or key. */
  async listen(): Promise<void> {
    this.#standstill.begin();
    await this.speakers.start();
  }

  /**
   * This computer falls asleep, or slept: whoever was heard, or would have been again, is muted until they ask for it. Longer
   * than a stopped microphone waits nobody remembers that it was open.
   */
  sleep(): void {
    const wasOpen = this.#onStage && this.state.get() !== "muted";
    this.standstills.update((count) => count + 1);
    this.trial.stop();
    if (wasOpen) this.slept.set(true);
    this.setMuted(true);
  }

  /** The stage was given: the microphone opens, muted. */
  async takeStage(): Promise<void> {
    if (this.#onStage) return;
    this.#onStage = true;
    this.microphone.setMuted(true);
    this.microphone.setMindful(this.mindful.get());
    this.#show();
    await this.microphone.start();
  }

  /** The stage was left or taken: nothing leaves from now on, and the system's microphone sign goes out. */
  leaveStage(): void {
    this.#forgetKeys();
    this.#onStage = false;
    this.microphone.setHeld(false);
    this.microphone.setMuted(true);
    this.microphone.setMindful(false);
    this.microphone.stop();
    this.#show();
  }

  /** The window is out of sight: nobody sees that the microphone is open, so it is muted, and stays so when it is back. */
  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    if (!hidden) return;
    this.loseKey();
    this.setMuted(true);
  }

  /**
   * Ignored off stage. Who cannot hear the room is not heard: unmuting waits for it, and ends being deaf. Out of sight
   * nothing unmutes.
   */
  setMuted(muted: boolean): void {
    if (!this.#onStage || (this.#hidden && !muted)) return;
    this.#forgetKeys();
    if (!muted && this.deafened.get()) this.setDeafened(false);
    if (!muted) this.#unblock();
    if (!muted && this.#roomLost) return this.#pause();
    this.microphone.setMuted(muted);
    this.#show();
    // Whoever unmutes with a microphone that failed to open asks for it once more.
    if (!muted && this.microphone.fault !== undefined) this.microphone.start().catch(() => undefined);
  }

  /** The key for talking: held while muted one is heard, held while live one is not. Ignored off stage or without the room. */
  setHeld(held: boolean, bySystem = false): void {
    if (!held) return this.#release();
    this.#unblock();
    if (this.#held || this.#hushed || !this.#onStage || this.#hidden || this.#roomLost || this.deafened.get()) return;
    this.bySystem.set(bySystem);
    if (this.microphone.muted) {
      this.#held = true;
      this.microphone.setHeld(true);
      this.#cue("open");
    } else {
      this.#hushed = true;
      this.microphone.setMuted(true);
    }
    this.#show();
  }

  /** The same by a key that is heard of also while another window is in front. */
  setHeldBySystem(held: boolean): void {
    this.setHeld(held, true);
  }

  /** Nobody can tell any more whether the key is held: whatever was open by it, or shut by it, stays shut. */
  loseKey(): void {
    if (this.bySystem.get() && !this.#hidden) return;
    if (this.#hushed) this.setMuted(true);
    else this.#release();
  }

  /** We cannot hear the room: whoever is heard is stopped, and goes on when it is back within `pauseMsMax`. */
  loseRoom(): void {
    if (this.#roomLost) return;
    this.#roomLost = true;
    if (this.#held) this.#release();
    if (this.#hushed) this.setMuted(true);
    if (this.#onStage && !this.microphone.muted) this.#pause();
  }

  /** We hear the room again. */
  findRoom(): void {
    this.#roomLost = false;
    if (this.#endPause !== undefined) this.setMuted(false);
  }

  /** Until when a stopped microphone comes back by itself, by the clock of the timers; long ago while none is stopped. */
  get pausedUntil(): number {
    return this.#endPause === undefined ? Number.NEGATIVE_INFINITY : this.#pausedUntil;
  }

  setVolume(volume: number): void {
    this.speakers.setVolume(volume);
    this.volume.set(this.speakers.volume);
  }

  /** Who hears nobody is heard by nobody: the microphone is muted too, and stays so afterwards. */
  setDeafened(deafened: boolean): void {
    this.speakers.setDeafened(deafened);
    this.deafened.set(deafened);
    if (deafened) this.setMuted(true);
  }

  setMasked(masked: boolean): void {
    this.microphone.setMasked(masked);
    this.masked.set(masked);
  }

  setLowData(lowData: boolean): void {
    this.#engine.preferLayer(lowData ? "low" : "normal");
    this.lowData.set(lowData);
  }

  /** Another mask for another room. */
  renewMask(): void {
    this.microphone.renewMask();
  }

  setLevelling(levelling: boolean): void {
    this.speakers.setLevelling(levelling);
    this.levelling.set(levelling);
  }

  setMindful(mindful: boolean): void {
    this.mindful.set(mindful);
    this.microphone.setMindful(mindful && this.#onStage);
  }

  async chooseMicrophone(id: string | undefined): Promise<void> {
    this.microphoneDevice.set(id);
    await this.microphone.setDevice(id);
  }

  async chooseLoudspeaker(id: string | undefined): Promise<void> {
    this.loudspeakerDevice.set(id);
    await this.speakers.setDevice(id);
  }

  /** The room was left: no sound either way, and the next one is heard. */
  close(): void {
    this.trial.stop();
    this.leaveStage();
    this.#roomLost = false;
    this.setDeafened(false);
    this.#standstill.end();
    this.speakers.stop();
  }

  #release(): void {
    if (this.#held) {
      this.#held = false;
      this.microphone.setHeld(false);
      this.#cue("shut");
    } else if (this.#hushed) {
      this.#hushed = false;
      this.microphone.setMuted(false);
    } else return;
    this.#show();
  }

  /** A browser that lets no sound out before a click or key has one now: whoever speaks wants to hear. */
  #unblock(): void {
    if (this.#onStage && this.speakers.fault?.code === "speaker-blocked") this.speakers.start().catch(() => undefined);
  }

  #pause(): void {
    this.microphone.setMuted(true);
    this.#endPause?.();
    this.#pausedUntil = this.#timers.now() + pauseMsMax;
    this.#endPause = this.#timers.after(pauseMsMax, () => this.setMuted(true));
    this.#show();
  }

  /** A word with the button is worth more than keys and pauses from before. */
  #forgetKeys(): void {
    this.#endPause?.();
    this.#endPause = undefined;
    this.#hushed = false;
    if (!this.#held) return;
    this.#held = false;
    this.microphone.setHeld(false);
  }

  #cue(kind: "open" | "shut"): void {
    if (this.cues.get()) this.speakers.cue(kind);
  }

  #hint(): void {
    if (this.state.get() !== "muted") return;
    this.talksMuted.set(true);
    this.#endHint?.();
    this.#endHint = this.#timers.after(hintMs, () => this.#unhint());
  }

  #unhint(): void {
    this.#endHint?.();
    this.#endHint = undefined;
    this.talksMuted.set(false);
  }

  #show(): void {
    const next = this.#stateNow();
    if (next !== "muted") this.#unhint();
    if (next !== "muted") this.slept.set(false);
    this.speakers.setAttention(next === "shut" ? "listening" : "conversing");
    this.state.set(next);
  }

  #stateNow(): MicrophoneState {
    if (!this.#onStage) return "shut";
    if (this.#held) return "held";
    if (this.#hushed) return "hushed";
    if (this.#endPause !== undefined) return "paused";
    return this.microphone.muted ? "muted" : "live";
  }
}
