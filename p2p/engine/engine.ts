import type {
  EngineApi,
  EngineEvent,
  HeardPacket,
  HostOptions,
  Invites,
  JoinOptions,
  Layer,
  Power,
  Profile,
  SpokenPacket,
  Stats,
  Totals,
  VolunteerOptions,
} from "../api/engine.ts";
import { exitCodes, type TeahouseError } from "../api/errors.ts";
import { type Millis, millis, type VoiceKey } from "../api/ids.ts";
import type { Act, InviteTerms, OpenRoom } from "../api/room.ts";
import type { ProbeStep, ProbeVerdict, Way, WayChoice } from "../api/way.ts";
import { Peer } from "../core/peer.ts";
import type { PeerEvent, PeerInput, PeerOutput } from "../core/peer-io.ts";
import { cardSecretBytes, encodeCard } from "../core/room/invite/card.ts";
import { encodeCapsule, parseCapsule } from "../core/room/keeper/capsule.ts";
import { encodeInvite, inviteLink } from "../core/room/invite/invite.ts";
import type { SeatMaker } from "../core/room/member/resident.ts";
import { Drive } from "./drive.ts";
import type { Clock, Network, Presence } from "./ports.ts";
import { listOpenRooms } from "./open-rooms.ts";
import { probe } from "./probe.ts";
import { Questions } from "./questions.ts";
import { Records } from "./records.ts";
import { fault, type Locksmith, openInvite, readCard, readInvite, writeInvite, writeInvites } from "./reading.ts";
import { Standing } from "./standing.ts";
import { Traffic } from "./traffic.ts";

/** `stats` comes this often. */
const statsMs = 1000;

/** What the engine stands on. */
export interface EnginePorts extends Locksmith {
  readonly clock: Clock;
  readonly network: Network;
  /** Makes members that can open packets; undefined for a pure relay, which then cannot. */
  readonly seats: SeatMaker | undefined;
}

/** What the engine is told at its making. */
export interface EngineOptions {
  readonly profile: Profile;
  readonly version: string;
  /** A card's secret that outlives the run, 16 bytes; a fresh one without it. */
  readonly cardSecret?: Uint8Array;
}

/** Everything that exists between `start` and `stop`. */
interface Running {
  readonly presence: Presence;
  readonly peer: Peer;
  readonly drive: Drive<PeerInput, PeerOutput>;
  readonly traffic: Traffic;
  readonly records: Records | undefined;
  cancelStats: () => void;
}

interface Waiting {
  resolve(): void;
  reject(error: TeahouseError): void;
}

/** Makes the engine: the pure peer, driven by real ports, behind the one API. */
export function createEngine(ports: EnginePorts, options: EngineOptions): EngineApi {
  return new Engine(ports, options);
}

class Engine implements EngineApi {
  readonly #ports: EnginePorts;
  readonly #options: EngineOptions;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #hearers = new Set<(packet: HeardPacket) => void>();
  #running: Running | undefined;
  #waiting: Waiting | undefined;
  #invites: Invites | undefined;
  #card: string | undefined;
  #askedAt: Millis = millis(0);
  #stopping: Promise<void> | undefined;
  #way: Way | undefined;
  #layer: Layer = "normal";
  #probing: AbortController | undefined;
  #browsing = new AbortController();
  readonly #questions = new Questions((command) => this.#up().drive.push({ kind: "command", command }));
  readonly #standing = new Standing();

  constructor(ports: EnginePorts, options: EngineOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock, crypto, network, seats } = this.#ports;
    const presence = await network.start();
    const self = { peer: presence.peer, address: presence.reach };
    const options = { self, profile: this.#options.profile, discovery: presence.discovery !== undefined };
    const peer = new Peer(options, crypto, seats);
    const drive = new Drive<PeerInput, PeerOutput>(peer, clock, { kind: "timeout" }, (output) => this.#carry(output));
    const push = (input: PeerInput): void => drive.push(input);
    const traffic = new Traffic(presence.links, clock, push);
    const records = presence.discovery && new Records(presence.discovery, clock, push);
    this.#running = { presence, peer, drive, traffic, records, cancelStats: () => undefined };
    this.preferLayer(this.#layer);
    this.#emit({ event: "ready", peer: presence.peer, addresses: presence.addresses, version: this.#options.version });
    this.#scheduleStats(clock.now());
  }

  volunteer(options: VolunteerOptions): Promise<string> {
    const { drive, presence } = this.#up();
    if (!presence.reach) return Promise.reject(fault("address-unusable"));
    const { crypto } = this.#ports;
    const secret = this.#options.cardSecret ?? crypto.randomBytes(cardSecretBytes);
    this.#card = encodeCard(crypto, { address: presence.reach, secret, expires: 0 });
    drive.push({ kind: "command", command: { kind: "volunteer", options, cardSecret: secret } });
    this.#emit({ event: "card", card: this.#card });
    return Promise.resolve(this.#card);
  }

  lend(options: VolunteerOptions | null): Promise<void> {
    const { drive, presence } = this.#up();
    if (options === null) drive.push({ kind: "command", command: { kind: "stop-lending" } });
    else if (!presence.reach) return Promise.reject(fault("address-unusable"));
    else {
      const cardSecret = this.#ports.crypto.randomBytes(cardSecretBytes);
      drive.push({ kind: "command", command: { kind: "volunteer", options, cardSecret } });
    }
    this.#tellLending(0);
    return Promise.resolve();
  }

  power(power: Power): void {
    this.#running?.drive.push({ kind: "command", command: { kind: "power", power } });
  }

  async host(options: HostOptions): Promise<Invites> {
    const { drive, presence } = this.#up();
    const relays = options.via.map((card) => readCard(this.#ports.crypto, card, this.#ports.clock.now()));
    if (relays.length > 0) presence.ways?.enter(relays.map(({ address }) => address));
    if (relays.length === 0) this.#carryOwn(options.volunteer ?? {});
    await this.#enter(() => drive.push({ kind: "command", command: { kind: "host", options, relays } }));
    if (!this.#invites) throw fault("internal");
    return this.#invites;
  }

  async join(text: string, options: JoinOptions): Promise<void> {
    const { drive, presence } = this.#up();
    const invite = await openInvite(this.#ports, text, options.passphrase);
    presence.ways?.enter(invite.hints);
    const { name = "" } = options;
    await this.#enter(() => drive.push({ kind: "command", command: { kind: "join", invite, name } }));
    if (invite.chain.at(-1)?.role === "listener") this.#emit({ event: "invite", invite: text });
  }

  raiseHand(): void {
    this.#up().drive.push({ kind: "command", command: { kind: "raise-hand" } });
  }

  lowerHand(): void {
    this.#up().drive.push({ kind: "command", command: { kind: "lower-hand" } });
  }

  speak(packet: SpokenPacket): void {
    this.#running?.drive.push({ kind: "speak", ...packet });
  }

  preferLayer(layer: Layer): void {
    this.#layer = layer;
    this.#running?.drive.push({ kind: "command", command: { kind: "prefer-layer", layer } });
  }

  admit(hand: string): void {
    this.#up().drive.push({ kind: "command", command: { kind: "admit", hand } });
  }

  dismiss(hand: string): void {
    this.#up().drive.push({ kind: "command", command: { kind: "dismiss", hand } });
  }

  removeFromStage(voice: VoiceKey): void {
    this.#up().drive.push({ kind: "command", command: { kind: "remove-from-stage", voice } });
  }

  async act(act: Act): Promise<void> {
    await this.#questions.ask((id) => ({ kind: "act", id, act }));
  }

  async issueInvite(terms: InviteTerms): Promise<string> {
    const invite = await this.#questions.ask((id) => ({ kind: "invite", id, terms }));
    if (!invite) throw fault("internal");
    return writeInvite(this.#ports, invite, terms.passphrase);
  }

  async openRooms(): Promise<readonly OpenRoom[]> {
    const { discovery } = this.#up().presence;
    if (!discovery) throw fault("no-network");
    this.#browsing.abort();
    this.#browsing = new AbortController();
    const { signal } = this.#browsing;
    const rooms = await listOpenRooms(discovery, this.#ports.crypto, this.#ports.clock, signal);
    if (signal.aborted) throw fault("stalled");
    return rooms;
  }

  say(text: string): void {
    this.#up().drive.push({ kind: "command", command: { kind: "say", text } });
  }

  capsule(): Uint8Array | undefined {
    const capsule = this.#running?.peer.capsule();
    return capsule && encodeCapsule(this.#ports.crypto, capsule);
  }

  async resume(bytes: Uint8Array): Promise<void> {
    const { drive, presence } = this.#up();
    const capsule = parseCapsule(this.#ports.crypto, bytes);
    if (!capsule) throw fault("internal");
    const relays = capsule.kind === "host" ? capsule.relays.map(({ address }) => address) : capsule.invite.hints;
    if (relays.length > 0) presence.ways?.enter(relays);
    if (capsule.kind === "host" && capsule.relays.length === 0) this.#carryOwn(capsule.volunteer);
    await this.#enter(() => drive.push({ kind: "command", command: { kind: "resume", capsule } }));
  }

  snapshot(): readonly EngineEvent[] {
    return this.#standing.list();
  }

  async chooseWay(choice: WayChoice): Promise<void> {
    const { presence, traffic } = this.#up();
    presence.ways?.choose(choice);
    if (presence.ways?.allowsUdp === false) traffic.closeAll("webrtc");
    this.#tellWay();
  }

  async probe(text: string): Promise<ProbeVerdict> {
    const { presence } = this.#up();
    const { clock, crypto } = this.#ports;
    const invite = readInvite(this.#ports.crypto, text);
    presence.ways?.enter(invite.hints);
    this.stopProbe();
    const probing = new AbortController();
    this.#probing = probing;
    const tell = (step: ProbeStep): void => this.#emit({ event: "probe", ...step });
    const verdict = await probe({ presence, clock, crypto }, invite, tell, probing.signal);
    if (verdict === undefined) throw fault("stalled");
    return verdict;
  }

  stopProbe(): void {
    this.#probing?.abort();
  }

  async wipe(): Promise<void> {
    const running = this.#running;
    this.stopProbe();
    await this.leave();
    running?.drive.push({ kind: "command", command: { kind: "stop-lending" } });
    running?.presence.ways?.choose({ rung: "auto" });
    this.#invites = undefined;
    this.#card = undefined;
    this.#way = undefined;
    this.#standing.clear();
  }

  leave(): Promise<void> {
    this.#running?.drive.push({ kind: "command", command: { kind: "leave" } });
    this.#settle((waiting) => waiting.reject(fault("stalled")));
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  stats(): Stats {
    const { peer, traffic } = this.#up();
    return { ...peer.stats(this.#ports.clock.now()), ...traffic.count() };
  }

  totals(): Totals {
    return this.#up().peer.totals();
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(listener: (packet: HeardPacket) => void): () => void {
    this.#hearers.add(listener);
    return () => this.#hearers.delete(listener);
  }

  /** A host without relays is its own: it carries the room, and has to be reachable. */
  #carryOwn(options: VolunteerOptions): void {
    const { drive, presence } = this.#up();
    if (!presence.reach) throw fault("address-unusable");
    const cardSecret = this.#ports.crypto.randomBytes(cardSecretBytes);
    if (!this.#card) drive.push({ kind: "command", command: { kind: "volunteer", options, cardSecret } });
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.stopProbe();
    this.#browsing.abort();
    await this.leave();
    if (running) {
      running.cancelStats();
      running.records?.stop();
      running.drive.stop();
      running.traffic.stop();
    }
    await this.#ports.network.stop();
  }

  /** Pushes a command that ends in being in a room, and waits for that. */
  #enter(push: () => void): Promise<void> {
    // Both would dial the same relays, which may be dialed three times a minute.
    this.stopProbe();
    this.#askedAt = this.#ports.clock.now();
    // Who enters another room gives this one up.
    this.#settle((waiting) => waiting.reject(fault("stalled")));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      push();
    });
  }

  #carry(output: PeerOutput): void {
    const running = this.#running;
    if (!running) return;
    switch (output.kind) {
      case "send":
        return running.traffic.send(output.link, output.bytes);
      case "close":
        return running.traffic.close(output.link);
      case "dial":
      case "upgrade":
        return running.traffic.dial(output);
      case "cancel-dial":
        return running.traffic.cancel(output.dial);
      case "publish":
        return running.records?.publish(output.key, output.value);
      case "lookup":
        return running.records?.lookup(output.keys);
      case "heard":
        for (const hearer of this.#hearers) hearer(output.packet);
        return;
      case "event":
        return this.#report(output.event);
      default:
        return output satisfies never;
    }
  }

  #report(event: PeerEvent): void {
    const ms = Math.round(this.#ports.clock.now() - this.#askedAt);
    switch (event.event) {
      case "hosting": {
        const invites = writeInvites(this.#ports.crypto, event.invites);
        this.#invites = invites;
        return this.#emit({ event: "room", room: event.room, invites, link: inviteLink(invites.listener) });
      }
      case "joined":
        this.#emit({ ...event, ms });
        return this.#settle((waiting) => waiting.resolve());
      case "sound":
        return this.#emit({ ...event, ms });
      case "answered":
        return this.#questions.answer(event);
      case "link-replaced":
        if (event.invite.chain.at(-1)?.role !== "listener") return undefined;
        return this.#emit({ event: "invite", invite: encodeInvite(this.#ports.crypto, event.invite) });
      case "trouble": {
        const error = fault(event.code);
        const { code, message } = error;
        const refused = code.startsWith("refused") || (event.fatal && exitCodes[code] === 4);
        this.#emit({ event: refused ? "refused" : "error", code, message });
        return event.fatal ? this.#settle((waiting) => waiting.reject(error)) : undefined;
      }
      default:
        // The others are told as they are.
        return this.#emit(event);
    }
  }

  #settle(end: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) end(waiting);
  }

  /** Says which way is in use, when it is another than was said or something failed since. */
  #tellWay(): void {
    const { ways } = this.#up().presence;
    if (ways === undefined) return;
    const rung = this.#up().traffic.count().links.webrtc === undefined ? (ways.stream ?? null) : "webrtc";
    const { failures, chosen } = ways;
    const said = this.#way;
    const since = said?.rung === rung ? said.since : this.#ports.clock.now();
    const way = { rung, since, chosen, failures };
    if (JSON.stringify(said) === JSON.stringify(way)) return;
    this.#way = way;
    this.#emit({ event: "way", ...this.#way });
  }

  /** Says what is lent, when it is another than was said; nothing as long as nothing was ever lent. */
  #tellLending(kbps: number): void {
    const { peer } = this.#up();
    const lending = { ...peer.lending(this.#ports.clock.now()), kbps };
    const said = this.#standing.list().find(({ event }) => event === "lending");
    const next = { event: "lending", ...lending } as const;
    if ((said === undefined && !lending.on) || JSON.stringify(said) === JSON.stringify(next)) return;
    this.#emit(next);
  }

  #scheduleStats(from: Millis): void {
    const running = this.#running;
    if (!running || this.#stopping) return;
    const next = millis(from + statsMs);
    const { bytesOut } = running.traffic.count();
    running.cancelStats = this.#ports.clock.wakeAt(next, () => {
      this.#emit({ event: "stats", ...this.stats() });
      // Whoever asks between two of these reads the interval under way, and does not end it.
      running.peer.startInterval();
      this.#tellWay();
      this.#tellLending(Math.round(((running.traffic.count().bytesOut - bytesOut) * 8) / statsMs));
      this.#scheduleStats(millis(Math.max(next, this.#ports.clock.now() - statsMs)));
    });
  }

  #emit(event: EngineEvent): void {
    this.#standing.note(event);
    for (const listener of this.#listeners) listener(event);
  }

  #up(): Running {
    if (!this.#running) throw fault("internal");
    return this.#running;
  }
}
