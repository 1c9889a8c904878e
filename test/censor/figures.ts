import type { Side } from "./box.ts";
import type { Outcome } from "./rules/rule.ts";
import type { TrialResult } from "./trial.ts";

/** The contract's line of one case on one side; `remarks` and the two counts of flows come on top. */
export interface CensorLine {
  readonly event: "censor";
  readonly rule: string;
  readonly side: Side;
  readonly tries: number;
  /** Tries that came to what the rule's file expects. */
  readonly ok: number;
  /** The worst of the tries. */
  readonly outcome: Outcome;
  /** Null without sound. */
  readonly soundMsP95: number | null;
  readonly gapMsMax: number;
  /** Null when nothing was expected. */
  readonly framesOnTimeShare: number | null;
  readonly leaks: readonly string[];
  readonly remarks: readonly string[];
  readonly tcpFlows: number;
  readonly popcountBlocked: number;
}

const badness: readonly Outcome[] = ["sound", "explained", "failed"];

/** Adds up the tries of one case on one side. */
export function censorLine(rule: string, side: Side, tries: readonly TrialResult[]): CensorLine {
  const sounds = tries.flatMap(({ soundMs }) => soundMs ?? []).toSorted((one, other) => one - other);
  const sum = (field: "framesExpected" | "framesOnTime" | "tcpFlows" | "popcountBlocked"): number =>
    tries.reduce((total, result) => total + result[field], 0);
  const outcomes = tries.map(({ outcome }) => badness.indexOf(outcome));
  return {
    event: "censor",
    rule,
    side,
    tries: tries.length,
    ok: tries.filter(({ ok }) => ok).length,
    outcome: badness[Math.max(...outcomes)] ?? "failed",
    soundMsP95: sounds[Math.ceil(sounds.length * 0.95) - 1] ?? null,
    gapMsMax: Math.max(0, ...tries.map(({ gapMs }) => gapMs)),
    framesOnTimeShare: sum("framesExpected") === 0 ? null : round(sum("framesOnTime") / sum("framesExpected")),
    leaks: [...new Set(tries.flatMap(({ leaks }) => leaks))],
    remarks: [...new Set(tries.flatMap(({ remark }) => (remark === "" ? [] : [remark])))],
    tcpFlows: sum("tcpFlows"),
    popcountBlocked: sum("popcountBlocked"),
  };
}

function round(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

const columns = ["rule", "side", "ok", "outcome", "sound", "gap", "on time", "leaks"] as const;
const widths = [30, 10, 6, 10, 8, 8, 8] as const;

/** The table's head, for people. */
export const tableHead: string = row(columns);

/** One line of the table. */
export function tableRow(line: CensorLine): string {
  const { rule, side, ok, tries, outcome, soundMsP95, gapMsMax, framesOnTimeShare, leaks, remarks } = line;
  const notes = [...remarks, ...leaks].join("; ");
  const share = framesOnTimeShare === null ? "" : `${(100 * framesOnTimeShare).toFixed(1)} %`;
  const sound = soundMsP95 === null ? "" : `${(soundMsP95 / 1000).toFixed(2)} s`;
  return row([rule, side, `${ok}/${tries}`, outcome, sound, `${gapMsMax} ms`, share, notes === "" ? "none" : notes]);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" ");
}
