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
} from "./api/engine.ts";
import { TeahouseError } from "./api/errors.ts";
import type { VoiceKey } from "./api/ids.ts";
import type { Act, InviteTerms, OpenRoom } from "./api/room.ts";
import type { ProbeVerdict, WayChoice } from "./api/way.ts";

/** What a listening node must keep to be found again after a crash. */
export interface Standing {
  /** What its key, path token and card derive from, 32 bytes. */
  readonly seed: Uint8Array;
  /** TCP port; 0: any free one. */
  readonly port: number;
  /** What it lends as a volunteer; undefined: nothing. */
  readonly lends?: VolunteerOptions;
  /** What it lends to the room it is in, without a card; undefined: nothing. */
  readonly helps?: VolunteerOptions;
}

/** Makes an engine: with a standing one that can be dialed, without one that cannot. */
export type MakeEngine = (standing: Standing | undefined) => Promise<EngineApi>;

/**
 * An engine for a window: it listens only once the person hosts without a relay or volunteers, because who does
 * neither has no reason to show an open port. To begin listening it changes into a new engine and, when it was in a
 * room, comes back into it as the same person. Its capsule also says how it listened, so that invites which name this
 * computer still lead to it.
 */
export function createShyEngine(make: MakeEngine, options: ShyOptions): EngineApi {
  return new ShyEngine(make, options);
}

/** How shy it is. */
export interface ShyOptions {
  /** 32 random bytes. */
  freshSeed(): Uint8Array;
  /** Listens from the start: the person said where. */
  readonly listensAtOnce: boolean;
  /** Whether it may begin to listen now; with a proxy it would show what the proxy hides. Default: always. */
  mayListen?(): boolean;
  /** Takes a way while no engine is up. Throws like `chooseWay`. */
  chooseWay?(choice: WayChoice): void;
}

const hiddenSentence = "With a proxy this computer shows itself to nobody; use a relay's card, or choose no proxy.";

/** Capsule: length of the standing u16 · the standing as JSON (nothing when not listening) · the engine's own. */
const lengthBytes = 2;

class ShyEngine implements EngineApi {
  /** Whether a room was entered by the node that is up. */
  #used = false;
  readonly #make: MakeEngine;
  readonly #options: ShyOptions;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #hearers = new Set<(packet: HeardPacket) => void>();
  #current: EngineApi | undefined;
  #layer: Layer | undefined;
  #starting: Promise<void> | undefined;
  #standing: Standing | undefined;
  /** Told to every engine that comes up. */
  #power: Power | undefined;
  #unhear: (() => void) | undefined;
  #unsubscribe: () => void = () => undefined;
  /** Counts goodbyes: who asked to go in before one does not go in after it. */
  #goodbyes = 0;

  constructor(make: MakeEngine, options: ShyOptions) {
    this.#make = make;
    this.#options = options;
  }

  /** Asked again, it is the same start. */
  start(): Promise<void> {
    this.#starting ??= this.#begin(this.#options.listensAtOnce ? this.#freshStanding() : undefined);
    return this.#starting;
  }

  async volunteer(options: VolunteerOptions): Promise<string> {
    await this.#listen();
    const card = await this.#up().volunteer(options);
    if (this.#standing !== undefined) this.#standing = { ...this.#standing, lends: options };
    return card;
  }

  async lend(options: VolunteerOptions | null): Promise<void> {
    if (options !== null) await this.#listen();
    await this.#up().lend(options);
    if (this.#standing === undefined) return;
    const { helps: _before, ...standing } = this.#standing;
    this.#standing = options === null ? standing : { ...standing, helps: options };
  }

  power(power: Power): void {
    this.#power = power;
    this.#current?.power(power);
  }

  async host(options: HostOptions): Promise<Invites> {
    const stillWanted = this.#wish();
    await this.#freshen();
    if (options.via.length === 0) await this.#listen();
    stillWanted();
    this.#used = true;
    return this.#up().host(options);
  }

  async join(invite: string, options: JoinOptions): Promise<void> {
    const stillWanted = this.#wish();
    await this.#freshen();
    stillWanted();
    this.#used = true;
    return this.#up().join(invite, options);
  }

  async chooseWay(choice: WayChoice): Promise<void> {
    // Before anything is dialed, if it was asked for then.
    if (this.#starting === undefined) this.#options.chooseWay?.(choice);
    else {
      await this.#starting;
      // Who can be dialed at an open port is not hidden by any proxy.
      if (this.#standing !== undefined && choice.proxy !== undefined) {
        throw new TeahouseError("proxy-hides", hiddenSentence);
      }
      await this.#up().chooseWay(choice);
    }
  }

  async probe(invite: string): Promise<ProbeVerdict> {
    await this.#starting;
    return this.#up().probe(invite);
  }

  async openRooms(): Promise<readonly OpenRoom[]> {
    await this.#starting;
    return this.#up().openRooms();
  }

  stopProbe(): void {
    this.#current?.stopProbe();
  }

  raiseHand(): void {
    this.#up().raiseHand();
  }

  lowerHand(): void {
    this.#up().lowerHand();
  }

  speak(packet: SpokenPacket): void {
    this.#current?.speak(packet);
  }

  preferLayer(layer: Layer): void {
    this.#layer = layer;
    this.#current?.preferLayer(layer);
  }

  admit(hand: string): void {
    this.#up().admit(hand);
  }

  dismiss(hand: string): void {
    this.#up().dismiss(hand);
  }

  removeFromStage(voice: VoiceKey): void {
    this.#up().removeFromStage(voice);
  }

  async act(act: Act): Promise<void> {
    await this.#up().act(act);
  }

  async issueInvite(terms: InviteTerms): Promise<string> {
    return this.#up().issueInvite(terms);
  }

  say(text: string): void {
    this.#up().say(text);
  }

  capsule(): Uint8Array | undefined {
    const inner = this.#current?.capsule();
    if (inner === undefined) return undefined;
    const standing = this.#standing === undefined ? new Uint8Array() : writeStanding(this.#standing);
    const capsule = new Uint8Array(lengthBytes + standing.length + inner.length);
    new DataView(capsule.buffer).setUint16(0, standing.length);
    capsule.set(standing, lengthBytes);
    capsule.set(inner, lengthBytes + standing.length);
    return capsule;
  }

  async resume(capsule: Uint8Array): Promise<void> {
    if (capsule.length < lengthBytes) throw notUp();
    const stillWanted = this.#wish();
    const end = lengthBytes + new DataView(capsule.buffer, capsule.byteOffset).getUint16(0);
    // Invites in people's hands name the key and the port of before.
    if (end > lengthBytes) await this.#change(readStanding(capsule.subarray(lengthBytes, end)));
    this.#used = true;
    if (this.#standing?.lends !== undefined) await this.#up().volunteer(this.#standing.lends);
    if (this.#standing?.helps !== undefined) await this.#up().lend(this.#standing.helps);
    stillWanted();
    await this.#up().resume(capsule.subarray(end));
  }

  snapshot(): readonly EngineEvent[] {
    return this.#current?.snapshot() ?? [];
  }

  /** The node that was known goes, and another comes up. */
  async wipe(): Promise<void> {
    this.#goodbyes += 1;
    await this.#starting;
    this.#power = undefined;
    this.#layer = undefined;
    await this.#up().wipe();
    await this.#change(this.#options.listensAtOnce ? this.#freshStanding() : undefined);
  }

  async leave(): Promise<void> {
    this.#goodbyes += 1;
    await this.#current?.leave();
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#current?.stop();
  }

  stats(): Stats {
    return this.#up().stats();
  }

  totals(): Totals {
    return this.#up().totals();
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(listener: (packet: HeardPacket) => void): () => void {
    this.#hearers.add(listener);
    this.#unhear ??= this.#current?.hear((packet) => this.#pass(packet));
    return () => {
      this.#hearers.delete(listener);
      if (this.#hearers.size > 0) return;
      this.#unhear?.();
      this.#unhear = undefined;
    };
  }

  /**
   * A node of its own for each room, so that nobody who sees two of them knows that both are the same person. One that
   * lends keeps its key, which its card names.
   */
  async #freshen(): Promise<void> {
    // A window is drawn before its engine is up, and a person may be as quick.
    await this.#starting;
    const { lends, helps } = this.#standing ?? {};
    if (!this.#used || lends !== undefined) return;
    const listens = this.#options.listensAtOnce || helps !== undefined;
    await this.#change(listens ? this.#freshStanding() : undefined);
    if (helps !== undefined) await this.lend(helps);
  }

  /** Makes it listen, if it does not yet. */
  async #listen(): Promise<void> {
    await this.#starting;
    if (this.#standing !== undefined) return;
    if (this.#options.mayListen?.() === false) throw new TeahouseError("proxy-hides", hiddenSentence);
    const capsule = this.#up().capsule();
    try {
      await this.#change(this.#freshStanding());
    } finally {
      if (capsule !== undefined) {
        this.#used = true;
        await this.#up().resume(capsule);
      }
    }
  }

  /** What it returns throws once the room that is asked for now was left again. */
  #wish(): () => void {
    const before = this.#goodbyes;
    return () => {
      if (this.#goodbyes !== before) throw new TeahouseError("stalled", "The room was left before it was entered.");
    };
  }

  #freshStanding(): Standing {
    return { seed: this.#options.freshSeed(), port: 0 };
  }

  async #change(standing: Standing | undefined): Promise<void> {
    this.#unsubscribe();
    this.#unhear?.();
    this.#unhear = undefined;
    const former = this.#current;
    this.#current = undefined;
    this.#starting = former?.stop().then(() => this.#begin(standing)) ?? this.#begin(standing);
    try {
      await this.#starting;
    } catch (error) {
      // Who cannot listen goes on without: there are other rooms, and relays of others.
      this.#starting = this.#begin(undefined);
      await this.#starting;
      throw error;
    }
  }

  async #begin(standing: Standing | undefined): Promise<void> {
    const engine = await this.#make(standing);
    this.#used = false;
    this.#standing = standing;
    if (this.#layer !== undefined) engine.preferLayer(this.#layer);
    this.#unsubscribe = engine.subscribe((event) => this.#tell(event));
    if (this.#hearers.size > 0) this.#unhear = engine.hear((packet) => this.#pass(packet));
    try {
      await engine.start();
    } catch (error) {
      this.#unsubscribe();
      this.#unhear?.();
      this.#unhear = undefined;
      await engine.stop().catch(() => undefined);
      throw error;
    }
    if (this.#power !== undefined) engine.power(this.#power);
    this.#current = engine;
  }

  #tell(event: EngineEvent): void {
    if (event.event === "ready" && this.#standing !== undefined) {
      const port = portOf(event.addresses) ?? this.#standing.port;
      this.#standing = { ...this.#standing, port };
    }
    for (const listener of this.#listeners) listener(event);
  }

  #pass(packet: HeardPacket): void {
    for (const hearer of this.#hearers) hearer(packet);
  }

  #up(): EngineApi {
    if (this.#current === undefined) throw notUp();
    return this.#current;
  }
}

function writeStanding({ seed, ...rest }: Standing): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...rest, seed: [...seed] }));
}

/** Our own words of a moment ago, kept by the supervisor. */
function readStanding(bytes: Uint8Array): Standing {
  const { seed, ...rest } = JSON.parse(new TextDecoder().decode(bytes)) as Standing & { readonly seed: number[] };
  return { ...rest, seed: Uint8Array.from(seed) };
}

function portOf(addresses: readonly string[]): number | undefined {
  const port = addresses.map((address) => /\/tcp\/(?<port>\d+)/.exec(address)?.groups?.["port"]).find(Boolean);
  return port === undefined ? undefined : Number(port);
}

function notUp(): TeahouseError {
  return new TeahouseError("internal", "Teahouse is not ready yet; please try again in a moment.");
}
