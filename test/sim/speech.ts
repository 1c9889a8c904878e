/** Bytes of one pretended Opus packet: 40 ms at 24 kbit/s, always the same, as an open microphone sends. */
export const speechBytes = 120;
/** The same in the low layer, at 12 kbit/s. */
const lowBytes = 60;

/** Which packet of which microphone. */
export interface Utterance {
  readonly speaker: number;
  /** Packets of 40 ms since the microphone first opened, counted from 0. */
  readonly count: number;
}

/** Pretended speech that says whose and which packet it is in its every byte, so that a swap or a flipped bit shows. */
export function speak({ speaker, count }: Utterance, bytes = speechBytes): Uint8Array {
  const opus = new Uint8Array(bytes);
  const view = new DataView(opus.buffer);
  view.setUint32(0, speaker);
  view.setUint32(4, count);
  for (let index = 8; index < bytes; index++) opus[index] = speaker * 31 + count * 7 + index;
  return opus;
}

/** What was understood last: all ears get the same packets within a second. */
const lately = new Map<number, Uint8Array>();
const latelyMax = 256;

/** Whose packet it is; undefined for anything that `speak` did not make. */
export function understand(opus: Uint8Array): Utterance | undefined {
  if (opus.length !== speechBytes && opus.length !== lowBytes) return undefined;
  const speaker = readWord(opus, 0);
  const count = readWord(opus, 4);
  const label = speaker * latelyMax + (count % latelyMax);
  let said = lately.get(label);
  if (said === undefined || readWord(said, 4) !== count) {
    if (lately.size >= latelyMax) lately.clear();
    lately.set(label, (said = speak({ speaker, count })));
  }
  for (let index = 8; index < opus.length; index++) if (opus[index] !== said[index]) return undefined;
  return { speaker, count };
}

function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The low layer of what is said. */
export function speakLow(utterance: Utterance): Uint8Array {
  return speak(utterance, lowBytes);
}
