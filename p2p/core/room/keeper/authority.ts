import type { HostOptions, Role } from "../../../api/engine.ts";
import type { Millis, PeerId, RoomTag } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { InviteTerms } from "../../../api/room.ts";
import { equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { HostRelay } from "../../peer-io.ts";
import { type HostProof, peerOf } from "../../session/frames.ts";
import { issueCapability, rights, rightsOfRole } from "../rights/capability.ts";
import { doneMax, type HostCapsule, sequenceLeap } from "./capsule.ts";
import { signCarriage } from "../rights/carriage.ts";
import type { ChainEvent } from "../chain/chain.ts";
import type { RoomEvent } from "../chain/event.ts";
import { firstState } from "../state/first-state.ts";
import { type Publication, recordsOf } from "../hall/records.ts";
import type { KeyHistory } from "../epoch/keeper.ts";
import type { RoomSecrets } from "../epoch/secrets.ts";
import { RoomDoors } from "./room-doors.ts";
import { doorOf } from "../rights/doors.ts";
import { History } from "../chain/history.ts";
import { fittingHints, type Invite, issueInvite } from "../invite/invite.ts";
import { createHostSession, type RoomKeys } from "../rights/keys.ts";
import { writeEvent } from "../chain/pen.ts";
import { furthest, generationMax } from "../rights/numbers.ts";
import { Presence } from "./presence.ts";
import { openPetition } from "../asking/petition.ts";
import { proveHost } from "../rights/proof.ts";
import { answer as answerOf } from "./reception.ts";
import { rankOf, type Void } from "../chain/reduce.ts";
import { withoutExpiredUses } from "../state/lists.ts";
import { sealState } from "../state/sealed-state.ts";
import type { Keeper, Office, RoomState, StagePerson } from "../state/state.ts";
import { encodeView, type RelayView, signView, type ViewContent } from "../state/view.ts";
import { banOf } from "../rights/ban.ts";

/** Invites of the first kind last a week; the host session that admits speakers lasts a day. */
export const inviteMs = 7 * 24 * 3_600_000;
/** An heir's word holds a year: a room outlives its host for as long as anybody wants it. */
const heirMs = 365 * 24 * 3_600_000;
/** A record is put again this often: servers come and go, and kad-dht never does it. */
const publishMs = 10 * 60_000;
/** A session is renewed this long before it ends: hours in which a relay or member may be away. */
const renewMs = 6 * 3_600_000;
/** A core of twelve, from the design; a relay carries eight others before the next does. */
const coreSizeDefault = 12;
const relayFanoutDefault = 8;

/** What a decision changed: "stage" needs a new view, "hands" only the event that was written, the others nothing. */
export type Answer = "stage" | "hands" | "refused" | "known";

/** What shapes a room's tree. */
export interface TreeShape {
  readonly coreSize: number;
  readonly relayFanout: number;
}

/**
 * Whoever acts for the room now, a host's session or an heir: it answers petitions, and signs the view for relays and the
 * state for members out of everything that the room's keepers said. It knows nothing of the network.
 */
export class Authority {
  /** The room's keys; the session among them is renewed. An heir has neither the root's seed nor the carriage's. */
  keys: RoomKeys;
  readonly history: History;
  /** Who of those on stage is still here. */
  readonly presence = new Presence();
  readonly #crypto: Crypto;
  readonly #shape: TreeShape;
  readonly #options: HostOptions | undefined;
  readonly #candidates: readonly HostRelay[];
  readonly #own: RelayAddress | undefined;
  readonly #secrets: RoomSecrets;
  /** The era by which the last state was sealed. */
  #stateEra: number | undefined;
  readonly #carrying = new Map<PeerId, RelayAddress>();
  /** Petitions that changed something, by id: repeated later, by whoever saw them, they change nothing. */
  readonly #done = new Set<string>();
  /** By what members come in. */
  readonly doors: RoomDoors;
  readonly #outbox: ChainEvent[] = [];
  #viewSequence = 0;
  #stateSequence = 0;
  #viewSigned: Uint8Array | undefined;
  /** Who could speak for the room, so that it can be said when they no longer can. */
  readonly #heirs = new Map<string, Uint8Array>();
  /** Keys that spoke for the room and may no more. */
  #revoked: Uint8Array[] = [];
  #publishAt: Millis | undefined;

  /** `own`: this engine's address, when it is the room's relay itself. */
  constructor(
    crypto: Crypto,
    keys: RoomKeys,
    options: HostOptions,
    relays: readonly HostRelay[],
    own: RelayAddress | undefined,
    host: StagePerson,
    secrets: RoomSecrets,
    succession?: { readonly history: History; readonly view: RelayView },
  ) {
    this.#crypto = crypto;
    this.keys = keys;
    this.#options = options;
    this.#candidates = relays;
    this.#own = own;
    this.#secrets = secrets;
    this.doors = new RoomDoors(
      crypto,
      () => this.state,
      () => secrets.serials,
    );
    const { coreSize = coreSizeDefault, relayFanout = relayFanoutDefault } = options;
    this.#shape = { coreSize, relayFanout };
    this.history = succession?.history ?? new History(firstState(keys, options, host));
    if (succession) this.#succeed(succession.view);
  }

  /** Goes on after a host, with the relays that its last view names. */
  #succeed(view: RelayView): void {
    for (const relay of this.#candidates) this.#carrying.set(peerOf(relay.address), relay.address);
    this.#revoked = [...view.revoked];
    this.doors.meet(view);
    this.#viewSequence = view.sequence;
    this.#stateSequence = this.state.sequence;
    this.#noteHeirs();
  }

  /** Numbers go on beyond what somebody else in charge has signed. */
  countBeyond({ view = 0, state = 0 }: { readonly view?: number; readonly state?: number }): void {
    this.#viewSequence = furthest(this.#viewSequence, view);
    this.#stateSequence = furthest(this.#stateSequence, state);
  }

  /** A host comes back to a room of which this is the view: unless it is older than what we know, it says what is open. */
  comeBackTo(view: RelayView): void {
    const isLater = view.sequence + sequenceLeap >= this.#viewSequence;
    if (isLater) this.doors.follow(view);
    else this.doors.meet(view);
    this.countBeyond({ view: view.sequence, state: this.state.sequence });
  }

  get state(): RoomState {
    return this.history.state;
  }

  /** Relays that were asked to carry, in the order of their cards. */
  get candidates(): PeerId[] {
    return this.#candidates.map((relay) => peerOf(relay.address));
  }

  /** Relays that carry, in rank order. */
  get carrying(): RelayAddress[] {
    if (this.#own) return [this.#own];
    const carrying = this.#candidates.filter(({ address }) => this.#carrying.has(peerOf(address)));
    return carrying.map(({ address }) => address).slice(0, limits.relaysMax);
  }

  /** Events that were written and are to be sent. */
  takeEvents(): ChainEvent[] {
    return this.#outbox.splice(0);
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
    const { renewAt } = this;
    if (renewAt === undefined || now < renewAt) return false;
    this.takeNewSession(now);
    return true;
  }

  /** A fresh session begins a fresh chain of events. */
  takeNewSession(now: Millis): void {
    const { root, carriage } = this.keys;
    const before = this.keys.session.key;
    this.keys = { ...this.keys, session: createHostSession(this.#crypto, root, carriage, now) };
    const { key } = this.keys.session;
    const isMine = (keeper: Keeper): boolean => equal(keeper.key, before);
    const state = this.history.state;
    const keepers = state.keepers.map((keeper) => (isMine(keeper) ? { ...keeper, key } : keeper));
    this.history.rebase({ ...state, keepers, frontier: this.history.frontier() });
    this.#publishAt = undefined;
  }

  /** Undefined with an heir, whose office has no end that matters. */
  get renewAt(): Millis | undefined {
    if (this.keys.root.seed.length === 0) return undefined;
    return (this.keys.session.capability.expires * 1000 - renewMs) as Millis;
  }

  /** A newer relay view. `epoch`: low 8 bits of the media epoch. */
  issueView(now: Millis, epoch = 0): RelayView {
    this.doors.prune(now);
    const said = this.#viewContent();
    this.#viewSigned = encodeView(said);
    const content = { ...said, epoch, sequence: ++this.#viewSequence, issuedAt: Math.floor(now) as Millis };
    return signView(this.#crypto, this.keys.session.seed, content);
  }

  /** Whether relays have to be told something new. */
  get isViewStale(): boolean {
    return !this.#viewSigned || !equal(this.#viewSigned, encodeView(this.#viewContent()));
  }

  #viewContent(): ViewContent {
    const { state } = this;
    const { slowModeS, stage, bans, keepers } = state;
    const isShut = (person: StagePerson): boolean =>
      state.muted.some(({ identityKey, by }) => by === "keeper" && equal(identityKey, person.identityKey));
    const heard = stage.filter((person) => !isShut(person));
    return unnumbered({
      tag: this.keys.carriage.key,
      session: this.keys.session.certificate,
      epoch: 0,
      ...this.#shape,
      relays: this.carrying,
      voices: heard.map((person) => ({ key: person.voiceKey, packetsPerSecond: limits.voicePacketsPerSecond })),
      bans: bans.slice(-limits.bansMax).map(({ identityKey }) => banOf(this.#crypto, identityKey)),
      keepers: keepers.map(({ key, role }) => ({ key, rank: rankOf[role] })),
      revoked: this.#revoked,
      slowModeS,
      doors: this.doors.named,
      locked: state.access === "locked",
    });
  }

  /** A newer sealed state, which settles every event so far. */
  issueState(now: Millis): Uint8Array {
    const chain = [this.keys.session.capability];
    const tolerance = Math.ceil(limits.clockToleranceMs / 1000);
    const used = withoutExpiredUses(this.state.used, Math.floor(now / 1000), tolerance);
    const state = { ...this.state, used, sequence: ++this.#stateSequence, chain, frontier: this.history.frontier() };
    this.history.rebase(state);
    const era = this.#secrets.papers.sealing;
    this.#stateEra = era.number;
    return sealState(this.#crypto, era, this.keys.session.seed, this.keys.carriage.key, state);
  }

  /** Whether the last state is sealed so that who comes now cannot read it. */
  get isStateClosed(): boolean {
    return this.#stateEra !== this.#secrets.papers.current?.number;
  }

  /** Relays that invites name: those below the core when there are enough of them, for the core's slots are the best. */
  get #entries(): RelayAddress[] {
    const { carrying } = this;
    const below = carrying.slice(this.#shape.coreSize);
    return below.length < limits.inviteHintsMax ? carrying : below;
  }

  /** What an invite says of the relays that carry now. */
  get hints(): RelayAddress[] {
    return fittingHints(this.#entries);
  }

  /** Invites of every role, with the relays that carry now as hints. */
  issueInvites(now: Millis): Record<Exclude<Role, "host">, Invite> {
    const issue = (role: Exclude<Role, "host">): Invite =>
      this.issueInvite({ role, expiresInMs: role === "heir" ? heirMs : inviteMs, singleUse: false }, now);
    return {
      listener: issue("listener"),
      speaker: issue("speaker"),
      moderator: issue("moderator"),
      heir: issue("heir"),
    };
  }

  /** One invite, signed by the root, or by an heir below its own office. */
  issueInvite(
    { role, expiresInMs, singleUse }: Omit<InviteTerms, "passphrase">,
    now: Millis,
    generation = this.state.generation,
  ): Invite {
    const seconds = Math.floor(now / 1000);
    const notBefore = Math.max(0, seconds - Math.floor(limits.clockToleranceMs / 1000));
    const once = singleUse ? rights.once : 0;
    const parent = this.keys.root.seed.length === 0 ? this.keys.session.capability : undefined;
    const expires = Math.min(seconds + Math.floor(expiresInMs / 1000), parent?.expires ?? Infinity, 0xffff_ffff);
    const terms = { role, rights: rightsOfRole[role] | once, notBefore, expires, sequence: generation };
    const invite = issueInvite(this.#crypto, this.keys, terms, this.hints, parent);
    this.doors.add({ name: doorOf(this.#crypto, this.#crypto.publicKey(invite.inviteSeed)), generation, expires });
    return invite;
  }

  /** The link that replaces all before, with the invite of whoever is in; undefined when there is no number left for it. */
  newLink(now: Millis): Extract<RoomEvent, { kind: "replace-link" }> | undefined {
    if (this.state.generation >= generationMax) return undefined;
    const generation = this.state.generation + 1;
    const terms = { role: "listener", expiresInMs: inviteMs, singleUse: false } as const;
    const { inviteSeed, chain } = this.issueInvite(terms, now, generation);
    return { kind: "replace-link", generation, inviteSeed, chain };
  }

  /** Says something for the room. What it changed is sent with `takeEvents`. */
  write(content: RoomEvent, now: Millis): Void | undefined {
    const { session, carriage } = this.keys;
    const desk = { crypto: this.#crypto, tag: carriage.key, era: this.#secrets.papers.sealing };
    const event = writeEvent(desk, this.history, session, content, now);
    if (typeof event === "string") return event;
    this.#outbox.push(event);
    this.noteDone(content);
    return undefined;
  }

  /** What somebody in charge did is done: petitions that it answered are answered, and who was relieved speaks no more. */
  noteDone(content: RoomEvent): void {
    if (content.kind === "unban") this.doors.forgive(content.identityKey);
    if (content.kind === "seat" || content.kind === "unseat" || content.kind === "lower")
      this.#finish(toHex(content.petition));
    this.#noteHeirs();
    for (const [name, key] of this.#heirs) {
      const isHeir = this.state.keepers.some((keeper) => equal(keeper.key, key));
      const others = this.#revoked.filter((revoked) => !equal(revoked, banOf(this.#crypto, key)));
      this.#revoked = isHeir ? others : [...others, banOf(this.#crypto, key)];
      if (!isHeir) this.#heirs.delete(name);
    }
  }

  #noteHeirs(): void {
    for (const { key, role } of this.state.keepers) if (role === "heir") this.#heirs.set(toHex(key), key);
  }

  /** What a host's root gives somebody who shall speak for the room when the host is silent; undefined with an heir. */
  officeOf(identityKey: Uint8Array, now: Millis): Office | undefined {
    const { root, carriage } = this.keys;
    if (root.seed.length === 0) return undefined;
    const expires = Math.floor((now + heirMs) / 1000);
    const notBefore = Math.max(0, Math.floor((now - limits.clockToleranceMs) / 1000));
    const grant = {
      grantee: identityKey,
      role: "heir",
      rights: rightsOfRole.heir,
      notBefore,
      expires,
      // An office belongs to no link of the room, and outlives them.
      sequence: generationMax,
    } as const;
    const capability = issueCapability(this.#crypto, root.key, root.seed, grant);
    const certificate = signCarriage(this.#crypto, carriage.seed, identityKey, expires, rankOf.heir);
    return { capability, certificate };
  }

  /**
   * Answers a petition. Everybody who asks is let on stage when the room says so, or when the invite does.
   * @returns what changed: "stage" needs a new view, "hands" only the event.
   */
  handlePetition(bytes: Uint8Array, now: Millis): Answer {
    const petition = openPetition(this.#crypto, this.#secrets.words, this.keys.root.key, bytes, now);
    if (!petition) return "refused";
    const id = toHex(petition.id);
    if (!this.presence.heard(this.state, petition, now) || this.#done.has(id)) return "known";
    const answer = answerOf(this.#crypto, this, petition, now);
    // A hand may still be answered; everything else is done by now, and is not done again by whoever recorded it.
    if (answer === "hands" && petition.wish !== "speak") this.#finish(id);
    return answer;
  }

  /** All that another engine needs to go on with this room. */
  capsule(identitySeed: Uint8Array, history: KeyHistory | undefined): HostCapsule {
    return {
      kind: "host",
      keys: this.keys,
      identitySeed,
      ...this.#shape,
      volunteer: this.#options?.volunteer ?? {},
      relays: this.#candidates,
      carrying: [...this.#carrying.keys()],
      state: { ...this.state, frontier: this.history.frontier() },
      done: [...this.#done].slice(-doneMax),
      revoked: this.#revoked,
      viewSequence: this.#viewSequence,
      stateSequence: this.#stateSequence,
      history,
      doors: this.doors.kept,
    };
  }

  /**
   * Goes on where another engine fell: its numbers count on, its guests stay on stage, and its relays are believed to
   * carry until they say otherwise, since the room lives on them.
   */
  restore(capsule: HostCapsule): void {
    for (const peer of capsule.carrying) this.setCarrying(peer, true);
    for (const id of capsule.done) this.#finish(id);
    this.#revoked = [...capsule.revoked];
    this.doors.restore(capsule.doors);
    this.#viewSequence = capsule.viewSequence;
    this.#stateSequence = capsule.stateSequence;
    this.adopt(capsule.state);
  }

  /** Takes a state that somebody else left, with ourselves in it as we are now: after a crash, or after an heir acted. */
  adopt(state: RoomState): void {
    const mine = this.history.state;
    const self = mine.keepers[0];
    const host = mine.stage[0];
    if (!self || !host) return;
    const others = <Item extends { readonly role: string }>(list: readonly Item[]): Item[] =>
      list.filter(({ role }) => role !== "host");
    const keepers = [self, ...others(state.keepers)];
    this.history.rebase({ ...state, keepers, stage: [host, ...others(state.stage)] });
    // Those who could speak for it before we came back are known when they no longer may.
    this.#noteHeirs();
  }

  /** The room's records of this hour and the next, when it is time to put them again. */
  publish(now: Millis): Publication[] {
    if ((this.#publishAt ?? 0) > now || this.carrying.length === 0) return [];
    this.#publishAt = (now + publishMs) as Millis;
    return recordsOf(this.#crypto, this.keys, this.carrying, now);
  }

  get publishAt(): Millis | undefined {
    return this.carrying.length === 0 ? undefined : (this.#publishAt ?? (0 as Millis));
  }

  /** Nobody repeats this petition with any effect. */
  #finish(id: string): void {
    if (/^0*$/u.test(id)) return;
    this.#done.add(id);
    for (const oldest of this.#done) {
      if (this.#done.size <= doneMax) break;
      this.#done.delete(oldest);
    }
  }
}

/** What a view says, whatever its number: so two can be compared. */
function unnumbered(content: Omit<ViewContent, "sequence" | "issuedAt">): ViewContent {
  return { ...content, sequence: 0, issuedAt: 0 as Millis };
}
