import type { Layer } from "../../api/engine.ts";
import { type Millis, millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import { assert } from "../assert.ts";
import { ByteReader, ByteWriter, concat, equal } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Epoch } from "../room/rights/keys.ts";
import { encodeUtf8 } from "../utf8.ts";
import {
  buildPacket,
  encodeHeader,
  layerBit,
  type OpenedPacket,
  type Packet,
  type PacketHeader,
  type PacketOpening,
  sealTagBytes,
  signedPart,
  voiceIdOf,
} from "./format.ts";

const senderLabel = encodeUtf8("teahouse sender 1");
const u32Limit = 2 ** 32;
const opusOffset = 4;
/** Sender keys kept of one layer in one epoch: every voice, and as many that have come and gone. */
const senderKeysMax = limits.voicesMax * 2;

/** What becomes one packet. */
export interface PacketContent {
  readonly layer: Layer;
  /** Greater than every one before in this layer. */
  readonly sequence: number;
  readonly capturedAt: Millis;
  /** 1 to `limits.opusBytesMax` bytes. */
  readonly opus: Uint8Array;
  /** `viewMarkOf` the relay view in force here. */
  readonly viewMark: number;
}

/**
 * Makes a speaker's packets. One sealer is one voice key; the key is made fresh for it and never handed to another,
 * and sequence numbers only grow, so that no nonce is used twice under one sender key ([PK6]).
 */
export class PacketSealer {
  readonly #crypto: Crypto;
  readonly #tag: Uint8Array;
  readonly #voiceSeed: Uint8Array;
  /** The public half of the voice key. */
  readonly voiceKey: Uint8Array;
  readonly #voiceId: number;
  #epoch: Epoch;
  readonly #senderKeys = new Map<Layer, Uint8Array>();
  readonly #lastSequence = new Map<Layer, number>();

  /** `tag` is the room's, 32 bytes; `voiceSeed` a fresh Ed25519 seed that nothing else has signed with. */
  constructor(crypto: Crypto, tag: Uint8Array, voiceSeed: Uint8Array, epoch: Epoch) {
    this.#crypto = crypto;
    this.#tag = tag;
    this.#voiceSeed = voiceSeed;
    this.voiceKey = crypto.publicKey(voiceSeed);
    this.#voiceId = voiceIdOf(crypto, this.voiceKey);
    this.#epoch = copyOf(epoch);
  }

  /** Seals under another epoch from now on. Epochs only count up. */
  setEpoch(epoch: Epoch): void {
    if (epoch.number === this.#epoch.number && equal(epoch.secret, this.#epoch.secret)) return;
    assert(epoch.number > this.#epoch.number, "a media epoch is never gone back to");
    this.#epoch.secret.fill(0);
    this.#epoch = copyOf(epoch);
    forget(this.#senderKeys);
  }

  /** One signed packet, ready to send. Content that breaks its bounds is our own bug: assert. */
  seal(content: PacketContent): Uint8Array {
    const { layer, sequence, opus } = content;
    assert(opus.length >= 1 && opus.length <= limits.opusBytesMax, "an Opus packet within its limit");
    assert(sequence > (this.#lastSequence.get(layer) ?? -1), "no sequence number is used twice");
    this.#lastSequence.set(layer, sequence);
    const header: PacketHeader = {
      layer,
      voiceId: this.#voiceId,
      epoch: this.#epoch.number % 256,
      sequence,
      viewMark: content.viewMark,
    };
    const head = encodeHeader(header);
    const plaintext = new ByteWriter()
      .u32(Math.floor(content.capturedAt) % u32Limit)
      .bytes(opus)
      .finish();
    const sealed = this.#crypto.seal(this.#senderKey(layer), nonceOf(header), head, plaintext, sealTagBytes);
    const signature = this.#crypto.sign(this.#voiceSeed, signedPart(this.#tag, concat(head, sealed)));
    return buildPacket(head, sealed, signature);
  }

  /** Overwrites every secret; nothing is sealed after it. */
  wipe(): void {
    this.#voiceSeed.fill(0);
    this.#epoch.secret.fill(0);
    forget(this.#senderKeys);
  }

  #senderKey(layer: Layer): Uint8Array {
    const known = this.#senderKeys.get(layer);
    const key = known ?? senderKeyOf(this.#crypto, this.#epoch.secret, this.voiceKey, layer);
    if (known === undefined) this.#senderKeys.set(layer, key);
    return key;
  }
}

/** Opens packets of the current epoch and the one before, whose stragglers are still on their way. */
export class PacketOpener implements PacketOpening {
  readonly #crypto: Crypto;
  #current: Epoch;
  #previous: Epoch | undefined;
  readonly #senderKeys = newKeys();
  readonly #previousKeys = newKeys();

  constructor(crypto: Crypto, epoch: Epoch) {
    this.#crypto = crypto;
    this.#current = copyOf(epoch);
  }

  /** Opens packets of this epoch too; the one before the last is forgotten, with its keys. */
  setEpoch(epoch: Epoch): void {
    if (epoch.number === this.#current.number && equal(epoch.secret, this.#current.secret)) return;
    assert(epoch.number > this.#current.number, "a media epoch is never gone back to");
    this.#previous?.secret.fill(0);
    this.#previous = this.#current;
    this.#current = copyOf(epoch);
    this.#forgetKeys();
  }

  /** Forgets the epoch before, when its grace has passed. */
  forgetPrevious(): void {
    if (!this.#previous) return;
    this.#previous.secret.fill(0);
    this.#previous = undefined;
    this.#forgetKeys();
  }

  /** Overwrites every secret; nothing opens after it. */
  wipe(): void {
    this.#current.secret.fill(0);
    this.#previous?.secret.fill(0);
    this.#previous = undefined;
    this.#forgetKeys();
  }

  open(packet: Packet, voiceKey: Uint8Array, now: Millis): Result<OpenedPacket, "no-key" | "seal"> {
    const epoch = isOf(packet, this.#current) ? this.#current : this.#previous;
    if (epoch === undefined || !isOf(packet, epoch)) return failed("no-key");
    const key = this.#senderKey(epoch, voiceKey, packet.layer);
    const plaintext = this.#crypto.open(key, nonceOf(packet), packet.header, packet.sealed, sealTagBytes);
    if (plaintext === undefined) return failed("seal");
    const captured = new ByteReader(plaintext).u32();
    return ok({ opus: plaintext.subarray(opusOffset), capturedAt: nearestTime(captured, now) });
  }

  /** The gate hands out the same array for a voice again and again. */
  #senderKey(epoch: Epoch, voiceKey: Uint8Array, layer: Layer): Uint8Array {
    const byVoice = epoch === this.#current ? this.#senderKeys : this.#previousKeys;
    const keys = byVoice[layer];
    const known = keys.get(voiceKey);
    if (known !== undefined) return known;
    // More than a full stage never speaks at once; beyond it voices have come and gone, and a key costs microseconds.
    if (keys.size >= senderKeysMax) forget(keys);
    const key = senderKeyOf(this.#crypto, epoch.secret, voiceKey, layer);
    keys.set(voiceKey, key);
    return key;
  }

  #forgetKeys(): void {
    for (const { normal, low } of [this.#senderKeys, this.#previousKeys]) {
      forget(normal);
      forget(low);
    }
  }
}

function isOf(packet: Packet, epoch: Epoch): boolean {
  return epoch.number % 256 === packet.epoch;
}

function newKeys(): Readonly<Record<Layer, Map<Uint8Array, Uint8Array>>> {
  return { normal: new Map(), low: new Map() };
}

/** Its own, to be overwritten when it is of no use any more. */
function copyOf({ number, secret }: Epoch): Epoch {
  return { number, secret: secret.slice() };
}

function forget(keys: Map<unknown, Uint8Array>): void {
  for (const key of keys.values()) key.fill(0);
  keys.clear();
}

/** The key of one voice in one layer and epoch ([PK5]). */
export function senderKeyOf(crypto: Crypto, secret: Uint8Array, voiceKey: Uint8Array, layer: Layer): Uint8Array {
  return crypto.hkdf(secret, concat(senderLabel, voiceKey, Uint8Array.of(layerBit(layer))), 32);
}

/** 12 bytes, unlike for any two packets of one voice and epoch ([PK6]). */
export function nonceOf(header: PacketHeader): Uint8Array {
  const { sequence } = header;
  const [high, low] = [(sequence >>> 16) & 0xffff, sequence & 0xffff];
  return Uint8Array.of(0, 0, 0, 0, layerBit(header.layer), header.epoch, 0, 0, high >> 8, high, low >> 8, low);
}

/** The time with these low 32 bits that is nearest to `now`: right while clocks differ by less than 24 days. */
function nearestTime(low: number, now: Millis): Millis {
  const time = now - (now % u32Limit) + low;
  if (time - now > u32Limit / 2) return millis(time - u32Limit);
  if (now - time > u32Limit / 2) return millis(time + u32Limit);
  return millis(time);
}
