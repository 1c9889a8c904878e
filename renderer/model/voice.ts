import type { EngineApi } from "../../p2p/api/engine.ts";
import type { Microphone, SoundDevice, Speakers } from "../audio/types.ts";
import type { Scope } from "./scope.ts";
import { sentence, type Sentence } from "./sentence.ts";
import { Cell } from "./value.ts";

/** A microphone or loudspeaker that can be chosen; its label comes from outside. */
export type { SoundDevice } from "../audio/types.ts";

/** What the microphone does for the room: `shut` off stage, `muted`, `live`, or `held` while push-to-talk is pressed. */
export type MicrophoneState = "shut" | "muted" | "live" | "held";

/** Sound of this window: one's own microphone to the engine, everybody's voices to the ear. */
export class Voice {
  readonly microphone: Microphone;
  readonly speakers: Speakers;
  readonly state = new Cell<MicrophoneState>("shut");
  readonly microphoneFault = new Cell<Sentence | undefined>(undefined);
  readonly speakersFault = new Cell<Sentence | undefined>(undefined);
  readonly microphones = new Cell<readonly SoundDevice[]>([]);
  readonly loudspeakers = new Cell<readonly SoundDevice[]>([]);
  readonly microphoneDevice = new Cell<string | undefined>(undefined);
  readonly loudspeakerDevice = new Cell<string | undefined>(undefined);
  /** Master volume, 0 to 2. */
  readonly volume = new Cell(1);
  #onStage = false;
  #held = false;
  #hidden = false;

  constructor(engine: EngineApi, microphone: Microphone, speakers: Speakers, scope: Scope) {
    this.microphone = microphone;
    this.speakers = speakers;
    scope.own(microphone.onPacket((packet) => this.#onStage && engine.speak(packet)));
    scope.own(engine.hear((packet) => speakers.push(packet)));
    scope.own(microphone.onFault((fault) => this.microphoneFault.set(fault && sentence(fault.sentence))));
    scope.own(speakers.onFault((fault) => this.speakersFault.set(fault && sentence(fault.sentence))));
    scope.own(microphone.onDevices((devices) => this.microphones.set(devices)));
    scope.own(speakers.onDevices((devices) => this.loudspeakers.set(devices)));
    this.microphones.set(microphone.devices);
    this.loudspeakers.set(speakers.devices);
    scope.own(() => this.close());
  }

  /** Before joining: the level can be seen and nothing is sent. */
  async tryOut(): Promise<void> {
    this.microphone.setMetering(true);
    await this.microphone.start();
  }

  /** Ends trying out: off stage nobody keeps a microphone open. */
  endTryOut(): void {
    this.microphone.setMetering(false);
    if (!this.#onStage) this.microphone.stop();
  }

  /** Lets the room be heard. Call it from a click or key. */
  async listen(): Promise<void> {
    await this.speakers.start();
  }

  /** The stage was given: the microphone opens, muted. */
  async takeStage(): Promise<void> {
    if (this.#onStage) return;
    this.#onStage = true;
    this.microphone.setMuted(true);
    this.#show();
    await this.microphone.start();
  }

  /** The stage was left or taken: nothing leaves from now on, and the system's microphone sign goes out. */
  leaveStage(): void {
    this.#held = false;
    this.#onStage = false;
    this.microphone.setHeld(false);
    this.microphone.setMuted(true);
    this.microphone.stop();
    this.#show();
  }

  /** The window is out of sight: nobody sees that the microphone is open, so it is muted, and stays so when it is back. */
  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    if (!hidden) return;
    this.setHeld(false);
    this.setMuted(true);
  }

  /** Ignored off stage. Out of sight nothing unmutes. */
  setMuted(muted: boolean): void {
    if (!this.#onStage || (this.#hidden && !muted)) return;
    this.microphone.setMuted(muted);
    this.#show();
    // Whoever unmutes with a microphone that failed to open asks for it once more.
    if (!muted && this.microphone.fault !== undefined) this.microphone.start().catch(() => undefined);
  }

  /** Push to talk: pressed and let go. Ignored off stage and while unmuted. */
  setHeld(held: boolean): void {
    if (held === this.#held || (held && (!this.#onStage || this.#hidden || !this.microphone.muted))) return;
    this.#held = held;
    this.microphone.setHeld(held);
    this.#show();
  }

  setVolume(volume: number): void {
    this.speakers.setVolume(volume);
    this.volume.set(this.speakers.volume);
  }

  async chooseMicrophone(id: string | undefined): Promise<void> {
    this.microphoneDevice.set(id);
    await this.microphone.setDevice(id);
  }

  async chooseLoudspeaker(id: string | undefined): Promise<void> {
    this.loudspeakerDevice.set(id);
    await this.speakers.setDevice(id);
  }

  /** The room was left: no sound either way. */
  close(): void {
    this.leaveStage();
    this.speakers.stop();
  }

  #show(): void {
    if (!this.#onStage) this.state.set("shut");
    else if (this.#held) this.state.set("held");
    else this.state.set(this.microphone.muted ? "muted" : "live");
  }
}
