import { openAudioFile } from "../../../p2p/io/audio/file.ts";

/** Run as a process of its own: reads so many seconds of a file and says how large the process became. */
const [path = "", seconds = "0"] = process.argv.slice(2);
let samples = 0;
const file = await openAudioFile(path);
for await (const piece of file) {
  samples += piece.length;
  if (samples >= Number(seconds) * 48_000) break;
}
process.stdout.write(JSON.stringify({ seconds: samples / 48_000, rssMbMax: process.resourceUsage().maxRSS / 1024 }));
