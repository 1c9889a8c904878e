/**
 * What steers a terminal or turns its text round: controls, bidi controls, everything without a glyph of its own. The two joiners
 * stay, which Persian and emoji need.
 */
const steering = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Bidi_Control}]/gu;
/** Of these, what JSON leaves as it is: some readers of lines end one at U+2028, and some terminals obey U+009B. */
const unescaped = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A stranger's text as one line that does nothing but be read. What steers becomes U+FFFD, and blanks of any kind a space. */
export function plainLine(text: string): string {
  return text.replace(/\s+/gu, " ").replace(steering, "\u{fffd}");
}

/** The same value with every text in it a plain line. */
export function plainly<Value>(value: Value): Value {
  // Each branch gives back what it was given, which the compiler cannot see.
  return plain(value) as Value;
}

function plain(value: unknown): unknown {
  if (typeof value === "string") return plainLine(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

/** A line of JSON in which nothing steers: the same value, with more of it escaped. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(unescaped, (character) =>
    Array.from({ length: character.length }, (_, unit) => escaped(character.charCodeAt(unit))).join(""),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
