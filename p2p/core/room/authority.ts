import type { HostOptions, Role } from "../../api/engine.ts";
import type { Millis, PeerId, RoomTag } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { RelayAddress } from "../../api/link.ts";
import { equal, toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { encodeRecord, recordHour, recordKeys } from "../discovery/record.ts";
import { voiceIdOf } from "../packet/format.ts";
import type { Command, HostRelay } from "../peer-io.ts";
import { type HostProof, peerOf } from "../session/frames.ts";
import { rightsOfRole } from "./capability.ts";
import { doneMax, type HostCapsule, type WaitingHand } from "./capsule.ts";
import { encodeHints } from "./hints.ts";
import { fittingHints, type Invite, issueInvite } from "./invite.ts";
import { createHostSession, epochSecret, type RoomKeys } from "./keys.ts";
import { openPetition } from "./petition.ts";
import { proveHost } from "./proof.ts";
import { handsMax, nameBytesMax, sealState, type StagePerson, titleBytesMax } from "./state.ts";
import { type RelayView, signView } from "./view.ts";

/** Invites of this first kind last a week; the host session that admits speakers lasts a day. */
const inviteMs = 7 * 24 * 3_600_000;
/** A record is put again this often: servers come and go, and kad-dht never does it. */
const publishMs = 10 * 60_000;
/** A session is renewed this long before it ends: hours in which a relay or member may be away. */
const renewMs = 6 * 3_600_000;
/** A core of twelve, from the design; a relay carries eight others before the next does. */
const coreSizeDefault = 12;
const relayFanoutDefault = 8;

/** What a decision changed: "stage" needs a new view and state, "hands" a new state, the others nothing. */
export type Answer = "stage" | "hands" | "refused" | "known";

/** What a host says by itself. */
export type Ruling = Extract<Command, { kind: "admit" | "dismiss" | "remove-from-stage" }>;

/** A value for the DHT. */
export interface Publication {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * What a host session decides and signs: which relays carry, who is on stage. It holds the room's keys and nothing of
 * the network.
 */
export class Authority {
  /** The room's keys; the session among them is renewed. */
  keys: RoomKeys;
  readonly epochSecret: Uint8Array;
  readonly #crypto: Crypto;
  readonly #options: HostOptions;
  readonly #candidates: readonly HostRelay[];
  readonly #own: RelayAddress | undefined;
  readonly #carrying = new Map<PeerId, RelayAddress>();
  #stage: StagePerson[];
  #hands: WaitingHand[] = [];
  /** Petitions that changed the stage, by id: repeated later, by whoever saw them, they change nothing. */
  readonly #done = new Set<string>();
  #viewSequence = 0;
  #stateSequence = 0;
  #publishAt: Millis | undefined;

  /** `own`: this engine's address, when it is the room's relay itself. */
  constructor(
    crypto: Crypto,
    keys: RoomKeys,
    options: HostOptions,
    relays: readonly HostRelay[],
    own: RelayAddress | undefined,
    host: StagePerson,
  ) {
    this.#crypto = crypto;
    this.keys = keys;
    this.#options = options;
    this.#candidates = relays;
    this.#own = own;
    this.#stage = [host];
    this.epochSecret = epochSecret(crypto, keys.secret, keys.carriage.key, 0);
  }

  /** Relays that were asked to carry, in the order of their cards. */
  get candidates(): PeerId[] {
    return this.#candidates.map((relay) => peerOf(relay.address));
  }

  /** Relays that carry, in rank order. */
  get carrying(): RelayAddress[] {
    if (this.#own) return [this.#own];
    return this.#candidates.map((relay) => relay.address).filter((address) => this.#carrying.has(peerOf(address)));
  }

  /** A relay said yes, or was lost. True when the view changed. */
  setCarrying(peer: PeerId, carries: boolean): boolean {
    const relay = this.#candidates.find((candidate) => peerOf(candidate.address) === peer);
    if (!relay || this.#carrying.has(peer) === carries) return false;
    if (carries) this.#carrying.set(peer, relay.address);
    else this.#carrying.delete(peer);
    this.#publishAt = undefined;
    return true;
  }

  proof(relay: PeerId, self: PeerId, session: Uint8Array): HostProof | undefined {
    const known = this.#candidates.find((candidate) => peerOf(candidate.address) === relay);
    if (!known) return undefined;
    const { seed, certificate } = this.keys.session;
    const tag = toHex(this.keys.carriage.key) as RoomTag;
    return proveHost(this.#crypto, seed, certificate, known.secret, { tag, relay, host: self, session });
  }

  /** Draws a new session when the old one nears its end: a room lasts longer than a day. True when views are to be signed anew. */
  renew(now: Millis): boolean {
    if (now < this.renewAt) return false;
    const { root, carriage } = this.keys;
    this.keys = { ...this.keys, session: createHostSession(this.#crypto, root, carriage, now) };
    this.#publishAt = undefined;
    return true;
  }

  get renewAt(): Millis {
    return (this.keys.session.capability.expires * 1000 - renewMs) as Millis;
  }

  /** A newer relay view. `epoch`: low 8 bits of the media epoch. */
  issueView(now: Millis, epoch = 0): RelayView {
    return signView(this.#crypto, this.keys.session.seed, {
      tag: this.keys.carriage.key,
      session: this.keys.session.certificate,
      sequence: ++this.#viewSequence,
      issuedAt: Math.floor(now) as Millis,
      epoch,
      coreSize: this.#options.coreSize ?? coreSizeDefault,
      relayFanout: this.#options.relayFanout ?? relayFanoutDefault,
      relays: this.carrying,
      voices: this.#stage.map((person) => ({ key: person.voiceKey, packetsPerSecond: limits.voicePacketsPerSecond })),
      bans: [],
    });
  }

  /** A newer sealed state. */
  issueState(): Uint8Array {
    return sealState(this.#crypto, this.epochSecret, this.keys.session.seed, this.keys.carriage.key, {
      sequence: ++this.#stateSequence,
      chain: [this.keys.session.capability],
      title: cut(this.#options.title ?? "", titleBytesMax),
      stage: this.#stage,
      hands: this.#hands.map(({ id, person }) => ({ id, name: person.name })),
    });
  }

  /** Relays that invites name: those below the core when there are enough of them, for the core's slots are the best. */
  get #entries(): RelayAddress[] {
    const { carrying } = this;
    const below = carrying.slice(this.#options.coreSize ?? coreSizeDefault);
    return below.length < limits.inviteHintsMax ? carrying : below;
  }

  /** Invites of every role, with the relays that carry now as hints. */
  issueInvites(now: Millis): Record<Exclude<Role, "host">, Invite> {
    const seconds = Math.floor(now / 1000);
    const issue = (role: Exclude<Role, "host">): Invite => {
      const notBefore = Math.max(0, seconds - Math.floor(limits.clockToleranceMs / 1000));
      const terms = { role, rights: rightsOfRole[role], notBefore, expires: seconds + inviteMs / 1000, sequence: 0 };
      return issueInvite(this.#crypto, this.keys, terms, fittingHints(this.#entries));
    };
    return {
      listener: issue("listener"),
      speaker: issue("speaker"),
      moderator: issue("moderator"),
      heir: issue("heir"),
    };
  }

  /**
   * Answers a petition. Everybody who asks is let on stage when the room says so, or when the invite does.
   * @returns what changed: "stage" needs a new view and state, "hands" a new state.
   */
  handlePetition(bytes: Uint8Array, now: Millis): Answer {
    const petition = openPetition(this.#crypto, this.epochSecret, this.keys.root.key, bytes, now);
    if (!petition) return "refused";
    const id = toHex(petition.id);
    if (this.#done.has(id)) return "known";
    const onStage = this.#stage.find((person) => equal(person.identityKey, petition.identityKey));
    if (petition.wish === "leave-stage") {
      if (!onStage) return this.#lowerHandOf(petition.identityKey);
      if (onStage.role === "host") return "known";
      this.#stage = this.#stage.filter((person) => person !== onStage);
      return this.#changedBy(id);
    }
    if (onStage && equal(onStage.voiceKey, petition.voiceKey)) return "known";
    const { voiceKey, identityKey, name } = petition;
    if (this.#isTaken(voiceKey, onStage)) return "refused";
    const person: StagePerson = { voiceKey, identityKey, role: onStage?.role ?? "speaker", name };
    // Who is on stage already comes back with a new voice after a crash: nobody is asked again.
    if (onStage || this.#options.letEverybodySpeak || petition.mayAlwaysSpeak) return this.#letOnStage(id, person);
    return this.#noteHand({ id: petition.id, person });
  }

  /** Does what the host says of a hand that waits, or of somebody on stage. */
  rule(command: Ruling): Answer {
    switch (command.kind) {
      case "admit": {
        const waiting = this.#hands.find((known) => toHex(known.id) === command.hand);
        if (!waiting) return "known";
        const { person } = waiting;
        const onStage = this.#stage.find((other) => equal(other.identityKey, person.identityKey));
        // Somebody came on stage with this voice meanwhile.
        if (this.#isTaken(person.voiceKey, onStage)) return this.#lowerHandOf(person.identityKey);
        return this.#letOnStage(command.hand, person);
      }
      case "dismiss": {
        const waiting = this.#hands.find((known) => toHex(known.id) === command.hand);
        return waiting ? this.#lowerHandOf(waiting.person.identityKey) : "known";
      }
      case "remove-from-stage": {
        const before = this.#stage.length;
        const stays = (person: StagePerson): boolean =>
          person.role === "host" || toHex(person.voiceKey) !== command.voice;
        this.#stage = this.#stage.filter(stays);
        return this.#stage.length < before ? "stage" : "known";
      }
      default:
        return command satisfies never;
    }
  }

  /** All that another engine needs to go on with this room. */
  capsule(identitySeed: Uint8Array): HostCapsule {
    return {
      kind: "host",
      keys: this.keys,
      identitySeed,
      title: cut(this.#options.title ?? "", titleBytesMax),
      letEverybodySpeak: this.#options.letEverybodySpeak,
      coreSize: this.#options.coreSize ?? coreSizeDefault,
      relayFanout: this.#options.relayFanout ?? relayFanoutDefault,
      volunteer: this.#options.volunteer ?? {},
      relays: this.#candidates,
      carrying: [...this.#carrying.keys()],
      stage: this.#stage,
      hands: this.#hands,
      done: [...this.#done].slice(-doneMax),
      viewSequence: this.#viewSequence,
      stateSequence: this.#stateSequence,
    };
  }

  /**
   * Goes on where another engine fell: its numbers count on, its guests stay on stage, and its relays are believed to
   * carry until they say otherwise, since the room lives on them.
   */
  restore(capsule: HostCapsule): void {
    for (const peer of capsule.carrying) this.setCarrying(peer, true);
    this.#hands = [...capsule.hands];
    for (const id of capsule.done) this.#done.add(id);
    this.#viewSequence = capsule.viewSequence;
    this.#stateSequence = capsule.stateSequence;
    this.#stage = [...this.#stage, ...capsule.stage.filter((person) => person.role !== "host")];
  }

  /** The room's records of this hour and the next, when it is time to put them again. */
  publish(now: Millis): Publication[] {
    if ((this.#publishAt ?? 0) > now || this.carrying.length === 0) return [];
    this.#publishAt = (now + publishMs) as Millis;
    const { secret, session, carriage } = this.keys;
    const payload = encodeHints(this.#crypto, carriage.key, session, this.carrying, Math.floor(now) as Millis);
    const hour = recordHour(now);
    return [hour, hour + 1].flatMap((each) => {
      const value = encodeRecord(this.#crypto, secret, { hour: each, sequence: Math.floor(now), payload });
      return recordKeys(this.#crypto, secret, each).map((key) => ({ key, value }));
    });
  }

  get publishAt(): Millis | undefined {
    return this.carrying.length === 0 ? undefined : (this.#publishAt ?? (0 as Millis));
  }

  /** Whether somebody else on stage has this voice id: nobody speaks under another's name ([PK13]). */
  #isTaken(voiceKey: Uint8Array, except: StagePerson | undefined): boolean {
    const voice = voiceIdOf(this.#crypto, voiceKey);
    return this.#stage.some((person) => person !== except && voiceIdOf(this.#crypto, person.voiceKey) === voice);
  }

  #changedBy(id: string): "stage" {
    this.#finish(id);
    return "stage";
  }

  /** Nobody repeats this petition with any effect. */
  #finish(id: string): void {
    this.#done.add(id);
    for (const oldest of this.#done) {
      if (this.#done.size <= doneMax) break;
      this.#done.delete(oldest);
    }
  }

  #lowerHandOf(identityKey: Uint8Array): "hands" | "known" {
    const lowered = this.#hands.filter((hand) => equal(hand.person.identityKey, identityKey));
    for (const { id } of lowered) this.#finish(toHex(id));
    this.#hands = this.#hands.filter((hand) => !lowered.includes(hand));
    return lowered.length > 0 ? "hands" : "known";
  }

  #letOnStage(petition: string, person: StagePerson): "stage" {
    const isSame = (other: StagePerson): boolean => equal(other.identityKey, person.identityKey);
    this.#stage = [...this.#stage.filter((other) => !isSame(other)), person];
    this.#hands = this.#hands.filter((hand) => !isSame(hand.person));
    // The stage is full: who came first after the host makes room.
    if (this.#stage.length > limits.voicesMax) this.#stage.splice(1, 1);
    return this.#changedBy(petition);
  }

  #noteHand(hand: WaitingHand): "hands" | "known" {
    if (this.#hands.some((known) => equal(known.id, hand.id))) return "known";
    const isMine = (known: WaitingHand): boolean => equal(known.person.identityKey, hand.person.identityKey);
    // Who came first is answered first: more hands are repeated until there is room for them.
    if (this.#hands.length >= handsMax && !this.#hands.some(isMine)) return "known";
    this.#lowerHandOf(hand.person.identityKey);
    this.#hands = [...this.#hands, hand];
    return "hands";
  }
}

/** Makes the stage's entry for a host. */
export function hostPerson(voiceKey: Uint8Array, identityKey: Uint8Array, name: string): StagePerson {
  return { voiceKey, identityKey, role: "host", name: cut(name, nameBytesMax) };
}

/** Cuts a text to so many bytes of UTF-8, at a character's border. */
export function cut(text: string, bytesMax: number): string {
  let bytes = 0;
  let kept = "";
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}
