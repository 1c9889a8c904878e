import { describe, expect, it } from "vitest";
import type { LinkId, RoomTag } from "../../../p2p/api/ids.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { encodePaper, type Paper } from "../../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { encodeFrame, type Frame, type Hello } from "../../../p2p/core/session/frames.ts";
import { sampleAddress } from "../fixtures.ts";
import type { Puppet } from "./puppet.ts";
import { Room } from "./room.ts";

const session = new Rng("hostile session").bytes(16);

interface Bench {
  readonly room: Room;
  readonly relay: number;
  readonly host: number;
  readonly guest: number;
  /** Somebody outside the rules. */
  readonly node: number;
  readonly puppet: Puppet;
  readonly tag: RoomTag;
}

/** A room with a relay, a host and a guest, and a puppet beside them. */
function bench(seed: string, options: Parameters<Room["host"]>[2] = {}): Bench {
  const room = new Room(seed);
  const relay = room.addRelay();
  const host = room.addPerson();
  const guest = room.addPerson();
  room.host(host, [relay], options);
  room.run(500);
  room.join(guest, room.invite(host));
  room.run(500);
  expect(room.events(guest, "joined")).toHaveLength(1);
  const tag = toHex(room.invite(host).tag) as RoomTag;
  return { room, relay, host, guest, ...room.addPuppet(), tag };
}

const tick: Frame = { kind: "tick", nextMs: 200, stalled: false, passing: false };
function hello(tag: RoomTag, changes: Partial<Hello> = {}): Uint8Array {
  const base = { version: 1, session, tag, role: "member", feed: true, have: [], proof: undefined } as const;
  return encodeFrame({ kind: "hello", wish: plainWish, ...base, ...changes });
}

function rejected({ room, relay }: Bench, reason: string): number {
  return room.peer(relay).stats(room.now).packetsRejected[reason] ?? 0;
}

/** The puppet becomes a child of the relay. */
function sitDown(bench: Bench, changes: Partial<Hello> = {}): LinkId {
  const link = bench.room.link(bench.node, bench.relay);
  bench.room.say(bench.node, link, hello(bench.tag, changes));
  bench.room.run(100);
  expect(bench.puppet.frames("welcome")).toHaveLength(1);
  return link;
}

let sequence = 0;
/** Sends a paper as the next message on the reliable lane. */
function sayPaper({ room, node }: Bench, link: LinkId, paper: Paper, number = sequence++): void {
  room.say(node, link, encodeFrame({ kind: "fragment", sequence: number, last: true, bytes: encodePaper(paper) }));
}

/** Nobody else has noticed anything. */
function expectHealthy({ room, host, guest }: Bench): void {
  const before = room.marks(guest, host).length;
  room.talk(host, 200, 500);
  room.run(100);
  expect(room.marks(guest, host).length - before).toBe(5);
}

describe("a relay among the hostile", () => {
  it("[SS4] garbage closes its link and is counted, before a session and within one", () => {
    const b = bench("garbage");
    const rng = new Rng("garbage");
    for (let run = 0; run < 50; run++) {
      const link = b.room.link(b.node, b.relay);
      b.room.say(b.node, link, Uint8Array.of(11 + rng.int(200), ...rng.bytes(rng.int(1149))));
      b.room.run(20);
      expect(b.puppet.closed).toContain(link);
    }
    expect(rejected(b, "frame")).toBe(50);
    const link = sitDown(b);
    b.room.say(b.node, link, Uint8Array.of(0));
    b.room.run(20);
    expect(b.puppet.closed).toContain(link);
    expect(rejected(b, "frame")).toBe(51);
    expect(b.room.peer(b.relay).stats(b.room.now).children).toBe(2);
    expectHealthy(b);
  });

  it("[SS4] mutated frames of every kind throw nothing", () => {
    const b = bench("mutants");
    const rng = new Rng("mutants");
    const samples = [
      hello(b.tag),
      ...(["attach", "attached"] as const).map((kind) => encodeFrame({ kind, session })),
      encodeFrame({ kind: "welcome", session, time: 1, hops: 1 }),
      encodeFrame({ kind: "refuse", session, time: 1, reason: "full", alternatives: [sampleAddress(rng)] }),
      encodeFrame({ kind: "media", hops: 1, packet: rng.bytes(200) }),
      encodeFrame({ kind: "fragment", sequence: 0, last: true, bytes: rng.bytes(200) }),
      encodeFrame({ kind: "ack", next: 1 }),
    ];
    for (let run = 0; run < 300; run++) {
      const link = b.room.link(b.node, b.relay);
      for (let frame = 0; frame < 4; frame++) {
        const bytes = (frame === 0 ? samples[0]! : samples[rng.int(samples.length)]!).slice();
        if (frame > 0 || rng.int(2) === 0) bytes[rng.int(bytes.length)]! ^= 1 << rng.int(8);
        b.room.say(b.node, link, bytes);
      }
      b.room.run(10);
      b.room.say(b.node, link, Uint8Array.of(0));
    }
    b.room.run(100);
    expectHealthy(b);
  });

  it("[SS9] a link that opens with anything but a hello or an attach is closed", () => {
    const b = bench("openings");
    const frames: Frame[] = [
      tick,
      { kind: "bye" },
      { kind: "ack", next: 0 },
      { kind: "attached", session },
      { kind: "welcome", session, time: 0, hops: 0 },
      { kind: "media", hops: 0, packet: new Uint8Array(100) },
      { kind: "fragment", sequence: 0, last: true, bytes: new Uint8Array(1) },
    ];
    for (const frame of frames) {
      const link = b.room.link(b.node, b.relay);
      b.room.say(b.node, link, encodeFrame(frame));
      b.room.run(30);
      expect(b.puppet.closed).toContain(link);
    }
    expectHealthy(b);
  });

  it("[SS9] a link that says nothing is closed after 5 s, and not before", () => {
    const b = bench("silent");
    const link = b.room.link(b.node, b.relay);
    b.room.run(4999);
    expect(b.puppet.closed).toEqual([]);
    b.room.run(21);
    expect(b.puppet.closed).toEqual([link]);
    expect(rejected(b, "opening-timeout")).toBe(1);
  });

  it("[SS9] [OV14] one peer may have 8 links opening; its ninth is closed", () => {
    const b = bench("crowd of one");
    for (let count = 0; count < 8; count++) b.room.link(b.node, b.relay);
    const ninth = b.room.link(b.node, b.relay);
    b.room.run(50);
    expect(b.puppet.closed).toEqual([ninth]);
    expect(rejected(b, "too-many-links")).toBe(1);
    expectHealthy(b);
  });

  it("[SS9] 256 may be opening at once; then the oldest is closed, and those who are in stay", () => {
    const b = bench("crowd");
    const others = Array.from({ length: 32 }, () => b.room.addPuppet());
    for (const { node } of others) for (let count = 0; count < 8; count++) b.room.link(node, b.relay);
    b.room.link(b.node, b.relay);
    b.room.run(50);
    expect(b.puppet.closed).toEqual([]);
    expect(others.map(({ puppet }) => puppet.closed.length)).toEqual([1, ...new Array<number>(31).fill(0)]);
    expect(rejected(b, "too-many-links")).toBe(1);
    expectHealthy(b);
  });

  it("[SS5] only the peer whose session it is attaches a link to it", () => {
    const b = bench("attach");
    sitDown(b);
    const thief = b.room.addPuppet();
    const stolen = b.room.link(thief.node, b.relay);
    b.room.say(thief.node, stolen, encodeFrame({ kind: "attach", session }));
    b.room.run(50);
    // It is told what somebody is told who comes too late.
    expect(thief.puppet.frames("refuse")).toMatchObject([{ reason: "unknown-session" }]);
    b.room.say(thief.node, stolen, encodeFrame({ kind: "attach", session }));
    b.room.run(50);
    expect(thief.puppet.closed).toEqual([stolen]);
    expect(rejected(b, "unknown-session")).toBe(2);
    const second = b.room.link(b.node, b.relay, "webrtc");
    b.room.say(b.node, second, encodeFrame({ kind: "attach", session: new Uint8Array(16) }));
    b.room.say(b.node, second, encodeFrame({ kind: "attach", session: new Uint8Array(16) }));
    b.room.run(50);
    expect(b.puppet.closed).toEqual([second]);
    const third = b.room.link(b.node, b.relay, "webrtc");
    b.room.say(b.node, third, encodeFrame({ kind: "attach", session }));
    b.room.run(50);
    expect(b.puppet.frames("attached")).toHaveLength(1);
    b.room.talk(b.host, 40);
    expect(b.puppet.linkOf("media")).toBe(third);
    // The answer may be lost: an attach that is repeated is answered again, and breaks nothing.
    b.room.say(b.node, third, encodeFrame({ kind: "attach", session }));
    b.room.run(50);
    expect(b.puppet.frames("attached")).toHaveLength(2);
    b.room.talk(b.host, 40);
    expect(b.puppet.linkOf("media")).toBe(third);
    expect(b.puppet.closed).toEqual([second]);
  });

  it("a hello of another version is refused by name, and nothing of it is believed", () => {
    const b = bench("version");
    const link = b.room.link(b.node, b.relay);
    b.room.say(b.node, link, hello(b.tag, { version: 2 }));
    b.room.run(50);
    expect(b.puppet.frames("refuse")).toMatchObject([{ reason: "version", session }]);
    expect(b.puppet.closed).toEqual([link]);
    const unknown = b.room.link(b.node, b.relay);
    b.room.say(b.node, unknown, hello("ab".repeat(32) as RoomTag));
    b.room.run(50);
    expect(b.puppet.frames("refuse").at(-1)).toMatchObject({ reason: "unknown-room" });
  });

  it("[RM20] a proof that is made up, or was seen elsewhere, opens nothing", () => {
    const b = bench("proofs");
    const rng = new Rng("proofs");
    const proof = {
      sessionKey: rng.bytes(32),
      sessionExpires: 2_000_000_000,
      sessionRank: 0,
      carriageSignature: rng.bytes(64),
      signature: rng.bytes(64),
      cardSecret: rng.bytes(16),
    };
    const link = b.room.link(b.node, b.relay);
    b.room.say(b.node, link, hello(b.tag, { proof }));
    b.room.run(50);
    expect(b.puppet.frames("refuse")).toMatchObject([{ reason: "proof" }]);
    // A relay that a host asked tries to be the host elsewhere.
    const greedy = b.room.addPuppet();
    const host = b.room.addPerson();
    const other = b.room.addRelay();
    b.room.host(host, [greedy.node]);
    b.room.run(500);
    const seen = greedy.puppet.frames("hello")[0];
    expect(seen?.proof).toBeDefined();
    const replay = b.room.link(greedy.node, other);
    b.room.say(greedy.node, replay, encodeFrame(seen!));
    b.room.run(50);
    expect(greedy.puppet.frames("refuse")).toMatchObject([{ reason: "proof" }]);
  });

  it("[RM27] [OV5] forged, oversize, foreign and flooding packets are refused at the relay and go no further", () => {
    const b = bench("packets");
    const link = sitDown(b);
    const seen: Uint8Array[] = [];
    b.room.filter = ({ to, bytes }) => {
      if (to === b.node && bytes[0] === 6) seen.push(bytes.slice(2));
      return true;
    };
    b.room.talk(b.host, 200);
    b.room.run(100);
    expect(seen).toHaveLength(5);
    let toGuest = 0;
    b.room.filter = ({ from, to, bytes }) => {
      if (from === b.relay && to === b.guest && bytes[0] === 6) toGuest++;
      return true;
    };
    const send = (packet: Uint8Array): void =>
      b.room.say(b.node, link, encodeFrame({ kind: "media", hops: 0, packet }));
    const forged = seen[4]!.slice();
    forged[20]! ^= 1;
    forged[9]! += 1;
    const stranger = seen[4]!.slice();
    stranger[1]! ^= 1;
    const oversize = new Uint8Array(1100);
    oversize.set(seen[4]!);
    for (const packet of [forged, stranger, oversize, seen[4]!, new Uint8Array(0)]) send(packet);
    b.room.run(50);
    const { packetsRejected, framesDuplicate } = b.room.peer(b.relay).stats(b.room.now);
    expect(packetsRejected).toMatchObject({ signature: 1, "unknown-voice": 1, malformed: 2 });
    expect(framesDuplicate).toBe(2);
    expect(toGuest).toBe(0);
    expectHealthy(b);
  });

  it("[RM27] who is not on stage is refused at the sender", () => {
    const b = bench("sender");
    b.room.talk(b.guest, 200);
    b.room.run(100);
    expect(b.room.marks(b.host, b.guest)).toEqual([]);
    expect(b.room.peer(b.guest).stats(b.room.now).packetsRejected).toEqual({ "not-on-stage": 5 });
    expect(b.room.peer(b.guest).stats(b.room.now).framesSent).toBe(0);
  });

  it("[RM27] a speaker at ten times the rate is held to the rate, and hurts nobody else", () => {
    const b = bench("flood");
    b.room.command(b.guest, { kind: "raise-hand" });
    b.room.run(500);
    expect(b.room.events(b.guest, "role")).toMatchObject([{ role: "speaker" }]);
    const before = b.room.marks(b.host, b.guest).length;
    for (let tick = 0; tick < 250; tick++) {
      for (let each = 0; each < 10; each++) b.room.speak(b.guest, tick * 10 + each);
      b.room.run(40);
    }
    b.room.run(100);
    const passed = b.room.marks(b.host, b.guest).length - before;
    // Ten seconds at 25.5 a second, and a full bucket of three seconds.
    expect(passed).toBeLessThanOrEqual(255 + 75 + 1);
    expect(passed).toBeGreaterThan(200);
    expectHealthy(b);
  });

  it("[OV11] views and states that are not newer, or not the session's, are not taken and not passed on", () => {
    const b = bench("notices");
    const link = sitDown(b);
    const views = b.puppet.frames("fragment").map((frame) => frame.bytes);
    const view = views.find((bytes) => bytes[0] === 1)!.slice(1);
    const state = views.find((bytes) => bytes[0] === 2)!.slice(1);
    let told = 0;
    b.room.filter = ({ from, to, bytes }) => {
      if (from === b.relay && to === b.guest && bytes[0] === 7) told++;
      return true;
    };
    const forgedView = view.slice();
    forgedView[1 + 32 + 32 + 4 + 1 + 64 + 5]! += 9;
    const forgedState = state.slice();
    forgedState[1 + 32 + 5]! += 9;
    sequence = 0;
    sayPaper(b, link, { kind: "view", bytes: view });
    sayPaper(b, link, { kind: "state", bytes: state });
    b.room.run(50);
    expect([rejected(b, "view"), rejected(b, "state")]).toEqual([0, 0]);
    sayPaper(b, link, { kind: "view", bytes: forgedView });
    sayPaper(b, link, { kind: "view", bytes: new Uint8Array(9) });
    sayPaper(b, link, { kind: "state", bytes: forgedState });
    sayPaper(b, link, { kind: "state", bytes: new Uint8Array(9) });
    b.room.run(50);
    expect([rejected(b, "view"), rejected(b, "state")]).toEqual([2, 2]);
    expect(told).toBe(0);
    expectHealthy(b);
  });

  it("[OV10] petitions from one neighbour are passed on ten a second, and what is no petition reaches no state", () => {
    const b = bench("petitions");
    const link = sitDown(b);
    let passed = 0;
    b.room.filter = ({ from, to, bytes }) => {
      if (from === b.relay && bytes[0] === 7 && bytes[6] === 3) {
        expect(to).toBe(b.host);
        passed++;
      }
      return true;
    };
    const rng = new Rng("petitions");
    // The same again within a second is not passed on.
    const same = rng.bytes(100);
    sayPaper(b, link, { kind: "petition", bytes: same }, 0);
    sayPaper(b, link, { kind: "petition", bytes: same }, 1);
    b.room.run(100);
    expect(passed).toBe(1);
    b.room.run(5000);
    passed = 0;
    for (let number = 0; number < 200; number++) {
      sayPaper(b, link, { kind: "petition", bytes: rng.bytes(100) }, 2 + number);
      b.room.run(5);
    }
    b.room.run(100);
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(passed).toBeLessThanOrEqual(20 + 10);
    expect(rejected(b, "petition-rate")).toBe(200 - passed);
    expect(b.room.peer(b.host).stats(b.room.now).packetsRejected["petition"]).toBe(passed + 1);
    expectHealthy(b);
  });

  it("[SS3] a far end that reads nothing is cut off rather than remembered", () => {
    const b = bench("deaf", { letEverybodySpeak: true });
    sitDown(b);
    const guests = Array.from({ length: 3 }, () => b.room.addPerson());
    for (const guest of guests) b.room.join(guest, b.room.invite(b.host));
    b.room.run(500);
    const alive = (): void => b.room.say(b.node, b.puppet.linkOf("welcome"), encodeFrame(tick));
    let rounds = 0;
    while (b.puppet.closed.length === 0 && rounds < 400) {
      for (const guest of guests) b.room.command(guest, { kind: rounds % 2 === 0 ? "raise-hand" : "lower-hand" });
      alive();
      b.room.run(500);
      rounds++;
    }
    expect(b.puppet.closed).toHaveLength(1);
    expectHealthy(b);
  });

  it("[OV7] [OV8] a child that speaks as a parent does changes nothing", () => {
    const b = bench("upside down");
    const link = sitDown(b);
    const rng = new Rng("upside down");
    const lie = { ...sampleAddress(rng), key: b.room.at(b.relay).address.key };
    sequence = 0;
    sayPaper(b, link, { kind: "no-feed", alternatives: [lie, sampleAddress(rng)] });
    sayPaper(b, link, { kind: "replayed", packets: 9 });
    b.room.run(100);
    b.puppet.inputs.splice(0);
    b.room.talk(b.host, 80);
    b.room.run(50);
    // It still gets what it asked for.
    expect(b.puppet.frames("media")).toHaveLength(2);
  });
});

describe("among hostile relays", () => {
  /** A room whose first relay does what the test says. */
  function withPuppetRelay(seed: string, welcome: { readonly time?: number; readonly hops: number }): Bench {
    const room = new Room(seed);
    const { node, puppet } = room.addPuppet();
    const relay = room.addRelay();
    const host = room.addPerson();
    const tag = "" as RoomTag;
    room.host(host, [node, relay], { coreSize: 1 });
    for (let step = 0; step < 20; step++) {
      room.run(50);
      for (const input of puppet.inputs.splice(0)) {
        if (input.kind !== "message" || input.bytes[0] !== 1) continue;
        const session = input.bytes.slice(2, 18);
        const time = welcome.time ?? room.now;
        room.say(node, input.link, encodeFrame({ kind: "welcome", session, time, hops: welcome.hops }));
        room.say(node, input.link, encodeFrame(tick));
      }
    }
    return { room, relay, host, guest: room.addPerson(), node, puppet, tag };
  }

  it("a parent may claim any depth: who hangs below it still lets others in", () => {
    const b = withPuppetRelay("deep", { hops: 255 });
    b.room.join(b.guest, { ...b.room.invite(b.host), hints: [b.room.at(b.relay).address] });
    b.room.run(500);
    expect(b.room.events(b.guest, "joined")).toHaveLength(1);
  });

  it.each([
    ["1970", 0],
    ["the year 10889", 2 ** 48 - 1],
    ["2107", 4_323_000_000_000],
  ])("[RM23] a relay that says it is %s breaks nothing", (_name, time) => {
    const room = new Room(`time ${time}`);
    const { node, puppet } = room.addPuppet();
    const host = room.addPerson();
    room.host(host, [node]);
    room.run(100);
    const [first] = puppet.frames("hello");
    expect(first).toBeDefined();
    room.say(node, puppet.linkOf("hello"), encodeFrame({ kind: "welcome", session: first!.session, time, hops: 0 }));
    room.run(900);
    const joined = room.events(host, "joined").length + room.events(host, "trouble").length;
    expect(joined).toBe(1);
  });
});
