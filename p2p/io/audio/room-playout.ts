import type { HeardPacket } from "../../api/engine.ts";
import type { VoiceKey } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import { mixBlocks } from "../../core/jitter/mix.ts";
import type { VoiceDecoder } from "./opus.ts";
import { frameSamples } from "./pcm.ts";
import { FixedPlayout, zeroCounts, type PlayoutCounts } from "./playout.ts";

/** Packets of speakers without a decoder yet that are kept: 400 ms of a full stage. */
const waitingMax = 10 * limits.voicesMax;

interface Track {
  readonly decoder: VoiceDecoder;
  readonly playout: FixedPlayout;
}

/**
 * What a listener would hear of a whole room: every speaker 400 ms after capture, mixed, without a gap.
 *
 *     const room = new RoomPlayout(createVoiceDecoder, clock.now());
 *     engine.hear((packet) => room.push(packet));
 *     await wav.write(await room.render(clock.now()));
 */
export class RoomPlayout {
  readonly #createDecoder: () => Promise<VoiceDecoder>;
  readonly #tracks = new Map<VoiceKey, Track>();
  #waiting: HeardPacket[] = [];
  /** Of speakers whose decoder went to another, and of packets that found no room. */
  readonly #retired = zeroCounts();
  /** Everything before it has been rendered; ms by the listener's clock. */
  #position: number;
  #last: Promise<unknown> = Promise.resolve();

  /** `startAt`, by the clock of `receivedAt`, is the moment at which the recording begins. */
  constructor(createDecoder: () => Promise<VoiceDecoder>, startAt: number) {
    this.#createDecoder = createDecoder;
    this.#position = startAt;
  }

  /** Sums over all speakers. */
  get counts(): PlayoutCounts {
    const sum = { ...this.#retired };
    for (const { playout } of this.#tracks.values()) addCounts(sum, playout.counts);
    return sum;
  }

  /** Takes an opened packet of any speaker, in any order. */
  push(packet: HeardPacket): void {
    const track = this.#tracks.get(packet.speaker);
    if (track !== undefined) track.playout.push(packet);
    else if (this.#waiting.length < waitingMax) this.#waiting.push(packet);
    else this.#retired.packetsUnusable += 1;
  }

  /**
   * The sound up to `untilMs`, in whole blocks of 20 ms that follow the ones rendered before: mono, 48 kHz. Ask for no
   * more than the present: what is received later could not be heard. Rejects only when libopus cannot be loaded.
   */
  render(untilMs: number): Promise<Float32Array> {
    const rendered = this.#last.then(() => this.#render(untilMs));
    this.#last = rendered.catch(() => {});
    return rendered;
  }

  /** Gives back the decoders, after what is being rendered. */
  async free(): Promise<void> {
    await this.#last;
    for (const { decoder } of this.#tracks.values()) decoder.free();
    this.#tracks.clear();
  }

  async #render(untilMs: number): Promise<Float32Array> {
    await this.#admitWaiting();
    const count = Math.max(0, Math.floor((untilMs - this.#position) / limits.frameMs));
    const pcm = new Float32Array(count * frameSamples);
    for (let block = 0; block < count; block += 1) {
      const voices: Float32Array[] = [];
      for (const { playout } of this.#tracks.values()) {
        const voice = playout.render(this.#position);
        if (voice !== undefined) voices.push(voice);
      }
      if (voices.length > 0) pcm.set(mixBlocks(voices, frameSamples), block * frameSamples);
      this.#position += limits.frameMs;
    }
    return pcm;
  }

  async #admitWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const packet of waiting) {
      const track = this.#tracks.get(packet.speaker) ?? (await this.#admit(packet.speaker));
      if (track === undefined) this.#retired.packetsUnusable += 1;
      else track.playout.push(packet);
    }
  }

  /** Makes the speaker's decoder; a full stage gives up one of somebody who is silent, if there is any. */
  async #admit(speaker: VoiceKey): Promise<Track | undefined> {
    if (this.#tracks.size >= limits.voicesMax) {
      const silent = [...this.#tracks].find(([, track]) => track.playout.idle);
      if (silent === undefined) return undefined;
      const [silentSpeaker, track] = silent;
      addCounts(this.#retired, track.playout.counts);
      track.decoder.free();
      this.#tracks.delete(silentSpeaker);
    }
    const decoder = await this.#createDecoder();
    const track = { decoder, playout: new FixedPlayout(decoder) };
    this.#tracks.set(speaker, track);
    return track;
  }
}

function addCounts(sum: PlayoutCounts, more: Readonly<PlayoutCounts>): void {
  for (const key of Object.keys(more) as (keyof PlayoutCounts)[]) sum[key] += more[key];
}
