/** Bytes of one pretended Opus packet: 40 ms at 24 kbit/s, always the same, as an open microphone sends. */
export const speechBytes = 120;

/** Which packet of which microphone. */
export interface Utterance {
  readonly speaker: number;
  /** Packets of 40 ms since the microphone first opened, counted from 0. */
  readonly count: number;
}

/** Pretended speech that says whose and which packet it is in its every byte, so that a swap or a flipped bit shows. */
export function speak({ speaker, count }: Utterance): Uint8Array {
  const opus = new Uint8Array(speechBytes);
  const view = new DataView(opus.buffer);
  view.setUint32(0, speaker);
  view.setUint32(4, count);
  for (let index = 8; index < speechBytes; index++) opus[index] = speaker * 31 + count * 7 + index;
  return opus;
}

/** Whose packet it is; undefined for anything that `speak` did not make. */
export function understand(opus: Uint8Array): Utterance | undefined {
  if (opus.length !== speechBytes) return undefined;
  const view = new DataView(opus.buffer, opus.byteOffset, opus.length);
  const speaker = view.getUint32(0);
  const count = view.getUint32(4);
  for (let index = 8; index < speechBytes; index++) {
    if (opus[index] !== ((speaker * 31 + count * 7 + index) & 0xff)) return undefined;
  }
  return { speaker, count };
}
