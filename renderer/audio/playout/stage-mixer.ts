import type { HeardPacket } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import { addBlock, softenMix } from "../../../p2p/core/jitter/mix.ts";
import { sampleRateHz, type VoiceDecoder } from "../../../p2p/core/jitter/voice-codec.ts";
import { LevelMeter, levelOf } from "../level.ts";
import { blockSamples } from "../ring.ts";
import { SpeakerGain } from "./speaker-gain.ts";
import { SpeakerPlayout } from "./speaker-playout.ts";
import type { SpeakerStats } from "../types.ts";

interface Track {
  readonly playout: SpeakerPlayout;
  readonly meter: LevelMeter;
  readonly gain: SpeakerGain;
  readonly voice: Float32Array;
  level: number;
}

/** Everybody who is heard, each through a jitter buffer and decoder of their own, mixed. */
export class StageMixer {
  readonly #createDecoder: () => Promise<VoiceDecoder>;
  readonly #onBroken: (error: unknown) => void;
  readonly #tracks = new Map<VoiceKey, Track>();
  /** Of speakers that are not as loud as the others. */
  readonly #volumes = new Map<VoiceKey, number>();
  readonly #mix = new Float32Array(blockSamples);
  /** Of everybody together, before what is too loud is bent: after it, it would be cut off. */
  readonly #boost = new SpeakerGain(sampleRateHz);
  #levelling = true;
  #attention: Attention = "listening";
  #freed = false;

  /** `createDecoder` gives a fresh decoder for each speaker; `onBroken` is told when it rejects. */
  constructor(createDecoder: () => Promise<VoiceDecoder>, onBroken: (error: unknown) => void) {
    this.#createDecoder = createDecoder;
    this.#onBroken = onBroken;
  }

  /** Takes an opened packet of anybody. With a full stage, somebody new is heard when somebody else is silent. */
  push(packet: HeardPacket): void {
    (this.#tracks.get(packet.speaker) ?? this.#admit(packet.speaker))?.playout.push(packet);
  }

  /** How loud this speaker is among the others, 0 to 2, also when heard only later. */
  setVolume(speaker: VoiceKey, volume: number): void {
    if (volume === 1) this.#volumes.delete(speaker);
    else this.#volumes.set(speaker, volume);
    this.#tracks.get(speaker)?.gain.setVolume(volume);
  }

  /** How much louder than sent everybody is, 1 to 2. */
  setBoost(boost: number): void {
    this.#boost.setVolume(boost);
  }

  /** Whether we take part: then everybody is heard with less delay. */
  setAttention(attention: Attention): void {
    this.#attention = attention;
    for (const { playout } of this.#tracks.values()) playout.setAttention(attention);
  }

  /** Whether speakers too quiet or too loud are brought nearer to the others. */
  setLevelling(levelling: boolean): void {
    this.#levelling = levelling;
    for (const { gain } of this.#tracks.values()) gain.setLevelling(levelling);
  }

  /** The next 10 ms, which begin at `now` (ms by the clock of `receivedAt`); good until the next call. */
  render(now: number): Float32Array {
    this.#mix.fill(0);
    for (const track of this.#tracks.values()) {
      const { playout, meter, gain, voice } = track;
      const sounds = playout.render(voice, now);
      if (sounds) {
        gain.even(voice);
        if (playout.speaking) meter.add(voice);
        gain.adjust(voice);
        addBlock(this.#mix, voice);
      }
      if (track.level > 0 && !(sounds && playout.speaking)) {
        track.level = 0;
        meter.reset();
      }
    }
    this.#boost.adjust(this.#mix);
    softenMix(this.#mix);
    return this.#mix;
  }

  /** Those who sound now, 0 to 1. */
  levels(): Map<VoiceKey, number> {
    const levels = new Map<VoiceKey, number>();
    for (const [speaker, { level }] of this.#tracks) if (level > 0) levels.set(speaker, level);
    return levels;
  }

  /** `afterMs` is what passes between here and the ear. */
  stats(afterMs: number): Map<VoiceKey, SpeakerStats> {
    return new Map([...this.#tracks].map(([speaker, { playout }]) => [speaker, playout.stats(afterMs)]));
  }

  /** Gives back every decoder. Nothing may be asked afterwards. */
  free(): void {
    this.#freed = true;
    for (const { playout } of this.#tracks.values()) playout.free();
    this.#tracks.clear();
  }

  #admit(speaker: VoiceKey): Track | undefined {
    if (this.#tracks.size >= limits.voicesMax) {
      const silent = [...this.#tracks].find(([, { playout }]) => playout.idle);
      if (silent === undefined) return undefined;
      silent[1].playout.free();
      this.#tracks.delete(silent[0]);
    }
    const playout = new SpeakerPlayout();
    playout.setAttention(this.#attention);
    const gain = new SpeakerGain(sampleRateHz);
    gain.setVolume(this.#volumes.get(speaker) ?? 1);
    gain.setLevelling(this.#levelling);
    const meter = new LevelMeter((rms) => void (track.level = levelOf(rms)));
    const track: Track = { playout, meter, gain, voice: new Float32Array(blockSamples), level: 0 };
    this.#tracks.set(speaker, track);
    this.#createDecoder().then(
      (decoder) => {
        if (this.#freed || this.#tracks.get(speaker) !== track) decoder.free();
        else playout.attach(decoder);
      },
      (error: unknown) => this.#onBroken(error),
    );
    return track;
  }
}
