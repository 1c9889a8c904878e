import { describe, expect, it } from "vitest";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { equal, fromHex, toHex } from "../../../p2p/core/bytes.ts";
import { encodePaper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { PacketSealer } from "../../../p2p/core/packet/seal.ts";
import { handOverBytes } from "../../../p2p/core/room/epoch/hand-over.ts";
import { firstEpoch } from "../../../p2p/core/room/rights/keys.ts";
import { encodeFrame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { encodeMedia } from "../../../p2p/core/session/media-frames.ts";
import { seededCrypto } from "../fixtures.ts";
import { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("retired");
const minuteMs = 60_000;

/** Every seed that was published, by who was told. */
function published(room: KeptRoom): Map<number, Uint8Array[]> {
  const heard = room.filter;
  const seeds = new Map<number, Uint8Array[]>();
  room.filter = (passing) => {
    const frame = parseFrame(passing.bytes);
    const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
    if (paper?.kind === "retired") seeds.set(passing.to, [...(seeds.get(passing.to) ?? []), ...paper.seeds]);
    return heard(passing);
  };
  return seeds;
}

function voiceOf(room: KeptRoom, node: number): string {
  const voice = room.facts(room.keeper).people.find(({ identity }) => identity === room.identity(node))?.voice;
  if (typeof voice !== "string") throw new Error("not on stage");
  return voice;
}

function isSeedOf(seed: Uint8Array, voice: string): boolean {
  return equal(crypto.publicKey(seed), fromHex(voice));
}

function leaveStage(room: KeptRoom, node: number): void {
  room.command(node, { kind: "lower-hand" });
  room.run(1_000);
}

/** Waits until what was let go is published. */
function ripen(room: KeptRoom): void {
  room.run(limits.voiceRetireMs + 5_000);
}

describe("voice keys that were let go", () => {
  it("[RM63] each time on stage has a voice key of its own, by which everybody is heard", () => {
    const room = new KeptRoom("fresh voices");
    const [speaker, listener] = [room.enter(), room.enter()];
    const voices = [1, 2, 3].map(() => {
      room.bringOnStage(speaker);
      room.talk(speaker, 400);
      const voice = voiceOf(room, speaker);
      leaveStage(room, speaker);
      expect(room.stage(listener)).toEqual(["Host"]);
      return voice;
    });
    expect(new Set(voices).size).toBe(3);
    expect(room.marks(listener, speaker).length).toBeGreaterThan(24);
  });

  it("[RM64] are published to everybody ten minutes after no view names them, and not before", () => {
    const room = new KeptRoom("published");
    const seeds = published(room);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const voice = voiceOf(room, speaker);
    leaveStage(room, speaker);
    room.run(limits.voiceRetireMs - 10_000);
    expect(seeds.size).toBe(0);
    room.run(20_000);
    for (const node of [...room.relays, room.keeper, listener]) {
      expect((seeds.get(node) ?? []).filter((seed) => isSeedOf(seed, voice))).toHaveLength(1);
    }
  });

  it("[RM64] of who leaves the room are handed over, and published by whoever keeps it", () => {
    const room = new KeptRoom("handed over");
    const seeds = published(room);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const first = voiceOf(room, speaker);
    leaveStage(room, speaker);
    room.bringOnStage(speaker);
    const second = voiceOf(room, speaker);
    room.command(speaker, { kind: "leave" });
    ripen(room);
    const heard = seeds.get(listener) ?? [];
    expect([first, second].filter((voice) => heard.some((seed) => isSeedOf(seed, voice)))).toEqual([first, second]);
  });

  it("[RM64] of who crashed are never published, nor of who stays on stage", () => {
    const room = new KeptRoom("crashed");
    const seeds = published(room);
    const [crashing, staying] = [room.enter(), room.enter()];
    for (const node of [crashing, staying]) room.bringOnStage(node);
    room.run(1_000);
    room.kill(crashing, true);
    ripen(room);
    expect(seeds.size).toBe(0);
    room.talk(staying, 200);
    expect(room.marks(room.keeper, staying).length).toBeGreaterThan(3);
  });

  it("[RM64] are published by their owner, who stays, though the keeper is gone and nobody acts", () => {
    const room = new KeptRoom("no keeper", 3);
    const seeds = published(room);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const voice = voiceOf(room, speaker);
    leaveStage(room, speaker);
    room.kill(room.keeper, true);
    ripen(room);
    expect((seeds.get(listener) ?? []).some((seed) => isSeedOf(seed, voice))).toBe(true);
  });

  it("[RM65] are told to who comes later, and nothing by them is taken by anybody, whatever a view says", () => {
    const room = new KeptRoom("late");
    const seeds = published(room);
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const voice = voiceOf(room, speaker);
    leaveStage(room, speaker);
    ripen(room);
    const late = room.enter();
    const seed = (seeds.get(late) ?? []).find((each) => isSeedOf(each, voice))!;
    expect(seed).toBeDefined();
    const { puppet, node } = room.addPuppet();
    forge(room, node, seed);
    expect(puppet.frames("welcome")).toHaveLength(1);
    for (const each of [listener, late]) expect(room.at(each).heard.filter(({ opus }) => opus[0] === 99)).toEqual([]);
    const rejected = room.relays.map((relay) => room.peer(relay).stats(room.now).packetsRejected["unknown-voice"] ?? 0);
    expect(Math.max(...rejected)).toBeGreaterThan(0);
  });

  it("[RM65] a voice key that its owner gives away while on stage is heard by nobody any more", () => {
    const room = new KeptRoom("given away");
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const voice = fromHex(voiceOf(room, speaker));
    const seed = room.at(speaker).drawn.find((bytes) => bytes.length === 32 && equal(crypto.publicKey(bytes), voice))!;
    const { node } = room.addPuppet();
    tell(room, node, [seed]);
    room.talk(speaker, 400);
    expect(room.marks(listener, speaker)).toEqual([]);
    expect(room.peer(speaker).stats(room.now).packetsRejected["unknown-voice"]).toBeGreaterThan(0);
  });

  it("[RM65] of strangers, and garbage, are passed on by nobody", () => {
    const room = new KeptRoom("strangers");
    const seeds = published(room);
    const listener = room.enter();
    const { node } = room.addPuppet();
    tell(room, node, [crypto.randomBytes(32)]);
    tell(room, node, [crypto.randomBytes(32), crypto.randomBytes(32)]);
    expect(seeds.get(listener)).toBeUndefined();
    const stats = room.relays.map((relay) => room.peer(relay).stats(room.now).packetsRejected);
    expect(stats.some((counts) => (counts["retired-stranger"] ?? 0) > 0)).toBe(true);
    expect(stats.some((counts) => (counts["retired-many"] ?? 0) > 0)).toBe(true);
  });

  it("[RM64] what is handed over and opens to no voice that was on stage is counted and let go", () => {
    const room = new KeptRoom("garbage");
    const seeds = published(room);
    room.enter();
    const { node } = room.addPuppet();
    const link = sit(room, node);
    const bytes = crypto.randomBytes(handOverBytes);
    room.say(
      node,
      link,
      encodeFrame({ kind: "fragment", sequence: 0, last: true, bytes: encodePaper({ kind: "enrol", bytes }) }),
    );
    ripen(room);
    expect(room.peer(room.keeper).stats(room.now).packetsRejected["voice-hand-over"]).toBe(1);
    expect(seeds.size).toBe(0);
  });
});

/** Somebody with an invite becomes a child of the first relay. */
function sit(room: KeptRoom, node: number) {
  const link = room.link(node, room.relays[0]!);
  const tag = toHex(room.invite(room.keeper).tag) as never;
  const session = crypto.randomBytes(16);
  const hello = { version: 1, session, tag, role: "member", feed: true, have: [], proof: undefined } as const;
  room.say(node, link, encodeFrame({ kind: "hello", wish: plainWish, ...hello }));
  room.run(200);
  return link;
}

function tell(room: KeptRoom, node: number, seeds: readonly Uint8Array[]): void {
  const link = sit(room, node);
  const bytes = encodePaper({ kind: "retired", seeds });
  room.say(node, link, encodeFrame({ kind: "fragment", sequence: 0, last: true, bytes }));
  room.run(1_000);
}

/** Signs by a published key, as anybody can, and sends it where packets go. */
function forge(room: KeptRoom, node: number, seed: Uint8Array): void {
  const { secret, tag } = room.invite(room.keeper);
  const { epoch } = firstEpoch(crypto, secret, tag);
  const sealer = new PacketSealer(crypto, tag, seed.slice(), epoch);
  const link = sit(room, node);
  for (let sequence = 0; sequence < 10; sequence++) {
    const opus = Uint8Array.of(99, ...new Uint8Array(119));
    const packet = sealer.seal({ layer: "normal", sequence, capturedAt: room.now, opus, viewMark: 0 });
    for (const frame of encodeMedia(1, [packet])) room.say(node, link, frame);
    room.run(40);
  }
  room.run(minuteMs / 60);
}
