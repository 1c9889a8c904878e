import { describe, expect, it } from "vitest";
import type { EngineEvent, HeardPacket } from "../../p2p/api/engine.ts";
import type { Port } from "../../p2p/api/port.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { createPortClient } from "../../p2p/port/client.ts";
import { faultsMax, requestsMax } from "../../p2p/port/protocol.ts";
import { Seat } from "../../p2p/port/seat.ts";
import { type PortServer, servePort, type ServeOptions } from "../../p2p/port/server.ts";
import { writeSpoken } from "../../p2p/port/sound.ts";
import { millis } from "../../p2p/api/ids.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { heardPacket } from "../contract/engine-port.ts";
import { EngineDouble, statsOfDouble } from "../doubles/engine-double.ts";

/** The far end of a served port, in the hands of somebody who sends what they like. */
interface Raw {
  readonly port: Port;
  readonly server: PortServer;
  readonly double: EngineDouble;
  readonly received: (Record<string, unknown> | Uint8Array)[];
  /** Resolves when the server has read everything that was sent so far. */
  settled(): Promise<void>;
  readonly closed: Promise<void>;
}

async function serveRaw(options: ServeOptions = { rights: "window" }): Promise<Raw> {
  const [port, far] = createPortPair();
  const double = new EngineDouble();
  await double.start();
  const received: Raw["received"] = [];
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  const server = servePort(far, double, options);
  port.attach({
    onMessage: (message) => void received.push(message instanceof Uint8Array ? message : JSON.parse(message as string)),
    onClose: close,
  });
  const settled = async (): Promise<void> => {
    // Memory ports deliver in microtasks: a turn of the event loop is later than all of them.
    await new Promise((resolve) => setImmediate(resolve));
  };
  await settled();
  return { port, server, double, received, settled, closed };
}

const request = (id: number, method: string, given: readonly unknown[]): string =>
  JSON.stringify({ kind: "request", id, method, arguments: given });

/** Sound from a window: so many bytes in either layer. */
function spoken(normalBytes: number, lowBytes: number): Uint8Array {
  const bytes = new Uint8Array(11 + normalBytes + lowBytes);
  bytes[0] = 1;
  new DataView(bytes.buffer).setUint16(9, normalBytes);
  return bytes;
}

const invalid: readonly (readonly [what: string, message: string | Uint8Array, reason: string])[] = [
  ["no JSON", "{", "not-json"],
  ["JSON that is no message", "[]", "bad-shape"],
  ["null", "null", "bad-shape"],
  ["an unknown kind", '{"kind":"constructor"}', "bad-shape"],
  ["a text that is too long", `"${"x".repeat(270_000)}"`, "too-long"],
  ["an unknown command", request(1, "constructor", []), "bad-shape"],
  ["a command with a field too many", '{"kind":"hear","on":true,"more":1}', "bad-shape"],
  ["a request without an id", '{"kind":"request","method":"leave","arguments":[]}', "bad-shape"],
  ["arguments that are none", '{"kind":"tell","method":"say","arguments":"x"}', "bad-shape"],
  ["an argument of the wrong kind", '{"kind":"tell","method":"say","arguments":[{}]}', "bad-shape"],
  ["an argument too many", '{"kind":"tell","method":"raiseHand","arguments":[1]}', "bad-shape"],
  ["an argument missing", request(2, "join", ["thi1-x"]), "bad-shape"],
  ["an option that is unknown", request(3, "join", ["thi1-x", { name: "a", admin: true }]), "bad-shape"],
  ["an option of a prototype", '{"kind":"request","id":4,"method":"host","arguments":[{"__proto__":{}}]}', "bad-shape"],
  ["too many cards", request(5, "host", [{ via: Array(17).fill("c"), letEverybodySpeak: true }]), "bad-shape"],
  ["a negative number", request(6, "volunteer", [{ maxKbps: -1 }]), "bad-shape"],
  ["a layer that is none", '{"kind":"tell","method":"preferLayer","arguments":["best"]}', "bad-shape"],
  ["a voice that is no key", '{"kind":"tell","method":"removeFromStage","arguments":["zz"]}', "bad-shape"],
  ["what only an owner may ask", request(7, "stop", []), "bad-shape"],
  ["a resume from a window", request(8, "resume", ["00"]), "bad-shape"],
  ["more taken than was sent", '{"kind":"taken","events":9,"sounds":0}', "bad-count"],
  ["bytes that are no packet", Uint8Array.of(9, 9, 9), "bad-sound"],
  ["a packet without speech", new Uint8Array(11).fill(1, 0, 1), "bad-sound"],
  ["a packet that is too large", spoken(321, 0), "bad-sound"],
  ["a packet whose low layer is too large", spoken(120, 321), "bad-sound"],
  ["a packet of the low layer alone", spoken(0, 60), "bad-sound"],
  ["a packet that is cut short", spoken(120, 0).subarray(0, 60), "bad-sound"],
  ["a packet from no time", Uint8Array.of(1, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0, 0, 1, 1), "bad-sound"],
  ["bytes without end", new Uint8Array(70_000), "too-long"],
];

describe("a served port, in hostile hands", () => {
  it.each(invalid)("drops and counts %s, and asks nothing of the engine", async (_what, message, reason) => {
    const raw = await serveRaw();
    raw.port.postMessage(message);
    await raw.settled();
    expect(raw.server.faults).toEqual({ [reason]: 1 });
    expect(raw.double.calls).toEqual(["start"]);
    expect(raw.double.spoken).toEqual([]);
    // And it still works.
    raw.port.postMessage(request(99, "leave", []));
    await raw.settled();
    expect(raw.received.at(-1)).toEqual({ kind: "answer", id: 99, value: null });
  });

  it("drops what is neither text nor bytes", async () => {
    const raw = await serveRaw();
    for (const message of [null, 5, {}, new ArrayBuffer(8)]) raw.port.postMessage(message as unknown as string);
    await raw.settled();
    expect(raw.server.faults).toEqual({ "not-text-or-bytes": 4 });
  });

  it("hangs up on who goes on", async () => {
    const raw = await serveRaw();
    for (let sent = 0; sent < faultsMax; sent += 1) raw.port.postMessage("{");
    await raw.closed;
    expect(raw.received.at(-1)).toEqual({ kind: "bye", reason: "protocol" });
    expect(raw.double.listenerCount).toBe(0);
  });

  it("answers what it refuses, so that nobody waits", async () => {
    const raw = await serveRaw();
    raw.port.postMessage(request(7, "stop", []));
    await raw.settled();
    expect(raw.received.at(-1)).toMatchObject({ kind: "fault", id: 7, code: "usage" });
  });

  it("takes only so many requests at a time", async () => {
    const raw = await serveRaw();
    let open = (): void => undefined;
    raw.double.gate = new Promise((resolve) => (open = resolve));
    for (let id = 0; id <= requestsMax; id += 1) raw.port.postMessage(request(id, "join", ["thi1-x", {}]));
    await raw.settled();
    expect(raw.server.faults).toEqual({ "too-many": 1 });
    expect(raw.received.at(-1)).toMatchObject({ kind: "fault", id: requestsMax });
    open();
    await raw.settled();
    raw.port.postMessage(request(1000, "join", ["thi1-x", {}]));
    await raw.settled();
    expect(raw.received.at(-1)).toMatchObject({ kind: "answer", id: 1000 });
  });

  it("survives random messages", async () => {
    const rng = new Rng(2026);
    const valid = [
      request(1, "join", ["thi1-x", { name: "n" }]),
      request(2, "host", [{ via: [], letEverybodySpeak: true }]),
      '{"kind":"tell","method":"say","arguments":["hello"]}',
      '{"kind":"taken","events":0,"sounds":0}',
    ];
    let dropped = 0;
    for (let round = 0; round < 40; round += 1) {
      const raw = await serveRaw();
      for (let sent = 0; sent < 50; sent += 1) {
        const text = (valid[rng.int(valid.length)] ?? "").split("");
        for (let change = rng.int(4); change > 0; change -= 1) {
          text.splice(rng.int(text.length + 1), rng.int(3), String.fromCharCode(32 + rng.int(95)));
        }
        raw.port.postMessage(rng.int(5) === 0 ? rng.bytes(rng.int(400)) : text.join(""));
      }
      await raw.settled();
      dropped += Object.values(raw.server.faults).reduce((sum, one) => sum + one, 0);
      expect(
        raw.received.every((message) => message instanceof Uint8Array || typeof message["kind"] === "string"),
      ).toBe(true);
    }
    expect(dropped).toBeGreaterThan(500);
  });

  it("keeps the inside of an error inside", async () => {
    const raw = await serveRaw();
    raw.double.failure = new Error("at 192.0.2.7 for somebody");
    raw.port.postMessage(request(1, "join", ["thi1-x", {}]));
    await raw.settled();
    expect(raw.received.at(-1)).toMatchObject({ kind: "fault", code: "internal" });
    expect(JSON.stringify(raw.received)).not.toContain("192.0.2.7");
  });

  it("does not show a window the capsule", async () => {
    const raw = await serveRaw();
    raw.double.capsuleBytes = Uint8Array.of(0xca, 0xfe);
    raw.double.emit({ event: "left" });
    await raw.settled();
    expect(raw.received.length).toBeGreaterThan(1);
    expect(JSON.stringify(raw.received)).not.toContain("cafe");
  });

  it("says what went wrong with a command that has no answer", async () => {
    const raw = await serveRaw();
    raw.port.postMessage('{"kind":"tell","method":"say","arguments":[""]}');
    await raw.settled();
    expect(raw.received.at(-1)).toMatchObject({ kind: "event", event: { event: "error", code: "usage" } });
  });
});

describe("a served port that the other side does not empty", () => {
  it("lets the oldest sound fall, keeps the newest, and goes on when it is emptied", async () => {
    const raw = await serveRaw();
    raw.port.postMessage('{"kind":"hear","on":true}');
    await raw.settled();
    for (let sequence = 0; sequence < 1000; sequence += 1) raw.double.deliver(heardPacket(sequence));
    await raw.settled();
    const sounds = (): Uint8Array[] => raw.received.filter((message) => message instanceof Uint8Array);
    const underway = sounds().length;
    expect(underway).toBeLessThan(200);
    expect(raw.server.soundsDropped).toBeGreaterThan(700);
    raw.port.postMessage(JSON.stringify({ kind: "taken", events: 0, sounds: underway }));
    await raw.settled();
    const sequences = sounds().map((bytes) => new DataView(bytes.buffer).getUint32(33));
    expect(sequences.at(-1)).toBe(999);
    expect(sequences.slice(underway)).toEqual(
      Array.from({ length: sequences.length - underway }, (_, index) => 1000 - (sequences.length - underway) + index),
    );
    expect(sequences.length + raw.server.soundsDropped).toBe(1000);
  });

  it("leaves events out, and then tells how things are", async () => {
    const raw = await serveRaw();
    for (let listeners = 0; listeners < 2000; listeners += 1) {
      // Counts change as fast as events come.
      raw.double.stats = () => ({ ...statsOfDouble, bytesIn: listeners });
      raw.double.emit({ event: "members", speakers: 1, listeners, relays: 1 });
    }
    await raw.settled();
    const kinds = raw.received.map((message) => (message as { kind: string }).kind);
    const events = kinds.filter((kind) => kind === "event").length;
    expect(events).toBeLessThan(1000);
    expect(kinds.length).toBeLessThan(2 * 1000);
    raw.port.postMessage(JSON.stringify({ kind: "taken", events, sounds: 0 }));
    await raw.settled();
    const last = raw.received.at(-1) as { kind: string; events: EngineEvent[] };
    expect(last.kind).toBe("welcome");
    expect(last.events).toContainEqual({ event: "members", speakers: 1, listeners: 1999, relays: 1 });
  });

  it("keeps up with a client that does, without losing anything", async () => {
    const [near, far] = createPortPair();
    const double = new EngineDouble();
    await double.start();
    const server = servePort(far, double, { rights: "window" });
    const client = createPortClient(near);
    const heard: HeardPacket[] = [];
    client.hear((packet) => void heard.push(packet));
    await client.start();
    for (let sequence = 0; sequence < 2000; sequence += 1) {
      double.deliver(heardPacket(sequence));
      if (sequence % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.soundsDropped).toBe(0);
    expect(heard.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2000 }, (_, sequence) => sequence));
  });

  it("takes what a client speaks for as long as it speaks", async () => {
    const raw = await serveRaw();
    const bytes = writeSpoken({ opus: new Uint8Array(120).fill(3), capturedAt: millis(5) });
    expect(bytes).toBeDefined();
    for (let sent = 0; sent < 500; sent += 1) raw.port.postMessage(bytes ?? "");
    await raw.settled();
    expect(raw.double.spoken).toHaveLength(500);
    expect(raw.received.filter((message) => "kind" in message && message["kind"] === "taken").length).toBeGreaterThan(
      20,
    );
  });
});

describe("one window at a time", () => {
  it("lets the second wait, take over, and evicts the first with the reason", async () => {
    const seat = new Seat();
    const double = new EngineDouble();
    await double.start();
    const open = () => {
      const [near, far] = createPortPair();
      servePort(far, double, { rights: "window", seat });
      return createPortClient(near);
    };
    const first = open();
    await first.start();
    const second = open();
    await new Promise<void>((resolve) => second.onState(() => resolve()));
    expect(second.state).toBe("occupied");
    const waited = second.start();
    const evicted = new Promise((resolve) => first.onState((_state, reason) => resolve(reason)));
    second.takeOver();
    expect(await evicted).toBe("replaced");
    await waited;
    expect(second.state).toBe("open");
    expect(first.state).toBe("closed");
  });

  it("keeps what a window leaves for the next one, within bounds", async () => {
    const seat = new Seat();
    const first = await serveRaw({ rights: "window", seat });
    expect(first.received[0]).toMatchObject({ kind: "welcome", kept: null });
    first.port.postMessage(JSON.stringify({ kind: "keep", text: "mask on" }));
    first.port.postMessage(JSON.stringify({ kind: "keep", text: "x".repeat(1025) }));
    await first.settled();
    first.port.close();
    await first.settled();
    const second = await serveRaw({ rights: "window", seat });
    expect(second.received[0]).toMatchObject({ kind: "welcome", kept: "mask on" });
  });

  it("lets the one who waited in when the first goes, and says when nobody is there", async () => {
    const changes: boolean[] = [];
    const seat = new Seat((isTaken) => void changes.push(isTaken));
    const first = await serveRaw({ rights: "window", seat });
    const second = await serveRaw({ rights: "window", seat });
    expect(second.received).toEqual([{ kind: "occupied" }]);
    second.port.postMessage('{"kind":"tell","method":"raiseHand","arguments":[]}');
    await second.settled();
    expect(second.double.calls).toEqual(["start"]);
    first.port.close();
    await first.settled();
    expect(second.received.at(-1)).toMatchObject({ kind: "welcome" });
    second.port.close();
    await second.settled();
    expect(changes).toEqual([true, true, false]);
  });
});
