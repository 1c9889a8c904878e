import { browserTimers } from "../browser-timers.ts";
import { captureDevice } from "./capture-device.ts";
import { secretChance } from "../mask/mask-character.ts";
import { RoomMicrophone } from "./microphone.ts";
import type { Microphone } from "../types.ts";

/** How a window's microphone is made. */
export interface MicrophoneOptions {
  /** Echo cancellation, noise suppression and gain control by the browser. Default true; false suits instruments. */
  readonly processing?: boolean;
}

/** The microphone of this window. */
export function createMicrophone({ processing = true }: MicrophoneOptions = {}): Microphone {
  return new RoomMicrophone(captureDevice(processing), browserTimers, secretChance());
}
