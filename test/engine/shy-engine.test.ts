import { describe, expect, it } from "vitest";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import type { PeerId } from "../../p2p/api/ids.ts";
import type { WayChoice } from "../../p2p/api/way.ts";
import { createShyEngine, type Standing } from "../../p2p/shy-engine.ts";
import { heardPacket } from "../contract/engine-port.ts";
import { EngineDouble } from "../doubles/engine-double.ts";

const peer = "cd".repeat(32) as PeerId;
const seed = Uint8Array.from({ length: 32 }, (_, index) => index + 1);

/** What was made, in order, each with how it was to listen. */
function shy(listensAtOnce = false) {
  const made: { readonly standing: Standing | undefined; readonly double: EngineDouble }[] = [];
  const make = (standing: Standing | undefined) => {
    const double = new EngineDouble();
    made.push({ standing, double });
    return Promise.resolve(double);
  };
  const engine = createShyEngine(make, { freshSeed: () => seed, listensAtOnce });
  const events: EngineEvent[] = [];
  engine.subscribe((event) => void events.push(event));
  return { engine, made, events };
}

const isOpenAt = (port: number): EngineEvent => ({
  event: "ready",
  peer,
  addresses: [`/ip4/192.0.2.1/tcp/${port}/tls/ws/p2p/x`],
  version: "1",
});

describe("a window's engine", () => {
  it("does not listen for who joins or hosts through others", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.start();
    await engine.join("thi1-x", {});
    await engine.host({ via: ["card"], letEverybodySpeak: false });
    expect(made.map(({ standing }) => standing)).toEqual([undefined, undefined]);
  });

  it("has a node of its own for each room", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.join("thi1-x", {});
    await engine.leave();
    await engine.host({ via: ["card"], letEverybodySpeak: false });
    await engine.join("thi1-y", {});
    expect(made.map(({ double }) => double.calls)).toEqual([
      ["start", "join", "leave", "stop"],
      ["start", "host", "stop"],
      ["start", "join"],
    ]);
  });

  it("keeps the node whose card others hold while it lends, and forgets where it listened for a room", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.host({ via: [], letEverybodySpeak: false });
    await engine.leave();
    await engine.join("thi1-x", {});
    expect(made.map(({ standing }) => standing)).toEqual([undefined, { seed, port: 0 }, undefined]);
    await engine.volunteer({});
    await engine.leave();
    await engine.join("thi1-y", {});
    await engine.join("thi1-z", {});
    expect(made).toHaveLength(4);
    expect(made[3]?.double.calls).toEqual(["start", "volunteer", "leave", "join", "join"]);
  });

  it("lends to the room it is in as the same person, and to the next one as somebody else", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.join("thi1-x", {});
    const first = made[0]?.double;
    if (first !== undefined) first.capsuleBytes = Uint8Array.of(7);
    engine.power({ onBattery: true, metered: false });
    await engine.lend({ maxChildren: 4 });
    expect(made[1]?.double.calls).toEqual(["start", "power", "resume", "lend"]);
    expect(made[1]?.double.lent).toEqual({ maxChildren: 4 });
    await engine.leave();
    await engine.join("thi1-y", {});
    expect(made[2]?.standing).toEqual({ seed, port: 0 });
    expect(made[2]?.double.calls).toEqual(["start", "power", "lend", "join"]);
    await engine.lend(null);
    await engine.leave();
    await engine.join("thi1-z", {});
    expect(made.map(({ standing }) => standing !== undefined)).toEqual([false, true, true, false]);
    expect(made[3]?.double.calls).toEqual(["start", "power", "join"]);
  });

  it("is another node after a wipe, which knows nothing of the one before", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.join("thi1-x", {});
    await engine.lend({});
    await engine.wipe();
    expect(made.at(-2)?.double.calls.slice(-2)).toEqual(["wipe", "stop"]);
    expect(made.at(-1)?.standing).toBeUndefined();
    await engine.join("thi1-y", {});
    expect(made.at(-1)?.double.calls).toEqual(["start", "join"]);
  });

  it("takes a way before it is up, and does not begin to listen where that would show it", async () => {
    const ways: WayChoice[] = [];
    const doubles: EngineDouble[] = [];
    const make = () => {
      doubles.push(new EngineDouble());
      return Promise.resolve(doubles.at(-1) as EngineDouble);
    };
    const options = { freshSeed: () => seed, listensAtOnce: false, mayListen: () => ways.length === 0 };
    const engine = createShyEngine(make, { ...options, chooseWay: (way) => void ways.push(way) });
    const choice: WayChoice = { rung: "proxy", proxy: "socks5://127.0.0.1:9050" };
    await engine.chooseWay(choice);
    expect(ways).toEqual([choice]);
    await engine.start();
    await engine.chooseWay({ rung: "wss" });
    expect(doubles[0]?.way).toEqual({ rung: "wss" });
    await expect(engine.host({ via: [], letEverybodySpeak: false })).rejects.toMatchObject({ code: "proxy-hides" });
    await expect(engine.volunteer({})).rejects.toMatchObject({ code: "proxy-hides" });
    // It is as it was, and of use.
    await engine.host({ via: ["card"], letEverybodySpeak: false });
    expect(doubles.map(({ calls }) => calls)).toEqual([["start", "chooseWay", "host"]]);
  });

  it("asks every engine that it makes for the layer that was asked for", async () => {
    const { engine, made } = shy();
    engine.preferLayer("low");
    await engine.start();
    await engine.join("thi1-x", {});
    await engine.leave();
    await engine.join("thi1-y", {});
    expect(made.map(({ double }) => double.layer)).toEqual(["low", "low"]);
  });

  it("lets who hosts or joins at once wait until it is up", async () => {
    const { engine, made } = shy();
    const starting = engine.start();
    await Promise.all([engine.host({ via: ["card"], letEverybodySpeak: false }), engine.join("thi1-x", {}), starting]);
    expect(made[0]?.double.calls).toEqual(["start", "host", "join"]);
  });

  it("listens once it hosts without a relay or volunteers, and not twice", async () => {
    const { engine, made, events } = shy();
    await engine.start();
    await engine.host({ via: [], letEverybodySpeak: false });
    await engine.volunteer({ maxChildren: 3 });
    expect(made.map(({ standing }) => standing)).toEqual([undefined, { seed, port: 0 }]);
    expect(made[0]?.double.calls).toEqual(["start", "stop"]);
    expect(made[1]?.double.calls).toEqual(["start", "host", "volunteer"]);
    expect(events.map(({ event }) => event)).toEqual(["ready", "ready", "room", "joined", "card"]);
  });

  it("keeps its room, and who listens, when it begins to listen", async () => {
    const { engine, made } = shy();
    const heard: number[] = [];
    engine.hear(({ sequence }) => void heard.push(sequence));
    await engine.start();
    await engine.join("thi1-x", {});
    const [before] = made;
    if (before !== undefined) before.double.capsuleBytes = Uint8Array.of(7, 8);
    await engine.volunteer({});
    const after = made[1]?.double;
    expect(after?.calls).toEqual(["start", "resume", "volunteer"]);
    expect(after?.resumedWith).toEqual(Uint8Array.of(7, 8));
    before?.double.deliver(heardPacket(1));
    after?.deliver(heardPacket(2));
    expect(heard).toEqual([2]);
  });

  it("comes back under the same key and port, and lends what it lent", async () => {
    const first = shy();
    await first.engine.start();
    await first.engine.volunteer({ maxKbps: 300 });
    const listening = first.made[1]?.double;
    listening?.emit(isOpenAt(40_123));
    expect(first.engine.capsule()).toBeUndefined();
    if (listening !== undefined) listening.capsuleBytes = Uint8Array.of(1, 2, 3);
    const capsule = first.engine.capsule() ?? new Uint8Array();

    const second = shy();
    await second.engine.start();
    await second.engine.resume(capsule);
    expect(second.made.map(({ standing }) => standing)).toEqual([
      undefined,
      { seed, port: 40_123, lends: { maxKbps: 300 } },
    ]);
    expect(second.made[1]?.double.calls).toEqual(["start", "volunteer", "resume"]);
    expect(second.made[1]?.double.resumedWith).toEqual(Uint8Array.of(1, 2, 3));
    // And once more, from there.
    expect(second.engine.capsule()).toBeUndefined();
  });

  it("that never listened comes back without listening", async () => {
    const first = shy();
    await first.engine.start();
    const [made] = first.made;
    if (made !== undefined) made.double.capsuleBytes = Uint8Array.of(9);
    const second = shy();
    await second.engine.start();
    await second.engine.resume(first.engine.capsule() ?? new Uint8Array());
    expect(second.made.map(({ standing }) => standing)).toEqual([undefined]);
    expect(second.made[0]?.double.resumedWith).toEqual(Uint8Array.of(9));
  });

  it("listens from the start where it was told to", async () => {
    const { engine, made } = shy(true);
    await engine.start();
    await engine.volunteer({});
    expect(made.map(({ standing }) => standing)).toEqual([{ seed, port: 0 }]);
  });

  it("does not go in for who left while it was coming up, or beginning to listen", async () => {
    const { engine, made } = shy();
    const starting = engine.start();
    const joining = engine.join("thi1-x", {});
    await engine.leave();
    await expect(joining).rejects.toMatchObject({ code: "stalled" });
    await starting;
    const hosting = engine.host({ via: [], letEverybodySpeak: false });
    await made[0]?.double.called("stop");
    await engine.leave();
    await expect(hosting).rejects.toMatchObject({ code: "stalled" });
    expect(made.flatMap(({ double }) => double.calls)).toEqual(["start", "stop", "start"]);
    await engine.host({ via: [], letEverybodySpeak: false });
    expect(made[1]?.double.calls).toEqual(["start", "host"]);
  });

  it("that cannot listen says so, and goes on without listening, in its room", async () => {
    const made: EngineDouble[] = [];
    const engine = createShyEngine(
      (standing) => {
        const double = new EngineDouble();
        if (standing !== undefined) double.failure = new TeahouseError("port-taken", "This port is in use.");
        made.push(double);
        return Promise.resolve(double);
      },
      { freshSeed: () => seed, listensAtOnce: false },
    );
    await engine.start();
    await engine.join("thi1-x", {});
    const [first] = made;
    if (first !== undefined) first.capsuleBytes = Uint8Array.of(7);
    await expect(engine.volunteer({})).rejects.toMatchObject({ code: "port-taken" });
    expect(made.map(({ calls }) => calls)).toEqual([
      ["start", "join", "stop"],
      ["start", "stop"],
      ["start", "resume"],
    ]);
    expect([made[1]?.listenerCount, made[2]?.resumedWith]).toEqual([0, Uint8Array.of(7)]);
    await engine.join("thi1-y", {});
  });

  it("takes no proxy while it can be dialed", async () => {
    const { engine, made } = shy();
    await engine.start();
    await engine.host({ via: [], letEverybodySpeak: false });
    const choice = { rung: "proxy", proxy: "socks5://127.0.0.1:9050" } as const;
    await expect(engine.chooseWay(choice)).rejects.toMatchObject({ code: "proxy-hides" });
    await engine.chooseWay({ rung: "wss" });
    expect(made.at(-1)?.double.calls.filter((call) => call === "chooseWay")).toHaveLength(1);
  });

  it("says that it is not up rather than break", async () => {
    const { engine } = shy();
    expect(() => engine.raiseHand()).toThrow("not ready");
    expect(() => engine.stats()).toThrow("not ready");
    expect(engine.snapshot()).toEqual([]);
    expect(engine.capsule()).toBeUndefined();
    await expect(engine.resume(new Uint8Array())).rejects.toThrow("not ready");
    await engine.leave();
    await engine.stop();
  });
});
