import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { ByteReader, ByteWriter, concat, equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type Authority, verifyChain } from "../rights/capability.ts";
import { isWithinReach, numberMax } from "../rights/numbers.ts";
import { type ChainHead, keepersMax, type RoomState } from "./state.ts";
import { encodeState, parseState } from "./state-codec.ts";
import type { KnownSecrets } from "../epoch/secrets.ts";
import { type Epoch, withKey } from "../rights/keys.ts";
import type { RelayView } from "./view.ts";

const stateVersion = 4;
const nonceBytes = 12;
const signatureBytes = 64;
const stateLabel = encodeUtf8("teahouse state 1");
const keyLabel = encodeUtf8("teahouse state key 1");

/** What relays can read of a state. */
export interface StateHead {
  readonly session: Uint8Array;
  readonly sequence: number;
  /** The events that it settles: who holds them may let them go. */
  readonly settled: readonly Pick<ChainHead, "key" | "number">[];
  /** Low 8 bits of the number of the era by whose secret it is sealed. */
  readonly era: number;
  /** Where the sealed part begins. */
  readonly length: number;
}

/** Seals and signs a state: `version | session key | sequence | settled chains | era, low 8 bits | nonce | ciphertext | signature`. */
export function sealState(
  crypto: Crypto,
  era: Epoch,
  sessionSeed: Uint8Array,
  tag: Uint8Array,
  state: RoomState,
): Uint8Array {
  const writer = new ByteWriter().u8(stateVersion).bytes(crypto.publicKey(sessionSeed)).u48(state.sequence);
  writer.u8(state.frontier.length);
  for (const { key, number } of state.frontier) writer.bytes(key).u48(number);
  const head = writer.u8(era.number % 256).finish();
  const nonce = crypto.randomBytes(nonceBytes);
  const sealed = withKey(crypto, era.secret, keyLabel, (key) =>
    crypto.seal(key, nonce, concat(tag, head), encodeState(state), 16),
  );
  const body = concat(head, nonce, sealed);
  return concat(body, crypto.sign(sessionSeed, concat(stateLabel, tag, body)));
}

/** What stands in the clear; undefined for what is no state. */
export function readStateHead(bytes: Uint8Array): StateHead | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== stateVersion) return undefined;
  const session = reader.bytes(32);
  const sequence = reader.u48();
  const count = reader.u8();
  if (count > keepersMax * 2) return undefined;
  const settled: Pick<ChainHead, "key" | "number">[] = [];
  for (let index = 0; index < count; index++) settled.push({ key: reader.bytes(32), number: reader.u48() });
  const era = reader.u8();
  const length = reader.offset;
  if (sequence > numberMax || settled.some(({ number }) => number > numberMax)) return undefined;
  if (reader.failed || bytes.length < length + nonceBytes + 16 + signatureBytes) return undefined;
  return { session, sequence, settled, era, length };
}

/**
 * What a relay can check without reading: that the view's session signed it, and whether it is newer than what it has.
 * `foreign`: another session's. `jump`: its number is out of reach ([RM32]). `forked`: the session said two things under one number, and what is held is the proof.
 */
export function checkState(
  crypto: Crypto,
  view: RelayView,
  bytes: Uint8Array,
  known: Uint8Array | undefined,
): "newer" | "older" | "bad" | "foreign" | "jump" | "forked" {
  const head = readStateHead(bytes);
  if (!head) return "bad";
  const held = known && readStateHead(known);
  // Of whoever acted before, or will when their view comes: nobody is to blame for passing it on.
  if (!equal(head.session, view.session.key)) return held && head.sequence <= held.sequence ? "older" : "foreign";
  if (held && !isWithinReach(held.sequence, head.sequence)) return "jump";
  const isSame = held !== undefined && held.sequence === head.sequence && equal(held.session, head.session);
  if (isSame && known !== undefined && equal(known, bytes)) return "older";
  if (held && !isSame && head.sequence <= held.sequence) return "older";
  const end = bytes.length - signatureBytes;
  const message = concat(stateLabel, view.tag, bytes.subarray(0, end));
  if (!crypto.verify(view.session.key, message, bytes.subarray(end))) return "bad";
  return isSame ? "forked" : "newer";
}

/** Opens a state that `checkState` passed; undefined when it does not open or parse. "closed": no secret that is known here opens it. */
export function openState(
  crypto: Crypto,
  eras: KnownSecrets,
  tag: Uint8Array,
  bytes: Uint8Array,
): RoomState | "closed" | undefined {
  const head = readStateHead(bytes);
  if (!head) return undefined;
  const clear = bytes.subarray(0, head.length);
  const nonce = bytes.subarray(head.length, head.length + nonceBytes);
  const sealed = bytes.subarray(head.length + nonceBytes, bytes.length - signatureBytes);
  for (const secret of eras.find(head.era)) {
    const plain = withKey(crypto, secret, keyLabel, (key) => crypto.open(key, nonce, concat(tag, clear), sealed, 16));
    if (!plain) continue;
    const state = parseState(plain, head.sequence);
    return state && settlesWhatItShows(state, head) ? state : undefined;
  }
  return "closed";
}

/** Whether relays let go of just those events that members find in it: else somebody's next word would pass nowhere. */
function settlesWhatItShows({ frontier }: RoomState, { settled }: StateHead): boolean {
  const isSame = (head: ChainHead, index: number): boolean => {
    const shown = settled[index];
    return shown !== undefined && shown.number === head.number && equal(shown.key, head.key);
  };
  return frontier.length === settled.length && frontier.every(isSame);
}

/**
 * Whether the room's root stands behind the session that signed a state: a host's, or an heir's that may succeed it
 * ([RM21]). A session a little past its day still speaks for a room whose host is gone.
 */
export function isVouchedFor(
  crypto: Crypto,
  roomKey: Uint8Array,
  state: RoomState,
  sessionKey: Uint8Array,
  now: Millis,
): boolean {
  const last = state.chain.at(-1);
  if (!last) return false;
  const endsAt = last.expires * 1000;
  const time = now <= endsAt + limits.clockToleranceMs ? millis(Math.min(now, endsAt)) : now;
  const authority = verifyChain(crypto, roomKey, state.chain, time);
  return authority.ok && mayLead(authority.value) && equal(authority.value.grantee, sessionKey);
}

/** Whether somebody with this authority may speak for the whole room. */
export function mayLead({ role }: Pick<Authority, "role">): boolean {
  return role === "host" || role === "heir";
}
