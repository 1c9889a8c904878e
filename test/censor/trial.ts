import { setTimeout as pause } from "node:timers/promises";
import type { PlaceRelay } from "../../p2p/api/engine.ts";
import type { EventLine, TeahouseProcess } from "../e2e/processes.ts";
import { insideAddress, outsideAddress, type Box, type Side } from "./box.ts";
import { Censor } from "./censor.ts";
import { joinBy, type JoinWay, type Participant } from "./participants.ts";
import { probeRelays } from "./prober.ts";
import { Recorder } from "./recorder.ts";
import type { Case } from "./rules/all.ts";
import type { Expectation, Outcome } from "./rules/rule.ts";
import type { Stage } from "./stage.ts";
import { audit } from "./wire/audit.ts";
import { flowsOf } from "./wire/flows.ts";
import type { Capture } from "./wire/pcap.ts";

/** What a try works with. */
export interface TrialSetting {
  readonly box: Box;
  readonly stage: Stage;
  /** JA4 of a plain Chromium, recorded in this run. */
  readonly browserHellos: ReadonlySet<string>;
}

/** What came of one try on one side. */
export interface TrialResult {
  readonly side: Side;
  readonly outcome: Outcome;
  /** Whether that is what the rule's file expects. */
  readonly ok: boolean;
  /** Cold invite to sound; undefined without sound. */
  readonly soundMs: number | undefined;
  /** Longest run of frames not on time. */
  readonly gapMs: number;
  readonly framesExpected: number;
  readonly framesOnTime: number;
  readonly leaks: readonly string[];
  /** What was explained, or what is wrong; empty when there is nothing to say. */
  readonly remark: string;
  /** TCP flows that were recorded, and how many of them a rule against fully encrypted traffic would block. */
  readonly tcpFlows: number;
  readonly popcountBlocked: number;
}

/** A person waits this long for sound or for words; what takes longer is a spinner. */
const answerMsMax = 60_000;
const listenMsDefault = 5_000;
/** In mid-room the rule falls after this much sound, and it is listened for this long afterwards: the goal's 15 s. */
const beforeFallMs = 3_000;
const afterFallMs = 15_000;
/** There is sound at the end when of so many last seconds this share of the frames came on time. */
const lastSeconds = 3;
const heardShareMin = 0.5;
const framesPerSecond = 50;
const lookMs = 250;
/** How alike the envelopes of what was said and what the page plays are at least: what tests of the window ask for. */
const likenessMin = 0.95;

/** One try of a case, on these sides at once. */
export async function tryCase(setting: TrialSetting, which: Case, sides: readonly Side[]): Promise<TrialResult[]> {
  const { box, stage, browserHellos } = setting;
  const { rule, isMidroom } = which;
  const censor = new Censor(box, rule);
  const recorders: Recorder[] = [];
  const sessions = sides.map((side) => new Session(side, isMidroom ? rule.midroom?.[side] : rule.start?.[side]));
  try {
    for (const side of sides) recorders.push(await Recorder.start(box, side));
    await (isMidroom ? censor.setScene() : censor.fall(browserHellos));
    const atPage = rule.listensAtPage === true;
    await Promise.all(sessions.map((session) => session.join({ box, invite: stage.invite, atPage })));
    const findings: string[] = [];
    if (isMidroom) {
      await pause(beforeFallMs);
      for (const session of sessions) session.mark();
      const feeders = sessions.flatMap((session) => session.feeders());
      await Promise.all([censor.fall(browserHellos), stage.kill(rule.kills ?? 0, feeders)]);
    }
    if (rule.probes === true) {
      const seen = await Promise.all(recorders.map((recorder) => recorder.peek()));
      const flows = seen.flatMap(({ packets }, index) => flowsOf(packets, insideAddress[sides[index] ?? "desktop"]));
      findings.push(...(await probeRelays(box, flows)));
    }
    // Only who has sound is worth listening to.
    if (sessions.some(({ hasSound }) => hasSound)) {
      await pause(isMidroom ? afterFallMs : (rule.listenMs ?? listenMsDefault));
    }
    const trips = await censor.trips();
    if (rule.mustNotTrip === true && trips > 0) findings.push(`the rule was tripped ${trips} times`);
    const results = await Promise.all(sessions.map((session) => session.result()));
    await Promise.all(sessions.map((session) => session.end()));
    const captures = await Promise.all(recorders.splice(0).map((recorder) => recorder.stop()));
    return results.map((result, index) => audited(setting, result, captures[index], findings));
  } finally {
    await Promise.all(sessions.map((session) => session.end()));
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    await censor.lift();
  }
}

type Heard = Omit<TrialResult, "leaks" | "tcpFlows" | "popcountBlocked">;

function audited(
  { box, browserHellos }: TrialSetting,
  heard: Heard,
  capture: Capture | undefined,
  findings: readonly string[],
): TrialResult {
  const seen = capture ?? { packets: [], others: {} };
  const { leaks, tcpFlows, popcountBlocked } = audit(seen, flowsOf(seen.packets, insideAddress[heard.side]), {
    relays: box.relays.map(outsideAddress),
    privateAddress: insideAddress[heard.side],
    browserHellos: heard.side === "desktop" ? browserHellos : undefined,
  });
  return { ...heard, leaks: [...leaks, ...findings], tcpFlows, popcountBlocked };
}

/** One side's try, from the cold invite until it has left. */
class Session {
  readonly #side: Side;
  readonly #expectation: Expectation | undefined;
  #participant: Participant | undefined;
  #soundMs: number | undefined;
  #explanation: string | undefined;
  #breakage: string | undefined;
  /** The last totals before what counts began. */
  #before: EventLine | undefined;

  constructor(side: Side, expectation: Expectation | undefined) {
    this.#side = side;
    this.#expectation = expectation;
  }

  get hasSound(): boolean {
    return this.#soundMs !== undefined;
  }

  /** Resolves when there is sound or an explanation, or when nobody would wait any longer. */
  async join(way: JoinWay): Promise<void> {
    try {
      this.#participant = await joinBy(this.#side, way);
      await this.#answer(this.#participant);
    } catch (error) {
      // One broken try is not the end of a run; it has failed, and says why.
      this.#breakage = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unknown";
    }
  }

  async #answer({ process, explanation }: Participant): Promise<void> {
    for (const started = performance.now(); performance.now() - started < answerMsMax; await pause(lookMs)) {
      const sound = process.lines.find(({ event }) => event === "sound");
      if (sound !== undefined) {
        this.#soundMs = Number(sound["ms"]);
        return;
      }
      this.#explanation = await explanation();
      if (this.#explanation !== undefined || process.isGone) return;
    }
  }

  /** From now on it counts. */
  mark(): void {
    this.#before = this.#participant?.process.last("stats");
  }

  /** The relays that the sound comes through now. */
  feeders(): string[] {
    const { relays = [] } = (this.#participant?.process.last("place") ?? {}) as { relays?: readonly PlaceRelay[] };
    return relays.filter(({ feeds }) => feeds).map(({ peer }) => peer);
  }

  /** What came of it until now. */
  async result(): Promise<Heard> {
    const lines = statsOf(this.#participant?.process).filter(({ t }) => t > (this.#before?.t ?? 0));
    const difference = (field: string): number => numberOf(lines.at(-1), field) - numberOf(this.#before, field);
    const isHeard = this.hasSound && lateShare(lines) >= heardShareMin && (await this.#isHeardAtPage());
    if (!isHeard) this.#explanation ??= await this.#participant?.explanation().catch(() => undefined);
    const silentMs = this.hasSound && !isHeard ? silenceMs(lines) : 0;
    const outcome: Outcome = isHeard ? "sound" : this.#explanation === undefined ? "failed" : "explained";
    const ok = this.#fits(outcome);
    const worst = Math.max(0, ...lines.map((line) => numberOf(line, "worstGapMs")));
    return {
      side: this.#side,
      outcome: ok ? outcome : "failed",
      ok,
      soundMs: this.#soundMs,
      gapMs: Math.max(silentMs, this.#side === "desktop" ? longestLackMs(lines) : 0, worst),
      // Packets that never came were counted by nobody: speech never pauses here.
      framesExpected: difference("framesExpected") + (silentMs / 1000) * framesPerSecond,
      framesOnTime: difference("framesOnTime"),
      remark: this.#remark(outcome),
    };
  }

  async end(): Promise<void> {
    const participant = this.#participant;
    this.#participant = undefined;
    await participant?.end();
  }

  async #isHeardAtPage(): Promise<boolean> {
    const likeness = await this.#participant?.likenessAtPage?.(likenessMin);
    if (likeness === undefined || likeness >= likenessMin) return true;
    this.#breakage = `the page plays something else: ${likeness.toFixed(2)}`;
    return false;
  }

  #fits(outcome: Outcome): boolean {
    const { outcomes = [], explanations = [] } = this.#expectation ?? {};
    if (!outcomes.includes(outcome)) return false;
    return outcome !== "explained" || explanations.includes(this.#explanation ?? "");
  }

  #remark(outcome: Outcome): string {
    if (this.#breakage !== undefined) return this.#breakage;
    if (outcome === "sound") return "";
    if (outcome === "explained") return `explained by ${this.#explanation}`;
    return this.hasSound ? "sound ended without a word" : "neither sound nor a word";
  }
}

function statsOf(process: TeahouseProcess | undefined): EventLine[] {
  return (process?.lines ?? []).filter(({ event }) => event === "stats");
}

function numberOf(line: EventLine | undefined, field: string): number {
  return Number(line?.[field] ?? 0);
}

/**
 * The longest stretch of seconds in a row in which frames lacked, as the time that those frames would have taken: at least
 * as long as the longest gap. With a window the engine's own figure can be too small, because whoever asks starts its
 * interval anew, and the window asks as well.
 */
function longestLackMs(lines: readonly EventLine[]): number {
  let longest = 0;
  let run = 0;
  for (const [index, line] of lines.entries()) {
    const of = (field: string): number => numberOf(line, field) - numberOf(lines[index - 1] ?? line, field);
    const lack = of("framesExpected") - of("framesOnTime");
    run = lack > 0 ? run + lack : 0;
    longest = Math.max(longest, run);
  }
  return (longest * 1000) / framesPerSecond;
}

/** How long before the last line the last frame came on time. */
function silenceMs(lines: readonly EventLine[]): number {
  const last = lines.at(-1);
  const silentFrom = lines.find((line) => numberOf(line, "framesOnTime") === numberOf(last, "framesOnTime"));
  return (last?.t ?? 0) - (silentFrom?.t ?? 0);
}

/** The share of the speech of the last seconds that came on time; speech never pauses here. */
function lateShare(lines: readonly EventLine[]): number {
  const last = lines.slice(-lastSeconds - 1);
  const onTime = numberOf(last.at(-1), "framesOnTime") - numberOf(last[0], "framesOnTime");
  return onTime / (framesPerSecond * Math.max(1, last.length - 1));
}
