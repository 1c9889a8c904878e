import { type Millis, millis } from "../../../p2p/api/ids.ts";
import type { Crypto } from "../../../p2p/core/crypto.ts";
import { type ChainEvent, sealEvent } from "../../../p2p/core/room/chain/chain.ts";
import { type RoomEvent, rightOfEvent } from "../../../p2p/core/room/chain/event.ts";
import { History } from "../../../p2p/core/room/chain/history.ts";
import { issueCapability, rightsOfRole } from "../../../p2p/core/room/rights/capability.ts";
import { signCarriage } from "../../../p2p/core/room/rights/carriage.ts";
import { createKeyPair, createRoomKeys, type KeyPair, type RoomKeys } from "../../../p2p/core/room/rights/keys.ts";
import { rankOf } from "../../../p2p/core/room/chain/reduce.ts";
import { emptyState, type Keeper, type RoomState, type StagePerson } from "../../../p2p/core/room/state/state.ts";
import { testNow, testSeconds } from "../fixtures.ts";

/** Somebody in charge, with what they have seen of the room. */
export interface TestKeeper {
  readonly keys: KeyPair;
  readonly role: Keeper["role"];
  readonly history: History;
}

/** A room of events: a host and those it appointed, each with a history of their own. */
export class HistoryRoom {
  readonly crypto: Crypto;
  readonly keys: RoomKeys;
  readonly secret: Uint8Array;
  readonly base: RoomState;
  readonly host: TestKeeper;
  at: Millis = testNow;

  constructor(crypto: Crypto) {
    this.crypto = crypto;
    this.keys = createRoomKeys(crypto, testNow);
    this.secret = crypto.randomBytes(32);
    const { session } = this.keys;
    const keeper: Keeper = {
      key: session.key,
      identityKey: session.key,
      role: "host",
      name: "Host",
      office: undefined,
    };
    this.base = { ...emptyState, keepers: [keeper] };
    this.host = { keys: session, role: "host", history: new History(this.base) };
  }

  /** Appoints somebody; the event is the host's, and they begin with what the host has. */
  appoint(role: "heir" | "moderator", name = role): { readonly keeper: TestKeeper; readonly event: ChainEvent } {
    const keys = createKeyPair(this.crypto);
    const event = this.act(this.host, { kind: "appoint", keeper: this.keeperOf(keys.key, role, name) });
    const history = new History(this.host.history.state);
    history.rebase({ ...this.host.history.state, frontier: this.host.history.frontier() });
    return { keeper: { keys, role, history }, event };
  }

  keeperOf(key: Uint8Array, role: "heir" | "moderator", name: string): Keeper {
    const { root, carriage } = this.keys;
    const terms = {
      role,
      rights: rightsOfRole[role],
      notBefore: testSeconds,
      expires: testSeconds + 86_400,
      sequence: 0,
    };
    const office =
      role === "heir"
        ? {
            capability: issueCapability(this.crypto, root.key, root.seed, { ...terms, grantee: key }),
            certificate: signCarriage(this.crypto, carriage.seed, key, testSeconds + 86_400, rankOf.heir),
          }
        : undefined;
    return { key, identityKey: key, role, name, office };
  }

  /** Says something, and takes it in. */
  act(keeper: TestKeeper, content: RoomEvent, lies: { rank?: number; right?: number } = {}): ChainEvent {
    const event = this.say(keeper, content, lies);
    keeper.history.offer(event);
    return event;
  }

  /** Says something without taking it in: said twice, it is a fork. */
  say(keeper: TestKeeper, content: RoomEvent, lies: { rank?: number; right?: number } = {}): ChainEvent {
    const head = keeper.history.headOf(keeper.keys.key);
    this.at = millis(this.at + 1);
    return sealEvent(
      this.crypto,
      { number: 1, secret: this.secret },
      this.keys.carriage.key,
      keeper.keys.seed,
      {
        author: keeper.keys.key,
        number: head.number + 1,
        previous: head.hash,
        rank: rankOf[keeper.role],
        right: rightOfEvent[content.kind],
        ...lies,
      },
      { at: this.at, seen: keeper.history.seenBy(keeper.keys.key), content },
    );
  }

  person(name = "guest"): StagePerson {
    const { crypto } = this;
    return {
      voiceKey: crypto.randomBytes(32),
      identityKey: crypto.randomBytes(32),
      role: "speaker",
      name,
      branch: crypto.randomBytes(8),
    };
  }
}
