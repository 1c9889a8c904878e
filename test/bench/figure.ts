/** One figure of GOALS.md, measured: ours against something that people know. */
export interface Figure {
  readonly id: string;
  readonly what: string;
  /** Ours divided by the baseline. */
  readonly value: number;
  readonly goal: number;
  readonly better: "less" | "more";
  readonly met: boolean;
  readonly sides: { readonly ours: number; readonly baseline: number; readonly [more: string]: number };
}

/** What a figure is made of. */
export interface Measured {
  readonly id: string;
  /** What is divided by what, and its unit. */
  readonly what: string;
  readonly goal: number;
  readonly better: "less" | "more";
  readonly sides: Figure["sides"];
}

/** The ratio, and whether it reaches the goal. */
export function figureOf({ id, what, goal, better, sides }: Measured): Figure {
  const ratio = sides.ours / sides.baseline;
  // What is shown is rounded, what is judged is not: a goal missed by a hair is missed.
  return {
    id,
    what,
    value: rounded(ratio),
    goal,
    better,
    met: better === "less" ? ratio <= goal : ratio >= goal,
    sides,
  };
}

/** The same where the goal is no ratio: what was measured is itself held against it, and the baseline only stands beside it. */
export function plainFigureOf(measured: Measured): Figure {
  const { ours } = measured.sides;
  const met = measured.better === "less" ? ours <= measured.goal : ours >= measured.goal;
  return { ...figureOf(measured), value: rounded(ours), met };
}

/** One line of `npm run bench`: for programs, or for people. */
export function lineOf(figure: Figure, json: boolean): string {
  if (json) return JSON.stringify({ event: "bench", ...figure });
  const { id, what, value, goal, better, met, sides } = figure;
  const bound = better === "less" ? "at most" : "at least";
  const all = Object.entries(sides).map(([side, number]) => `${side} ${number}`);
  return `${id}  ${value} (${bound} ${goal}: ${met ? "met" : "not met"})  ${what}: ${all.join(", ")}`;
}

/** To four decimals: shares of a percent are told apart, more would be noise. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
