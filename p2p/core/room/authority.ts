import type { HostOptions, Role } from "../../api/engine.ts";
import type { Millis, PeerId, RoomTag } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { RelayAddress } from "../../api/link.ts";
import { equal, toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { encodeRecord, recordHour, recordKeys } from "../discovery/record.ts";
import { voiceIdOf } from "../packet/format.ts";
import type { HostRelay } from "../peer-io.ts";
import { type HostProof, peerOf } from "../session/frames.ts";
import { rightsOfRole } from "./capability.ts";
import { encodeHints } from "./hints.ts";
import { type Invite, issueInvite } from "./invite.ts";
import { createHostSession, epochSecret, type RoomKeys } from "./keys.ts";
import { openPetition } from "./petition.ts";
import { proveHost } from "./proof.ts";
import { nameBytesMax, sealState, type StagePerson, titleBytesMax } from "./state.ts";
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
/** Petitions remembered as done: a stage that changes every second for an hour. */
const doneMax = 4096;

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
  #hands: Uint8Array[] = [];
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

  /** A newer relay view. */
  issueView(now: Millis): RelayView {
    return signView(this.#crypto, this.keys.session.seed, {
      tag: this.keys.carriage.key,
      session: this.keys.session.certificate,
      sequence: ++this.#viewSequence,
      issuedAt: Math.floor(now) as Millis,
      epoch: 0,
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
      hands: this.#hands,
    });
  }

  /** Invites of every role, with the relays that carry now as hints. */
  issueInvites(now: Millis): Record<Exclude<Role, "host">, Invite> {
    const seconds = Math.floor(now / 1000);
    const issue = (role: Exclude<Role, "host">): Invite => {
      const notBefore = Math.max(0, seconds - Math.floor(limits.clockToleranceMs / 1000));
      const terms = { role, rights: rightsOfRole[role], notBefore, expires: seconds + inviteMs / 1000, sequence: 0 };
      return issueInvite(this.#crypto, this.keys, terms, this.carrying.slice(0, limits.inviteHintsMax));
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
  handlePetition(bytes: Uint8Array, now: Millis): "stage" | "hands" | "refused" | "known" {
    const petition = openPetition(this.#crypto, this.epochSecret, this.keys.root.key, bytes, now);
    if (!petition) return "refused";
    const id = toHex(petition.id);
    if (this.#done.has(id)) return "known";
    const onStage = this.#stage.find((person) => equal(person.identityKey, petition.identityKey));
    if (petition.wish === "leave-stage") {
      if (!onStage || onStage.role === "host") return "known";
      this.#stage = this.#stage.filter((person) => person !== onStage);
      return this.#changedBy(id);
    }
    if (onStage && equal(onStage.voiceKey, petition.voiceKey)) return "known";
    if (!this.#options.letEverybodySpeak && !petition.mayAlwaysSpeak) return this.#noteHand(petition.id);
    const { voiceKey, identityKey, name } = petition;
    if (this.#isTaken(voiceKey, onStage)) return "refused";
    const person: StagePerson = { voiceKey, identityKey, role: "speaker", name };
    this.#stage = [...this.#stage.filter((other) => other !== onStage), person];
    // The stage is full: who came first after the host makes room.
    if (this.#stage.length > limits.voicesMax) this.#stage.splice(1, 1);
    return this.#changedBy(id);
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
    this.#done.add(id);
    for (const oldest of this.#done) {
      if (this.#done.size <= doneMax) break;
      this.#done.delete(oldest);
    }
    return "stage";
  }

  #noteHand(id: Uint8Array): "hands" | "known" {
    if (this.#hands.some((hand) => equal(hand, id))) return "known";
    this.#hands = [...this.#hands, id].slice(-64);
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
