import type { VoiceStrength } from "../../../api/engine.ts";
import { type Millis, millis } from "../../../api/ids.ts";
import type { Census } from "../../overlay/news/papers.ts";

/** A listener loses much when it lacks more than this, after all that was asked for again: a word a minute. */
const lossyShare = 0.01;
/** And what comes is poor when so much of it is late or lacking: then another parent may bring it better ([OV51]). */
const poorShare = 0.1;
/** So often it is looked, and over so much: 2 s are 50 packets of one voice, enough for a tenth; for one in a hundred it takes 5 s. */
const lookMs = 2000;
const lossyMs = 5000;
/** Frames that say something about a share of one in a hundred. */
const framesMin = 100;
/** And about one in ten. */
const poorFramesMin = 50;

/** Whether what one listener hears is lossy: what it reports to its parent ([OV50]). */
export class LossWatch {
  /** Whether it was, when it was last looked. */
  lossy = false;
  /** Whether much was late or lacking, when it was last looked. */
  poor = false;
  /** When it is to be looked again. */
  dueAt = millis(0);
  #lossyAt: Millis | undefined;
  /** Counts when each was judged last. */
  #seen = { expected: 0, concealed: 0 };
  #judged = { expected: 0, missing: 0 };

  /** Looks, when it is time, at counts since the start: `concealed` is what was late or missing. True when `lossy` changed. */
  look(expected: number, missing: number, concealed: number, now: Millis): boolean {
    this.poor = false;
    if (now < this.dueAt) return false;
    this.dueAt = millis(now + lookMs);
    const recent = expected - this.#seen.expected;
    if (recent >= poorFramesMin) {
      this.poor = (concealed - this.#seen.concealed) / recent > poorShare;
      this.#seen = { expected, concealed };
    }
    const frames = expected - this.#judged.expected;
    // Nobody speaks: what was lost last still tells most.
    if (this.#lossyAt === undefined) this.#lossyAt = millis(now + lossyMs);
    if (now < this.#lossyAt || frames < framesMin) return false;
    const was = this.lossy;
    this.lossy = (missing - this.#judged.missing) / frames > lossyShare;
    this.#judged = { expected, missing };
    this.#lossyAt = millis(now + lossyMs);
    return this.lossy !== was;
  }
}

/**
 * Of so many listeners, copies serve enough of them: a tenth. Copies cost everybody 0.006 of intelligibility (STOI), and the
 * step to 40 kbit/s another 0.016; they give who lacks p of the packets 0.58 p (`voice-codec.ts`), at 3 % three times as much
 * as they cost one other. A tenth also is more than a few with bad ways, or with bad intent, who are no reason for all.
 */
const lossyListenersShare = 0.1;
/** So many who get the low layer for want of room are too many: their parents would have to let more go. */
const narrowListenersShare = 0.1;
/** Who is sent 40 kbit/s of so many voices gets them in one datagram. */
const richVoicesMax = 3;
/** How long all must be well before a voice takes more, or drops its copies: two looks of everybody, and their way up and down. */
const wellMs = 15_000;
/** Where there was not room for all, or where what was lost came with the wider voice, there will not be soon. */
const narrowMs = 300_000;

/**
 * How voices are made for this room ([OV50]): with copies while listeners lose packets, without where they do not; and
 * with more of the network where every listener has the normal layer and few speak.
 */
export class StrengthChoice {
  #lossyAt: Millis;
  #narrowAt: Millis = millis(0);
  #census: Census | undefined;
  #voices = 0;
  strength: VoiceStrength = "copied";

  constructor(now: Millis) {
    // Nothing is known of anybody.
    this.#lossyAt = now;
  }

  /** Takes what was counted. */
  learn(census: Census | undefined, voices: number): void {
    this.#census = census;
    this.#voices = voices;
  }

  /** True when voices are to be made in another way from now on. */
  judge(now: Millis): boolean {
    const census = this.#census;
    if (census === undefined) return false;
    const isLossyNow = census.lossy > census.listeners * lossyListenersShare;
    if (isLossyNow) this.#lossyAt = now;
    const isNarrowNow = census.narrow > census.listeners * narrowListenersShare;
    if (isNarrowNow || this.#voices > richVoicesMax || (isLossyNow && this.strength === "rich")) this.#narrowAt = now;
    const isLossy = now < this.#lossyAt + wellMs;
    const isNarrow = this.#narrowAt > 0 && now < this.#narrowAt + narrowMs;
    const next: VoiceStrength = isLossy ? "copied" : isNarrow ? "plain" : "rich";
    const changed = next !== this.strength;
    this.strength = next;
    return changed;
  }
}
