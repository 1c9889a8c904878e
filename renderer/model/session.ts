import type {
  EngineApi,
  EngineEvent,
  Hand,
  Invites,
  JoinStep,
  LendingState,
  PlaceRelay,
  Role,
  StagePerson,
} from "../../p2p/api/engine.ts";
import type { ErrorCode } from "../../p2p/api/errors.ts";
import type { RoomFacts } from "../../p2p/api/room.ts";
import { codeOf } from "./fault-code.ts";
import { cleanFacts } from "./room/facts.ts";
import { cleanName, cleanText } from "./names.ts";
import type { Scope } from "./scope.ts";
import { sentence, type Sentence } from "./sentence.ts";
import { Cell, type Value } from "./value.ts";

/**
 * How the window's line to the engine is. `second-window`: another one was open first. `replaced`: another one took over.
 * What follows is for good. `engine-gone`: the engine broke again and again. `line-lost`: it was looked for in vain.
 * `line-broken`: window and engine do not understand each other.
 */
export type LineState =
  | "connecting"
  | "open"
  | "restarting"
  | "second-window"
  | "replaced"
  | "token-wrong"
  | "engine-gone"
  | "line-lost"
  | "line-broken";

/** Where we are: `entering` from the first command until joined or refused. */
export type Phase = "outside" | "entering" | "inside";

/** Who is on stage and who would like to be; names are clean and may be empty. */
export interface Stage {
  readonly title: string;
  /** The host first, then by role; within a role as the engine names them. */
  readonly people: readonly StagePerson[];
  /** In the order they were raised. */
  readonly hands: readonly Hand[];
}

/** How many are in the room. */
export interface Crowd {
  readonly speakers: number;
  readonly listeners: number;
  readonly relays: number;
}

/** One typed text. */
export interface TypedText {
  /** Counts up within this window. */
  readonly id: number;
  readonly identity: string;
  readonly name: string;
  readonly text: string;
  readonly at: number;
  readonly self: boolean;
}

/** Where our sound comes from, and who gets it from us. */
export interface Place {
  readonly hops: number;
  readonly relays: readonly PlaceRelay[];
  readonly below: readonly PlaceRelay[];
}

/** Something that happened on the way of our sound. `cover`: a reserve filled a hole. `move`: another relay is our parent now. */
export interface Happening {
  /** Counts up within this window. */
  readonly id: number;
  readonly kind: "cover" | "move";
  /** Wall clock, Unix ms. */
  readonly at: number;
  /** How long nothing was heard. */
  readonly gapMs: number;
  /** Packets of the hole that came after all. */
  readonly packetsRecovered: number;
}

/** How the sound is, over the last second. */
export interface Quality {
  /** Capture to ready-to-play; null without sound. */
  readonly latencyMs: number | null;
  readonly layer: "normal" | "low";
}

/** What can be passed on. */
export interface Sharing {
  /** As text, by role; only a host has more than one. */
  readonly invites: Partial<Invites>;
}

const nowhere: Place = { hops: 0, relays: [], below: [] };
const emptyStage: Stage = { title: "", people: [], hands: [] };
const noCrowd: Crowd = { speakers: 0, listeners: 0, relays: 0 };
const noQuality: Quality = { latencyMs: null, layer: "normal" };
const ranks: Readonly<Record<Role, number>> = { host: 0, heir: 1, moderator: 2, speaker: 3, listener: 4 };

/** Troubles that end with being told: the connection is as good as before. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "not-allowed",
  "not-here",
  "stage-full",
  "list-full",
  "slow-mode",
  "silenced",
]);

/** Texts kept: more than anybody scrolls back, little enough for memory. */
const textsMax = 200;
/** People and hands taken over from one event: twice the stage; hands as many as a host can go through. */
const peopleMax = 64;
const handsMax = 500;
/** Relays above that are taken over, and neighbours below: what a picture can hold. */
const relaysMax = 8;
const belowMax = 64;
/** Happenings kept: an evening has a few, and a bad minute no more than can be read. */
const happeningsMax = 20;

/**
 * What the window knows of the room: every event of the engine, made fit to be shown and sorted by how often it changes, so
 * that a second's statistics draw nothing but the statistics anew.
 */
export class Session {
  readonly engine: EngineApi;
  readonly line: Value<LineState>;
  readonly phase = new Cell<Phase>("outside");
  readonly role = new Cell<Role>("listener");
  readonly stage = new Cell<Stage>(emptyStage);
  readonly crowd = new Cell<Crowd>(noCrowd);
  readonly texts = new Cell<readonly TypedText[]>([]);
  readonly place = new Cell<Place>(nowhere);
  readonly quality = new Cell<Quality>(noQuality);
  readonly steps = new Cell<readonly JoinStep[]>([]);
  readonly sharing = new Cell<Sharing>({ invites: {} });
  /** What went wrong last and still holds; a sentence that does not stop anybody. */
  readonly trouble = new Cell<Sentence | undefined>(undefined);
  /** What the room is like; undefined before the engine said so. */
  readonly facts = new Cell<RoomFacts | undefined>(undefined);
  /** Why something we did was refused. A new object each time, so that the same twice is told twice. */
  readonly refusal = new Cell<Sentence | undefined>(undefined);
  /** Somebody in charge said two different things: the room cannot be trusted before people compared codes. */
  readonly isForked = new Cell(false);
  /** What happened on the way of our sound, oldest first. */
  readonly happenings = new Cell<readonly Happening[]>([]);
  /** The room runs short of people who carry it. */
  readonly isShort = new Cell(false);
  /** What we lend; undefined as long as nothing was ever lent. */
  readonly lending = new Cell<LendingState | undefined>(undefined);
  /** Peers that we feed. */
  readonly children = new Cell(0);
  /** Counts how often the engine broke and came back into the room. */
  readonly returns = new Cell(0);
  /** Whether the engine broke and is on its way back into the room: nothing is heard or said meanwhile. */
  readonly isReturning = new Cell(false);
  #textsSeen = 0;
  #happened = 0;
  readonly #wallClock: () => number;
  /** Counts what was asked for: what answers an older wish comes too late. */
  #wish = 0;
  /** A room was left that the engine may still be in. */
  #isLeaving = false;

  /** Listens until the scope ends, and takes over at once what already holds: a window may open late. */
  constructor(engine: EngineApi, line: Value<LineState>, scope: Scope, wallClock: () => number = Date.now) {
    this.engine = engine;
    this.line = line;
    this.#wallClock = wallClock;
    scope.own(engine.subscribe((event) => this.#take(event)));
    scope.own(line.subscribe(() => this.#isLeaving && line.get() === "open" && this.#sayGoodbye()));
    for (const event of engine.snapshot()) this.#take(event);
  }

  /**
   * Makes a room or joins one: `enter` asks the engine. Resolves with nothing when we are inside, else with what to say;
   * the code tells whether it was the invite's or card's fault. Never rejects.
   */
  async enter(enter: (engine: EngineApi) => Promise<unknown>): Promise<ErrorCode | undefined> {
    if (this.phase.get() !== "outside") return undefined;
    const wish = (this.#wish += 1);
    this.#isLeaving = false;
    this.#clear();
    this.phase.set("entering");
    try {
      await enter(this.engine);
      if (wish === this.#wish) this.phase.set("inside");
      return undefined;
    } catch (error: unknown) {
      // Who stopped it knows, and may be entering another room already.
      if (wish !== this.#wish) return undefined;
      this.phase.set("outside");
      return codeOf(error);
    }
  }

  /** Leaves the room, or stops entering it. The window is outside at once, whatever the engine still has to say. */
  leave(): void {
    this.#wish += 1;
    this.#isLeaving = true;
    this.trouble.set(undefined);
    this.phase.set("outside");
    this.#sayGoodbye();
  }

  /** Leaves and forgets: here at once, in the engine as soon as it hears. */
  wipe(): void {
    this.#wish += 1;
    this.#isLeaving = true;
    this.phase.set("outside");
    this.#clear();
    this.lending.set(undefined);
    this.engine.wipe().catch(() => undefined);
  }

  /** Without a line to the engine the goodbye is said when there is one again. */
  #sayGoodbye(): void {
    const wish = this.#wish;
    const isHeard = this.line.get() === "open";
    this.engine.leave().then(
      () => {
        if (isHeard && wish === this.#wish) this.#isLeaving = false;
      },
      () => undefined,
    );
  }

  #clear(): void {
    this.role.set("listener");
    this.stage.set(emptyStage);
    this.crowd.set(noCrowd);
    this.texts.set([]);
    this.facts.set(undefined);
    this.refusal.set(undefined);
    this.isForked.set(false);
    this.place.set(nowhere);
    this.happenings.set([]);
    this.isShort.set(false);
    this.children.set(0);
    this.quality.set(noQuality);
    this.steps.set([]);
    this.sharing.set({ invites: {} });
    this.trouble.set(undefined);
    this.isReturning.set(false);
  }

  #take(event: EngineEvent): void {
    switch (event.event) {
      case "room":
        return this.sharing.set({ invites: event.invites });
      case "invite":
        return this.sharing.set({ invites: { listener: event.invite } });
      case "joined":
        // An engine that has not heard our goodbye yet.
        if (this.#isLeaving) return undefined;
        this.isReturning.set(false);
        if (this.phase.get() === "inside") this.returns.update((count) => count + 1);
        this.role.set(event.role);
        this.trouble.set(undefined);
        return this.phase.set("inside");
      case "left":
        return this.phase.get() === "inside" ? this.phase.set("outside") : undefined;
      case "role":
        return this.role.set(event.role);
      case "members":
        return this.crowd.set({ speakers: event.speakers, listeners: event.listeners, relays: event.relays });
      case "stage":
        return this.stage.set(cleanStage(event));
      case "text":
        return this.#takeText(event);
      case "place":
        if (event.relays.some(({ feeds }) => feeds)) this.trouble.set(undefined);
        return this.place.set({
          hops: event.hops,
          relays: event.relays.slice(0, relaysMax),
          below: event.below.slice(0, belowMax),
        });
      case "stats":
        this.children.set(event.children);
        return this.#takeQuality({ latencyMs: event.latencyMs, layer: event.layer });
      case "step":
        return this.#takeStep(event.step);
      case "move":
      case "cover":
        return this.#takeHappening(event);
      case "refused":
      case "error":
        return this.#takeTrouble(event.code);
      case "room-state":
        return this.facts.set(cleanFacts(event));
      case "short":
        return this.isShort.set(event.short);
      case "lending":
        return this.lending.set(event);
      case "ready":
      case "card":
      case "sound":
      case "strength":
      case "invites-issued":
      case "reaction":
      case "way":
      case "probe":
        return undefined;
      default:
        return event satisfies never;
    }
  }

  /** What was refused is over with a word; everything else holds until it is better. */
  #takeTrouble(code: ErrorCode): void {
    if (refusals.has(code)) return this.refusal.set(sentence(`fault.${code}`));
    if (code === "forked") return this.isForked.set(true);
    this.trouble.set(sentence(`fault.${code}`));
  }

  #takeStep(step: JoinStep): void {
    this.steps.update((steps) => (steps.includes(step) ? steps : [...steps, step]));
    if (this.phase.get() !== "inside" || step === "joined") return;
    this.trouble.set(undefined);
    this.isReturning.set(true);
  }

  #takeText(event: Extract<EngineEvent, { readonly event: "text" }>): void {
    const { identity, at, self } = event;
    const text = cleanText(event.text);
    const before = this.texts.get();
    // A window that opens late is told the last text once by the snapshot, and once more perhaps by its line.
    if (text === "" || before.some((one) => one.at === at && one.identity === identity && one.text === text)) return;
    this.#textsSeen += 1;
    const next = { id: this.#textsSeen, identity, name: cleanName(event.name), text, at, self };
    this.texts.set([...before, next].slice(-textsMax));
  }

  #takeHappening({ event, gapMs, packetsRecovered }: Extract<EngineEvent, { readonly event: "cover" | "move" }>): void {
    this.#happened += 1;
    const next = { id: this.#happened, kind: event, at: this.#wallClock(), gapMs, packetsRecovered };
    this.happenings.update((before) => [...before, next].slice(-happeningsMax));
  }

  #takeQuality(next: Quality): void {
    const { latencyMs, layer } = this.quality.get();
    if (latencyMs !== next.latencyMs || layer !== next.layer) this.quality.set(next);
  }
}

function cleanStage(event: Extract<EngineEvent, { readonly event: "stage" }>): Stage {
  const people = event.people.slice(0, peopleMax).map((person) => ({ ...person, name: cleanName(person.name) }));
  const hands = event.hands.slice(0, handsMax).map((hand) => ({ ...hand, name: cleanName(hand.name) }));
  people.sort((a, b) => ranks[a.role] - ranks[b.role]);
  return { title: cleanName(event.title), people, hands };
}
