import { describe, expect, it } from "vitest";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { isMedia, packetsIn } from "./packets.ts";
import { Room } from "./room.ts";

const all = (count: number): number[] => Array.from({ length: count }, (_, mark) => mark);
const sorted = (marks: readonly number[]): number[] => marks.toSorted((a, b) => a - b);

/** Three people on the stage of one relay, and listeners. */
function stage(seed: string): { room: Room; relay: number; speakers: number[]; listeners: number[] } {
  const room = new Room(seed);
  const relay = room.addRelay();
  const host = room.addPerson();
  room.host(host, [relay]);
  room.run(1000);
  const others = [room.addPerson(), room.addPerson()];
  const listeners = [room.addPerson(), room.addPerson()];
  for (const person of [...others, ...listeners]) room.join(person, room.invite(host));
  room.run(1000);
  for (const person of others) room.command(person, { kind: "raise-hand" });
  room.run(3000);
  for (const person of others) expect(room.events(person, "role")).toMatchObject([{ role: "speaker" }]);
  return { room, relay, speakers: [host, ...others], listeners };
}

/** All of them speak at once, each at its own moment of the tick. */
function speakTogether(room: Room, speakers: readonly number[], ticks: number): void {
  for (let tick = 0; tick < ticks; tick++) {
    for (const [index, speaker] of speakers.entries()) {
      room.speak(speaker, tick);
      room.run(index === speakers.length - 1 ? 20 : 10);
    }
  }
  room.run(200);
}

describe("bundles in a room", () => {
  it("[OV43] the audience gets one message a tick for three microphones; who speaks gets each packet at once", () => {
    const { room, relay, speakers, listeners } = stage("three");
    const [listener = -1] = listeners;
    const [host = -1, second = -1] = speakers;
    const messages = new Map<number, number[]>();
    room.filter = ({ from, to, bytes }) => {
      if (from === relay && isMedia(bytes)) messages.set(to, [...(messages.get(to) ?? []), packetsIn(bytes).length]);
      return true;
    };
    speakTogether(room, speakers, 50);
    for (const listener of listeners)
      for (const speaker of speakers) expect(sorted(room.marks(listener, speaker))).toEqual(all(50));
    for (const speaker of speakers.filter((each) => each !== host)) expect(room.marks(host, speaker)).toEqual(all(50));
    const heard = messages.get(listener) ?? [];
    expect(heard.length).toBeLessThan(56);
    expect(heard.filter((packets) => packets === 3).length).toBeGreaterThan(44);
    // On stage, two others' packets come one by one.
    expect(messages.get(second)?.every((packets) => packets === 1)).toBe(true);
    const waits = room.at(listener).heard.map(({ capturedAt, receivedAt }) => receivedAt - capturedAt);
    expect(Math.max(...waits)).toBeLessThanOrEqual(20 + 40);
    const onStage = room.at(second).heard.map(({ capturedAt, receivedAt }) => receivedAt - capturedAt);
    expect(Math.max(...onStage)).toBe(20);
  });

  it("[OV44] a low leaf gets two ticks in one message, at most 40 kbit/s on the wire with one microphone", () => {
    const { room, relay, speakers, listeners } = stage("pairs");
    const [host = -1] = speakers;
    const [low = -1] = listeners;
    room.command(low, { kind: "prefer-layer", layer: "low" });
    room.run(200);
    room.talk(host, 400);
    let wire = 0;
    room.filter = ({ from, to, bytes }) => {
      // IPv4, UDP, DTLS, SCTP around each message of a data channel.
      if (from === relay && to === low) wire += bytes.length + 20 + 8 + 37 + 28;
      return true;
    };
    room.talk(host, 10_000, 100);
    room.run(200);
    expect(room.marks(low, host).filter((mark) => mark >= 100)).toEqual(all(250).map((mark) => 100 + mark));
    expect((wire * 8) / 10.2 / 1000).toBeLessThan(40);
    expect(room.events(low, "move")).toEqual([]);
  });

  it("[OV43] a bundle with one bad packet is passed on without it, and the rest is heard", () => {
    const { room, relay, speakers, listeners } = stage("bad one");
    const [listener = -1] = listeners;
    room.filter = ({ from, to, bytes }) => {
      const frame = from === relay && to === listener ? parseFrame(bytes) : undefined;
      // The first signature of every bundle to this listener is broken on its way.
      const first = frame?.kind === "bundle" ? frame.packets[0] : undefined;
      if (first) first[first.length - 1]! ^= 1;
      return true;
    };
    speakTogether(room, speakers, 5);
    room.filter = () => true;
    const { packetsRejected } = room.peer(listener).stats(room.now);
    expect(packetsRejected["signature"]).toBeGreaterThan(0);
    expect(room.at(listener).heard.length).toBeGreaterThanOrEqual(9);
  });
});

describe("requests", () => {
  it("[OV42] [JB13] a packet lost on the way to a listener or to its relay is asked for, and comes in time", () => {
    const room = new Room("requests");
    const relays = [room.addRelay(), room.addRelay(), room.addRelay()];
    const host = room.addPerson();
    room.host(host, relays, { coreSize: 1, relayFanout: 2 });
    room.run(1000);
    const guests = Array.from({ length: 4 }, () => room.addPerson());
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(3000);
    room.talk(host, 400);
    let count = 0;
    let lost = 0;
    room.filter = ({ from, bytes }) => {
      if (from === host || !isMedia(bytes) || ++count % 20 !== 0) return true;
      lost++;
      return false;
    };
    room.talk(host, 8000, 10);
    room.run(400);
    expect(lost).toBeGreaterThan(30);
    for (const guest of guests) {
      expect(sorted(room.marks(guest, host))).toEqual(all(210));
      const { framesExpected, framesOnTime } = room.peer(guest).stats(room.now);
      expect(framesOnTime).toBe(framesExpected);
      expect(room.events(guest, "move")).toEqual([]);
    }
  });

  it("[OV42] nothing is asked for when a microphone closes, but for what was on its way", () => {
    const room = new Room("closing");
    const relay = room.addRelay();
    const host = room.addPerson();
    room.host(host, [relay]);
    room.run(1000);
    const guest = room.addPerson();
    room.join(guest, room.invite(host));
    room.run(2000);
    let requests = 0;
    room.filter = ({ bytes }) => {
      if (parseFrame(bytes)?.kind === "request") requests++;
      return true;
    };
    for (let talk = 0; talk < 5; talk++) {
      room.talk(host, 400, talk * 10);
      room.run(3000);
    }
    expect(requests).toBeLessThanOrEqual(5 * 4);
    expect(room.marks(guest, host)).toEqual(all(50));
  });
});
