import { describe, expect, it } from "vitest";
import { ComfortNoise } from "../../../p2p/core/jitter/comfort-noise.ts";
import { packetSamples } from "../../../p2p/core/jitter/voice-codec.ts";
import { Rng } from "../../../p2p/core/rng.ts";

const rng = new Rng("room");
const loud = (rms: number): Float32Array =>
  Float32Array.from({ length: packetSamples }, () => (rng.next() * 2 - 1) * rms * Math.sqrt(3));
const rmsOf = (pcm: Float32Array): number => Math.sqrt(pcm.reduce((sum, each) => sum + each * each, 0) / pcm.length);

function heard(noise: ComfortNoise, samples: number): Float32Array {
  const into = new Float32Array(samples);
  noise.fill(into, samples);
  return into;
}

describe("comfort noise", () => {
  it("[JB12] is as loud as the room at first, and is gone after two seconds", () => {
    const noise = new ComfortNoise();
    for (const rms of [0.2, 0.003, 0.1]) noise.learn(loud(rms), rms);
    noise.begin();
    heard(noise, 960);
    const first = rmsOf(heard(noise, 9600));
    expect(first).toBeGreaterThan(0.0018);
    expect(first).toBeLessThan(0.0036);
    heard(noise, 48_000);
    expect(rmsOf(heard(noise, 9600))).toBeLessThan(first * 0.55);
    heard(noise, 48_000);
    expect(noise.sounds).toBe(false);
    expect(heard(noise, 480)).toEqual(new Float32Array(480));
  });

  it("[JB12] repeats nothing of what it learnt: no piece of it is found again", () => {
    const noise = new ComfortNoise();
    const room = loud(0.003);
    noise.learn(room, 0.003);
    noise.begin();
    const sound = heard(noise, 9600);
    const period = (lag: number): number => {
      let product = 0;
      let power = 0;
      for (let index = 0; index + lag < sound.length; index += 1) {
        product += sound[index]! * sound[index + lag]!;
        power += sound[index]! ** 2;
      }
      return Math.abs(product / power);
    };
    for (let lag = 480; lag < 4800; lag += 480) expect(period(lag)).toBeLessThan(0.5);
  });

  it("[JB12] takes no word for a room, and believes a room that became louder", () => {
    const noise = new ComfortNoise();
    for (let count = 0; count < 20; count += 1) noise.learn(loud(0.1), 0.1);
    noise.begin();
    expect(noise.sounds).toBe(false);
    noise.learn(loud(0.001), 0.001);
    for (let count = 0; count < 250; count += 1) noise.learn(loud(0.003), 0.003);
    noise.begin();
    heard(noise, 960);
    expect(rmsOf(heard(noise, 4800))).toBeGreaterThan(0.002);
  });
});
