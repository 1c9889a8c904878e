import type {
  EngineApi,
  EngineEvent,
  HeardPacket,
  Layer,
  HostOptions,
  Invites,
  JoinOptions,
  Power,
  SpokenPacket,
  Stats,
  Totals,
  VolunteerOptions,
} from "../../p2p/api/engine.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import type { Act, InviteTerms, OpenRoom } from "../../p2p/api/room.ts";
import type { PeerId, RoomKey, VoiceKey } from "../../p2p/api/ids.ts";
import type { ProbeStep, ProbeVerdict, WayChoice } from "../../p2p/api/way.ts";
import { Recollection } from "../../p2p/port/recollection.ts";

/** Counts of a listener that had half a second of sound. */
export const statsOfDouble: Stats = {
  framesExpected: 25,
  framesOnTime: 24,
  framesConcealed: 1,
  framesDuplicate: 0,
  framesSent: 0,
  worstGapMs: 20,
  packetsForwarded: 0,
  packetsRejected: {},
  bytesIn: 1000,
  bytesOut: 100,
  controlBytes: 50,
  latencyMs: 12,
  hops: 3,
  children: 0,
  links: { webrtc: 1 },
  layer: "normal",
};

const room = "ab".repeat(32) as RoomKey;
const peer = "cd".repeat(32) as PeerId;
const invites: Invites = { listener: "thi1-l", speaker: "thi1-s", moderator: "thi1-m", heir: "thi1-h" };

/**
 * An engine without a network, to test what others make of the contract: it writes down what was asked of it, and a
 * test lets it fail or emit what it wants.
 */
export class EngineDouble implements EngineApi {
  readonly calls: string[] = [];
  readonly spoken: SpokenPacket[] = [];
  hosted: HostOptions | undefined;
  /** What `lend` was given last. */
  lent: VolunteerOptions | null | undefined;
  /** What `power` was given. */
  readonly powers: Power[] = [];
  way: WayChoice | undefined;
  verdict: ProbeVerdict = "works";
  /** What `probe` tells of, one after the other. */
  probeSteps: readonly ProbeStep[] = [{ rung: "relay", relay: 1, what: "/ip4/192.0.2.1/tcp/443/tls/ws", ok: true }];
  /** `probe` waits for it before it answers. */
  probeGate: Promise<void> = Promise.resolve();
  /** What the last `probe` was given. */
  probedWith: string | undefined;
  joinedWith: string | undefined;
  joinedBy: JoinOptions | undefined;
  /** What `act` was given, in order. */
  readonly acts: Act[] = [];
  /** What `openRooms` answers. */
  listed: readonly OpenRoom[] = [];
  /** What the last `issueInvite` was given. */
  invited: InviteTerms | undefined;
  /** Rejects the next command with this. */
  failure: Error | undefined;
  /** `join`, `host` and `leave` wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** What `preferLayer` was given last. */
  layer: Layer | undefined;
  /** What `capsule` answers. */
  capsuleBytes: Uint8Array | undefined;
  /** What `resume` was given. */
  resumedWith: Uint8Array | undefined;
  /** What commands without an answer were given. */
  readonly told: (readonly [name: string, argument: string])[] = [];
  readonly #known = new Recollection();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #hearers = new Set<(packet: HeardPacket) => void>();
  readonly #waiters = new Map<string, () => void>();
  #isUp = false;

  emit(event: EngineEvent): void {
    this.#known.note(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Lets everybody hear a packet. */
  deliver(packet: HeardPacket): void {
    for (const hearer of this.#hearers) hearer(packet);
  }

  get hearerCount(): number {
    return this.#hearers.size;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Resolves when this command was asked for. */
  async called(name: string): Promise<void> {
    if (this.calls.includes(name)) return;
    await new Promise<void>((resolve) => this.#waiters.set(name, resolve));
  }

  async start(): Promise<void> {
    await this.#note("start");
    this.#isUp = true;
    this.emit({ event: "ready", peer, addresses: [], version: "1" });
  }

  async volunteer(): Promise<string> {
    await this.#note("volunteer");
    this.emit({ event: "card", card: "thc1-card" });
    return "thc1-card";
  }

  async lend(options: VolunteerOptions | null): Promise<void> {
    this.lent = options;
    await this.#note("lend");
  }

  power(power: Power): void {
    this.powers.push(power);
    void this.#note("power");
  }

  async host(options: HostOptions): Promise<Invites> {
    this.hosted = options;
    await this.#note("host", this.gate);
    this.emit({ event: "room", room, invites, link: "teahouse://join#thi1-l" });
    this.emit({ event: "joined", room, role: "host", hops: 0, parents: [], ms: 3 });
    return invites;
  }

  async join(invite: string, options?: JoinOptions): Promise<void> {
    this.joinedWith = invite;
    this.joinedBy = options;
    await this.#note("join", this.gate);
    this.emit({ event: "joined", room, role: "listener", hops: 2, parents: [peer], ms: 7 });
  }

  async chooseWay(choice: WayChoice): Promise<void> {
    this.way = choice;
    await this.#note("chooseWay", this.gate);
  }

  async probe(invite: string): Promise<ProbeVerdict> {
    this.probedWith = invite;
    await this.#note("probe");
    for (const step of this.probeSteps) this.emit({ event: "probe", ...step });
    await this.probeGate;
    return this.verdict;
  }

  async openRooms(): Promise<readonly OpenRoom[]> {
    await this.#note("openRooms");
    return this.listed;
  }

  stopProbe(): void {
    void this.#note("stopProbe");
  }

  raiseHand(): void {
    void this.#note("raiseHand");
  }

  lowerHand(): void {
    void this.#note("lowerHand");
  }

  speak(packet: SpokenPacket): void {
    this.spoken.push(packet);
  }

  preferLayer(layer: Layer): void {
    this.layer = layer;
  }

  admit(hand: string): void {
    this.#tell("admit", hand);
  }

  dismiss(hand: string): void {
    this.#tell("dismiss", hand);
  }

  removeFromStage(voice: VoiceKey): void {
    this.#tell("removeFromStage", voice);
  }

  async act(act: Act): Promise<void> {
    this.acts.push(act);
    await this.#note("act");
  }

  async issueInvite(terms: InviteTerms): Promise<string> {
    this.invited = terms;
    await this.#note("issueInvite");
    return `thi1-${terms.role}`;
  }

  say(text: string): void {
    if (text === "") throw new TeahouseError("usage", "There is nothing to say.");
    this.#tell("say", text);
  }

  capsule(): Uint8Array | undefined {
    return this.capsuleBytes;
  }

  async resume(capsule: Uint8Array): Promise<void> {
    this.resumedWith = capsule;
    await this.#note("resume", this.gate);
    this.emit({ event: "joined", room, role: "listener", hops: 2, parents: [peer], ms: 9 });
  }

  snapshot(): readonly EngineEvent[] {
    return this.#known.list();
  }

  async wipe(): Promise<void> {
    await this.#note("wipe");
    if (this.#known.isInRoom) this.emit({ event: "left" });
    this.#known.clear();
  }

  async leave(): Promise<void> {
    await this.#note("leave");
    if (this.#known.isInRoom) this.emit({ event: "left" });
  }

  async stop(): Promise<void> {
    await this.#note("stop");
  }

  stats(): Stats {
    if (!this.#isUp) throw new TeahouseError("internal", "The engine is not up.");
    return statsOfDouble;
  }

  totals(): Totals {
    return { latencyMs: { p50: 10, p95: 20, p99: 30 }, outagesMs: [120], covers: 1, moves: 2 };
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(listener: (packet: HeardPacket) => void): () => void {
    this.#hearers.add(listener);
    return () => this.#hearers.delete(listener);
  }

  #tell(name: string, argument: string): void {
    this.told.push([name, argument]);
    void this.#note(name);
  }

  async #note(name: string, gate?: Promise<void>): Promise<void> {
    this.calls.push(name);
    this.#waiters.get(name)?.();
    await gate;
    if (this.failure !== undefined && name !== "leave" && name !== "stop") throw this.failure;
  }
}
