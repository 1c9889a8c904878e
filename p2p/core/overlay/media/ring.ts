import type { Layer } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Layers } from "./layers.ts";

/** How long a packet can be asked for again: longer than any outage we promise to bridge. */
export const ringMs = 2000;
/** Packets kept of one voice in one layer: the power of two above two seconds' worth. */
const trackPackets = 64;

/** A packet that passed every check, with the number of links it has crossed. */
export interface RingPacket {
  /** Voice id of the packet header. */
  readonly voiceId: number;
  readonly layer: Layer;
  readonly sequence: number;
  readonly hops: number;
  readonly bytes: Uint8Array;
  /** When it came. */
  readonly at: Millis;
}

/** The last packet somebody has of one voice: what a new parent needs to replay the hole. */
export interface Have {
  /** Voice id of the packet header, as a number. */
  readonly voice: number;
  readonly sequence: number;
}

/** A place in a ring is used again and again: a packet's other parts are let go. */
type Kept = { -readonly [Field in keyof RingPacket]: RingPacket[Field] };
type Track = (Kept | undefined)[];

interface VoiceTracks {
  newest: number;
  newestAt: Millis;
  readonly normal: Track;
  readonly low: Track;
}

/**
 * The last two seconds of a room's packets, for children that come over from a parent that died, or lack single ones. What it
 * gives is good until the next packet is added.
 */
export class Ring {
  readonly #voices = new Map<number, VoiceTracks>();

  add(packet: RingPacket): void {
    let voice = this.#voices.get(packet.voiceId);
    if (voice === undefined) {
      voice = { newest: packet.sequence, newestAt: packet.at, normal: [], low: [] };
      this.#voices.set(packet.voiceId, voice);
    }
    if (packet.sequence >= voice.newest) {
      voice.newest = packet.sequence;
      voice.newestAt = packet.at;
    }
    keep(voice[packet.layer], packet);
  }

  /** One packet in this layer, else in the other; undefined when neither is kept. */
  find(voiceId: number, layer: Layer, sequence: number, now: Millis): RingPacket | undefined {
    const voice = this.#voices.get(voiceId);
    if (voice === undefined) return undefined;
    return kept(voice[layer], sequence, now) ?? kept(voice[layer === "low" ? "normal" : "low"], sequence, now);
  }

  /**
   * What the holder of `have` lacks of these layers, oldest first. A voice that it does not name is replayed not at all:
   * it is news, not a hole.
   */
  after(have: readonly Have[], layers: Layers, now: Millis): RingPacket[] {
    const missing: RingPacket[] = [];
    for (const { voice: voiceId, sequence } of have) {
      const voice = this.#voices.get(voiceId);
      if (voice === undefined) continue;
      for (let each = Math.max(sequence + 1, voice.newest - trackPackets + 1); each <= voice.newest; each++) {
        const packet = this.find(voiceId, layers === "low" ? "low" : "normal", each, now);
        if (packet) missing.push(packet);
        const low = layers === "both" && packet?.layer === "normal" ? kept(voice.low, each, now) : undefined;
        if (low) missing.push(low);
      }
    }
    return missing.sort((a, b) => a.at - b.at);
  }

  /** The newest packet of each voice still heard in the last two seconds. */
  have(now: Millis): Have[] {
    const recent = [...this.#voices].filter(([, voice]) => voice.newestAt >= now - ringMs);
    return recent.map(([voice, { newest }]) => ({ voice, sequence: newest }));
  }

  /** Forgets voices that the view no longer holds. */
  retain(voices: ReadonlySet<number>): void {
    for (const voice of this.#voices.keys()) if (!voices.has(voice)) this.#voices.delete(voice);
  }
}

function kept(track: Track, sequence: number, now: Millis): RingPacket | undefined {
  const packet = track[sequence % trackPackets];
  return packet?.sequence === sequence && packet.at >= now - ringMs ? packet : undefined;
}

function keep(track: Track, { voiceId, layer, sequence, hops, bytes, at }: RingPacket): void {
  const place = sequence % trackPackets;
  const known = track[place];
  if (known === undefined) {
    track[place] = { voiceId, layer, sequence, hops, bytes, at };
    return;
  }
  known.sequence = sequence;
  known.hops = hops;
  known.bytes = bytes;
  known.at = at;
}
