import { openAudioFile } from "../io/audio/file.ts";
import { playFile } from "../io/audio/pace.ts";
import { createClock } from "../io/clock.ts";
import type { Player } from "./world.ts";

/**
 * Proves that a file can be played before anybody is bothered with a room. Rejects with `TeahouseError`
 * `audio-missing`, `audio-unreadable` or `audio-empty`.
 */
export async function openPlayer(path: string, loop: boolean): Promise<Player> {
  const file = await openAudioFile(path);
  await file.close();
  const clock = createClock();
  return {
    play: (onPacket) =>
      playFile(path, { loop, clock, onPacket: (packet, capturedAt) => onPacket({ ...packet, capturedAt }) }),
  };
}
