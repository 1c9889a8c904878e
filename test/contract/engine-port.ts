import { describe, expect, it } from "vitest";
import type { EngineApi, EngineEvent, HeardPacket } from "../../p2p/api/engine.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { millis, type RoomKey, type VoiceKey } from "../../p2p/api/ids.ts";
import type { Act } from "../../p2p/api/room.ts";
import type { Port } from "../../p2p/api/port.ts";
import { type EngineDouble, statsOfDouble } from "../doubles/engine-double.ts";

/** An engine as somebody uses it, and the double that answers behind it. */
export interface EngineUnderTest {
  readonly engine: EngineApi;
  readonly double: EngineDouble;
  end(): Promise<void>;
}

const voice = "0f".repeat(32) as VoiceKey;
const room = "ab".repeat(32) as RoomKey;

const roomState: EngineEvent = {
  event: "room-state",
  title: "T",
  rules: "Be kind",
  links: ["https://example.org"],
  access: "link-only",
  slowModeS: 0,
  pushToTalkOnly: false,
  people: [
    {
      identity: "0f".repeat(32),
      name: "Host",
      role: "host",
      self: false,
      voice,
      muted: "no",
      banned: false,
      silenced: false,
      invitedToStage: false,
      records: true,
      lookAlike: false,
      comparison: "12345 67890",
    },
  ],
  hands: [{ id: "01", identity: "0e".repeat(32), name: "Guest", self: true, raisedAt: millis(1_000) }],
  rights: ["speak"],
  role: "speaker",
  keyHolders: 3,
  keptBy: "0f".repeat(32),
};

/** The next event of this name that the engine emits. */
export function nextEvent(engine: EngineApi, name: EngineEvent["event"]): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const unsubscribe = engine.subscribe((event) => {
      if (event.event !== name) return;
      unsubscribe();
      resolve(event);
    });
  });
}

/** A packet of somebody's voice. */
export function heardPacket(sequence: number): HeardPacket {
  const opus = Uint8Array.from({ length: 120 }, (_, index) => (index + sequence) % 256);
  const times = { capturedAt: millis(1_000.25 + sequence), receivedAt: millis(1_200.5) };
  return { speaker: voice, sequence, layer: sequence % 3 === 0 ? "low" : "normal", opus, ...times };
}

/** What holds of every way to an engine: called directly, or over any port with an owner's rights. */
export function describeEngineApi(name: string, make: () => Promise<EngineUnderTest>): void {
  const using = async (work: (under: EngineUnderTest) => Promise<void>): Promise<void> => {
    const under = await make();
    try {
      await work(under);
    } finally {
      await under.end();
    }
  };

  describe(`an engine used ${name}`, () => {
    it("starts, hosts, volunteers, joins, resumes, leaves and stops", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        expect(await engine.volunteer({ maxKbps: 500, only: true })).toBe("thc1-card");
        const options = { title: "T", via: ["card"], letEverybodySpeak: false, volunteer: { maxChildren: 3 } };
        expect(await engine.host(options)).toEqual({
          listener: "thi1-l",
          speaker: "thi1-s",
          moderator: "thi1-m",
          heir: "thi1-h",
        });
        expect(double.hosted).toEqual(options);
        await engine.join("thi1-x", { name: "Guest" });
        expect(double.joinedWith).toBe("thi1-x");
        await engine.resume(Uint8Array.of(1, 2, 255));
        expect(double.resumedWith).toEqual(Uint8Array.of(1, 2, 255));
        await engine.leave();
        await engine.stop();
        expect(double.calls).toEqual(["start", "volunteer", "host", "join", "resume", "leave", "stop"]);
      }));

    it("passes commands without an answer, in order", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        engine.raiseHand();
        engine.lowerHand();
        engine.admit("hand-1");
        engine.dismiss("hand-2");
        engine.removeFromStage(voice);
        engine.say("你好 <b>");
        await double.called("say");
        expect(double.calls).toEqual(["start", "raiseHand", "lowerHand", "admit", "dismiss", "removeFromStage", "say"]);
        expect(double.told).toEqual([
          ["admit", "hand-1"],
          ["dismiss", "hand-2"],
          ["removeFromStage", voice],
          ["say", "你好 <b>"],
        ]);
      }));

    it("acts, and issues invites, each answered", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        const acts: readonly Act[] = [
          { kind: "invite-to-stage", identity: "0f" },
          { kind: "ban", identity: "0f", branch: true },
          { kind: "set-room", title: "T", links: ["https://example.org"], access: "locked", slowModeS: 30 },
          { kind: "set-role", identity: "0f", role: "moderator" },
          { kind: "react", reaction: "clap" },
          { kind: "record", on: true },
          { kind: "end-room" },
        ];
        for (const act of acts) await engine.act(act);
        expect(double.acts).toEqual(acts);
        const terms = { role: "speaker", expiresInMs: 60_000, singleUse: true, passphrase: "p" } as const;
        expect(await engine.issueInvite(terms)).toBe("thi1-speaker");
        expect(double.invited).toEqual(terms);
        double.listed = [{ room: "ab".repeat(32) as RoomKey, title: "T", members: 3, invite: "thi1-open" }];
        expect(await engine.openRooms()).toEqual(double.listed);
        double.failure = new TeahouseError("not-allowed", "You may not do that here.");
        await expect(engine.act({ kind: "step-down" })).rejects.toMatchObject({ code: "not-allowed" });
      }));

    it("tells what a room is like, whole", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        const told = nextEvent(engine, "room-state");
        double.emit(roomState);
        expect(await told).toEqual(roomState);
      }));

    it("knows nothing any more once it was wiped", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        await engine.join("thi1-x", {});
        await engine.wipe();
        expect(double.calls.at(-1)).toBe("wipe");
        expect(engine.snapshot()).toEqual([]);
      }));

    it("passes what is lent, and how the computer is fed", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        const options = {
          maxChildren: 6,
          maxKbps: 900,
          hours: { fromMinute: 1200, toMinute: 60 },
          notOnBattery: true,
          notOnMetered: true,
        };
        await engine.lend(options);
        expect(double.lent).toEqual(options);
        engine.power({ onBattery: true, metered: false });
        await engine.lend(null);
        expect(double.lent).toBeNull();
        expect(double.powers).toEqual([{ onBattery: true, metered: false }]);
        const told = nextEvent(engine, "lending");
        const lending = { on: true, paused: "hours", children: 2, childrenMax: 6, kbps: 130, kbpsMax: null } as const;
        double.emit({ event: "lending", ...lending });
        expect(await told).toEqual({ event: "lending", ...lending });
        expect(engine.snapshot()).toContainEqual({ event: "lending", ...lending });
      }));

    it("rejects with the code and the sentence of the trouble", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        double.failure = new TeahouseError("invite-expired", "This invite is over; ask for a new one.");
        const error = await engine.join("thi1-x", {}).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(TeahouseError);
        expect(error).toMatchObject({ code: "invite-expired", message: "This invite is over; ask for a new one." });
      }));

    it("tells events in order, to everybody who listens and to nobody else", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        const heard: EngineEvent[] = [];
        const unsubscribe = engine.subscribe((event) => void heard.push(event));
        const events: EngineEvent[] = [
          { event: "step", step: "asking-dht" },
          { event: "joined", room, role: "speaker", hops: 1, parents: [], ms: 4.5 },
          { event: "cover", reason: "silent", gapMs: 80, packetsRecovered: 2 },
          { event: "members", speakers: 2, listeners: 8000, relays: 3 },
          { event: "error", code: "stalled", message: "No sound reaches you." },
        ];
        const last = nextEvent(engine, "error");
        for (const event of events) double.emit(event);
        await last;
        unsubscribe();
        const after = nextEvent(engine, "left");
        double.emit({ event: "left" });
        await after;
        expect(heard).toEqual(events);
      }));

    it("knows the last event of each kind that still holds", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        await engine.join("thi1-x", {});
        const told = nextEvent(engine, "stats");
        double.emit({ event: "members", speakers: 1, listeners: 1, relays: 1 });
        double.emit({ event: "members", speakers: 2, listeners: 2, relays: 1 });
        double.emit({ event: "stats", ...statsOfDouble });
        await told;
        expect(engine.snapshot()).toEqual(double.snapshot());
        expect(engine.snapshot().map(({ event }) => event)).toEqual(["ready", "joined", "members", "stats"]);
        const left = nextEvent(engine, "left");
        await engine.leave();
        await left;
        expect(engine.snapshot().map(({ event }) => event)).toEqual(["ready", "stats"]);
      }));

    it("answers with counts and the capsule once an event has told", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        double.capsuleBytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
        const told = nextEvent(engine, "stats");
        double.emit({ event: "stats", ...statsOfDouble });
        await told;
        expect(engine.stats()).toEqual(statsOfDouble);
        expect(engine.totals()).toEqual(double.totals());
        expect(engine.capsule()).toEqual(double.capsuleBytes);
        const left = nextEvent(engine, "left");
        double.capsuleBytes = undefined;
        double.emit({ event: "left" });
        await left;
        expect(engine.capsule()).toBeUndefined();
      }));

    it("brings what is spoken to the engine, bit for bit", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        const packets = [1, 2, 3].map((seed) => ({
          opus: Uint8Array.from({ length: 40 * seed }, (_, index) => (index * seed) % 256),
          ...(seed === 2 ? { low: Uint8Array.of(seed, 2, 3) } : {}),
          capturedAt: millis(1_763_000_000_000.125 + seed),
        }));
        for (const packet of packets) engine.speak(packet);
        engine.raiseHand();
        await double.called("raiseHand");
        expect(double.spoken).toEqual(packets);
        engine.preferLayer("low");
        engine.lowerHand();
        await double.called("lowerHand");
        expect(double.layer).toBe("low");
      }));

    it("brings what is heard to whoever listens, bit for bit, and opens nothing for nobody", () =>
      using(async ({ engine, double }) => {
        await engine.start();
        expect(double.hearerCount).toBe(0);
        const heard: HeardPacket[] = [];
        let gotAll = (): void => undefined;
        const all = new Promise<void>((resolve) => (gotAll = resolve));
        const unhear = engine.hear((packet) => {
          heard.push(packet);
          if (heard.length === 40) gotAll();
        });
        engine.raiseHand();
        await double.called("raiseHand");
        expect(double.hearerCount).toBe(1);
        const packets = Array.from({ length: 40 }, (_, sequence) => heardPacket(sequence));
        for (const packet of packets) double.deliver(packet);
        await all;
        expect(heard).toEqual(packets);
        unhear();
        engine.lowerHand();
        await double.called("lowerHand");
        expect(double.hearerCount).toBe(0);
      }));
  });
}

/** Two ends of a carrier. */
export interface PortsUnderTest {
  readonly left: Port;
  readonly right: Port;
  end(): Promise<void>;
}

/** What holds of every carrier. */
export function describePort(name: string, make: () => Promise<PortsUnderTest>): void {
  const using = async (work: (under: PortsUnderTest) => Promise<void>): Promise<void> => {
    const under = await make();
    try {
      await work(under);
    } finally {
      await under.end();
    }
  };
  /** Attaches and collects; `until` resolves at the n-th message, `closed` at the end. */
  const collect = (port: Port) => {
    const messages: unknown[] = [];
    let waiters: { readonly n: number; readonly resolve: () => void }[] = [];
    let isClosed = false;
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => (close = resolve));
    port.attach({
      onMessage: (message) => {
        messages.push(message);
        for (const { n, resolve } of waiters) if (messages.length >= n) resolve();
        waiters = waiters.filter(({ n }) => messages.length < n);
      },
      onClose: () => {
        expect(isClosed, "the end is told once").toBe(false);
        isClosed = true;
        close();
      },
    });
    const until = (n: number): Promise<void> =>
      messages.length >= n ? Promise.resolve() : new Promise((resolve) => waiters.push({ n, resolve }));
    return { messages, until, closed };
  };

  describe(`a port over ${name}`, () => {
    it("carries texts and bytes whole, in order, both ways", () =>
      using(async ({ left, right }) => {
        const [atLeft, atRight] = [collect(left), collect(right)];
        const sent = ["", "a", Uint8Array.of(0, 1, 255), "雨", new Uint8Array(60_000).fill(7), "x".repeat(200_000)];
        for (const message of sent) left.postMessage(message);
        for (const message of sent) right.postMessage(message);
        await Promise.all([atLeft.until(sent.length), atRight.until(sent.length)]);
        for (const { messages } of [atLeft, atRight]) {
          expect(messages.map((message) => (message instanceof Uint8Array ? [...message] : message))).toEqual(
            sent.map((message) => (message instanceof Uint8Array ? [...message] : message)),
          );
          expect(messages[2]).toBeInstanceOf(Uint8Array);
        }
      }));

    it("keeps what came before somebody attached", () =>
      using(async ({ left, right }) => {
        const atLeft = collect(left);
        left.postMessage("early");
        right.postMessage("answer");
        await atLeft.until(1);
        const atRight = collect(right);
        await atRight.until(1);
        expect(atRight.messages).toEqual(["early"]);
      }));

    it("tells the other side that it was closed, and delivers nothing after", () =>
      using(async ({ left, right }) => {
        const [atLeft, atRight] = [collect(left), collect(right)];
        right.postMessage("first");
        await atLeft.until(1);
        right.close();
        await atLeft.closed;
        left.postMessage("too late");
        right.postMessage("too late");
        right.close();
        left.close();
        expect(atLeft.messages).toEqual(["first"]);
        expect(atRight.messages).toEqual([]);
      }));
  });
}
