import type { EngineApi, LendingState, Power, VolunteerOptions } from "../../p2p/api/engine.ts";
import { codeOf } from "./fault-code.ts";
import type { Scope } from "./scope.ts";
import { sentence, type Sentence } from "./sentence.ts";
import type { Session } from "./session.ts";
import { Cell, type Value } from "./value.ts";

/** Upload that can be lent, in kbit/s; 0: no limit. A person's uplink has a few thousand. */
export const lendRates = [512, 1024, 2048, 4096, 0] as const;
/** People that can be carried; the last is what a good uplink can. */
export const lendCrowds = [3, 6, 12, 24, 60] as const;

const minutesOfDay = 24 * 60;

/** Hears how this computer is fed; the result ends it. */
export type WatchPower = (tell: (power: Power) => void) => () => void;

/** Helping to carry rooms: on or off, and within which limits. Chosen for this run, never stored. */
export class LendModel {
  readonly isOn = new Cell(false);
  readonly isChanging = new Cell(false);
  readonly problem = new Cell<Sentence | undefined>(undefined);
  readonly maxKbps = new Cell<number>(1024);
  readonly maxChildren = new Cell<number>(6);
  /** Minutes of the local day; equal ones: all day. */
  readonly fromMinute = new Cell(0);
  readonly toMinute = new Cell(0);
  readonly notOnBattery = new Cell(true);
  readonly notOnMetered = new Cell(true);
  readonly state: Value<LendingState | undefined>;
  /** The room runs short, we carry nothing, and nobody said "not now" in this room: then it is asked, once. */
  readonly isAsked = new Cell(false);
  readonly #engine: EngineApi;
  readonly #offsetMinutes: () => number;

  /** Not now: in this room it is not asked again. */
  readonly decline: () => void;

  /** `offsetMinutes`: what UTC is ahead of the local clock, as `Date` counts it. */
  constructor(session: Session, watchPower: WatchPower, scope: Scope, offsetMinutes: () => number) {
    this.#engine = session.engine;
    this.#offsetMinutes = offsetMinutes;
    this.state = session.lending;
    // A window that opens late finds it on.
    scope.watch(session.lending, (lending) => lending !== undefined && this.isOn.set(lending.on));
    let declined = false;
    const ask = (): void => {
      if (session.phase.get() === "outside") declined = false;
      this.isAsked.set(session.isShort.get() && !this.isOn.get() && !declined);
    };
    this.decline = () => {
      declined = true;
      ask();
    };
    for (const value of [session.isShort, session.phase, this.isOn]) scope.own(value.subscribe(ask));
    scope.own(watchPower((power) => this.#engine.power(power)));
  }

  /** Begins to carry, or ends it. Never rejects. */
  async turn(on: boolean): Promise<void> {
    await this.#ask(on ? this.#options() : null);
  }

  /** Another limit; while we carry it holds at once. */
  async limit<T>(cell: Cell<T>, value: T): Promise<void> {
    cell.set(value);
    if (this.isOn.get()) await this.#ask(this.#options());
  }

  /** As in the beginning; the engine was told to end it by whoever wipes it. */
  forget(): void {
    this.isOn.set(false);
    this.problem.set(undefined);
  }

  async #ask(options: VolunteerOptions | null): Promise<void> {
    if (this.isChanging.get()) return;
    this.isChanging.set(true);
    this.problem.set(undefined);
    try {
      await this.#engine.lend(options);
      this.isOn.set(options !== null);
    } catch (error: unknown) {
      this.problem.set(sentence(`fault.${codeOf(error)}`));
    }
    this.isChanging.set(false);
  }

  #options(): VolunteerOptions {
    const rate = this.maxKbps.get();
    const [from, to] = [this.fromMinute.get(), this.toMinute.get()];
    const utc = (minute: number): number =>
      (((minute + this.#offsetMinutes()) % minutesOfDay) + minutesOfDay) % minutesOfDay;
    return {
      maxChildren: this.maxChildren.get(),
      ...(rate === 0 ? {} : { maxKbps: rate }),
      ...(from === to ? {} : { hours: { fromMinute: utc(from), toMinute: utc(to) } }),
      notOnBattery: this.notOnBattery.get(),
      notOnMetered: this.notOnMetered.get(),
    };
  }
}
