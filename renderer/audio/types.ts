import type { HeardPacket, SpokenPacket, VoiceStrength } from "../../p2p/api/engine.ts";
import type { Attention } from "../../p2p/core/jitter/delay.ts";
import type { VoiceKey } from "../../p2p/api/ids.ts";

/** Trouble with sound that a person can do something about. */
export type SoundFaultCode =
  /** No microphone is plugged in. */
  | "no-microphone"
  /** The person, the browser or the system refused the microphone. */
  | "microphone-denied"
  /** Another program has it, or the system cannot open it. */
  | "microphone-busy"
  /** It went away while we used it; talk goes on by itself once it, or another one, is there. */
  | "microphone-unplugged"
  /** It is open and not muted, and gives no sound: a switch on the headset, a volume at zero, the wrong device. */
  | "microphone-silent"
  /** The computer has no loudspeaker or headphones at all. */
  | "no-speaker"
  /** The chosen loudspeaker went away; sound goes to the default one. */
  | "speaker-unplugged"
  /** The browser lets no sound out before a click or a key: call `start` again from one. */
  | "speaker-blocked"
  /** A part of ours that makes or plays sound failed and could not be restarted. */
  | "sound-broken";

/** A fault that holds now, with the translation key of the sentence that says what to do. */
export interface SoundFault {
  readonly code: SoundFaultCode;
  /** `sound.` and the code, for example `sound.no-microphone`. */
  readonly sentence: `sound.${SoundFaultCode}`;
}

/** A microphone or loudspeaker that can be chosen. */
export interface SoundDevice {
  /** Opaque, different for every origin; valid as long as this window. */
  readonly id: string;
  /** What the system calls it; empty before permission was given. Text from outside: show it isolated. */
  readonly label: string;
}

/** Takes a listener away again. */
export type Unsubscribe = () => void;

/**
 * One's own voice, from device to packets. Starts muted. Whatever goes wrong becomes a fault and goes on by itself
 * when its cause is gone; no method throws or rejects.
 *
 *     import { createMicrophone } from "./capture/microphone-browser.ts";
 *     const microphone = createMicrophone();
 *     microphone.onPacket((packet) => engine.speak(packet));
 *     await microphone.start();
 *     microphone.setMuted(false);
 */
export interface Microphone {
  /** Asks for the device, with permission where none was given. Resolves when sound is captured or `fault` says why not. */
  start(): Promise<void>;
  /** Closes the device: the system's sign for a microphone in use goes out. `start` opens it again. */
  stop(): void;
  /**
   * No packet leaves after it returns, and the track is disabled, so that the system gives silence until it is unmuted;
   * but while metering, recording or listening for one who forgot, loudness is measured and nothing else kept.
   */
  setMuted(muted: boolean): void;
  readonly muted: boolean;
  /** Push to talk: while held, as if not muted; 200 ms longer, so that the last syllable is not cut off. */
  setHeld(held: boolean): void;
  /** Whether packets leave now: started, and not muted or held. */
  readonly live: boolean;
  /** Before joining: sound is measured though muted, and still no packet leaves. */
  setMetering(metering: boolean): void;
  /** While muted, sound is measured just to tell whoever talks that nobody hears it: see `onMutedSpeech`. */
  setMindful(mindful: boolean): void;
  /** Whether others hear the masked voice. Begins false; changes in mid-word too. */
  readonly masked: boolean;
  setMasked(masked: boolean): void;
  /** How the normal layer is made from now on. Begins `copied`. */
  setStrength(strength: VoiceStrength): void;
  /** Draws another mask: once for each room, before it is entered. */
  renewMask(): void;
  /**
   * Keeps what is said in the next `ms` (10,000 at most), as others would hear it, mask and all; no packet leaves for it.
   * Gives it at 48 kHz, or nothing when it was ended before any sound came.
   */
  record(ms: number): Promise<Recording | undefined>;
  /** Ends recording: what was kept so far is given. */
  endRecording(): void;
  /** How loud, 0 to 1, on a scale that follows the ear; 0 while neither live nor metering. */
  readonly level: number;
  /** The microphones there are, the default one first; refreshed when one comes or goes. */
  readonly devices: readonly SoundDevice[];
  /** The chosen one; undefined is whatever the system's default is. */
  readonly device: string | undefined;
  /** Changes device, also in mid-word. Resolves like `start`. */
  setDevice(id: string | undefined): Promise<void>;
  readonly fault: SoundFault | undefined;
  /** In both layers, of constant size, one each 40 ms while live. The listener must not throw. */
  onPacket(listener: (packet: SpokenPacket) => void): Unsubscribe;
  /** Called 20 times a second while live or metering, and once with 0 when that ends. */
  onLevel(listener: (level: number) => void): Unsubscribe;
  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe;
  /** Called with each fault, and with undefined when it is over. */
  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe;
  /** Called at most every 10 s, when somebody talks though muted. */
  onMutedSpeech(listener: () => void): Unsubscribe;
  /** Called when `live` changes. */
  onLive(listener: (live: boolean) => void): Unsubscribe;
}

/** One's own voice, kept in memory for a moment: samples at 48 kHz. */
export type Recording = Float32Array<ArrayBuffer>;

/** What a soft sign says: one's microphone opened, or shut, by a key that is held. */
export type CueKind = "open" | "shut";

/** What became of one speaker's packets. Counts since the speaker was first heard; frames are 20 ms. */
export interface SpeakerStats {
  /** Played from their own packet. */
  readonly framesPlayed: number;
  /** Rebuilt from the copy in the next packet. */
  readonly framesRebuilt: number;
  /** Lost: guessed, or left out. */
  readonly framesLost: number;
  /** Came after their turn. Their frames are in `framesLost` or `framesRebuilt`. */
  readonly packetsLate: number;
  /** What the jitter buffer aims at, in ms after the fastest packets. */
  readonly targetMs: number;
  /** Capture to ear, in ms, as far as both clocks agree; null while nothing plays. */
  readonly latencyMs: number | null;
}

/** How playing goes. */
export interface SpeakersStats {
  /** Times that the sound device asked and nothing was ready. */
  readonly underruns: number;
  /** Sound waiting between us and the device, in ms. */
  readonly bufferedMs: number;
  /** What the device adds, in ms. */
  readonly outputLatencyMs: number;
  readonly speakers: ReadonlyMap<VoiceKey, SpeakerStats>;
}

/**
 * Everybody else's voices, from packets to the ear. No method throws or rejects.
 *
 *     import { createSpeakers } from "./playout/speakers-browser.ts";
 *     const speakers = createSpeakers();
 *     engine.hear((packet) => speakers.push(packet));
 *     await speakers.start();
 */
export interface Speakers {
  /** Call it from a click or key where possible. Resolves when sound can be heard or `fault` says why not. */
  start(): Promise<void>;
  /** Ends playing and forgets all speakers. `start` begins anew. */
  stop(): void;
  /** Takes an opened packet of anybody, in any order; what comes before `start` is let go. */
  push(packet: HeardPacket): void;
  /** How loud each speaker talks now, 0 to 1, on a scale that follows the ear, whatever the volumes. Who is silent is left out. */
  readonly levels: ReadonlyMap<VoiceKey, number>;
  /** Master volume: 0 silent, 1 as sent, 2 at most. */
  readonly volume: number;
  setVolume(volume: number): void;
  /** How loud one speaker is among the others, as the master volume is counted; 1 until set. Forgotten by `stop`. */
  setSpeakerVolume(speaker: VoiceKey, volume: number): void;
  /** While deafened nothing is played; volumes stay as they are. Begins false. */
  readonly deafened: boolean;
  setDeafened(deafened: boolean): void;
  /** Whether speakers too quiet or too loud are brought nearer to the others. Begins true. */
  setLevelling(levelling: boolean): void;
  /** Whether this person just listens, or converses: then there is less delay, and more is guessed. Begins `listening`. */
  setAttention(attention: Attention): void;
  /** A soft sign that only this person hears; none before `start` or while deafened. */
  cue(kind: CueKind): void;
  /** Plays a recording to this person alone, also before `start`. Resolves at its end; another one or `endPlayBack` ends it. */
  playBack(recording: Recording): Promise<void>;
  endPlayBack(): void;
  /** The loudspeakers there are, the default one first. Empty where the browser offers no choice. */
  readonly devices: readonly SoundDevice[];
  readonly device: string | undefined;
  /** Undefined is the system's default. Resolves when sound goes there, or `fault` says why not. */
  setDevice(id: string | undefined): Promise<void>;
  readonly fault: SoundFault | undefined;
  /** At most a second old. */
  stats(): SpeakersStats;
  /** Called 20 times a second while anybody is heard, and once with an empty map when all fell silent. */
  onLevels(listener: (levels: ReadonlyMap<VoiceKey, number>) => void): Unsubscribe;
  onDevices(listener: (devices: readonly SoundDevice[]) => void): Unsubscribe;
  /** Called with each fault, and with undefined when it is over. */
  onFault(listener: (fault: SoundFault | undefined) => void): Unsubscribe;
}
