import type { Rng } from "../../p2p/core/rng.ts";

/** Messages in a row that one bad moment of an access link takes: its mean (performance.md, section 6). */
const burstMean = 2.5;
/** What DTLS, SCTP, UDP and IP add to a message on a data channel (performance.md, section 0). */
const headerBytes = 93;
/** What waits longer than this in a home router's queue is dropped; streams are slowed down instead. */
const queueMsMax = 200;
/** Who lends nothing has the uplink of a modest home connection; it sends little. */
const uplinkKbpsDefault = 5000;

/** One direction of a link: whether it is in a bad moment. */
export interface Weather {
  bad: boolean;
}

/** The last mile: losses that come in bursts (Gilbert and Elliott), and uplinks that are narrower than what is sent. */
export class Access {
  private readonly loss: number;
  private readonly rng: Rng;
  private readonly uplinkKbps: number[] = [];
  /** When each uplink has sent all that waits. */
  private readonly busyUntil: number[] = [];

  /** @param loss share of messages that are lost on one link. */
  constructor(loss: number, rng: Rng) {
    this.loss = loss;
    this.rng = rng;
  }

  /** A node sends so many kbit/s at most. */
  setUplink(node: number, kbps: number): void {
    this.uplinkKbps[node] = kbps;
  }

  /** Whether the next message over this direction is lost. */
  isLost(weather: Weather): boolean {
    if (this.loss === 0) return false;
    const changes = weather.bad ? 1 / burstMean : this.loss / (burstMean * (1 - this.loss));
    if (this.rng.next() < changes) weather.bad = !weather.bad;
    return weather.bad;
  }

  /** How long a message waits until the uplink has sent it and all before it; undefined when it does not fit any more. */
  queueMs(node: number, bytes: number, now: number, isStream: boolean): number | undefined {
    const waitMs = Math.max(0, (this.busyUntil[node] ?? 0) - now);
    if (waitMs > queueMsMax && !isStream) return undefined;
    const sendMs = ((bytes + headerBytes) * 8) / (this.uplinkKbps[node] ?? uplinkKbpsDefault);
    this.busyUntil[node] = now + waitMs + sendMs;
    return waitMs + sendMs;
  }
}
