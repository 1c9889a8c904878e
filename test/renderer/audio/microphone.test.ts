import type { VoiceStrength } from "../../../p2p/api/engine.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import { millis } from "../../../p2p/api/ids.ts";
import type { Capture, CaptureEdge, CaptureHandlers, Gate } from "../../../renderer/audio/edges.ts";
import type { MaskCharacter } from "../../../renderer/audio/mask/mask-character.ts";
import { RoomMicrophone } from "../../../renderer/audio/capture/microphone.ts";
import type { SoundDevice, SoundFaultCode } from "../../../renderer/audio/types.ts";
import { HandTimers, settled } from "./hand-timers.ts";

const packet = { opus: new Uint8Array(120), capturedAt: millis(5) };

/** What a capture was told to wear, or that it was told while live. */
type Mask = MaskCharacter | undefined | "late";

/** A computer whose microphones can be plugged and unplugged. */
class Desk implements CaptureEdge {
  readonly plugged: SoundDevice[] = [{ id: "built-in", label: "Built-in" }];
  /** What opening a microphone fails with. */
  refusal: string | undefined;
  readonly open_: {
    readonly device: string | undefined;
    readonly handlers: CaptureHandlers;
    gate: Gate;
    closed: boolean;
    readonly masks: Mask[];
    readonly recordings: number[];
    strength: VoiceStrength | undefined;
  }[] = [];
  #changed: (() => void) | undefined;

  get watched(): boolean {
    return this.#changed !== undefined;
  }

  get latest(): (typeof this.open_)[number] {
    return this.open_.at(-1)!;
  }

  open(device: string | undefined, handlers: CaptureHandlers): Promise<Capture> {
    const name = this.refusal ?? (this.plugged.length === 0 ? "NotFoundError" : undefined);
    if (name !== undefined) return Promise.reject(new DOMException("", name));
    if (device !== undefined && !this.plugged.some(({ id }) => id === device))
      return Promise.reject(new DOMException("", "OverconstrainedError"));
    const one = {
      device,
      handlers,
      gate: "shut" as Gate,
      closed: false,
      masks: [] as Mask[],
      recordings: [] as number[],
      strength: undefined as VoiceStrength | undefined,
    };
    this.open_.push(one);
    return Promise.resolve({
      setGate: (gate) => (one.gate = gate),
      setMask: (character) => one.masks.push(one.gate === "live" ? "late" : character),
      setStrength: (strength) => (one.strength = strength),
      record: (samples) => one.recordings.push(samples),
      close: () => (one.closed = true),
    });
  }

  devices(): Promise<readonly SoundDevice[]> {
    return Promise.resolve([...this.plugged]);
  }

  onChange(listener: () => void): () => void {
    this.#changed = listener;
    return () => (this.#changed = undefined);
  }

  change(): void {
    this.#changed?.();
  }
}

let desk: Desk;
let rng: Rng;
let timers: HandTimers;
let microphone: RoomMicrophone;
let faults: (SoundFaultCode | undefined)[];
let sent: number;

beforeEach(() => {
  desk = new Desk();
  rng = new Rng("microphone");
  timers = new HandTimers();
  microphone = new RoomMicrophone(desk, timers, () => rng.next());
  faults = [];
  sent = 0;
  microphone.onFault((fault) => faults.push(fault?.code));
  microphone.onPacket(() => (sent += 1));
});

describe("the microphone", () => {
  it("starts muted, and packets leave only while it is not", async () => {
    const lives: boolean[] = [];
    microphone.onLive((live) => lives.push(live));
    await microphone.start();
    expect(desk.latest.gate).toBe("shut");
    desk.latest.handlers.onPacket(packet);
    expect(sent).toBe(0);
    microphone.setMuted(false);
    expect(desk.latest.gate).toBe("live");
    desk.latest.handlers.onPacket(packet);
    expect(sent).toBe(1);
    microphone.setMuted(true);
    // One that was on its way when mute was pressed.
    desk.latest.handlers.onPacket(packet);
    expect(sent).toBe(1);
    expect(desk.latest.gate).toBe("shut");
    expect(lives).toEqual([true, false]);
  });

  it("push to talk opens at once and closes 200 ms after it is let go", async () => {
    await microphone.start();
    microphone.setHeld(true);
    expect(microphone.live).toBe(true);
    microphone.setHeld(false);
    timers.pass(199);
    expect(microphone.live).toBe(true);
    timers.pass(1);
    expect(microphone.live).toBe(false);
  });

  it("push to talk that is pressed again within the tail stays open; mute ends the tail at once", async () => {
    await microphone.start();
    microphone.setHeld(true);
    microphone.setHeld(false);
    timers.pass(100);
    microphone.setHeld(true);
    timers.pass(1000);
    expect(microphone.live).toBe(true);
    microphone.setHeld(false);
    microphone.setMuted(true);
    expect(microphone.live).toBe(false);
  });

  it("measures without sending while metering, and tells 0 when that ends", async () => {
    const levels: number[] = [];
    microphone.onLevel((level) => levels.push(level));
    microphone.setMetering(true);
    await microphone.start();
    expect(desk.latest.gate).toBe("metering");
    desk.latest.handlers.onRms(0.1);
    desk.latest.handlers.onPacket(packet);
    microphone.setMetering(false);
    desk.latest.handlers.onRms(0.1);
    expect(levels).toEqual([expect.closeTo(0.833, 2), 0]);
    expect(sent).toBe(0);
  });

  it.each([
    ["NotFoundError", "no-microphone"],
    ["NotAllowedError", "microphone-denied"],
    ["NotReadableError", "microphone-busy"],
    ["TypeError", "sound-broken"],
  ] as const)("tells of %s as %s, with a sentence", async (name, code) => {
    desk.refusal = name;
    await microphone.start();
    expect(microphone.fault).toEqual({ code, sentence: `sound.${code}` });
    expect(microphone.live).toBe(false);
  });

  it.each(["NotFoundError", "NotAllowedError", "NotReadableError"])("recovers by itself after %s", async (name) => {
    desk.refusal = name;
    await microphone.start();
    microphone.setMuted(false);
    desk.refusal = undefined;
    desk.change();
    await settled();
    expect(microphone.fault).toBeUndefined();
    expect(desk.latest.gate).toBe("live");
    expect(faults.at(-1)).toBeUndefined();
  });

  it("unplugged in mid-word: said at once, another takes over, and the chosen one again when it returns", async () => {
    desk.plugged.push({ id: "headset", label: "Headset" });
    await microphone.setDevice("headset");
    await microphone.start();
    microphone.setMuted(false);
    expect(desk.latest.device).toBe("headset");
    desk.plugged.pop();
    desk.latest.handlers.onEnded();
    expect(faults).toEqual(["microphone-unplugged"]);
    await settled();
    expect(desk.latest).toMatchObject({ device: undefined, gate: "live" });
    expect(faults).toEqual(["microphone-unplugged", undefined]);
    desk.plugged.push({ id: "headset", label: "Headset" });
    desk.change();
    await settled();
    expect(desk.latest).toMatchObject({ device: "headset", gate: "live" });
    expect(desk.open_.filter(({ closed }) => !closed)).toHaveLength(1);
    expect(microphone.muted).toBe(false);
  });

  it("the only one unplugged stays said until one returns", async () => {
    await microphone.start();
    microphone.setMuted(false);
    const [only] = desk.plugged.splice(0);
    desk.latest.handlers.onEnded();
    await settled();
    expect(faults).toEqual(["microphone-unplugged"]);
    expect(microphone.live).toBe(false);
    desk.plugged.push(only!);
    desk.change();
    await settled();
    expect(faults).toEqual(["microphone-unplugged", undefined]);
    expect(microphone.live).toBe(true);
  });

  it("says after 4 s that no sound comes, takes it back with the first sound, and never while muted", async () => {
    await microphone.start();
    const listen = (seconds: number, rms: number): void => {
      for (let count = 0; count < seconds * 20; count += 1) {
        desk.latest.handlers.onRms(rms);
        timers.pass(50);
      }
    };
    listen(10, 0);
    expect(faults).toEqual([]);
    microphone.setMuted(false);
    listen(3.9, 0);
    expect(faults).toEqual([]);
    listen(0.2, 0);
    expect(faults).toEqual(["microphone-silent"]);
    // A quiet room is not silence: -90 dBFS.
    listen(0.1, 3e-5);
    expect(faults).toEqual(["microphone-silent", undefined]);
    listen(5, 0);
    microphone.setMuted(true);
    expect(faults).toEqual(["microphone-silent", undefined, "microphone-silent", undefined]);
  });

  it("makes anew what gives no reading at all while it is open, and says so when that helps no more", async () => {
    await microphone.start();
    timers.pass(60_000);
    expect(desk.open_).toHaveLength(1);
    microphone.setMuted(false);
    for (let second = 0; second < 20; second += 1) {
      desk.latest.handlers.onRms(0.1);
      timers.pass(1000);
    }
    expect([desk.open_.length, microphone.live, faults]).toEqual([1, true, []]);
    for (let restart = 0; restart < 4; restart += 1) {
      timers.pass(6000);
      await settled();
    }
    expect([desk.open_.length, desk.open_[0]!.closed, microphone.live]).toEqual([5, true, true]);
    timers.pass(6000);
    await settled();
    expect([microphone.live, faults]).toEqual([false, ["sound-broken"]]);
    // Whoever asks once more is given it.
    timers.pass(60_000);
    await microphone.start();
    desk.latest.handlers.onRms(0.1);
    expect([microphone.live, microphone.fault]).toEqual([true, undefined]);
  });

  it("changes device in mid-word, and closes the one before", async () => {
    desk.plugged.push({ id: "headset", label: "Headset" });
    await microphone.start();
    microphone.setMuted(false);
    await microphone.setDevice("headset");
    expect(desk.open_.map(({ device, closed, gate }) => ({ device, closed, gate }))).toEqual([
      { device: undefined, closed: true, gate: "live" },
      { device: "headset", closed: false, gate: "live" },
    ]);
  });

  it("what opens after stop is closed again, and nothing is watched any more", async () => {
    const opening = microphone.start();
    microphone.stop();
    await opening;
    expect(desk.open_.every(({ closed }) => closed)).toBe(true);
    expect(desk.watched).toBe(false);
    microphone.setMuted(false);
    expect(microphone.live).toBe(false);
  });

  it("tells of devices that come and go", async () => {
    await microphone.start();
    const seen: string[][] = [];
    microphone.onDevices((devices) => seen.push(devices.map(({ id }) => id)));
    desk.plugged.push({ id: "headset", label: "Headset" });
    desk.change();
    await settled();
    expect(seen).toEqual([["built-in", "headset"]]);
    expect(microphone.devices).toHaveLength(2);
  });

  it("starts again what broke, and says so when that helps no more", async () => {
    await microphone.start();
    for (let times = 0; times < 4; times += 1) {
      desk.latest.handlers.onBroken();
      timers.pass(2000);
      await settled();
      expect(microphone.fault).toBeUndefined();
    }
    desk.latest.handlers.onBroken();
    expect(microphone.fault?.code).toBe("sound-broken");
    expect(desk.open_).toHaveLength(5);
    await microphone.start();
    expect(microphone.fault).toBeUndefined();
  });

  it("follows the system's default to another device, and stays with a chosen one", async () => {
    await microphone.start();
    microphone.setMuted(false);
    desk.plugged.unshift({ id: "headset", label: "Headset" });
    desk.change();
    await settled();
    expect(desk.open_).toHaveLength(2);
    expect(desk.latest).toMatchObject({ device: undefined, gate: "live", closed: false });
    // Nothing else moved.
    desk.plugged.push({ id: "webcam", label: "Webcam" });
    desk.change();
    await settled();
    expect(desk.open_).toHaveLength(2);
    await microphone.setDevice("webcam");
    desk.plugged.shift();
    desk.change();
    await settled();
    expect(desk.latest.device).toBe("webcam");
    expect(desk.open_).toHaveLength(3);
  });

  it("speaks as strong as it was told, on each device", async () => {
    microphone.setStrength("rich");
    await microphone.start();
    expect(desk.latest.strength).toBe("rich");
    microphone.setStrength("plain");
    expect(desk.latest.strength).toBe("plain");
  });

  it("wears the mask before any gate is opened, on each device, and the same one until another is drawn", async () => {
    microphone.setMasked(true);
    microphone.setMuted(false);
    await microphone.start();
    expect(desk.latest.masks).toEqual([expect.objectContaining({ pitchHz: expect.any(Number) as number })]);
    const [first] = desk.latest.masks;
    desk.plugged.push({ id: "headset", label: "Headset" });
    await microphone.setDevice("headset");
    expect(desk.latest.masks).toEqual([first]);
    microphone.setMuted(true);
    microphone.renewMask();
    expect(desk.latest.masks.at(-1)).not.toEqual(first);
    microphone.setMasked(false);
    expect(desk.latest.masks.at(-1)).toBeUndefined();
  });

  it("records for oneself while muted: the gate is never live, and closing the device ends it", async () => {
    expect(await microphone.record(5000)).toBeUndefined();
    await microphone.start();
    const recorded = microphone.record(5000);
    expect([desk.latest.gate, desk.latest.recordings]).toEqual(["metering", [240_000]]);
    desk.latest.handlers.onPacket(packet);
    expect(sent).toBe(0);
    desk.latest.handlers.onRecorded(new Float32Array(240_000));
    expect(await recorded).toHaveLength(240_000);
    expect(desk.latest.gate).toBe("shut");
    const second = microphone.record(1e9);
    expect(desk.latest.recordings.at(-1)).toBe(480_000);
    microphone.endRecording();
    expect(desk.latest.recordings.at(-1)).toBe(0);
    desk.latest.handlers.onRecorded(new Float32Array());
    expect(await second).toBeUndefined();
    const third = microphone.record(5000);
    desk.plugged.length = 0;
    desk.latest.handlers.onEnded();
    expect(await third).toBeUndefined();
  });

  it("tells whoever talks while muted, if that is wanted, and shows no level for it", async () => {
    let told = 0;
    const levels: number[] = [];
    microphone.onMutedSpeech(() => (told += 1));
    microphone.onLevel((level) => levels.push(level));
    await microphone.start();
    const talk = (seconds: number): void => {
      for (let count = 0; count < seconds * 20; count += 1) {
        desk.latest.handlers.onRms(0.05);
        timers.pass(50);
      }
    };
    talk(2);
    expect(told).toBe(0);
    microphone.setMindful(true);
    expect(desk.latest.gate).toBe("metering");
    talk(2);
    expect([told, levels]).toEqual([1, []]);
    microphone.setMuted(false);
    talk(20);
    expect(told).toBe(1);
    microphone.setMuted(true);
    expect([desk.latest.gate, levels.at(-1)]).toEqual(["metering", 0]);
    microphone.setMindful(false);
    expect(desk.latest.gate).toBe("shut");
  });
});
