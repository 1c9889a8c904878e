import type {
  EngineApi,
  EngineEvent,
  HeardPacket,
  HostOptions,
  Invites,
  JoinOptions,
  Layer,
  Power,
  SpokenPacket,
  Stats,
  Totals,
  VolunteerOptions,
} from "../api/engine.ts";
import { TeahouseError } from "../api/errors.ts";
import type { VoiceKey } from "../api/ids.ts";
import type { Port, PortCloseReason, PortState } from "../api/port.ts";
import type { Act, InviteTerms, OpenRoom } from "../api/room.ts";
import type { ProbeVerdict, WayChoice } from "../api/way.ts";
import { invitesShape, type Mirror, listedRoomsShape, verdictShape } from "./events.ts";
import { Receipts, SoundFlow } from "./flow.ts";
import { fromHex, toHex } from "./hex.ts";
import {
  faultsMax,
  type PortFault,
  readFromEngine,
  type RequestMethod,
  requestsMax,
  type TellMethod,
  type ToEngine,
  type ToWindow,
  write,
} from "./protocol.ts";
import { Recollection } from "./recollection.ts";
import { readHeard, writeSpoken } from "./sound.ts";

/** An engine at the other end of a port. */
export interface PortClient extends EngineApi {
  readonly state: PortState;
  /** The way that was chosen last, for an engine that has to be told again. */
  readonly way: WayChoice | undefined;
  /** The layer that was asked for last, likewise. */
  readonly layer: Layer | undefined;
  /** Why it is closed; undefined while it is not. */
  readonly closeReason: PortCloseReason | undefined;
  /** Messages that were dropped, by reason. */
  readonly faults: Readonly<Partial<Record<PortFault, number>>>;
  /** Hears each change of `state`; the result removes the listener. */
  onState(listener: (state: PortState, reason: PortCloseReason | undefined) => void): () => void;
  /** While `occupied`: closes the other window and uses the engine here. */
  takeOver(): void;
  /**
   * Goes on over a new port after the old one closed. Subscriptions stay. `isResuming`: the engine behind it is about
   * to come back into the room, so the room is not taken for left until an event says so.
   */
  reconnect(port: Port, options?: { readonly isResuming?: boolean }): void;
  /** What the window before this one left with `keep`; undefined when it left nothing, or before the port was open. */
  readonly kept: string | undefined;
  /** Leaves up to `keptTextMax` characters to the next window, in place of what was left before. */
  keep(text: string): void;
  /** Tells listeners what the engine cannot tell any more, as if it had. */
  tell(event: EngineEvent): void;
  /** Knows nothing any more of what the engine said; whoever was in a room has left it. */
  forget(): void;
  /** Hangs up; the engine goes on. */
  close(): void;
}

/** How a client is made. */
export interface PortClientOptions {
  /** Wipes what is at the far end, where that takes more than asking it to; it calls `forget` when it has. */
  readonly wipe?: () => Promise<void>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: TeahouseError): void;
}

/**
 * An `EngineApi` over a port. Commands wait until the port is open. `stats`, `totals` and `capsule` are what the engine
 * said last, at most a second old; `stats` throws before the engine was up. Without the rights of an owner, `stop` and
 * `resume` reject with `usage`, and `capsule` is undefined. What is under way when the connection ends rejects with
 * `internal`. Without a port it waits for `reconnect`.
 */
export function createPortClient(port?: Port, options: PortClientOptions = {}): PortClient {
  const client = new Client(options.wipe);
  if (port !== undefined) client.reconnect(port);
  return client;
}

class Client implements PortClient {
  state: PortState = "connecting";
  way: WayChoice | undefined;
  layer: Layer | undefined;
  closeReason: PortCloseReason | undefined;
  kept: string | undefined;
  readonly faults: Partial<Record<PortFault, number>> = {};
  #port: Port | undefined;
  #sounds = new SoundFlow(() => undefined);
  #receipts = new Receipts();
  #isResuming = false;
  #nextId = 0;
  #faultCount = 0;
  #mirror: Mirror = { stats: null, totals: null, capsule: null };
  /** Commands given before the port was open. */
  #unsent: ToEngine[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #known = new Recollection();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #hearers = new Set<(packet: HeardPacket) => void>();
  readonly #stateListeners = new Set<(state: PortState, reason: PortCloseReason | undefined) => void>();

  readonly #wipe: PortClientOptions["wipe"];

  constructor(wipe: PortClientOptions["wipe"]) {
    this.#wipe = wipe;
  }

  reconnect(port: Port, options: { readonly isResuming?: boolean } = {}): void {
    this.#port?.close();
    this.#port = port;
    this.#isResuming = options.isResuming === true;
    this.#sounds = new SoundFlow((bytes) => port.postMessage(bytes));
    this.#receipts = new Receipts();
    this.#faultCount = 0;
    this.#enter("connecting");
    port.attach({
      // What an old port still delivers is not for the new one.
      onMessage: (message) => void (this.#port === port && this.#take(message)),
      onClose: () => void (this.#port === port && this.#end("lost")),
    });
  }

  tell(event: EngineEvent): void {
    this.#known.note(event);
    for (const listener of this.#listeners) listener(event);
  }

  keep(text: string): void {
    if (this.state !== "closed") this.#send({ kind: "keep", text });
  }

  takeOver(): void {
    if (this.state === "occupied") this.#post({ kind: "take-over" });
  }

  close(): void {
    this.#port?.close();
    this.#end("local");
  }

  async start(): Promise<void> {
    await this.#request("start", []);
  }

  async volunteer(options: VolunteerOptions): Promise<string> {
    const card = await this.#request("volunteer", [options]);
    if (typeof card !== "string") throw broken();
    return card;
  }

  async lend(options: VolunteerOptions | null): Promise<void> {
    await this.#request("lend", [options]);
  }

  power(power: Power): void {
    this.#say("power", [power]);
  }

  async host(options: HostOptions): Promise<Invites> {
    const invites = await this.#request("host", [options]);
    if (!invitesShape(invites)) throw broken();
    return invites;
  }

  async join(invite: string, options: JoinOptions): Promise<void> {
    await this.#request("join", [invite, options]);
  }

  async chooseWay(choice: WayChoice): Promise<void> {
    await this.#request("chooseWay", [choice]);
    this.way = choice;
  }

  async probe(invite: string): Promise<ProbeVerdict> {
    const answer = await this.#request("probe", [invite]);
    if (!verdictShape(answer)) throw broken();
    return answer;
  }

  stopProbe(): void {
    this.#say("stopProbe", []);
  }

  async act(act: Act): Promise<void> {
    await this.#request("act", [act]);
  }

  async issueInvite(terms: InviteTerms): Promise<string> {
    const invite = await this.#request("issueInvite", [terms]);
    if (typeof invite !== "string") throw broken();
    return invite;
  }

  async openRooms(): Promise<readonly OpenRoom[]> {
    const rooms = await this.#request("openRooms", []);
    if (!listedRoomsShape(rooms)) throw broken();
    return rooms;
  }

  raiseHand(): void {
    this.#say("raiseHand", []);
  }

  lowerHand(): void {
    this.#say("lowerHand", []);
  }

  speak(packet: SpokenPacket): void {
    const bytes = this.state === "open" ? writeSpoken(packet) : undefined;
    if (bytes !== undefined) this.#sounds.send(bytes);
  }

  preferLayer(layer: Layer): void {
    this.layer = layer;
    this.#say("preferLayer", [layer]);
  }

  admit(hand: string): void {
    this.#say("admit", [hand]);
  }

  dismiss(hand: string): void {
    this.#say("dismiss", [hand]);
  }

  removeFromStage(voice: VoiceKey): void {
    this.#say("removeFromStage", [voice]);
  }

  say(text: string): void {
    this.#say("say", [text]);
  }

  capsule(): Uint8Array | undefined {
    return this.#mirror.capsule === null ? undefined : fromHex(this.#mirror.capsule);
  }

  async resume(capsule: Uint8Array): Promise<void> {
    await this.#request("resume", [toHex(capsule)]);
  }

  snapshot(): readonly EngineEvent[] {
    return this.#known.list();
  }

  async wipe(): Promise<void> {
    this.way = undefined;
    if (this.#wipe !== undefined) return this.#wipe();
    await this.#request("wipe", []);
    return this.forget();
  }

  forget(): void {
    if (this.#known.isInRoom) this.tell({ event: "left" });
    this.#known.clear();
    this.#mirror = { stats: null, totals: null, capsule: null };
  }

  async leave(): Promise<void> {
    if (this.state !== "closed") await this.#request("leave", []);
    // An engine that is gone, or not back in the room yet, cannot say so.
    if (this.#known.isInRoom) this.tell({ event: "left" });
  }

  async stop(): Promise<void> {
    if (this.state === "closed") return;
    await this.#request("stop", []);
    this.close();
  }

  stats(): Stats {
    if (this.#mirror.stats === null) throw broken();
    return this.#mirror.stats;
  }

  totals(): Totals {
    return this.#mirror.totals ?? { latencyMs: null, outagesMs: [], covers: 0, moves: 0 };
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(listener: (packet: HeardPacket) => void): () => void {
    this.#hearers.add(listener);
    if (this.#hearers.size === 1 && this.state === "open") this.#post({ kind: "hear", on: true });
    return () => {
      if (!this.#hearers.delete(listener) || this.#hearers.size > 0) return;
      if (this.state === "open") this.#post({ kind: "hear", on: false });
    };
  }

  onState(listener: (state: PortState, reason: PortCloseReason | undefined) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  #enter(state: PortState, reason?: PortCloseReason): void {
    if (this.state === state && this.closeReason === reason) return;
    this.state = state;
    this.closeReason = reason;
    for (const listener of this.#stateListeners) listener(state, reason);
  }

  #end(reason: PortCloseReason): void {
    if (this.state === "closed") return;
    this.#unsent = [];
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#enter("closed", reason);
    for (const one of waiting) one.reject(broken());
  }

  #request(method: RequestMethod, given: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.state === "closed" || this.#waiting.size >= requestsMax) {
        reject(broken());
        return;
      }
      const id = (this.#nextId += 1);
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: "request", id, method, arguments: given });
    });
  }

  #say(method: TellMethod, given: readonly unknown[]): void {
    if (this.state !== "closed") this.#send({ kind: "tell", method, arguments: given });
  }

  #send(message: ToEngine): void {
    if (this.state === "open") this.#post(message);
    else if (this.#unsent.length < 2 * requestsMax) this.#unsent.push(message);
  }

  #post(message: ToEngine): void {
    this.#port?.postMessage(write(message));
  }

  #take(message: unknown): void {
    if (this.state === "closed") return;
    if (message instanceof Uint8Array) return this.#takeSound(message);
    if (typeof message !== "string") return this.#fault("not-text-or-bytes");
    const read = readFromEngine(message);
    if (typeof read === "string") return this.#fault(read);
    this.#takeMessage(read);
  }

  #takeMessage(read: ToWindow): void {
    switch (read.kind) {
      case "welcome":
        this.kept = read.kept ?? undefined;
        return this.#welcome(read.events, read.mirror);
      case "event":
        this.#receipts.event();
        this.#acknowledge();
        return this.tell(read.event);
      case "mirror":
        this.#mirror = read.mirror;
        return;
      case "answer":
        return this.#settleRequest(read.id, (waiting) => waiting.resolve(read.value));
      case "fault":
        return this.#settleRequest(read.id, (waiting) => waiting.reject(new TeahouseError(read.code, read.message)));
      case "taken":
        return this.#sounds.took(read.sounds) ? undefined : this.#fault("bad-count");
      case "occupied":
        return this.#enter("occupied");
      case "bye":
        this.#port?.close();
        return this.#end(read.reason);
      default:
        return read satisfies never;
    }
  }

  #welcome(events: readonly EngineEvent[], mirror: Mirror): void {
    const known = new Set(this.#known.list().map((event) => JSON.stringify(event)));
    // Who joined anew is told all of it again: what had been known, a role for one, was undone by that.
    if (events.some((event) => event.event === "joined" && !known.has(JSON.stringify(event)))) known.clear();
    const wasInRoom = this.#known.isInRoom;
    const staysInRoom = this.#isResuming || events.some(({ event }) => event === "joined" || event === "room");
    if (!this.#isResuming) this.#known.clear();
    this.#isResuming = false;
    this.#mirror = mirror;
    this.#enter("open");
    if (wasInRoom && !staysInRoom) this.tell({ event: "left" });
    for (const event of events) {
      // What is known already did not happen again.
      if (known.has(JSON.stringify(event))) this.#known.note(event);
      else this.tell(event);
    }
    if (this.#hearers.size > 0) this.#post({ kind: "hear", on: true });
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const message of unsent) this.#post(message);
  }

  #settleRequest(id: number, end: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return this.#fault("unknown-id");
    this.#waiting.delete(id);
    end(waiting);
  }

  #takeSound(bytes: Uint8Array): void {
    const packet = readHeard(bytes);
    if (packet === undefined) return this.#fault("bad-sound");
    if (this.#receipts.sound()) this.#acknowledge();
    for (const hearer of this.#hearers) hearer(packet);
  }

  #acknowledge(): void {
    this.#receipts.told();
    this.#post({ kind: "taken", events: this.#receipts.events, sounds: this.#receipts.sounds });
  }

  #fault(reason: PortFault): void {
    this.faults[reason] = (this.faults[reason] ?? 0) + 1;
    this.#faultCount += 1;
    if (this.#faultCount < faultsMax) return;
    this.#port?.close();
    this.#end("protocol");
  }
}

function broken(): TeahouseError {
  return new TeahouseError("internal", "The engine of Teahouse does not answer; please try again in a moment.");
}
