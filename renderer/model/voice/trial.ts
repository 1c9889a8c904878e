import type { Scope } from "../scope.ts";
import { Cell } from "../value.ts";
import type { Voice } from "./voice.ts";

/** What a trial does: nothing, take one's voice down, or play it back. */
export type TrialState = "idle" | "recording" | "playing";

/** So long one's voice is taken down, in ms: a sentence or two. */
export const trialMs = 5000;

/** Takes one's own voice down and plays it back, to oneself alone: what others would hear, mask and all. */
export class Trial {
  readonly state = new Cell<TrialState>("idle");
  readonly #voice: Voice;
  /** Counts trials, so that what comes too late is known. */
  #run = 0;

  constructor(voice: Voice, scope: Scope) {
    this.#voice = voice;
    scope.own(() => this.stop());
  }

  /** Begins, or ends what goes on and begins anew. Whoever is heard is muted first: nothing of it leaves. Never rejects. */
  async start(): Promise<void> {
    this.stop();
    const run = this.#run;
    const voice = this.#voice;
    voice.setMuted(true);
    this.state.set("recording");
    const recording = await this.#record();
    if (run !== this.#run) return;
    if (recording !== undefined) {
      this.state.set("playing");
      await voice.speakers.playBack(recording);
    }
    if (run === this.#run) this.state.set("idle");
  }

  /** Enough was said: plays it back now. */
  finish(): void {
    if (this.state.get() === "recording") this.#voice.microphone.endRecording();
  }

  /** Ends it, and lets go of what was taken down. */
  stop(): void {
    this.#run += 1;
    if (this.state.get() === "recording") this.#voice.microphone.endRecording();
    if (this.state.get() === "playing") this.#voice.speakers.endPlayBack();
    this.state.set("idle");
  }

  async #record(): Promise<Float32Array<ArrayBuffer> | undefined> {
    try {
      await this.#voice.tryOut();
      return await this.#voice.microphone.record(trialMs);
    } catch {
      return undefined;
    }
  }
}
