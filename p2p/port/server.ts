import type { EngineApi, EngineEvent, HeardPacket } from "../api/engine.ts";
import { TeahouseError } from "../api/errors.ts";
import { socketMessageBytesMax } from "../api/socket.ts";
import type { Port, PortCloseReason } from "../api/port.ts";
import { requestCall, tellCall } from "./commands.ts";
import { type Mirror } from "./events.ts";
import { EventFlow, Receipts, SoundFlow } from "./flow.ts";
import { toHex } from "./hex.ts";
import {
  faultsMax,
  type PortFault,
  readFromWindow,
  type RequestMethod,
  requestsMax,
  type ToEngine,
  type ToWindow,
  write,
} from "./protocol.ts";
import type { Occupant, Seat } from "./seat.ts";
import { readSpoken, writeHeard } from "./sound.ts";

/** Who is at the other end. `window` may use the engine; `owner` may also end it, and keeps its capsule. */
export type Rights = "window" | "owner";

/** How an engine is served. */
export interface ServeOptions {
  readonly rights: Rights;
  /** Where only one window may be open at a time. */
  readonly seat?: Seat;
}

/** An engine being served on one port. */
export interface PortServer {
  /** Messages that were dropped, by reason. */
  readonly faults: Readonly<Partial<Record<PortFault, number>>>;
  /** Opened packets that fell because the other side did not keep up. */
  readonly soundsDropped: number;
  /** Says why and hangs up. The engine goes on. */
  close(reason: PortCloseReason): void;
}

const ownersOnly: ReadonlySet<RequestMethod> = new Set(["resume", "stop"]);
const brokenSentence = "Something broke inside Teahouse; please start it again.";

/** Lets whoever is at the other end of the port use the engine, within the contract and their rights, until it closes. */
export function servePort(port: Port, engine: EngineApi, options: ServeOptions): PortServer {
  return new Server(port, engine, options);
}

class Server implements PortServer, Occupant {
  readonly faults: Partial<Record<PortFault, number>> = {};
  readonly #port: Port;
  readonly #engine: EngineApi;
  readonly #options: ServeOptions;
  readonly #sounds: SoundFlow;
  readonly #events = new EventFlow();
  readonly #receipts = new Receipts();
  #state: "waiting" | "open" | "closed" = "waiting";
  #requests = 0;
  #faultCount = 0;
  #mirrored = "";
  #unsubscribe: () => void = () => undefined;
  #unhear: (() => void) | undefined;

  constructor(port: Port, engine: EngineApi, options: ServeOptions) {
    this.#port = port;
    this.#engine = engine;
    this.#options = options;
    this.#sounds = new SoundFlow((bytes) => port.postMessage(bytes));
    port.attach({ onMessage: (message) => this.#take(message), onClose: () => this.#end() });
    const { seat } = options;
    if (seat === undefined) this.admit();
    else if (!seat.ask(this)) this.#post({ kind: "occupied" });
  }

  get soundsDropped(): number {
    return this.#sounds.dropped;
  }

  admit(): void {
    if (this.#state !== "waiting") return;
    this.#state = "open";
    this.#unsubscribe = this.#engine.subscribe((event) => this.#tell(event));
    this.#welcome();
  }

  evict(): void {
    this.close("replaced");
  }

  close(reason: PortCloseReason): void {
    if (this.#state === "closed") return;
    this.#post({ kind: "bye", reason });
    this.#port.close();
    this.#end();
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unsubscribe();
    this.#unhear?.();
    this.#options.seat?.leave(this);
  }

  #take(message: unknown): void {
    if (this.#state === "closed") return;
    if (typeof message === "string") this.#takeText(message);
    else if (message instanceof Uint8Array) this.#takeSound(message);
    else this.#fault("not-text-or-bytes");
  }

  #takeText(message: string): void {
    const read = readFromWindow(message);
    if (typeof read === "string") return this.#fault(read);
    if (read.kind === "take-over") {
      this.#options.seat?.takeOver(this);
      return;
    }
    // Who waits for the seat can ask for nothing else yet.
    if (this.#state !== "open") return this.#fault("bad-shape");
    switch (read.kind) {
      case "request":
        return this.#request(read);
      case "tell": {
        const call = tellCall(this.#engine, read.method, read.arguments);
        return call ? this.#run(call) : this.#fault("bad-shape");
      }
      case "taken":
        return this.#taken(read.events, read.sounds);
      case "hear":
        return this.#hear(read.on);
      case "keep":
        if (this.#options.seat !== undefined) this.#options.seat.kept = read.text;
        return;
      default:
        return read satisfies never;
    }
  }

  #takeSound(bytes: Uint8Array): void {
    if (bytes.length > socketMessageBytesMax) return this.#fault("too-long");
    const packet = this.#state === "open" ? readSpoken(bytes) : undefined;
    if (packet === undefined) return this.#fault("bad-sound");
    if (this.#receipts.sound()) {
      this.#receipts.told();
      this.#post({ kind: "taken", sounds: this.#receipts.sounds });
    }
    this.#run(() => this.#engine.speak(packet));
  }

  #request({ id, method, arguments: given }: Extract<ToEngine, { kind: "request" }>): void {
    const refused = ownersOnly.has(method) && this.#options.rights !== "owner";
    const call = refused ? undefined : requestCall(this.#engine, method, given);
    const isTooMany = this.#requests >= requestsMax;
    if (call === undefined || isTooMany) {
      this.#fault(isTooMany ? "too-many" : "bad-shape");
      this.#post({ kind: "fault", id, code: "usage", message: "A window cannot ask that of the engine." });
      return;
    }
    this.#requests += 1;
    void this.#answer(id, call);
  }

  async #answer(id: number, call: () => Promise<unknown>): Promise<void> {
    try {
      const value = (await call()) ?? null;
      this.#mirror();
      this.#post({ kind: "answer", id, value });
    } catch (error) {
      this.#post({ kind: "fault", id, ...faultOf(error) });
    }
    this.#requests -= 1;
  }

  /** A command without an answer: its trouble is told as an event, to this side only. */
  #run(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (this.#events.mayTell()) this.#post({ kind: "event", event: { event: "error", ...faultOf(error) } });
    }
  }

  #taken(events: number, sounds: number): void {
    const became = this.#events.took(events);
    if (!this.#sounds.took(sounds) || became === "impossible") return this.#fault("bad-count");
    if (became === "caught-up") this.#welcome();
  }

  #hear(on: boolean): void {
    this.#unhear?.();
    this.#unhear = on ? this.#engine.hear((packet) => this.#pass(packet)) : undefined;
  }

  #pass(packet: HeardPacket): void {
    const bytes = writeHeard(packet);
    if (bytes !== undefined) this.#sounds.send(bytes);
  }

  #tell(event: EngineEvent): void {
    // Who does not keep up is told both anew once it does.
    if (!this.#events.mayTell()) return;
    // First, so that who hears the event finds the counts that go with it.
    this.#mirror();
    this.#post({ kind: "event", event });
  }

  #welcome(): void {
    const mirror = this.#readMirror();
    this.#mirrored = JSON.stringify(mirror);
    const kept = this.#options.seat?.kept ?? null;
    this.#post({ kind: "welcome", events: ask(() => this.#engine.snapshot()) ?? [], mirror, kept });
  }

  #mirror(): void {
    const mirror = this.#readMirror();
    const text = JSON.stringify(mirror);
    if (text === this.#mirrored) return;
    this.#mirrored = text;
    this.#post({ kind: "mirror", mirror });
  }

  #readMirror(): Mirror {
    const capsule = this.#options.rights === "owner" ? ask(() => this.#engine.capsule()) : undefined;
    return {
      stats: ask(() => this.#engine.stats()) ?? null,
      totals: ask(() => this.#engine.totals()) ?? null,
      capsule: capsule === undefined ? null : toHex(capsule),
    };
  }

  #post(message: ToWindow): void {
    if (this.#state !== "closed") this.#port.postMessage(write(message));
  }

  #fault(reason: PortFault): void {
    this.faults[reason] = (this.faults[reason] ?? 0) + 1;
    this.#faultCount += 1;
    if (this.#faultCount >= faultsMax) this.close("protocol");
  }
}

/** What an engine answers at once; one that is not up yet has nothing to say. */
function ask<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch {
    return undefined;
  }
}

/** Trouble as it crosses the port. What went wrong inside may name things that a window must not show. */
function faultOf(error: unknown): Pick<TeahouseError, "code" | "message"> {
  if (error instanceof TeahouseError) return { code: error.code, message: error.message };
  return { code: "internal", message: brokenSentence };
}
