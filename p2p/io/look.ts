import { remove } from "confusables";

/** Marks, spaces and what has no shape of its own: a name looks the same without them. */
const shapeless = /[\p{M}\p{Cf}\p{Z}\p{P}]/gu;

/**
 * What a name looks like: two names that a reader takes for one another come to the same. Unicode's confusable letters
 * (UTS #39), as the package `confusables` has them, in one case and without marks.
 */
export function lookOf(name: string): string {
  return remove(name.normalize("NFKC")).normalize("NFKD").replace(shapeless, "").toLowerCase();
}
