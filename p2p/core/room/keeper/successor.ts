import type { RoomTag } from "../../../api/ids.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { HostProof } from "../../session/frames.ts";
import type { History } from "../chain/history.ts";
import type { Seat } from "../member/seat.ts";
import type { RoomKeys } from "../rights/keys.ts";
import { type ProofContext, proveHost } from "../rights/proof.ts";
import { hostPerson } from "../state/first-state.ts";
import type { Office } from "../state/state.ts";
import type { RelayView } from "../state/view.ts";
import { Authority } from "./authority.ts";

/** An heir that acts from now on ([RM36]): with what it knows of the room, and the relays that the last view names. */
export function successorOf(crypto: Crypto, seat: Seat, office: Office, view: RelayView, history: History): Authority {
  const { roomKey, secret, tag, identity, voice, name, secrets } = seat;
  const none = new Uint8Array(0);
  const keys: RoomKeys = {
    root: { seed: none, key: roomKey },
    secret,
    carriage: { seed: none, key: tag },
    session: { ...identity, ...office },
  };
  const { coreSize, relayFanout } = view;
  const options = { via: [], letEverybodySpeak: false, coreSize, relayFanout };
  const relays = view.relays.map((address) => ({ address, secret: new Uint8Array(16) }));
  const person = hostPerson(voice.key, identity.key, name);
  return new Authority(crypto, keys, options, relays, undefined, person, secrets, { history, view });
}

/** What proves an heir to one relay, in one session. */
export function proveOffice(
  crypto: Crypto,
  { tag, identity }: Seat,
  { certificate }: Office,
  where: Omit<ProofContext, "tag">,
): HostProof {
  const context = { tag: toHex(tag) as RoomTag, ...where };
  return proveHost(crypto, identity.seed, certificate, new Uint8Array(16), context);
}
