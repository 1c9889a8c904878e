import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { installNeeds } from "../../needs.ts";

/** One voice of the quality bench. */
export interface Voice {
  readonly name: string;
  /** At 48 kHz. */
  readonly speech: Float32Array;
}

/** Each says something of its own, of some ten seconds. */
const texts = [
  {
    name: "English",
    voice: "en-us",
    text: "The kettle is on the fire, and the door is never locked. Whoever comes in from the rain may sit down, drink a cup of tea, and tell us what the road was like.",
  },
  {
    name: "Mandarin",
    voice: "cmn",
    text: "茶馆的门一直开着，谁都可以进来坐坐。外面下着雨，里面的水刚刚烧开，请喝一杯热茶，慢慢告诉我们路上看见了什么。",
  },
  {
    name: "Cantonese",
    voice: "yue",
    text: "茶館嘅門一直開住，邊個都可以入嚟坐低。出面落緊雨，入面啲水啱啱滾，請飲杯熱茶，慢慢同我哋講下路上見到啲乜嘢。",
  },
] as const;

/** espeak-ng in three languages, and the clip kept in the tree. */
export async function voices(): Promise<Voice[]> {
  installNeeds();
  const folder = await mkdtemp(join(tmpdir(), "teahouse-voices-"));
  try {
    const spoken: Voice[] = [];
    for (const { name, voice, text } of texts) {
      const file = join(folder, `${voice}.wav`);
      execFileSync("espeak-ng", ["-v", voice, "-s", "150", "-w", file, text]);
      spoken.push({ name, speech: await readAudio(file) });
    }
    return [...spoken, { name: "clip", speech: await readAudio(fixturePath("speech.flac")) }];
  } finally {
    await rm(folder, { recursive: true });
  }
}
