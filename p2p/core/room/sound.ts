import type { SpokenPacket } from "../../api/engine.ts";
import type { Millis } from "../../api/ids.ts";
import type { Crypto } from "../crypto.ts";
import type { Passed } from "../overlay/spread.ts";
import { isOpus, viewMarkOf } from "../packet/format.ts";
import { PacketOpener, PacketSealer } from "../packet/seal.ts";
import { epochSecret } from "./keys.ts";
import type { Seat } from "./seat.ts";
import { type RelayView, viewHash } from "./view.ts";

/** What one person says and hears, sealed and opened under the epoch in force. */
export class Sound {
  readonly #crypto: Crypto;
  readonly #opener: PacketOpener;
  readonly #sealer: PacketSealer;
  #viewMark = 0;
  #sequence = 0;

  constructor(crypto: Crypto, seat: Seat) {
    this.#crypto = crypto;
    const epoch = { number: 0, secret: epochSecret(crypto, seat.secret, seat.tag, 0) };
    this.#opener = new PacketOpener(crypto, epoch);
    this.#sealer = new PacketSealer(crypto, seat.tag, seat.voice.seed, epoch);
  }

  /** A newer view: packets name it. */
  takeView(view: RelayView): void {
    this.#viewMark = viewMarkOf(viewHash(this.#crypto, view.encoded));
  }

  /** 40 ms of our own voice, in one layer or both; undefined for what is no sound. */
  seal({ opus, low, capturedAt }: SpokenPacket): Uint8Array[] | undefined {
    if (!isOpus(opus) || (low && !isOpus(low))) return undefined;
    const content = { sequence: this.#sequence++, capturedAt, viewMark: this.#viewMark };
    const sealed = [this.#sealer.seal({ ...content, layer: "normal", opus })];
    if (low) sealed.push(this.#sealer.seal({ ...content, layer: "low", opus: low }));
    return sealed;
  }

  open(passed: Passed, now: Millis): ReturnType<PacketOpener["open"]> {
    return this.#opener.open(passed.packet, passed.voiceKey, now);
  }
}
