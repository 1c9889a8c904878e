import { describe, expect, it } from "vitest";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import { millis, type RoomKey } from "../../p2p/api/ids.ts";
import type { Port } from "../../p2p/api/port.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { createPortClient } from "../../p2p/port/client.ts";
import { faultsMax } from "../../p2p/port/protocol.ts";
import { servePort } from "../../p2p/port/server.ts";
import { EngineDouble } from "../doubles/engine-double.ts";

const room = "ab".repeat(32) as RoomKey;
const joined: EngineEvent = { event: "joined", room, role: "listener", hops: 2, parents: [], ms: 7 };
const noMirror = { stats: null, totals: null, capsule: null };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function served(double: EngineDouble): Port {
  const [near, far] = createPortPair();
  servePort(far, double, { rights: "owner" });
  return near;
}

async function startedDouble(): Promise<EngineDouble> {
  const double = new EngineDouble();
  await double.start();
  return double;
}

describe("a port client", () => {
  it("gets the snapshot first, as events to who listens and as a snapshot to who asks", async () => {
    const double = await startedDouble();
    double.emit(joined);
    const client = createPortClient(served(double));
    const events: EngineEvent[] = [];
    client.subscribe((event) => void events.push(event));
    expect(client.snapshot()).toEqual([]);
    await client.start();
    expect(events.map(({ event }) => event)).toEqual(["ready", "joined", "ready"]);
    expect(client.snapshot()).toEqual(double.snapshot());
  });

  it("gives a window that opens late all that was typed in this room, and nothing of an earlier one", async () => {
    const double = await startedDouble();
    const say = (words: string): void =>
      double.emit({ event: "text", identity: "ab", name: "Mei", text: words, at: millis(1), self: false });
    double.emit(joined);
    say("before");
    double.emit({ event: "left" });
    double.emit(joined);
    for (let number = 1; number <= 201; number += 1) say(String(number));
    const client = createPortClient(served(double));
    await client.start();
    const texts = client.snapshot().flatMap((event) => (event.event === "text" ? [event.text] : []));
    expect(texts).toHaveLength(200);
    expect([texts[0], texts.at(-1)]).toEqual(["2", "201"]);
  });

  it("rejects what is under way when the other side goes, and everything after", async () => {
    const double = await startedDouble();
    const [near, far] = createPortPair();
    const server = servePort(far, double, { rights: "owner" });
    const client = createPortClient(near);
    await client.start();
    double.gate = new Promise(() => undefined);
    const joining = client.join("thi1-x", {}).catch((error: unknown) => error);
    await double.called("join");
    server.close("engine-gone");
    expect(await joining).toMatchObject({ code: "internal" });
    expect([client.state, client.closeReason]).toEqual(["closed", "engine-gone"]);
    await expect(client.start()).rejects.toMatchObject({ code: "internal" });
    client.raiseHand();
    await client.leave();
    await client.stop();
    expect(double.calls).not.toContain("raiseHand");
  });

  it("tells a lost connection from one it closed", async () => {
    const double = await startedDouble();
    const reasons: unknown[] = [];
    for (const end of ["near", "far"]) {
      const [near, far] = createPortPair();
      servePort(far, double, { rights: "window" });
      const client = createPortClient(near);
      await client.start();
      client.onState((_state, reason) => void reasons.push(reason));
      if (end === "near") client.close();
      else far.close();
      await turn();
    }
    expect(reasons).toEqual(["local", "lost"]);
    expect(double.listenerCount).toBe(1);
  });

  it("goes on over a new port, with its subscriptions, and is out of a room that the engine is out of", async () => {
    const first = await startedDouble();
    const client = createPortClient(served(first));
    const events: string[] = [];
    client.subscribe(({ event }) => void events.push(event));
    client.hear(() => undefined);
    await client.start();
    await client.join("thi1-x", {});
    const second = await startedDouble();
    client.reconnect(served(second));
    await client.start();
    // What the first engine said, the first start, the room; then the room is gone, and the second engine starts.
    expect(events).toEqual(["ready", "ready", "joined", "left", "ready"]);
    expect(client.snapshot().map(({ event }) => event)).toEqual(["ready"]);
    expect(second.hearerCount).toBe(1);
    second.emit({ event: "step", step: "asking-dht" });
    await turn();
    expect(events.at(-1)).toBe("step");
  });

  it("keeps the room while the engine behind the new port comes back into it", async () => {
    const first = await startedDouble();
    const client = createPortClient(served(first));
    const events: string[] = [];
    await client.start();
    await client.join("thi1-x", {});
    client.subscribe(({ event }) => void events.push(event));
    const second = await startedDouble();
    client.reconnect(served(second), { isResuming: true });
    await client.start();
    expect(client.snapshot().map(({ event }) => event)).toContain("joined");
    await client.resume(Uint8Array.of(1));
    expect(events).not.toContain("left");
    expect(events.at(-1)).toBe("joined");
  });

  it("is out of the room at once when it leaves while there is no engine, or one that is not back in it", async () => {
    const first = await startedDouble();
    const [near, far] = createPortPair();
    const server = servePort(far, first, { rights: "owner" });
    const client = createPortClient(near);
    const events: string[] = [];
    client.subscribe(({ event }) => void events.push(event));
    await client.join("thi1-x", {});
    server.close("lost");
    await turn();
    await client.leave();
    expect(events.filter((event) => event === "left")).toHaveLength(1);

    const second = await startedDouble();
    client.reconnect(served(second));
    await client.join("thi1-x", {});
    client.reconnect(served(await startedDouble()), { isResuming: true });
    await client.leave();
    expect(events.filter((event) => event === "left")).toHaveLength(2);
    expect(client.snapshot().map(({ event }) => event)).toEqual(["ready"]);
  });

  it("tells the role once more to who joined anew while it was not connected", async () => {
    const double = await startedDouble();
    double.emit(joined);
    double.emit({ event: "role", role: "speaker", by: "host" });
    const client = createPortClient(served(double));
    await client.start();
    let role = "speaker";
    client.subscribe((event) => {
      if (event.event === "joined" || event.event === "role") role = event.role;
    });
    const back = await startedDouble();
    back.emit({ ...joined, ms: 900 });
    back.emit({ event: "role", role: "speaker", by: "host" });
    client.reconnect(served(back));
    await client.start();
    expect(role).toBe("speaker");
  });

  it("drops and counts what is no message of the contract, and hangs up when it goes on", async () => {
    const [near, far] = createPortPair();
    const client = createPortClient(near);
    const events: EngineEvent[] = [];
    client.subscribe((event) => void events.push(event));
    far.attach({ onMessage: () => undefined, onClose: () => undefined });
    far.postMessage(JSON.stringify({ kind: "welcome", events: [], mirror: noMirror, kept: null }));
    const invalid: readonly (string | Uint8Array)[] = [
      "{",
      '{"kind":"event","event":{"event":"joined"}}',
      '{"kind":"event","event":{"event":"toString"}}',
      '{"kind":"event","event":{"event":"error","code":"unheard-of","message":""}}',
      '{"kind":"answer","id":77,"value":null}',
      '{"kind":"taken","sounds":5}',
      '{"kind":"welcome","events":[{}],"mirror":{}}',
      Uint8Array.of(2, 3),
      null as unknown as string,
    ];
    for (const message of invalid) far.postMessage(message);
    await turn();
    expect(client.faults).toEqual({
      "not-json": 1,
      "bad-shape": 4,
      "unknown-id": 1,
      "bad-count": 1,
      "bad-sound": 1,
      "not-text-or-bytes": 1,
    });
    expect(events).toEqual([]);
    expect(client.state).toBe("open");
    for (let sent = invalid.length; sent < faultsMax; sent += 1) far.postMessage("{");
    await turn();
    expect([client.state, client.closeReason]).toEqual(["closed", "protocol"]);
  });

  it("does not take a strange answer for invites or a card", async () => {
    const [near, far] = createPortPair();
    const client = createPortClient(near);
    far.attach({
      onMessage: (message) => {
        const { kind, id } = JSON.parse(message as string) as { kind: string; id: number };
        if (kind === "request") far.postMessage(JSON.stringify({ kind: "answer", id, value: { listener: 1 } }));
      },
      onClose: () => undefined,
    });
    far.postMessage(JSON.stringify({ kind: "welcome", events: [], mirror: noMirror, kept: null }));
    await expect(client.host({ via: [], letEverybodySpeak: true })).rejects.toMatchObject({ code: "internal" });
    await expect(client.volunteer({})).rejects.toMatchObject({ code: "internal" });
  });
});
