import type { CueKind } from "../types.ts";

/** Two soft notes, a fourth apart: up when the microphone opens, down when it shuts. In Hz. */
const notes: Readonly<Record<CueKind, readonly [first: number, second: number]>> = {
  open: [392, 523],
  shut: [523, 392],
};
/** How long a note lasts, and how loud it is: -32 dBFS, well below a voice. */
const noteSeconds = 0.06;
const loudness = 0.025;

/** Plays a sign into a graph's destination. */
export function playCue(context: AudioContext, kind: CueKind): void {
  const end = context.currentTime + 2 * noteSeconds;
  const gain = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { type: "sine", frequency: notes[kind][0] });
  tone.frequency.setValueAtTime(notes[kind][1], context.currentTime + noteSeconds);
  gain.gain.setTargetAtTime(loudness, context.currentTime, 0.008);
  gain.gain.setTargetAtTime(0, end - 0.03, 0.01);
  tone.connect(gain).connect(context.destination);
  tone.start();
  tone.stop(end + 0.05);
  tone.onended = () => gain.disconnect();
}
