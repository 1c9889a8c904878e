import { TeahouseError } from "../api/errors.ts";

/** The word that stands for "on stdin". */
const stdinWord = "-";
/** Several cards or one invite; more is not read. */
const stdinCharactersMax = 65_536;

/** Where a secret may come from when its word is `-`. */
export interface SecretSource extends AsyncIterable<unknown> {
  /** A person at a terminal ends with Enter, not with the end of the file. */
  readonly isTTY?: boolean;
}

/** Replaces each `-` by what stands on stdin, so that invites and cards stay out of process lists. */
export async function resolveCards(words: readonly string[], stdin: SecretSource): Promise<string[]> {
  if (!words.includes(stdinWord)) return [...words];
  const given = (await readSecret(stdin, () => false)).split(/\s+/).filter((word) => word !== "");
  return words.flatMap((word) => (word === stdinWord ? given : [word]));
}

/**
 * One invite. What stands on stdin is taken whole, since the invite's own parser removes line breaks that a mail
 * program put in; `isComplete` says when it is whole though the pipe stays open.
 */
export async function resolveInvite(
  word: string,
  stdin: SecretSource,
  isComplete: (text: string) => boolean,
): Promise<string> {
  return word === stdinWord ? readSecret(stdin, isComplete) : word;
}

async function readSecret(stdin: SecretSource, isComplete: (text: string) => boolean): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > stdinCharactersMax) {
      throw new TeahouseError("usage", "There is too much on stdin for an invite or card.");
    }
    const line = /\S\s*\n/.test(text);
    if (line && (stdin.isTTY === true || isComplete(text))) break;
  }
  if (text.trim() === "") {
    throw new TeahouseError("usage", 'An invite or card was expected on stdin because of "-", and none came.');
  }
  return text;
}
