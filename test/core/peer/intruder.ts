import type { LinkId, RoomTag } from "../../../p2p/api/ids.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { encodeFrame } from "../../../p2p/core/session/frames.ts";
import type { KeptRoom } from "./kept-room.ts";

/** Somebody with the room's invite and a program of their own, below its first relay. */
export class Intruder {
  readonly relay: number;
  readonly #room: KeptRoom;
  readonly #node: number;
  readonly #link: LinkId;
  #sequence = 0;

  constructor(room: KeptRoom) {
    this.#room = room;
    this.#node = room.addPuppet().node;
    this.relay = room.relays[0] ?? 0;
    this.#link = room.link(this.#node, this.relay);
    const tag = toHex(room.invite(room.keeper).tag) as RoomTag;
    const session = new Rng(`intruder ${this.#node}`).bytes(16);
    const hello = { version: 1, session, tag, role: "member", feed: true, have: [], proof: undefined } as const;
    this.send(encodeFrame({ kind: "hello", wish: plainWish, ...hello }));
    room.run(200);
  }

  /** Any frame. */
  send(frame: Uint8Array): void {
    this.#room.say(this.#node, this.#link, frame);
  }

  /** The next paper on the reliable lane; what came meanwhile is acknowledged. */
  say(paper: Uint8Array): void {
    this.send(encodeFrame({ kind: "fragment", sequence: this.#sequence++, last: true, bytes: paper }));
    this.send(encodeFrame({ kind: "ack", next: 2 ** 20 }));
    this.#room.run(250);
  }
}
