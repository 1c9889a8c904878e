import { beforeEach, describe, expect, it } from "vitest";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import type { HeardPacket } from "../../../p2p/api/engine.ts";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import type { Output, OutputEdge, OutputHandlers, OutputPace } from "../../../renderer/audio/edges.ts";
import { LoudSpeakers } from "../../../renderer/audio/playout/speakers.ts";
import type { CueKind, SoundDevice, SoundFaultCode } from "../../../renderer/audio/types.ts";
import { HandTimers, settled } from "./hand-timers.ts";

const alice = "a1" as VoiceKey;
const packet: HeardPacket = {
  speaker: alice,
  sequence: 1,
  layer: "normal",
  opus: new Uint8Array(120),
  capturedAt: millis(0),
  receivedAt: millis(0),
};

/** A computer whose loudspeakers can be plugged and unplugged. */
class Room implements OutputEdge {
  readonly plugged: SoundDevice[] = [{ id: "built-in", label: "Built-in" }];
  fails = false;
  blocked = false;
  readonly opened: {
    readonly handlers: OutputHandlers;
    readonly pace: OutputPace;
    sinks: (string | undefined)[];
    volume: number;
    pushed: number;
    closed: boolean;
    readonly volumes: Map<VoiceKey, number>;
    levelling: boolean;
    attention: Attention | undefined;
    readonly cues: CueKind[];
  }[] = [];
  readonly playedBack: { readonly device: string | undefined; readonly signal: AbortSignal }[] = [];
  playBackEnd: () => void = () => undefined;
  #changed: (() => void) | undefined;

  get latest(): (typeof this.opened)[number] {
    return this.opened.at(-1)!;
  }

  open(handlers: OutputHandlers, pace: OutputPace): Promise<Output> {
    if (this.fails) return Promise.reject(new Error("no such thing"));
    const one = {
      handlers,
      pace,
      sinks: [] as (string | undefined)[],
      volume: -1,
      pushed: 0,
      closed: false,
      volumes: new Map<VoiceKey, number>(),
      levelling: false,
      attention: undefined as Attention | undefined,
      cues: [] as CueKind[],
    };
    this.opened.push(one);
    handlers.onBlocked(this.blocked);
    return Promise.resolve({
      push: () => (one.pushed += 1),
      setVolume: (volume) => (one.volume = volume),
      setSpeakerVolume: (speaker, volume) => one.volumes.set(speaker, volume),
      setLevelling: (levelling) => (one.levelling = levelling),
      setAttention: (attention) => (one.attention = attention),
      cue: (kind) => one.cues.push(kind),
      setSink: (device) => {
        if (device !== undefined && !this.plugged.some(({ id }) => id === device))
          return Promise.reject(new DOMException("", "NotFoundError"));
        one.sinks.push(device);
        return Promise.resolve();
      },
      unblock: () => {
        handlers.onBlocked(this.blocked);
        return Promise.resolve();
      },
      close: () => (one.closed = true),
    });
  }

  playBack(_pcm: Float32Array, device: string | undefined, signal: AbortSignal): Promise<void> {
    this.playedBack.push({ device, signal });
    return new Promise((resolve) => {
      this.playBackEnd = resolve;
      signal.addEventListener("abort", () => resolve());
    });
  }

  devices(): Promise<readonly SoundDevice[]> {
    return Promise.resolve([...this.plugged]);
  }

  hasOutput(): Promise<boolean> {
    return Promise.resolve(this.plugged.length > 0);
  }

  onChange(listener: () => void): () => void {
    this.#changed = listener;
    return () => (this.#changed = undefined);
  }

  change(): void {
    this.#changed?.();
  }
}

let room: Room;
let timers: HandTimers;
let speakers: LoudSpeakers;
let faults: (SoundFaultCode | undefined)[];

beforeEach(() => {
  room = new Room();
  timers = new HandTimers();
  speakers = new LoudSpeakers(room, timers);
  faults = [];
  speakers.onFault((fault) => faults.push(fault?.code));
});

describe("the loudspeakers", () => {
  it("lets packets go before the start, and passes them on after it", async () => {
    speakers.push(packet);
    await speakers.start();
    speakers.push(packet);
    expect(room.latest.pushed).toBe(1);
  });

  it("keeps the volume between 0 and 2, also what was set before the start", async () => {
    speakers.setVolume(0.5);
    await speakers.start();
    expect(room.latest.volume).toBe(0.5);
    for (const [set, is] of [
      [3, 2],
      [-1, 0],
      [Number.NaN, 1],
    ] as const) {
      speakers.setVolume(set);
      expect([speakers.volume, room.latest.volume]).toEqual([is, is]);
    }
  });

  it("a chosen device that goes away is said, sound goes to the default, and back when it returns", async () => {
    room.plugged.push({ id: "headset", label: "Headset" });
    await speakers.setDevice("headset");
    await speakers.start();
    expect(room.latest.sinks).toEqual(["headset"]);
    room.plugged.pop();
    room.change();
    await settled();
    expect(room.latest.sinks).toEqual(["headset", undefined]);
    room.plugged.push({ id: "headset", label: "Headset" });
    room.change();
    await settled();
    expect(room.latest.sinks).toEqual(["headset", undefined, "headset"]);
    expect(faults).toEqual(["speaker-unplugged", undefined]);
  });

  it("a computer without any loudspeaker is said, the room goes on, and the first one plugged in ends it", async () => {
    const [only] = room.plugged.splice(0);
    await speakers.start();
    expect(faults).toEqual(["no-speaker"]);
    speakers.push(packet);
    expect(room.latest.pushed).toBe(1);
    room.blocked = true;
    room.latest.handlers.onBlocked(true);
    expect(faults).toEqual(["no-speaker", "speaker-blocked"]);
    room.latest.handlers.onBlocked(false);
    room.plugged.push(only!);
    room.change();
    await settled();
    expect(faults).toEqual(["no-speaker", "speaker-blocked", "no-speaker", undefined]);
  });

  it("sound that waits for a click is said, and another start from a click ends it", async () => {
    room.blocked = true;
    await speakers.start();
    expect(speakers.fault).toEqual({ code: "speaker-blocked", sentence: "sound.speaker-blocked" });
    room.blocked = false;
    await speakers.start();
    expect(speakers.fault).toBeUndefined();
    expect(room.opened).toHaveLength(1);
  });

  it("tells levels, and that all fell silent when it stops", async () => {
    await speakers.start();
    const seen: number[] = [];
    speakers.onLevels((levels) => seen.push(levels.get(alice) ?? 0));
    room.latest.handlers.onLevels(new Map([[alice, 0.7]]));
    expect(speakers.levels.get(alice)).toBe(0.7);
    speakers.stop();
    expect(seen).toEqual([0.7, 0]);
    expect(room.latest.closed).toBe(true);
    // What comes from what was closed is not heard any more.
    room.latest.handlers.onLevels(new Map([[alice, 0.7]]));
    expect(seen).toEqual([0.7, 0]);
  });

  it("starts again what broke, with volume and device as before, and says so when that helps no more", async () => {
    room.plugged.push({ id: "headset", label: "Headset" });
    await speakers.start();
    await speakers.setDevice("headset");
    speakers.setVolume(1.5);
    room.latest.handlers.onBroken();
    timers.pass(250);
    await settled();
    expect(room.latest).toMatchObject({ volume: 1.5, sinks: ["headset"], closed: false });
    expect(room.opened[0]!.closed).toBe(true);
    room.fails = true;
    room.latest.handlers.onBroken();
    for (let times = 0; times < 4; times += 1) {
      timers.pass(5000);
      await settled();
    }
    expect(faults).toEqual(["sound-broken"]);
  });

  it("asks a device for little at a time, and for more once it drops sound, which it stays with", async () => {
    await speakers.start();
    speakers.setVolume(1.5);
    const stats = { underruns: 2, bufferedMs: 20, outputLatencyMs: 8, speakers: new Map() };
    room.latest.handlers.onStats(stats);
    room.latest.handlers.onDropping();
    speakers.push(packet);
    expect(room.opened[0]!).toMatchObject({ pushed: 1, closed: false });
    await settled();
    expect(room.opened.map(({ pace, closed }) => [pace, closed])).toEqual([
      ["quick", true],
      ["calm", false],
    ]);
    expect(room.latest.volume).toBe(1.5);
    room.latest.handlers.onStats({ ...stats, underruns: 1 });
    expect(speakers.stats().underruns).toBe(3);
    room.latest.handlers.onDropping();
    speakers.stop();
    await speakers.start();
    expect(room.opened.map(({ pace }) => pace)).toEqual(["quick", "calm", "calm"]);
    expect(faults).toEqual([]);
  });

  it("what opens after stop is closed again", async () => {
    const starting = speakers.start();
    speakers.stop();
    await starting;
    expect(room.latest.closed).toBe(true);
    speakers.push(packet);
    expect(room.latest.pushed).toBe(0);
  });

  it("one speaker's volume, levelling and deafness outlive a part that broke", async () => {
    const bob = "b0" as VoiceKey;
    speakers.setSpeakerVolume(alice, 0.5);
    await speakers.start();
    speakers.setSpeakerVolume(bob, 7);
    speakers.setSpeakerVolume(alice, Number.NaN);
    speakers.setLevelling(false);
    speakers.setAttention("conversing");
    speakers.setDeafened(true);
    speakers.setVolume(1.5);
    expect([room.latest.volume, speakers.volume]).toEqual([0, 1.5]);
    room.latest.handlers.onBroken();
    timers.pass(250);
    await settled();
    expect(room.latest).toMatchObject({
      volume: 0,
      levelling: false,
      attention: "conversing",
      volumes: new Map([[bob, 2]]),
    });
    speakers.cue("open");
    speakers.setDeafened(false);
    speakers.cue("shut");
    expect([room.latest.volume, room.latest.cues]).toEqual([1.5, ["shut"]]);
  });

  it("plays a recording to oneself alone, before the start too; another one ends it", async () => {
    const recording = new Float32Array(48_000);
    const first = speakers.playBack(recording);
    const second = speakers.playBack(recording);
    await first;
    expect(room.playedBack.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    room.playBackEnd();
    await second;
    expect(room.opened).toHaveLength(0);
  });
});
