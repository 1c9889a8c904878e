import { type Millis, millis } from "../../../../p2p/api/ids.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import type { Crypto } from "../../../../p2p/core/crypto.ts";
import type { Rng } from "../../../../p2p/core/rng.ts";
import { issueCapability } from "../../../../p2p/core/room/rights/capability.ts";
import { type Commit, parseCommit } from "../../../../p2p/core/room/epoch/commit.ts";
import type { BelievedEnrolment } from "../../../../p2p/core/room/epoch/enrolment.ts";
import { signPass } from "../../../../p2p/core/room/rights/pass.ts";
import { EpochHolder } from "../../../../p2p/core/room/epoch/holder.ts";
import { EpochKeeper, type KeyHistory } from "../../../../p2p/core/room/epoch/keeper.ts";
import { createKeyPair, createRoomKeys, type RoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { testNow, testSeconds } from "../../fixtures.ts";

/** Somebody who holds, or held, keys. */
export interface Person {
  readonly name: string;
  readonly holder: EpochHolder;
  /** Does not hear anything now. */
  away: boolean;
  isOut: boolean;
}

/** A keeper and members who hear each other at once: what the tree and its links do in between is left out. */
export class RoomOfKeys {
  readonly crypto: Crypto;
  readonly keys: RoomKeys;
  readonly people: Person[] = [];
  readonly banned = new Set<string>();
  /** Every commit that was told, as a recorder of the wire has them. */
  readonly told: Commit[] = [];
  /** Bytes that every member had to take. */
  bytesTold = 0;
  now: Millis = testNow;
  isLocked = false;
  keeper: EpochKeeper;
  readonly #rng: Rng;

  constructor(crypto: Crypto, rng: Rng, closed: boolean) {
    this.crypto = crypto;
    this.#rng = rng;
    this.keys = createRoomKeys(crypto, testNow);
    this.keeper = this.#newKeeper(closed, undefined);
    this.tell();
  }

  /** Another keeper takes over, knowing what a member knows. */
  replaceKeeper(history: KeyHistory): void {
    this.keeper = this.#newKeeper(false, history);
    this.tell();
  }

  join(): Person {
    const identity = createKeyPair(this.crypto);
    const { session, root, secret, carriage } = this.keys;
    const times = { notBefore: testSeconds - 10, expires: testSeconds + 86_400 };
    const grant = { grantee: identity.key, role: "listener", rights: 0, ...times, sequence: 0 } as const;
    const chain = [session.capability, issueCapability(this.crypto, root.key, session.seed, grant, session.capability)];
    const room = { roomKey: root.key, secret, tag: carriage.key };
    const holder = new EpochHolder(this.crypto, room, {
      identity,
      door: identity,
      chain,
      pass: undefined,
      papers: { own: [] },
    });
    const person = { name: toHex(identity.key), holder, away: false, isOut: false };
    this.people.push(person);
    const last = this.told.at(-1);
    if (last) holder.takeCommit(last, this.now);
    return person;
  }

  kick(person: Person): void {
    this.banned.add(person.name);
    person.isOut = true;
    this.keeper.rekey(this.now);
    this.tell();
    this.runKeeper();
  }

  leave(person: Person): void {
    person.isOut = true;
    const bytes = person.holder.leave();
    if (bytes) this.keeper.take(bytes, this.keys.session.seed, this.now);
  }

  /** Lets so much time pass, in steps; enrolments, commits and grants go their ways, but not to who is away. */
  pass(ms: number, stepMs = 500): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = millis(this.now + stepMs);
      for (const person of this.people) {
        const asked = person.away || person.isOut ? undefined : person.holder.enrol(this.now);
        const grant = asked && this.keeper.take(asked, this.keys.session.seed, this.now);
        if (grant instanceof Uint8Array) person.holder.takeGrant(grant, this.now);
      }
      this.runKeeper();
    }
  }

  /** As its member does whenever something is due. Each piece of work, in ms of this process's time on a core. */
  runKeeper(): number[] {
    const pieces: number[] = [];
    while ((this.keeper.dueAt ?? Infinity) <= this.now) {
      let committed = false;
      pieces.push(coreMsOf(() => (committed = this.keeper.runDue(this.now))));
      if (committed) this.tell();
    }
    return pieces;
  }

  /** Tells everybody who is there, those put out too: they hear the wire. */
  tell(): void {
    const bytes = this.keeper.paper(this.keys.session, this.now);
    const commit = parseCommit(bytes);
    if (!commit) throw new Error("a commit that does not parse");
    this.told.push(commit);
    this.bytesTold += bytes.length;
    const grants = this.keeper.granted(this.keys.session.seed);
    for (const person of this.people) {
      if (person.away) continue;
      person.holder.takeCommit(commit, this.now);
      for (const grant of grants) person.holder.takeGrant(grant, this.now);
    }
  }

  /** Whether somebody can open what is sealed now. */
  opens(person: Person): boolean {
    const { number, secret } = this.keeper.epoch;
    const epoch = person.holder.epoch;
    return epoch?.number === number && toHex(epoch.secret) === toHex(secret);
  }

  pick(among: readonly Person[] = this.present): Person | undefined {
    return among[this.#rng.int(Math.max(1, among.length))];
  }

  get present(): Person[] {
    return this.people.filter((person) => !person.isOut);
  }

  #newKeeper(closed: boolean, history: KeyHistory | undefined): EpochKeeper {
    const { root, secret, carriage } = this.keys;
    const room = { roomKey: root.key, secret, tag: carriage.key };
    const mayHold = (identityKey: Uint8Array): boolean => !this.banned.has(toHex(identityKey));
    const rules = {
      mayHold,
      isShut: () => this.isLocked,
      use: () => true,
      keepsRoom: () => false,
      handed: () => [],
      wasInside: () => false,
      passFor: ({ door, identityKey }: BelievedEnrolment) => {
        const pass = signPass(this.crypto, this.keys.session, carriage.key, door, identityKey.subarray(0, 8), this.now);
        return { pass, serials: undefined };
      },
      handedOver: () => undefined,
    };
    return new EpochKeeper(this.crypto, room, closed, rules, history, this.now);
  }
}

/** How long something took of a core, whatever else the machine was doing meanwhile. */
export function coreMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
