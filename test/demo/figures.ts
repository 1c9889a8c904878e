/** One `stats` line of a process, and when it came. */
export interface Sample {
  /** Milliseconds on the demo's clock. */
  readonly at: number;
  /** Milliseconds since that process started. */
  readonly t: number;
  readonly framesExpected: number;
  readonly framesOnTime: number;
  readonly framesConcealed: number;
  readonly worstGapMs: number;
  readonly packetsForwarded: number;
  readonly hops: number;
  readonly children: number;
  readonly links: Readonly<Record<string, number>>;
  readonly rssMb: number;
  readonly cpuMs: number;
}

/** The part of the demo that counts, on the demo's clock. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** A listener, over the window only. */
export interface ListenerFigures {
  readonly from: string;
  readonly framesExpected: number;
  readonly framesOnTime: number;
  readonly framesConcealed: number;
  /** Greatest distance from the speaker's engine. */
  readonly hops: number;
  /** Kind of link that carried the sound. */
  readonly link: string;
  readonly soundMs: number | null;
  /** Longest run of frames not on time. */
  readonly worstGapMs: number;
  readonly rssMb: number;
}

/** A relay, over the window only. */
export interface RelayFigures {
  readonly from: string;
  readonly children: number;
  readonly packetsForwarded: number;
  /** Share of one core. */
  readonly cpuShare: number;
  readonly rssMb: number;
}

/** What is known of one process. */
export interface Observed {
  readonly from: string;
  readonly samples: readonly Sample[];
  readonly soundMs: number | null;
  /** It was itself killed or stopped: its gap is what was done to it, not how the room bore it. */
  readonly wasHurt: boolean;
}

/** The demo's last line. */
export interface DemoFigures {
  readonly event: "demo";
  readonly listeners: readonly ListenerFigures[];
  readonly relays: readonly RelayFigures[];
  readonly soundMsP95: number | null;
  readonly worstGapMs: number;
}

const frameMs = 20;
/** Less than a second behind the others is where in the second a line was printed, not a loss. */
const behindFramesMin = 1000 / frameMs;
/** Without progress for this long, while others go on, sound is lost for good. */
const lostMs = 2500;

/** Everything of the demo's last line. */
export function demoFigures(listeners: readonly Observed[], relays: readonly Observed[], window: Window): DemoFigures {
  const spans = listeners.map((record) => spanOf(record, window));
  const rates = spans.map((span) => (span === undefined ? undefined : span.framesExpected / span.elapsedMs));
  const figures = listeners.map((record, index) => listenerFigures(record, spans[index], medianOfOthers(rates, index)));
  return {
    event: "demo",
    listeners: figures,
    relays: relays.map((record) => relayFigures(record, window)),
    soundMsP95: percentile(
      figures.flatMap(({ soundMs }) => (soundMs === null ? [] : [soundMs])),
      0.95,
    ),
    worstGapMs: Math.max(
      0,
      ...figures.filter((_, index) => listeners[index]?.wasHurt !== true).map(({ worstGapMs }) => worstGapMs),
    ),
  };
}

/** Listeners that stopped hearing while the others went on, or that fell silent as processes. */
export function lostListeners(listeners: readonly Observed[], window: Window): string[] {
  const since = window.to - lostMs;
  const progress = listeners.map(({ samples }) => {
    const last = samples.at(-1);
    const before = samples.findLast((sample) => sample.at <= since) ?? samples[0];
    return last === undefined || before === undefined ? 0 : last.framesExpected - before.framesExpected;
  });
  return listeners
    .filter((_, index) => progress[index] === 0 && (medianOfOthers(progress, index) ?? 0) > 0)
    .map(({ from }) => from);
}

interface Span {
  readonly samples: readonly Sample[];
  readonly elapsedMs: number;
  readonly framesExpected: number;
  readonly framesOnTime: number;
  readonly framesConcealed: number;
}

/** From the first line in the window to the first one at or after its end. */
function spanOf({ samples }: Observed, window: Window): Span | undefined {
  const first = samples.findIndex((sample) => sample.at >= window.from);
  const end = samples.findIndex((sample) => sample.at >= window.to);
  const last = end < 0 ? samples.length - 1 : end;
  const [start, stop] = [samples[first], samples[last]];
  if (start === undefined || stop === undefined || last <= first) return undefined;
  return {
    samples: samples.slice(first + 1, last + 1),
    elapsedMs: stop.t - start.t,
    framesExpected: stop.framesExpected - start.framesExpected,
    framesOnTime: stop.framesOnTime - start.framesOnTime,
    framesConcealed: stop.framesConcealed - start.framesConcealed,
  };
}

function listenerFigures(record: Observed, span: Span | undefined, othersRate: number | undefined): ListenerFigures {
  const { from, soundMs } = record;
  if (span === undefined) {
    const nothing = { framesExpected: 0, framesOnTime: 0, framesConcealed: 0, hops: 0, link: "none" };
    return { from, ...nothing, soundMs, worstGapMs: 0, rssMb: record.samples.at(-1)?.rssMb ?? 0 };
  }
  // Who hears nothing learns of no sequence numbers: what the others were sent was owed to this one too.
  const owed = Math.round((othersRate ?? 0) * span.elapsedMs);
  const behind = owed - span.framesExpected;
  const missing = behind >= behindFramesMin ? behind : 0;
  const gapMs = Math.max(0, ...span.samples.map(({ worstGapMs }) => worstGapMs));
  return {
    from,
    framesExpected: span.framesExpected + missing,
    framesOnTime: span.framesOnTime,
    framesConcealed: span.framesConcealed,
    hops: Math.max(...span.samples.map(({ hops }) => hops)),
    link: linkOf(span.samples),
    soundMs,
    worstGapMs: Math.max(gapMs, missing * frameMs),
    rssMb: Math.max(...span.samples.map(({ rssMb }) => rssMb)),
  };
}

/** The kind that carries media: a data channel where there is one, though a stream stands beside it. */
function linkOf(samples: readonly Sample[]): string {
  const kinds = Object.entries(samples.at(-1)?.links ?? {}).filter(([, count]) => count > 0);
  if (kinds.some(([kind]) => kind === "webrtc")) return "webrtc";
  return kinds[0]?.[0] ?? "none";
}

function relayFigures(record: Observed, window: Window): RelayFigures {
  const { samples, from } = record;
  const first = samples.findIndex((sample) => sample.at >= window.from);
  const end = samples.findIndex((sample) => sample.at >= window.to);
  const start = samples[first];
  const stop = samples[end < 0 ? samples.length - 1 : end];
  if (start === undefined || stop === undefined || stop.t <= start.t) {
    return { from, children: 0, packetsForwarded: 0, cpuShare: 0, rssMb: samples.at(-1)?.rssMb ?? 0 };
  }
  return {
    from,
    children: stop.children,
    packetsForwarded: stop.packetsForwarded - start.packetsForwarded,
    cpuShare: Math.round((1000 * (stop.cpuMs - start.cpuMs)) / (stop.t - start.t)) / 1000,
    rssMb: Math.max(...samples.map(({ rssMb }) => rssMb)),
  };
}

function medianOfOthers(values: readonly (number | undefined)[], index: number): number | undefined {
  const others = values.filter((value, at) => at !== index && value !== undefined) as number[];
  return percentile(others, 0.5) ?? undefined;
}

/** Nearest rank; null of nothing. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
