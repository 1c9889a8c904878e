import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { EngineApi, EngineEvent, HeardPacket } from "../../p2p/api/engine.ts";
import type { VoiceKey } from "../../p2p/api/ids.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { parseCard } from "../../p2p/core/room/invite/card.ts";
import { createSeats } from "../../p2p/core/room/member/seats.ts";
import { createEngine } from "../../p2p/engine/engine.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { testNow } from "../core/fixtures.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";
import { MemoryNet, type MemoryNode } from "./network.ts";

const crypto = createCrypto();
const hosting = { via: [] as string[], letEverybodySpeak: true };

interface Desk {
  readonly engine: EngineApi;
  readonly node: MemoryNode;
  readonly events: EngineEvent[];
  readonly heard: HeardPacket[];
  named<Name extends EngineEvent["event"]>(name: Name): Extract<EngineEvent, { event: Name }>[];
}

/** Engines in one process on one clock, which moves only while something is waited for. */
class House {
  readonly clock = new ManualClock();
  readonly net: MemoryNet;

  constructor(seed: string) {
    this.net = new MemoryNet(seed);
    this.clock.stall(testNow - this.clock.now());
  }

  async desk(
    options: { readonly listens?: boolean; readonly blind?: boolean; readonly discovers?: boolean } = {},
  ): Promise<Desk> {
    const { listens = false, blind = false, discovers = false } = options;
    const node = this.net.node(listens, discovers);
    const ports = { clock: this.clock, crypto, network: node, seats: blind ? undefined : createSeats(crypto) };
    const engine = createEngine(ports, { profile: "wss", version: "1.2.3" });
    const events: EngineEvent[] = [];
    const heard: HeardPacket[] = [];
    engine.subscribe((event) => events.push(event));
    engine.hear((packet) => heard.push(packet));
    await engine.start();
    type Named<Name> = Extract<EngineEvent, { event: Name }>;
    const named = <Name extends EngineEvent["event"]>(name: Name): Named<Name>[] =>
      events.filter((event): event is Named<Name> => event.event === name);
    return { engine, node, events, heard, named };
  }

  /** Lets time pass until this is so; two minutes of it at most. */
  async until(done: () => boolean): Promise<void> {
    for (let step = 0; step < 6000 && !done(); step++) {
      await setImmediate();
      this.clock.advance(20);
    }
    expect(done()).toBe(true);
  }

  /** Lets time pass until a promise is settled. */
  async settled<Value>(promise: Promise<Value>): Promise<Value> {
    let over = false;
    const noted = promise.finally(() => (over = true));
    noted.catch(() => undefined);
    await this.until(() => over);
    return noted;
  }

  /** A relay, a host on it and its invites. */
  async room(): Promise<{ relay: Desk; host: Desk; card: string; listener: string }> {
    const relay = await this.desk({ listens: true, blind: true });
    const host = await this.desk();
    const card = await relay.engine.volunteer({});
    const invites = await this.settled(host.engine.host({ ...hosting, via: [card] }));
    return { relay, host, card, listener: invites.listener };
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error instanceof TeahouseError ? error.code : String(error);
  }
}

describe("the engine", () => {
  it("says that it is ready, who it is and where", async () => {
    const house = new House("ready");
    const { events, node } = await house.desk({ listens: true });
    expect(events).toEqual([
      { event: "ready", peer: node.peer, addresses: [`/memory/${node.peer}`], version: "1.2.3" },
    ]);
  });

  it("[OV12] carries a room from card to sound: volunteer, host, join, hear", async () => {
    const house = new House("whole");
    const { relay, host, card, listener } = await house.room();
    expect(relay.named("card")).toEqual([{ event: "card", card }]);
    const order = host.events.map(({ event }) => event);
    expect(order.indexOf("room")).toBeLessThan(order.indexOf("joined"));
    expect(host.named("room")[0]?.invites.listener).toBe(listener);
    const guest = await house.desk();
    await house.settled(guest.engine.join(listener, { name: "guest" }));
    expect(guest.named("joined")).toMatchObject([{ role: "listener", hops: 1, parents: [relay.node.peer] }]);
    for (let packet = 0; packet < 5; packet++) {
      const opus = Uint8Array.of(packet, ...new Uint8Array(119));
      host.engine.speak({ opus, capturedAt: house.clock.now() });
      house.clock.advance(40);
    }
    await house.until(() => guest.heard.length === 5);
    expect(guest.heard.map((packet) => packet.opus[0])).toEqual([0, 1, 2, 3, 4]);
    expect(guest.named("sound")).toHaveLength(1);
    expect(guest.engine.stats()).toMatchObject({ hops: 2, packetsRejected: {} });
    expect(relay.engine.stats().packetsForwarded).toBeGreaterThanOrEqual(5);
    expect(relay.heard).toEqual([]);
  });

  it("[RM22] a hand goes up, the role follows; it goes down, and the role again", async () => {
    const house = new House("hand");
    const { listener, host } = await house.room();
    const guest = await house.desk();
    await house.settled(guest.engine.join(listener, {}));
    guest.engine.raiseHand();
    await house.until(() => guest.named("role").length === 1);
    expect(guest.named("role")).toMatchObject([{ role: "speaker" }]);
    guest.engine.speak({ opus: new Uint8Array(120), capturedAt: house.clock.now() });
    await house.until(() => host.heard.length === 1);
    guest.engine.lowerHand();
    await house.until(() => guest.named("role").length === 2);
    expect(guest.named("role").at(-1)).toMatchObject({ role: "listener" });
  });

  it("counts every byte and link while they are there and afterwards", async () => {
    const house = new House("bytes");
    const { relay, host } = await house.room();
    const [out, into] = [host.engine.stats(), relay.engine.stats()];
    expect(out.links).toEqual({ memory: 1 });
    expect(out.bytesOut).toBeGreaterThan(0);
    expect(into.bytesIn).toBe(out.bytesOut);
    // Nobody answers there any more, or the host would be back at once.
    await relay.node.stop();
    for (const pair of house.net.pairs) pair.cut();
    await setImmediate();
    expect(host.engine.stats().links).toEqual({});
    expect(host.engine.stats().bytesOut).toBe(out.bytesOut);
  });

  it("gives stats every second, and none after it was stopped", async () => {
    const house = new House("stats");
    const { engine, named, events } = await house.desk();
    for (let second = 1; second <= 3; second++) {
      house.clock.advance(1000);
      expect(named("stats")).toHaveLength(second);
    }
    await engine.stop();
    const count = events.length;
    house.clock.advance(10_000);
    expect(events).toHaveLength(count);
  });

  it("what was pasted is told apart before anything is dialed", async () => {
    const house = new House("pasted");
    const { card, listener } = await house.room();
    const { engine } = await house.desk();
    const join = (text: string): Promise<string> => codeOf(engine.join(text, {}));
    const host = (via: string): Promise<string> => codeOf(engine.host({ ...hosting, via: [via] }));
    const dials = house.net.pairs.length;
    expect(await join("hello")).toBe("invite-damaged");
    expect(await join(card)).toBe("invite-damaged");
    expect(await join(`${listener.slice(0, -1)}${listener.endsWith("A") ? "B" : "A"}`)).toBe("invite-damaged");
    expect(await host("hello")).toBe("card-damaged");
    expect(await host(listener)).toBe("card-damaged");
    expect(await codeOf(engine.host(hosting))).toBe("address-unusable");
    expect(await codeOf(engine.volunteer({}))).toBe("address-unusable");
    expect(house.net.pairs).toHaveLength(dials);
  });

  it("[RM26] a room that cannot be found rejects with the reason and says it as an event; then another can be joined", async () => {
    const house = new House("nowhere");
    const { relay, listener } = await house.room();
    const { listener: other } = await house.room();
    await relay.engine.stop();
    const guest = await house.desk();
    expect(await house.settled(codeOf(guest.engine.join(listener, {})))).toBe("no-network");
    expect(guest.named("error")).toMatchObject([{ code: "no-network" }]);
    await house.settled(guest.engine.join(other, {}));
    expect(guest.named("joined")).toHaveLength(1);
  });

  it("[OV12] a relay's refusal is told as one", async () => {
    const house = new House("refused");
    const relay = await house.desk({ listens: true, blind: true });
    const card = await relay.engine.volunteer({ maxChildren: 0 });
    const host = await house.desk();
    expect(await house.settled(codeOf(host.engine.host({ ...hosting, via: [card] })))).toBe("refused-relay-full");
    expect(host.named("refused").at(-1)).toMatchObject({ code: "refused-relay-full" });
  });

  it("a second join gives the first up, and leaving gives up what is being tried", async () => {
    const house = new House("two joins");
    const { relay, listener } = await house.room();
    await relay.engine.stop();
    const { engine } = await house.desk();
    const [first, second] = [codeOf(engine.join(listener, {})), codeOf(engine.join(listener, {}))];
    expect(await first).toBe("stalled");
    await engine.leave();
    expect(await second).toBe("stalled");
  });

  it("a host without cards is its own relay, and its card is not needed", async () => {
    const house = new House("own");
    const host = await house.desk({ listens: true });
    const invites = await house.settled(host.engine.host(hosting));
    const guest = await house.desk();
    await house.settled(guest.engine.join(invites.listener, {}));
    expect(guest.named("joined")).toMatchObject([{ parents: [host.node.peer] }]);
    expect(host.named("card")).toEqual([]);
  });

  it("[RM24] publishes the room's records and finds it by them when the invite's relays are gone", async () => {
    const house = new House("records");
    const relays = [await house.desk({ listens: true, blind: true }), await house.desk({ listens: true, blind: true })];
    const cards = await Promise.all(relays.map((relay) => relay.engine.volunteer({})));
    const host = await house.desk({ discovers: true });
    await relays[1]!.engine.stop();
    const { listener } = await house.settled(host.engine.host({ ...hosting, via: cards }));
    await house.until(() => house.net.values.size === 6);
    // The relay of the hint is gone; the one that is back is in the record alone.
    await relays[1]!.node.start();
    const back = createEngine(
      { clock: house.clock, crypto, network: relays[1]!.node, seats: undefined },
      { profile: "wss", version: "1.2.3", cardSecret: cardSecretOf(cards[1]!) },
    );
    await back.start();
    await back.volunteer({});
    const before = new Map(house.net.values);
    await house.until(() => [...house.net.values].every(([key, value]) => before.get(key) !== value));
    await relays[0]!.engine.stop();
    const guest = await house.desk({ discovers: true });
    await house.settled(guest.engine.join(listener, {}));
    expect(guest.named("joined")).toMatchObject([{ parents: [relays[1]!.node.peer] }]);
  });

  it("leaves with a goodbye; stopped, it is silent and its network is down", async () => {
    const house = new House("stop");
    const { relay, listener } = await house.room();
    const guest = await house.desk();
    await house.settled(guest.engine.join(listener, {}));
    const before = relay.engine.stats().children;
    await guest.engine.leave();
    await house.until(() => relay.engine.stats().children === before - 1);
    await guest.engine.stop();
    await guest.engine.stop();
    expect(guest.node.stopped).toBe(1);
    const count = guest.events.length;
    for (let step = 0; step < 50; step++) {
      await setImmediate();
      house.clock.advance(100);
    }
    expect(guest.events).toHaveLength(count);
    expect(guest.engine.stats().links).toEqual({});
  });

  it("a snapshot holds the last event of each kind that still holds, oldest first, and nothing of a room that was left", async () => {
    const house = new House("snapshot");
    const { listener, host } = await house.room();
    const guest = await house.desk();
    const kinds = (): string[] => guest.engine.snapshot().map(({ event }) => event);
    expect(kinds()).toEqual(["ready"]);
    await house.settled(guest.engine.join(listener, { name: "guest" }));
    guest.engine.raiseHand();
    await house.until(() => guest.named("role").length === 1);
    host.engine.say("tea?");
    host.engine.speak({ opus: new Uint8Array(120), capturedAt: house.clock.now() });
    await house.until(() => guest.heard.length === 1 && guest.named("text").length === 1);
    await house.until(() => guest.named("members").length > 0 && guest.named("stats").length > 1);
    expect(kinds().toSorted()).toEqual(
      [
        "invite",
        "joined",
        "members",
        "place",
        "ready",
        "role",
        "room-state",
        "sound",
        "stage",
        "stats",
        "step",
      ].toSorted(),
    );
    for (const event of guest.engine.snapshot()) {
      expect(event).toBe(guest.events.findLast((other) => other.event === event.event));
    }
    const order = guest.engine.snapshot().map((event) => guest.events.indexOf(event));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(host.engine.snapshot().map(({ event }) => event)).toContain("room");
    await guest.engine.leave();
    expect(guest.events.at(-1)).toEqual({ event: "left" });
    expect(kinds().toSorted()).toEqual(["ready", "stats"]);
    await house.settled(guest.engine.join(listener, {}));
    expect(guest.engine.snapshot().find(({ event }) => event === "step")).toEqual({ event: "step", step: "joined" });
    expect(kinds()).not.toContain("role");
  });

  it("a join that failed leaves nothing in the snapshot, and what comes late adds nothing", async () => {
    const house = new House("failed snapshot");
    const { relay, listener } = await house.room();
    await relay.engine.stop();
    const guest = await house.desk();
    await house.settled(codeOf(guest.engine.join(listener, {})));
    expect(guest.events.map(({ event }) => event).filter((event) => event !== "stats")).toEqual([
      "ready",
      "step",
      "error",
      "left",
    ]);
    const kept = guest.engine.snapshot().map(({ event }) => event);
    expect(kept.filter((event) => event !== "stats")).toEqual(["ready"]);
    expect(guest.engine.capsule()).toBeUndefined();
    await guest.engine.leave();
    expect(guest.named("left")).toHaveLength(1);
  });

  it("[RM29] admits, dismisses and removes, and comes back in another engine as the same person", async () => {
    const house = new House("resume");
    const relay = await house.desk({ listens: true, blind: true });
    const host = await house.desk();
    const via = [await relay.engine.volunteer({})];
    const invites = await house.settled(host.engine.host({ via, letEverybodySpeak: false, name: "host" }));
    const guest = await house.desk();
    await house.settled(guest.engine.join(invites.listener, { name: "guest" }));
    const hands = (): readonly { readonly id: string }[] => host.named("stage").at(-1)?.hands ?? [];
    guest.engine.raiseHand();
    await house.until(() => hands().length === 1);
    host.engine.dismiss(hands()[0]!.id);
    await house.until(() => hands().length === 0);
    guest.engine.raiseHand();
    await house.until(() => hands().length === 1);
    host.engine.admit(hands()[0]!.id);
    await house.until(() => guest.named("role").length === 1);
    const [capsule, hostCapsule] = [guest.engine.capsule(), host.engine.capsule()];
    // They crash: who leaves properly is off the stage.
    await guest.node.stop();
    await host.node.stop();
    const [again, hostAgain] = [await house.desk(), await house.desk()];
    await house.settled(hostAgain.engine.resume(hostCapsule!));
    expect(hostAgain.named("joined")).toMatchObject([{ role: "host", room: host.named("room")[0]!.room }]);
    await house.settled(again.engine.resume(capsule!));
    await house.until(() => again.named("role").length === 1);
    const stage = again.named("stage").at(-1)!.people;
    expect(stage.map(({ name, role, self }) => ({ name, role, self }))).toEqual([
      { name: "host", role: "host", self: false },
      { name: "guest", role: "speaker", self: true },
    ]);
    // Who comes back has a fresh voice key, which the stage shows once the host has heard of it.
    const voiceOf = ({ named }: typeof again): VoiceKey | undefined => named("stage").at(-1)?.people[1]?.voice;
    await house.until(() => voiceOf(hostAgain) !== undefined && voiceOf(hostAgain) !== voiceOf(guest));
    hostAgain.engine.removeFromStage(voiceOf(hostAgain)!);
    await house.until(() => again.named("role").length === 2);
    expect(again.named("role").at(-1)).toMatchObject({ role: "listener" });
  });

  it("[RM29] a host that is its own relay comes back with what it lends", async () => {
    const house = new House("resume own relay");
    const host = await house.desk({ listens: true });
    await house.settled(host.engine.host({ ...hosting, volunteer: { maxChildren: 1 } }));
    const capsule = host.engine.capsule();
    const again = await house.desk({ listens: true });
    await house.settled(again.engine.resume(capsule!));
    const { listener } = again.named("room")[0]!.invites;
    const [one, two] = [await house.desk(), await house.desk()];
    await house.settled(one.engine.join(listener, {}));
    expect(one.named("joined")).toMatchObject([{ parents: [again.node.peer] }]);
    expect(await house.settled(codeOf(two.engine.join(listener, {})))).toBe("refused-relay-full");
    const deaf = await house.desk();
    expect(await codeOf(deaf.engine.resume(capsule!))).toBe("address-unusable");
  });

  it("[RM29] garbage is no capsule, and changes nothing of the room that one is in", async () => {
    const house = new House("garbage");
    const { listener } = await house.room();
    const guest = await house.desk();
    expect(guest.engine.capsule()).toBeUndefined();
    await house.settled(guest.engine.join(listener, {}));
    const capsule = guest.engine.capsule()!;
    for (const bytes of [new Uint8Array(0), new Uint8Array(1000), capsule.subarray(1), capsule.subarray(0, -1)]) {
      expect(await codeOf(guest.engine.resume(bytes))).toBe("internal");
    }
    expect(guest.named("left")).toEqual([]);
    expect(guest.engine.capsule()).toEqual(capsule);
  });

  it("listeners that were removed hear nothing", async () => {
    const house = new House("unsubscribed");
    const { engine } = await house.desk();
    const events: string[] = [];
    const remove = engine.subscribe(({ event }) => events.push(event));
    house.clock.advance(1000);
    remove();
    house.clock.advance(1000);
    expect(events).toEqual(["stats"]);
  });
});

function cardSecretOf(text: string): Uint8Array {
  const card = parseCard(crypto, text, testNow);
  if (!card.ok) throw new Error(card.reason);
  return card.value.secret;
}
