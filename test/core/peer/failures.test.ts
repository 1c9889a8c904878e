import { describe, expect, it } from "vitest";
import { isMedia } from "./packets.ts";
import { Room } from "./room.ts";

interface Bench {
  readonly room: Room;
  readonly relays: readonly number[];
  readonly host: number;
  readonly guests: readonly number[];
}

/** A room in full swing: everybody is in, and has a standby where there is one. */
function bench(
  seed: string,
  size: { readonly relays: number; readonly guests: number; readonly coreSize?: number },
): Bench {
  const room = new Room(seed);
  const relays = Array.from({ length: size.relays }, () => room.addRelay());
  const host = room.addPerson();
  room.host(host, relays, size.coreSize === undefined ? {} : { coreSize: size.coreSize, relayFanout: 2 });
  room.run(1000);
  const guests = Array.from({ length: size.guests }, () => room.addPerson());
  for (const guest of guests) room.join(guest, room.invite(host));
  room.run(2000);
  for (const guest of guests) expect(room.events(guest, "joined")).toHaveLength(1);
  return { room, relays, host, guests };
}

/** Who feeds this node now: where its media comes from while the host speaks. */
function parentOf({ room, host }: Bench, node: number, mark: number): number {
  const from = new Set<number>();
  room.filter = (passing) => {
    if (passing.to === node && isMedia(passing.bytes)) from.add(passing.from);
    return true;
  };
  room.talk(host, 120, mark);
  room.run(100);
  room.filter = () => true;
  expect(from.size).toBe(1);
  return [...from][0] ?? -1;
}

describe("when somebody dies", () => {
  it.each([false, true])(
    "[OV6] [OV7] a parent, the standby takes over and replays the hole (only silent: %s)",
    (frozen) => {
      const b = bench(`parent ${frozen}`, { relays: 3, guests: 1, coreSize: 3 });
      const [guest = -1] = b.guests;
      const first = parentOf(b, guest, 0);
      b.room.talk(b.host, 400, 100);
      b.room.kill(first, frozen);
      b.room.talk(b.host, 2000, 110);
      b.room.run(3000);
      const marks = b.room.marks(guest, b.host).filter((mark) => mark >= 100);
      expect(marks.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 60 }, (_, index) => 100 + index));
      expect(b.room.events(guest, "move").length).toBeGreaterThanOrEqual(1);
      expect(b.room.events(guest, "move")[0]?.reason).toBe(frozen ? "its relay fell silent" : "its relay is gone");
      if (frozen) expect(b.room.events(guest, "move")[0]?.packetsRecovered).toBeGreaterThan(3);
    },
  );

  it("[OV7] a network path, and not the relay, the guest goes on by its standby and comes to rest", () => {
    const b = bench("path", { relays: 2, guests: 1 });
    const [guest = -1] = b.guests;
    const first = parentOf(b, guest, 0);
    b.room.cut(guest, first);
    b.room.talk(b.host, 1000, 100);
    b.room.run(500);
    expect(b.room.marks(guest, b.host).filter((mark) => mark >= 100)).toHaveLength(25);
    b.room.run(5000);
    // The path is back: a standby again, in the other order.
    const neighbours = new Set([...b.room.at(guest).ends.values()].map((end) => end.other?.owner));
    expect(neighbours).toEqual(new Set(b.relays));
  });

  it("[OV40] [SS6] one link of the parent, the standby covers at once, the parent stays, and nothing is missing", () => {
    const room = new Room("one link");
    const relays = [room.addRelay({}, { profile: "auto" }), room.addRelay({}, { profile: "auto" })];
    const host = room.addPerson();
    const guest = room.addPerson({ profile: "auto" });
    room.host(host, relays);
    room.run(1000);
    room.join(guest, room.invite(host));
    room.run(2000);
    const b: Bench = { room, relays, host, guests: [guest] };
    const first = parentOf(b, guest, 0);
    room.cut(guest, first, "stream");
    room.talk(host, 400, 50);
    expect(parentOf(b, guest, 100)).toBe(first);
    expect(room.events(guest, "move")).toEqual([]);
    expect(room.marks(guest, host).toSorted((x, y) => x - y)).toEqual([
      ...[0, 1, 2],
      ...Array.from({ length: 10 }, (_, index) => 50 + index),
      ...[100, 101, 102],
    ]);
  });

  it("[OV1] [OV2] [OV3] the first of the core, the next in rank takes its place and nobody is left below", () => {
    const b = bench("core", { relays: 7, guests: 6, coreSize: 2 });
    const meshes = (): string[] => {
      const pairs: string[] = [];
      b.room.filter = ({ from, to, bytes }) => {
        if (b.relays.includes(from) && b.relays.includes(to) && isMedia(bytes)) pairs.push(`${from}>${to}`);
        return true;
      };
      b.room.talk(b.host, 400, 0);
      b.room.run(100);
      b.room.filter = () => true;
      return [...new Set(pairs)];
    };
    const before = meshes();
    expect(before.some((pair) => pair === "0>1" || pair === "1>0")).toBe(true);
    b.room.kill(0);
    b.room.run(4000);
    const after = meshes();
    // Relay 2 hung below; now it is one of the two that are fully meshed.
    expect(after.some((pair) => pair === "1>2" || pair === "2>1")).toBe(true);
    for (const guest of b.guests) {
      b.room.at(guest).heard.splice(0);
    }
    b.room.talk(b.host, 1000, 1000);
    b.room.run(300);
    for (const guest of b.guests) {
      const marks = b.room.marks(guest, b.host).filter((mark) => mark >= 1000);
      expect(marks).toHaveLength(25);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])("[OV2] any relays but one, whoever is left hears everything again (%i)", (seed) => {
    const b = bench(`any ${seed}`, { relays: 6, guests: 5, coreSize: 2 });
    const survivor = seed - 1;
    for (const relay of b.relays) if (relay !== survivor) b.room.kill(relay, seed % 2 === 0);
    b.room.run(15_000);
    b.room.talk(b.host, 1000, 2000);
    b.room.run(300);
    for (const guest of b.guests) {
      expect(b.room.marks(guest, b.host).filter((mark) => mark >= 2000)).toHaveLength(25);
    }
  });

  it("the host, the room goes on for those on stage and those who come later", () => {
    const b = bench("host", { relays: 2, guests: 2 });
    const [speaker = -1, listener = -1] = b.guests;
    b.room.command(speaker, { kind: "raise-hand" });
    b.room.run(3000);
    b.room.kill(b.host);
    b.room.run(1000);
    const late = b.room.addPerson();
    b.room.join(late, b.room.invite(b.host));
    b.room.run(2000);
    expect(b.room.events(late, "joined")).toHaveLength(1);
    b.room.talk(speaker, 400);
    b.room.run(200);
    for (const node of [listener, late]) expect(b.room.marks(node, speaker)).toHaveLength(10);
  });

  it("[SS8] our own process stood still for a minute: nobody is accused and nothing is left", () => {
    const b = bench("stall", { relays: 2, guests: 1 });
    const [guest = -1] = b.guests;
    const before = b.room.at(guest).ends.size;
    // Nothing reaches the guest for a minute and it is not woken; then it is, before what waits is read.
    const machine = b.room.peer(guest);
    machine.handle({ kind: "timeout" }, (b.room.now + 60_000) as typeof b.room.now);
    const outputs = [];
    for (let output = machine.poll(); output; output = machine.poll()) outputs.push(output.kind);
    expect(outputs).not.toContain("close");
    expect(b.room.at(guest).ends.size).toBe(before);
  });

  it("[SS7] a data channel that loses a tenth is used, replaces nothing that is needed, and is left when it dies", () => {
    const room = new Room("datagrams", 0.1);
    const relay = room.addRelay({}, { profile: "auto" });
    const host = room.addPerson();
    const guest = room.addPerson({ profile: "auto" });
    room.host(host, [relay]);
    room.run(1000);
    room.join(guest, room.invite(host));
    room.run(2000);
    const kinds = new Map<string, number>();
    let dead = false;
    room.filter = ({ to, kind, bytes }) => {
      if (to === guest && isMedia(bytes)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      return !(dead && kind === "webrtc" && to === guest);
    };
    room.talk(host, 4000);
    expect(kinds.get("stream")).toBeUndefined();
    expect(kinds.get("webrtc")).toBeGreaterThan(80);
    const heard = room.marks(guest, host).length;
    expect(heard).toBeGreaterThan(60);
    dead = true;
    room.talk(host, 2000, 1000);
    kinds.clear();
    room.at(guest).heard.splice(0);
    room.talk(host, 1000, 2000);
    room.run(100);
    expect(kinds.get("stream")).toBeGreaterThanOrEqual(24);
    expect(room.marks(guest, host).filter((mark) => mark >= 2000).length).toBeGreaterThanOrEqual(24);
    // Ten seconds later another is tried, and serves.
    dead = false;
    room.run(11_000);
    kinds.clear();
    room.talk(host, 400, 3000);
    expect(kinds.get("webrtc")).toBe(10);
  });
});

describe("silence", () => {
  it("[RM30] is never without a word: guest and host are told when the last relay is gone, once, and it is mended", () => {
    const room = new Room("cut off");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(2000);
    room.join(guest, room.invite(host));
    room.run(2000);
    expect(room.events(guest, "joined")).toHaveLength(1);
    room.kill(relay);
    room.run(2500);
    expect(room.events(guest, "trouble")).toEqual([]);
    room.run(60_000);
    const told = [{ event: "trouble", code: "stalled", fatal: false }];
    expect(room.events(guest, "trouble")).toEqual(told);
    expect(room.events(host, "trouble")).toEqual(told);
  });

  it("[OV14] follows for a neighbour whose packets are forged: its edge ends, and it is refused for a minute", () => {
    const room = new Room("forger");
    const relay = room.addRelay();
    const host = room.addPerson();
    const forger = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(2000);
    for (const node of [forger, guest]) room.join(node, room.invite(host));
    room.run(2000);
    const stats = () => room.peer(relay).stats(room.now);
    expect(stats().children).toBe(3);
    const seen: Uint8Array[] = [];
    room.filter = ({ to, bytes }) => {
      if (to === forger && isMedia(bytes)) seen.push(bytes);
      return true;
    };
    room.talk(host, 200);
    room.run(100);
    const [link] = room.at(forger).ends.keys();
    for (let count = 0; count < 30; count++) {
      const forged = seen[0]!.slice();
      // Another packet each time, by its sequence number, with a signature that is not its own.
      forged[2 + 9]! += 50 + count;
      room.say(forger, link!, forged);
    }
    room.run(500);
    expect(stats().children).toBe(2);
    expect(stats().packetsRejected["signature"]).toBe(21);
    room.talk(host, 400, 10);
    expect(room.marks(guest, host).length).toBeGreaterThan(8);
    room.run(30_000);
    expect(stats().children).toBe(2);
  });
});

describe("petitions and clocks", () => {
  it("[OV10] [RM22] a hand reaches the host from any place in the tree", () => {
    const room = new Room("hands");
    const relays = Array.from({ length: 7 }, () => room.addRelay());
    const host = room.addPerson();
    room.host(host, relays, { coreSize: 2, relayFanout: 2 });
    room.run(2000);
    const guests = relays.map((relay) => {
      const guest = room.addPerson();
      room.join(guest, { ...room.invite(host), hints: [room.at(relay).address] });
      return guest;
    });
    room.run(3000);
    for (const guest of guests) room.command(guest, { kind: "raise-hand" });
    room.run(5000);
    for (const guest of guests) expect(room.events(guest, "role")).toMatchObject([{ role: "speaker" }]);
    for (const guest of guests) room.command(guest, { kind: "lower-hand" });
    room.run(5000);
    for (const guest of guests) expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "listener" });
  });

  it("[RM22] a petition is repeated every 2 s until the state shows it, and no longer", () => {
    const room = new Room("repeats");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay], { letEverybodySpeak: false });
    room.run(500);
    room.join(guest, room.invite(host));
    room.run(500);
    const at: number[] = [];
    let lost = true;
    room.filter = ({ from, to, bytes }) => {
      const petition = bytes[0] === 7 && bytes[6] === 3;
      if (petition && from === guest) at.push(room.world.elapsedMs);
      return !(lost && petition && to === host);
    };
    room.command(guest, { kind: "raise-hand" });
    room.run(6500);
    // The reliable lane repeats it to the relay no further: it arrived there. The host is out of reach.
    expect(at.map((each) => each - (at[0] ?? 0))).toEqual([0, 2000, 4000, 6000]);
    lost = false;
    room.run(4000);
    const count = at.length;
    room.run(20_000);
    expect(at.length).toBe(count);
  });

  it("[RM22] a hand that asks for what already is ends by itself", () => {
    const room = new Room("idle hands");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    room.join(guest, room.invite(host));
    room.run(500);
    let sent = 0;
    room.filter = ({ from, bytes }) => {
      if (from === guest && bytes[0] === 7 && bytes[6] === 3) sent++;
      return true;
    };
    room.command(guest, { kind: "lower-hand" });
    room.run(20_000);
    expect(sent).toBe(1);
    room.command(guest, { kind: "raise-hand" });
    room.run(1000);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
    sent = 0;
    room.command(guest, { kind: "raise-hand" });
    room.run(20_000);
    // And what says every 5 s that a speaker is here; a hand would be repeated every 2 s.
    expect(sent).toBeLessThanOrEqual(1 + 5);
  });

  it("[RM22] an old petition, repeated by whoever saw it, puts nobody back on stage", () => {
    const room = new Room("replayed petition");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    room.join(guest, room.invite(host));
    room.run(500);
    const seen: Uint8Array[] = [];
    room.filter = ({ from, bytes }) => {
      if (from === guest && bytes[0] === 7 && bytes[6] === 3) seen.push(bytes.slice(6));
      return true;
    };
    room.command(guest, { kind: "raise-hand" });
    room.run(1000);
    room.command(guest, { kind: "lower-hand" });
    room.run(1000);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "listener" });
    const { node, puppet } = room.addPuppet();
    const link = room.link(node, relay);
    const tag = room.invite(host).tag;
    room.say(node, link, Uint8Array.of(1, 1, ...new Uint8Array(16), ...tag, 0, 1, 0));
    room.run(100);
    expect(puppet.frames("welcome")).toHaveLength(1);
    room.say(node, link, Uint8Array.of(7, 0, 0, 0, 0, 1, ...seen[0]!));
    room.run(1000);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "listener" });
  });

  /** A day and an hour: within what everybody tolerates, and not at its very edge. */
  const day = 25 * 3_600_000;
  it.each([
    ["member", { guest: day }],
    ["member", { guest: -day }],
    ["relay", { relay: day }],
    ["relay", { relay: -day }],
    ["host", { host: day }],
    ["host", { host: -day }],
    ["speaker's and listener's, apart,", { guest: day, host: -day }],
  ] as const)("[RM23] [RM25] with the %s clock a day wrong the room works and sound is on time", (name, skews) => {
    const { relay: relaySkew = 0, host: hostSkew = 0, guest: guestSkew = 0 } = skews as Record<string, number>;
    const room = new Room(`clocks ${name}`);
    const relay = room.addRelay({}, { skewMs: relaySkew });
    const host = room.addPerson({ skewMs: hostSkew });
    const guest = room.addPerson({ skewMs: guestSkew });
    room.host(host, [relay]);
    room.run(500);
    room.join(guest, room.invite(host));
    room.run(500);
    expect(room.events(guest, "joined")).toHaveLength(1);
    room.command(guest, { kind: "raise-hand" });
    room.run(1000);
    expect(room.events(guest, "role")).toMatchObject([{ role: "speaker" }]);
    room.talk(host, 2000);
    room.run(600);
    expect(room.marks(guest, host)).toHaveLength(50);
    const stats = room.peer(guest).stats((room.now + guestSkew) as typeof room.now);
    expect(stats).toMatchObject({ framesExpected: 100, framesOnTime: 100, framesConcealed: 0 });
    expect(stats.latencyMs).toBeLessThanOrEqual(100);
  });

  it.each([
    { clock: "right", skewMs: 0, over: true },
    { clock: "eight days behind", skewMs: -8 * day, over: true },
    { clock: "right", skewMs: 0, over: false },
    { clock: "eight days ahead", skewMs: 8 * day, over: false },
    { clock: "eight days behind", skewMs: -8 * day, over: false },
  ])("[RM23] by a clock that is $clock an invite is judged rightly (over: $over)", ({ skewMs, over }) => {
    const room = new Room(`expiry ${skewMs} ${over}`);
    const relay = room.addRelay();
    const host = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    const seconds = Math.floor(room.now / 1000);
    const invite = room.craftInvite(host, { notBefore: seconds - 60, expires: seconds + 60 });
    if (over) room.run(62_000);
    const guest = room.addPerson({ skewMs });
    room.join(guest, invite);
    room.run(21_000);
    if (over) expect(room.events(guest, "trouble")).toMatchObject([{ code: "invite-expired", fatal: true }]);
    expect(room.events(guest, "joined")).toHaveLength(over ? 0 : 1);
  });

  it("[RM23] an invite that has not begun says so", () => {
    const room = new Room("not yet");
    const relay = room.addRelay();
    const host = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    const seconds = Math.floor(room.now / 1000);
    const guest = room.addPerson({ skewMs: 8 * day });
    room.join(guest, room.craftInvite(host, { notBefore: seconds + 3600, expires: seconds + 7200 }));
    room.run(21_000);
    expect(room.events(guest, "trouble")).toMatchObject([{ code: "invite-not-yet", fatal: true }]);
  });
});
