import { limits } from "../../api/limits.ts";

/** Who is asked for a missing packet: first the one that feeds us, then the standby. */
export type Asked = "parent" | "backup";

/** A packet to be asked for. One object, used again: read it before the next is given. */
export interface PacketRequest {
  readonly sequence: number;
  readonly from: Asked;
}

/** Two packets of one tick may overtake each other on the way by so much: what is missing no longer is not asked for. */
const overtakeMs = 10;
/** A packet that comes later than this after its time plays for nobody: on time is 400 ms after capture, less the way. */
const usefulMs = 300;
/** So much longer than a round trip an answer may take: the far end's tick, and timers. */
const patienceMs = 20;
/** A packet is overdue so many mean deviations after its time, and 10 ms (RFC 6298 waits 4 for an answer; this is cheaper). */
const deviations = 3;
/** What a new packet weighs in mean and deviation of arrival (RFC 6298: 1/8 and 1/4). */
const meanWeight = 1 / 8;
const deviationWeight = 1 / 4;
/** Deviation at first, ms, and how far off its time a packet may come before it is believed that the microphone paused. */
const deviationMsAtFirst = 10;
const pauseMs = 400;
/** Packets asked for that nothing yet came after: of more, the microphone is closed or the parent gone. */
const aheadMax = 3;
/** Packets missing in a row that are asked for one by one: 400 ms. A longer hole is an outage, and the backup covers it. */
const holeMax = 10;
/** Packets asked for at once, at most: of more, the oldest are too late anyway. */
const missingMax = 32;

/**
 * Where more packets than this come after a hole, a request or its answer is lost as easily: parent and backup are asked at
 * once, and the parent once more. What both answer comes twice, which on such a way is worth it.
 */
const lossyShare = 0.03;
/** What each packet weighs in that: 4 s. */
const lossWeight = 0.01;

interface Missing {
  sequence: number;
  /** When it should have come, ms. */
  expectedAt: number;
  /** When to ask next. */
  askAt: number;
  /** How often it was asked for. */
  asked: number;
}

/**
 * What a listener, or a relay, lacks of one voice in one layer, and when to ask whom for it: the parent as soon as a
 * packet is overdue or a later one came, the backup once when the parent's answer is overdue, and nobody when the answer
 * could only come too late. Never more than two requests for a packet, on a lossy way three. Pure: whoever carries packets tells of each
 * arrival, asks `due` after each and at `deadline`, and sends what it gives. Times are ms of one clock; nothing is
 * allocated after it was made.
 *
 *     missing.arrived(sequence, now);
 *     for (let ask = missing.due(now); ask !== undefined; ask = missing.due(now)) request(ask.from, voice, ask.sequence);
 *     wakeAt(missing.deadline);
 */
export class MissingPackets {
  readonly #places: Missing[] = Array.from({ length: missingMax }, () => {
    return { sequence: 0, expectedAt: 0.5, askAt: 0.5, asked: 0 };
  });
  #count = 0;
  /** The highest number that came, and the highest that came or is known to be missing. */
  #newest = -1;
  #known = -1;
  #isPaused = false;
  /** Holes among packets that came, of late. */
  #lostShare = 0;
  /** Arrival less 40 ms for each number: mean and mean deviation. */
  #meanMs = 0.5;
  #deviationMs = 0.5;
  readonly #roundTripMs: Record<Asked, number>;
  readonly #request = { sequence: 0, from: "parent" as Asked };

  /** Round trips to either, ms, as they are known when it begins; `setRoundTrip` corrects them. */
  constructor(roundTripMs: Readonly<Record<Asked, number>>) {
    this.#roundTripMs = { ...roundTripMs };
  }

  /** How long an answer of either takes at least, ms. */
  setRoundTrip(from: Asked, ms: number): void {
    this.#roundTripMs[from] = ms;
  }

  /** Takes the number of a packet that came at `now`, in whatever order. */
  arrived(sequence: number, now: number): void {
    if (sequence <= this.#known) this.#remove(sequence);
    if (sequence <= this.#newest) return;
    this.#time(sequence, now);
    this.#isPaused = false;
    const from = this.#newest < 0 || sequence - this.#newest > holeMax + 1 ? sequence : this.#known + 1;
    for (let each = from; each < sequence; each += 1) this.#add(each, now + overtakeMs);
    const hole = this.#newest >= 0 && sequence > this.#newest + 1 ? 1 : 0;
    this.#lostShare += (hole - this.#lostShare) * lossWeight;
    this.#newest = sequence;
    this.#known = Math.max(this.#known, sequence);
  }

  /** The next packet to ask for at `now`; undefined when there is none now. Each is given once for each one asked. */
  due(now: number): PacketRequest | undefined {
    while (this.#overdueAt() <= now) this.#add(this.#known + 1, now);
    for (let index = 0; index < this.#count;) {
      const place = this.#places[index]!;
      if (place.askAt > now) {
        index += 1;
        continue;
      }
      const from = this.#whom(place, now);
      const worth = place.asked < (this.#isLossy ? 3 : 2) && this.#inTime(place, now, from);
      if (!worth) {
        this.#removeAt(index);
        continue;
      }
      place.askAt = now + (this.#isLossy && place.asked === 0 ? 0 : this.#roundTripMs[from] + patienceMs);
      place.asked = Math.max(place.asked + 1, from === "backup" ? 2 : 1);
      this.#request.sequence = place.sequence;
      this.#request.from = from;
      return this.#request;
    }
    return undefined;
  }

  /** When `due` may have something to give; undefined while nothing is missing. */
  get deadline(): number | undefined {
    let at = this.#overdueAt();
    for (let index = 0; index < this.#count; index += 1) at = Math.min(at, this.#places[index]!.askAt);
    return at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  /** The microphone closed, or somebody replays what is missing: nothing that nothing came after is asked for until more comes. */
  pause(): void {
    while (this.#count > 0 && this.#places[this.#count - 1]!.sequence > this.#newest) this.#count -= 1;
    this.#known = this.#newest;
    this.#isPaused = true;
  }

  /** First the parent, then the backup, and on a lossy way the parent once more. */
  #whom(place: Missing, now: number): Asked {
    if (place.asked === 1 || !this.#inTime(place, now, "parent")) return "backup";
    return "parent";
  }

  get #isLossy(): boolean {
    return this.#lostShare > lossyShare;
  }

  #inTime({ expectedAt }: Missing, now: number, from: Asked): boolean {
    return now + this.#roundTripMs[from] <= expectedAt + usefulMs;
  }

  #add(sequence: number, askAt: number): void {
    if (this.#count === missingMax) this.#removeAt(0);
    const place = this.#places[this.#count]!;
    place.sequence = sequence;
    place.expectedAt = this.#meanMs + sequence * limits.packetMs;
    place.askAt = askAt;
    place.asked = 0;
    this.#count += 1;
    this.#known = Math.max(this.#known, sequence);
  }

  /** When the next packet is overdue that nothing came after. */
  #overdueAt(): number {
    if (this.#isPaused || this.#newest < 0 || this.#known - this.#newest >= aheadMax) return Number.POSITIVE_INFINITY;
    return this.#meanMs + (this.#known + 1) * limits.packetMs + deviations * this.#deviationMs + overtakeMs;
  }

  /** Learns when packets come. */
  #time(sequence: number, now: number): void {
    const offMs = now - sequence * limits.packetMs - this.#meanMs;
    if (this.#newest < 0 || Math.abs(offMs) > pauseMs) {
      this.#meanMs += offMs;
      this.#deviationMs = deviationMsAtFirst;
      return;
    }
    this.#meanMs += offMs * meanWeight;
    this.#deviationMs += (Math.abs(offMs) - this.#deviationMs) * deviationWeight;
  }

  #remove(sequence: number): void {
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#places[index]!.sequence === sequence) this.#removeAt(index);
    }
  }

  /** Keeps the order: oldest first. */
  #removeAt(at: number): void {
    const place = this.#places[at]!;
    this.#count -= 1;
    for (let index = at; index < this.#count; index += 1) this.#places[index] = this.#places[index + 1]!;
    this.#places[this.#count] = place;
  }
}
