import type { Layer } from "../../api/engine.ts";
import { type Millis, millis, type VoiceKey } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import { assert } from "../assert.ts";
import { toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { failed, ok, type Result } from "../result.ts";
import type { RelayView, VoiceGrant } from "../room/state/view.ts";
import { type Packet, parsePacket, SignedPart, voiceIdOf } from "./format.ts";
import { ReplayWindow } from "./replay.ts";

/** A bucket fills this much faster than a voice may send: a sound card's clock is off by up to 1 %, for days. */
const clockSlack = 1.02;

/** Why a packet goes no further; each is a counter. */
export type GateReason =
  "malformed" | "unknown-voice" | "stale-epoch" | "duplicate" | "too-old" | "too-far" | "rate" | "signature";

/** A packet that may be forwarded, and opened by who can. */
export interface Admitted {
  /** The speaker, in hex and as it is. */
  readonly voice: VoiceKey;
  readonly voiceKey: Uint8Array;
  readonly voiceId: number;
  readonly layer: Layer;
  readonly sequence: number;
  readonly packet: Packet;
}

/** What the gate keeps of one voice in one layer. */
interface Stream {
  readonly window: ReplayWindow;
  tokens: number;
  filledAt: Millis;
  /** A signed packet too far ahead came; the one after it proves that the speaker really is there. */
  farSequence: number | undefined;
}

interface Voice {
  readonly voice: VoiceKey;
  readonly voiceKey: Uint8Array;
  readonly streams: Readonly<Record<Layer, Stream>>;
  packetsPerSecond: number;
}

/**
 * Decides which packets of a room pass, at every relay and receiver, from the relay view alone. Checks run from cheap
 * to dear, the signature last, and only a signed packet changes what the gate remembers ([PK7], [PK8]). What fails
 * costs its sender nothing here: the caller counts the reason against the link that it came from.
 */
export class PacketGate {
  readonly #crypto: Crypto;
  readonly #signed: SignedPart;
  #voices = new Map<number, Voice>();
  #view: RelayView;
  readonly #isRetired: (voice: VoiceKey) => boolean;
  #previousEpoch: { readonly epoch: number; readonly until: Millis } | undefined;

  /** `view` was verified. `isRetired`: whether everybody can sign as this voice. */
  constructor(crypto: Crypto, view: RelayView, now: Millis, isRetired: (voice: VoiceKey) => boolean = () => false) {
    this.#isRetired = isRetired;
    this.#crypto = crypto;
    this.#view = view;
    this.#signed = new SignedPart(view.tag);
    this.#setVoices(view.voices, now);
  }

  /** Goes by a newer view of the same room from now on. Voices that stay keep their windows and buckets. */
  setView(view: RelayView, now: Millis): void {
    const before = this.#view;
    assert(before.tagHex === view.tagHex, "a gate belongs to one room");
    if (before.epoch !== view.epoch) {
      this.#previousEpoch = { epoch: before.epoch, until: millis(now + limits.epochGraceMs) };
    }
    this.#view = view;
    this.#setVoices(view.voices, now);
  }

  /** Lets a packet through once, or says why not. */
  admit(bytes: Uint8Array, now: Millis): Result<Admitted, GateReason> {
    const parsed = parsePacket(bytes);
    if (!parsed.ok) return parsed;
    const packet = parsed.value;
    const voice = this.#voices.get(packet.voiceId);
    if (voice === undefined || this.#isRetired(voice.voice)) return failed("unknown-voice");
    if (!this.#isInForce(packet.epoch, now)) return failed("stale-epoch");
    const stream = voice.streams[packet.layer];
    const verdict = stream.window.judge(packet.sequence);
    if (verdict === "duplicate" || verdict === "too-old") return failed(verdict);
    if (stream.farSequence === packet.sequence) return failed("duplicate");
    const tokens = tokensOf(stream, voice.packetsPerSecond, now);
    if (tokens < 1) return failed("rate");
    if (!this.#crypto.verify(voice.voiceKey, this.#signed.of(packet.body), packet.signature)) {
      return failed("signature");
    }
    stream.tokens = tokens - 1;
    stream.filledAt = now;
    if (verdict === "too-far" && !arrivesTwice(stream, packet.sequence)) return failed("too-far");
    stream.farSequence = undefined;
    stream.window.accept(packet.sequence);
    const { voiceId, layer, sequence } = packet;
    return ok({ voice: voice.voice, voiceKey: voice.voiceKey, voiceId, layer, sequence, packet });
  }

  #isInForce(epoch: number, now: Millis): boolean {
    if (epoch === this.#view.epoch) return true;
    return this.#previousEpoch !== undefined && epoch === this.#previousEpoch.epoch && now < this.#previousEpoch.until;
  }

  #setVoices(grants: readonly VoiceGrant[], now: Millis): void {
    const before = new Map([...this.#voices.values()].map((voice) => [voice.voice, voice]));
    const voices = new Map<number, Voice>();
    for (const grant of grants) {
      const id = voiceIdOf(this.#crypto, grant.key);
      // Two voices with one id: the first keeps it, so that a key made to collide cannot push anybody off.
      if (voices.has(id)) continue;
      const voice = before.get(toHex(grant.key) as VoiceKey) ?? newVoice(grant, now);
      voice.packetsPerSecond = grant.packetsPerSecond;
      voices.set(id, voice);
    }
    this.#voices = voices;
  }
}

/** Tokens of a stream now: a second's worth at most. Changes nothing. */
function tokensOf(stream: Stream, packetsPerSecond: number, now: Millis): number {
  const filled = ((now - stream.filledAt) / 1000) * packetsPerSecond * clockSlack;
  return Math.min(packetsPerSecond * limits.voiceBurstSeconds, stream.tokens + filled);
}

/**
 * After RFC 3550, appendix A.1: one packet far ahead is not believed, the one right after it moves the window. So a
 * replayed old packet cannot open a window where a live voice would be too far ahead for good.
 */
function arrivesTwice(stream: Stream, sequence: number): boolean {
  const follows = stream.farSequence !== undefined && sequence === stream.farSequence + 1;
  if (!follows) stream.farSequence = sequence;
  return follows;
}

function newVoice(grant: VoiceGrant, now: Millis): Voice {
  const newStream = (): Stream => ({
    window: new ReplayWindow(),
    tokens: grant.packetsPerSecond * limits.voiceBurstSeconds,
    filledAt: now,
    farSequence: undefined,
  });
  return {
    voice: toHex(grant.key) as VoiceKey,
    voiceKey: grant.key,
    streams: { normal: newStream(), low: newStream() },
    packetsPerSecond: grant.packetsPerSecond,
  };
}
