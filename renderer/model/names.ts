/** Characters of a name that are shown: more would push others off the stage. */
export const nameLengthMax = 40;
/** UTF-16 units of a name that are sent: what the engine takes. */
const nameUnitsMax = 64;
/** Characters of a typed text: what the engine takes. */
export const textLengthMax = 280;
/** How much of what a stranger sent is looked at. Nobody reads further, and counting characters is not free. */
const unitsLookedAt = 4096;
/** The longest real character, an emoji of four people with skin tones, has 19 units; longer ones are piles of marks. */
const graphemeUnitsMax = 20;

/**
 * Controls, bidi controls and what has no width, so that a name can neither turn its surroundings round nor hide. The
 * joiners stay, which Persian and emoji need, and so do the two selectors between an emoji's forms.
 */
const unseen =
  /(?!\u200c|\u200d|\ufe0e|\ufe0f)[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A name as others gave it, fit to be shown: one line, cut, and nothing in it that steers text. May be empty. */
export function cleanName(raw: string): string {
  const { text, whole } = cut(raw, nameLengthMax);
  return whole ? text : `${text}…`;
}

/** One's own name, fit to be sent. May be empty. */
export function cleanOwnName(raw: string): string {
  return cut(raw, nameLengthMax, nameUnitsMax).text;
}

/** What somebody typed, fit to be shown. May be empty. */
export function cleanText(raw: string): string {
  return cut(raw, textLengthMax).text;
}

function cut(raw: string, lengthMax: number, unitsMax = Infinity): { readonly text: string; readonly whole: boolean } {
  const line = raw.slice(0, unitsLookedAt).replace(/\s+/gu, " ").replace(unseen, "").trim();
  let text = "";
  let length = 0;
  for (const { segment } of graphemes.segment(line)) {
    const shown = segment.length > graphemeUnitsMax ? String.fromCodePoint(segment.codePointAt(0) ?? 0x20) : segment;
    if (length === lengthMax || text.length + shown.length > unitsMax) return { text: text.trimEnd(), whole: false };
    text += shown;
    length += 1;
  }
  return { text, whole: raw.length <= unitsLookedAt };
}
