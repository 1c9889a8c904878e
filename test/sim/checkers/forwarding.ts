import { limits } from "../../../p2p/api/limits.ts";
import type { Journey } from "../journey.ts";
import type { MediaSighting, TraceClock, TraceListener } from "../media-trace.ts";
import type { Violations } from "../observer.ts";

/**
 * A packet may cross one edge again when the first copy was lost and a new feed asks for it, but not for ever: a way that is
 * cut twice in two seconds leaves asks on the lane that are answered too.
 */
const timesOverEdgeMax = 5;
/** So long a packet may wait for those of other voices, or of the next tick; what comes meanwhile may bring it once more. */
const heldMsMax = 1.5 * limits.packetMs + 1;

/**
 * No loops: a node forwards a packet once, when it first gets it, never back to where it came from, and nothing crosses
 * more links than there are relays to cross.
 */
export class ForwardingChecker implements TraceListener {
  /** What is being delivered: packets that the receiver has not had, and that it has, all of one message. */
  private readonly fresh: Journey[] = [];
  private readonly stale: Journey[] = [];
  private from = -1;
  private to = -1;
  private input = -1;
  private readonly violations: Violations;
  private readonly clock: () => TraceClock;
  private readonly hopsMax: number;

  /** @param hopsMax links that a packet may cross. */
  constructor(violations: Violations, clock: () => TraceClock, hopsMax: number) {
    this.violations = violations;
    this.clock = clock;
    this.hopsMax = hopsMax;
  }

  mediaDelivered({ from, to, journey, repeat, claimedHops }: MediaSighting): void {
    const input = this.clock().inputs + 1;
    if (input !== this.input || from !== this.from || to !== this.to) this.fresh.length = this.stale.length = 0;
    this.from = from;
    this.to = to;
    this.input = input;
    (repeat ? this.stale : this.fresh).push(journey);
    const hops = Math.max(claimedHops, journey.hops[to] ?? 0);
    if (hops > this.hopsMax) this.violations.report("forwarding", to, `a packet crossed ${hops} links`);
  }

  mediaSent({ from, to, journey, repeat, passedOn, times }: MediaSighting): void {
    if (passedOn && repeat) this.violations.report("forwarding", from, `sends a packet twice at once to ${to}`);
    if (times >= timesOverEdgeMax) {
      this.violations.report("forwarding", from, `sent one packet ${times + 1} times to ${to}`);
    }
    const { inputs, elapsedMs } = this.clock();
    if (this.to !== from || this.input !== inputs) return;
    const waited = !repeat && elapsedMs - journey.arrivedAt(from) <= heldMsMax;
    const had = !waited && this.stale.includes(journey);
    if (had) this.violations.report("forwarding", from, `forwards to ${to} a packet that it had before`);
    if (this.from === to && (had || this.fresh.includes(journey))) {
      this.violations.report("forwarding", from, `sends a packet back to ${to}`);
    }
  }
}
