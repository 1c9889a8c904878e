import type { SpokenPacket } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { Passed } from "../../overlay/media/spread.ts";
import { isOpus, viewMarkOf } from "../../packet/format.ts";
import type { MemberKeys } from "../member/member-keys.ts";
import { type RelayView, viewHash } from "../state/view.ts";

/** What one person says and hears, sealed and opened under the epoch in force. */
export class Sound {
  readonly #crypto: Crypto;
  readonly #keys: Pick<MemberKeys, "opener" | "sealer">;
  #viewMark = 0;
  #sequence = 0;

  constructor(crypto: Crypto, keys: Pick<MemberKeys, "opener" | "sealer">) {
    this.#crypto = crypto;
    this.#keys = keys;
  }

  /** A newer view: packets name it. */
  takeView(view: RelayView): void {
    this.#viewMark = viewMarkOf(viewHash(this.#crypto, view.encoded));
  }

  /** 40 ms of our own voice, in one layer or both; undefined for what is no sound. */
  seal({ opus, low, capturedAt }: SpokenPacket): Uint8Array[] | undefined {
    if (!isOpus(opus) || (low && !isOpus(low))) return undefined;
    const content = { sequence: this.#sequence++, capturedAt, viewMark: this.#viewMark };
    const sealed = [this.#keys.sealer.seal({ ...content, layer: "normal", opus })];
    if (low) sealed.push(this.#keys.sealer.seal({ ...content, layer: "low", opus: low }));
    return sealed;
  }

  open(passed: Passed, now: Millis): ReturnType<MemberKeys["opener"]["open"]> {
    return this.#keys.opener.open(passed.packet, passed.voiceKey, now);
  }
}
