import { encodePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import type { RoomTag } from "../../../p2p/api/ids.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { signView } from "../../../p2p/core/room/state/view.ts";
import { encodeFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto } from "../fixtures.ts";
import type { KeptRoom } from "./kept-room.ts";

/** Somebody has the host's session key, and shows one relay another view under the number of the one in force. */
export function showFork(room: KeptRoom, title: string): void {
  const capsule = room.peer(room.keeper).capsule();
  const { node } = room.addPuppet();
  const relay = room.relays[0]!;
  const crypto = seededCrypto(title);
  const tag = toHex(room.invite(room.keeper).tag) as RoomTag;
  const view = room.viewOf(relay);
  if (capsule?.kind !== "host" || !view) throw new Error("no host to fork");
  const other = signView(crypto, capsule.keys.session.seed, { ...view, voices: [] });
  const link = room.link(node, relay);
  const wants = { role: "member", feed: true, wish: plainWish, have: [], proof: undefined } as const;
  room.say(node, link, encodeFrame({ kind: "hello", version: 1, session: crypto.randomBytes(16), tag, ...wants }));
  room.run(100);
  const bytes = encodePaper({ kind: "view", bytes: other.encoded });
  room.say(node, link, encodeFrame({ kind: "fragment", sequence: 0, last: true, bytes }));
}
