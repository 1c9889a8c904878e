import type { Hand, Role, StagePerson } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import { Chat } from "./chat.ts";
import { watchHearing } from "../voice/hearing.ts";
import { InviteDesk } from "./invites.ts";
import { Keeping } from "./keeping.ts";
import { Reactions } from "./reactions.ts";
import { Recorders } from "./recorders.ts";
import { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import { Covering } from "./tree.ts";
import type { Session, Stage } from "../session.ts";
import type { Settings } from "../settings.ts";
import { SpeakingRules } from "../voice/speaking-rules.ts";
import type { Timers } from "../timers.ts";
import { Cell } from "../value.ts";
import { pauseMsMax, type MicrophoneState, type Voice } from "../voice/voice.ts";
import { Volumes } from "./volumes.ts";

/** How the connection is, in one word for a colour, and the sentence beside it. */
export interface Connection {
  readonly mood: "good" | "busy" | "bad";
  readonly sentence: Sentence;
}

/** One's own hand. */
export type HandState = "down" | "up";

/** How long "another way was found" stays: long enough to be read. */
const movedMs = 4000;
/** The longest a listener waits between two spoken announcements of newcomers: more would talk over the room. */
const announceMs = 1000;

/** The role that an engine comes back with is told in the same moment; a later one is the host's doing. */
const returnMs = 1000;

/** Whether this role is heard. */
export function isOnStage(role: Role): boolean {
  return role !== "listener";
}

/** The room: decides what can be done now, and what is said about it. */
export class RoomModel {
  readonly session: Session;
  readonly voice: Voice;
  /** Whether a reserve stepped in a moment ago. */
  readonly covering: Covering;
  /** How loud each person is for us. */
  readonly volumes: Volumes;
  readonly connection = new Cell<Connection>({ mood: "busy", sentence: sentence("link.waiting") });
  readonly hand = new Cell<HandState>("down");
  readonly chat: Chat;
  /** What people do here beside talking, and what keepers do. */
  readonly keeping: Keeping;
  readonly rules: SpeakingRules;
  readonly recorders: Recorders;
  readonly reactions: Reactions;
  readonly invites: InviteDesk;
  /** What a screen reader says next. A new object each time, so that the same words twice are said twice. */
  readonly announcement = new Cell<Sentence | undefined>(undefined);
  readonly #timers: Timers;
  readonly #scope = new Scope();
  readonly #waiting: Sentence[] = [];
  #silence: (() => void) | undefined;
  /** Set while "another way was found" is shown. */
  #moved: (() => void) | undefined;
  #handSeen = false;
  #voiceBefore: MicrophoneState = "shut";

  /** Lives from joining to leaving; `end` ends it. */
  constructor(session: Session, voice: Voice, timers: Timers, settings: Settings) {
    this.session = session;
    this.voice = voice;
    this.#timers = timers;
    const scope = this.#scope;
    this.#announce(sentence("announce.entered", { title: session.stage.get().title }));
    this.#watchRole();
    this.chat = new Chat(session, timers, scope);
    this.keeping = new Keeping(session, timers, scope);
    this.reactions = new Reactions(session, timers, scope, (identity) => this.chat.isBlocked(identity));
    this.invites = new InviteDesk(session, scope);
    this.covering = new Covering(session, timers, scope);
    this.volumes = new Volumes(session, voice.speakers, scope);
    watchHearing(session, voice, scope);
    this.rules = new SpeakingRules(session, voice, scope);
    this.recorders = new Recorders(session, voice, settings.mutesWhenRecorded, scope);
    this.#watchStage();
    this.#watchTexts();
    this.#watchFacts();
    scope.own(voice.state.subscribe(() => this.#announceVoice()));
    scope.own(voice.talksMuted.subscribe(() => this.#announceTalk()));
    scope.own(voice.deafened.subscribe(() => this.#announceDeafness()));
    const { line, isReturning, trouble, place, stage, quality, role } = session;
    for (const value of [line, isReturning, trouble, place, stage, quality, role]) {
      scope.own(value.subscribe(() => this.#judge()));
    }
    scope.own(session.happenings.subscribe(() => this.#showHappening()));
    scope.own(() => this.#silence?.());
    scope.own(() => this.#moved?.());
    scope.own(() => voice.close());
    this.#judge();
    // From the lobby sound has begun already; a window that opens late begins here.
    voice.listen().catch(() => undefined);
  }

  /** Whether hands may be answered and people taken off the stage: a keeper's word counts, and the host's. */
  get canHost(): boolean {
    return this.keeping.may("moderate") || this.session.role.get() === "host";
  }

  /** Unmutes, or mutes. */
  toggleMuted(): void {
    const state = this.voice.state.get();
    if (state === "shut") return;
    const opens = state !== "live" && state !== "paused";
    const rule = this.rules.rule.get();
    if (opens && rule !== "free") return this.#announce(sentence(`speaking.${rule}`));
    this.voice.setMuted(!opens);
  }

  /** Push to talk, or to mute while live: pressed or let go. */
  holdToTalk(held: boolean): void {
    if (held && this.voice.state.get() !== "shut" && this.rules.rule.get() === "muted-by-keeper")
      return this.#announce(sentence("speaking.muted-by-keeper"));
    this.voice.setHeld(held);
  }

  /** The key may have been let go where nobody tells us. */
  loseKey(): void {
    this.voice.loseKey();
  }

  /** Hears nothing, and is heard by nobody; or hears again, muted. */
  toggleDeafened(): void {
    this.voice.setDeafened(!this.voice.deafened.get());
  }

  /** Raises one's hand, or lowers it. On stage it does nothing. */
  toggleHand(): void {
    if (isOnStage(this.session.role.get())) return;
    const up = this.hand.get() === "down";
    this.hand.set(up ? "up" : "down");
    this.#handSeen = false;
    if (up) this.session.engine.raiseHand();
    else this.session.engine.lowerHand();
    this.#announce(sentence(up ? "announce.hand-mine" : "announce.hand-lowered"));
  }

  /** Leaves the stage and stays in the room. The microphone shuts before anybody answers. A host cannot. */
  leaveStage(): void {
    this.voice.leaveStage();
    this.session.engine.lowerHand();
  }

  admit(hand: Pick<Hand, "id">): void {
    if (this.canHost) this.session.engine.admit(hand.id);
  }

  dismiss(hand: Pick<Hand, "id">): void {
    if (this.canHost) this.session.engine.dismiss(hand.id);
  }

  leave(): void {
    this.session.leave();
  }

  /** Calls for every change of loudness, about 20 times a second; one's own voice is among the others. Ends with the room. */
  onLevels(listener: (levels: ReadonlyMap<VoiceKey, number>, own: number) => void): () => void {
    const { microphone, speakers } = this.voice;
    const tell = (): void => listener(speakers.levels, microphone.live ? microphone.level : 0);
    const ends = [speakers.onLevels(tell), microphone.onLevel(tell), microphone.onLive(tell)];
    return () => ends.forEach((end) => end());
  }

  end(): void {
    this.#scope.end();
  }

  #watchRole(): void {
    const { returns, role: current } = this.session;
    let before: Role | undefined;
    let returnedAt = Number.NEGATIVE_INFINITY;
    this.#scope.own(returns.subscribe(() => (returnedAt = this.#timers.now())));
    /** Until when the stage, given again, is the one that an engine lost while we were heard. */
    let heardUntil = Number.NEGATIVE_INFINITY;
    // Who slept in between does not remember that they were.
    this.#scope.own(this.voice.standstills.subscribe(() => (heardUntil = Number.NEGATIVE_INFINITY)));
    this.#scope.watch(current, (role) => {
      const was = before;
      before = role;
      const isReturn = this.#timers.now() - returnedAt < returnMs;
      if (isOnStage(role)) {
        const goesOn = this.#timers.now() < heardUntil;
        heardUntil = Number.NEGATIVE_INFINITY;
        this.hand.set("down");
        this.#handSeen = false;
        this.voice.takeStage().catch(() => undefined);
        if (goesOn) this.voice.setMuted(false);
        else if (was === "listener") this.#announce(sentence("announce.on-stage"));
      } else {
        if (isReturn && this.voice.state.get() === "live") heardUntil = this.#timers.now() + pauseMsMax;
        else if (isReturn) heardUntil = this.voice.pausedUntil;
        this.voice.leaveStage();
        if (was !== undefined && !isReturn) this.#announce(sentence("announce.off-stage"));
      }
    });
  }

  #watchStage(): void {
    let before = this.session.stage.get();
    this.#scope.own(
      this.session.stage.subscribe(() => {
        const stage = this.session.stage.get();
        this.#announceStage(before, stage);
        before = stage;
        this.#watchOwnHand(stage.hands);
      }),
    );
  }

  #announceStage(before: Stage, after: Stage): void {
    const others = (people: readonly StagePerson[]): StagePerson[] => people.filter(({ self }) => !self);
    const was = new Map(others(before.people).map((person) => [person.voice, person]));
    const is = new Map(others(after.people).map((person) => [person.voice, person]));
    for (const [key, { name }] of is) if (!was.has(key)) this.#announce(sentence("announce.joined-stage", { name }));
    for (const [key, { name }] of was) if (!is.has(key)) this.#announce(sentence("announce.left-stage", { name }));
    if (!this.canHost) return;
    const hands = new Set(before.hands.map(({ id }) => id));
    for (const { id, name, self } of after.hands) {
      if (!self && !hands.has(id)) this.#announce(sentence("announce.hand-up", { name }));
    }
  }

  /** A hand of ours that the room showed and shows no more was lowered by the host, or we are on stage. */
  #watchOwnHand(hands: readonly { readonly self: boolean }[]): void {
    if (hands.some(({ self }) => self)) {
      this.#handSeen = true;
      if (!isOnStage(this.session.role.get())) this.hand.set("up");
    } else if (this.#handSeen && this.hand.get() === "up") {
      this.#handSeen = false;
      this.hand.set("down");
      this.#announce(sentence("announce.hand-lowered"));
    }
  }

  #watchFacts(): void {
    const { keeping, recorders, reactions } = this;
    this.#scope.own(
      keeping.refusal.subscribe(() => {
        const refusal = keeping.refusal.get();
        if (refusal !== undefined) this.#announce(refusal);
      }),
    );
    let recording = 0;
    this.#scope.own(
      recorders.recording.subscribe(() => {
        const { names } = recorders.recording.get();
        if (names.length > recording) this.#announce(sentence("announce.recording", { name: names.at(-1) ?? "" }));
        recording = names.length;
      }),
    );
    let invited = false;
    this.#scope.watch(this.session.facts, (facts) => {
      const isInvited = facts?.people.some(({ self, invitedToStage }) => self && invitedToStage) ?? false;
      if (isInvited && !invited) this.#announce(sentence("announce.invited"));
      invited = isInvited;
      this.#watchOwnHand(facts?.hands ?? this.session.stage.get().hands);
    });
    this.#scope.own(reactions.newest.subscribe(() => this.#announceReaction()));
  }

  #announceReaction(): void {
    const { name, reaction, self } = this.reactions.newest.get() ?? { name: "", reaction: "clap", self: true };
    if (!self) this.#announce(sentence(`announce.react-${reaction}`, { name }));
  }

  #watchTexts(): void {
    let last = this.chat.texts.get().at(-1)?.id ?? 0;
    this.#scope.own(
      this.chat.texts.subscribe(() => {
        for (const { id, name, text, self } of this.chat.texts.get()) {
          if (id > last && !self) this.#announce(sentence("announce.text", { name, text }));
          last = Math.max(last, id);
        }
      }),
    );
  }

  #announceVoice(): void {
    const state = this.voice.state.get();
    const before = this.#voiceBefore;
    this.#voiceBefore = state;
    if (state === "muted" && this.voice.slept.get()) this.#announce(sentence("announce.slept"));
    else if (state === "muted")
      this.#announce(sentence(before === "paused" ? "announce.stays-muted" : "announce.muted"));
    // A microphone that gives nothing is no reason to say that everybody hears it.
    if (state === "live") this.#announce(this.voice.microphoneFault.get() ?? sentence("announce.live"));
    if (state === "paused") this.#announce(sentence("announce.paused"));
  }

  #announceTalk(): void {
    if (this.voice.talksMuted.get()) this.#announce(sentence("announce.talks-muted"));
  }

  #announceDeafness(): void {
    this.#announce(sentence(this.voice.deafened.get() ? "announce.deaf" : "announce.hearing"));
  }

  #showHappening(): void {
    if (this.session.happenings.get().at(-1)?.kind !== "move") return;
    this.#moved?.();
    this.#moved = this.#timers.after(movedMs, () => {
      this.#moved = undefined;
      this.#judge();
    });
    this.#judge();
  }

  #judge(): void {
    const next = this.#connection();
    const { mood, sentence: said } = this.connection.get();
    if (mood !== next.mood || said.key !== next.sentence.key) this.connection.set(next);
  }

  #connection(): Connection {
    const { line, isReturning, trouble, place, stage, role, quality } = this.session;
    if (line.get() !== "open" || isReturning.get()) return { mood: "bad", sentence: sentence("link.restarting") };
    const problem = trouble.get();
    if (problem?.key === "fault.stalled") return { mood: "bad", sentence: sentence("link.stalled") };
    if (problem !== undefined) return { mood: "bad", sentence: problem };
    if (this.#moved !== undefined) return { mood: "busy", sentence: sentence("link.moving") };
    const fed = place.get().relays.length > 0 || quality.get().latencyMs !== null || role.get() === "host";
    if (!fed && stage.get().people.length === 0) return { mood: "busy", sentence: sentence("link.waiting") };
    return { mood: "good", sentence: sentence("link.good") };
  }

  /** One sentence at a time, none more often than it can be heard. */
  #announce(next: Sentence): void {
    if (this.#silence === undefined) {
      this.announcement.set({ ...next });
      this.#rest();
      return;
    }
    this.#waiting.push(next);
    // A crowd that comes at once is news once; the newest is what still holds.
    if (this.#waiting.length > 8) this.#waiting.shift();
  }

  #rest(): void {
    this.#silence = this.#timers.after(announceMs, () => {
      this.#silence = undefined;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#announce(next);
    });
  }
}
