import type { SoundFault, SoundFaultCode } from "./types.ts";

/** The fault of a code, with its sentence. */
export function soundFault(code: SoundFaultCode): SoundFault {
  return { code, sentence: `sound.${code}` };
}

/** What keeps us from a microphone, by what `getUserMedia` rejected with (Media Capture and Streams, 10.3.1). */
export function microphoneFaultCode(error: unknown): SoundFaultCode {
  switch (error instanceof Error ? error.name : "") {
    case "NotFoundError":
    case "OverconstrainedError":
      return "no-microphone";
    case "NotAllowedError":
    case "SecurityError":
      return "microphone-denied";
    case "NotReadableError":
    case "AbortError":
    case "InvalidStateError":
      return "microphone-busy";
    default:
      return "sound-broken";
  }
}
