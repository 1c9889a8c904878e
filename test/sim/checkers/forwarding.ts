import type { Journey, MediaSighting, TraceListener } from "../media-trace.ts";
import type { Violations } from "../observer.ts";

/**
 * A packet may cross one edge again when the first copy was lost and a new feed asks for it, but not for ever: a way that is
 * cut twice in two seconds leaves asks on the lane that are answered too.
 */
const timesOverEdgeMax = 5;

/**
 * No loops: a node forwards a packet once, when it first gets it, never back to where it came from, and nothing crosses
 * more links than there are relays to cross.
 */
export class ForwardingChecker implements TraceListener {
  private current:
    | {
        readonly from: number;
        readonly to: number;
        readonly journey: Journey;
        readonly repeat: boolean;
        readonly input: number;
      }
    | undefined;
  private readonly violations: Violations;
  private readonly inputs: () => number;
  private readonly nodesMax: number;
  private readonly hopsMax: number;

  /** @param inputs the world's count of inputs. @param hopsMax links that a packet may cross. */
  constructor(violations: Violations, inputs: () => number, nodesMax: number, hopsMax: number) {
    this.violations = violations;
    this.inputs = inputs;
    this.nodesMax = nodesMax;
    this.hopsMax = hopsMax;
  }

  mediaDelivered({ from, to, journey, repeat, claimedHops }: MediaSighting): void {
    this.current = { from, to, journey, repeat, input: this.inputs() + 1 };
    const hops = Math.max(claimedHops, journey.hops[to] ?? 0);
    if (hops > this.hopsMax) this.violations.report("forwarding", to, `a packet crossed ${hops} links`);
  }

  mediaSent({ from, to, journey, repeat, passedOn }: MediaSighting): void {
    if (passedOn && repeat) this.violations.report("forwarding", from, `sends a packet twice at once to ${to}`);
    const times = journey.edges.get(from * this.nodesMax + to) ?? 0;
    if (times > timesOverEdgeMax) this.violations.report("forwarding", from, `sent one packet ${times} times to ${to}`);
    const current = this.current;
    if (current?.to !== from || current.journey !== journey || current.input !== this.inputs()) return;
    if (current.repeat) this.violations.report("forwarding", from, `forwards to ${to} a packet that it had before`);
    if (current.from === to) this.violations.report("forwarding", from, `sends a packet back to ${to}`);
  }
}
