import { TeahouseError } from "../api/errors.ts";

/** A timer of Node counts in 32 bits: 24.8 days. */
const durationMsMax = 2 ** 31 - 1;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A duration as people type it ("20s", "5m", "1h", "1500ms"), in milliseconds.
 * Throws `TeahouseError("usage")` naming the option.
 */
export function parseDurationMs(option: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const valueMs = Math.round(Number(match?.[1]) * (unitMs[match?.[2] ?? ""] ?? Number.NaN));
  if (!(valueMs >= 1 && valueMs <= durationMsMax)) {
    throw new TeahouseError(
      "usage",
      `${option} takes a time such as 20s, 5m, 1h or 1500ms, at most 24 days; "${text.slice(0, 40)}" is none; see "teahouse --help".`,
    );
  }
  return valueMs;
}
