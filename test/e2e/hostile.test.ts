import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineApi } from "../../p2p/api/engine.ts";
import { millis } from "../../p2p/api/ids.ts";
import type { Link } from "../../p2p/api/link.ts";
import { parseCard } from "../../p2p/core/room/invite/card.ts";
import { createSeats } from "../../p2p/core/room/member/seats.ts";
import { createEngine } from "../../p2p/engine/engine.ts";
import type { Links, Network } from "../../p2p/engine/ports.ts";
import { createNetwork } from "../../p2p/host.ts";
import { createClock } from "../../p2p/io/clock.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import type { EventLine } from "./processes.ts";
import { Processes } from "./rooms.ts";
import type { HostUp, RelayUp } from "./rooms.ts";

const clock = createClock();
const crypto = createCrypto();
const setup = {
  profile: "wss",
  listen: [],
  announce: [],
  bootstrap: [],
  dht: "off",
  tls: undefined,
  seed: undefined,
  blind: false,
} as const;
/** First byte of a frame that carries a packet: SPEC.md, "Frames". */
const mediaType = 6;
/** 40 ms of something: the relay cannot tell, and nobody decodes it here. */
const opus = new Uint8Array(120).fill(7);

const processes = new Processes();
const engines: EngineApi[] = [];
let relay: RelayUp;
let host: HostUp;

beforeAll(async () => {
  relay = await processes.relay("--profile", "wss");
  host = await processes.host([relay], "--profile", "wss");
});

afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  await processes.end();
});

/** A speaker who runs the real code, but for what `spoil` does to what it sends. */
async function speakerWith(spoil: (message: Uint8Array) => Uint8Array): Promise<EngineApi> {
  const real = createNetwork(setup, clock, crypto);
  const network: Network = {
    start: async () => {
      const presence = await real.start();
      return { ...presence, links: spoilt(presence.links, spoil) };
    },
    stop: () => real.stop(),
  };
  const engine = createEngine({ clock, crypto, network, seats: createSeats(crypto) }, { profile: "wss", version: "1" });
  engines.push(engine);
  const onStage = new Promise<void>((resolve) => {
    engine.subscribe((event) => {
      if (event.event === "role" && event.role === "speaker") resolve();
    });
  });
  await engine.start();
  await engine.join(host.speakerInvite, {});
  engine.raiseHand();
  await onStage;
  return engine;
}

function spoilt(links: Links, spoil: (message: Uint8Array) => Uint8Array): Links {
  const wrap = (link: Link): Link =>
    new Proxy(link, {
      get: (target, property) => {
        if (property === "send") return (message: Uint8Array) => target.send(spoil(message));
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    dial: async (target, signal) => wrap(await links.dial(target, signal)),
    upgrade: async (remote, signal) => wrap(await links.upgrade(remote, signal)),
    onLink: (listener) => links.onLink((link) => listener(wrap(link))),
  };
}

/** Speaks a packet `times` a tick until the relay has counted what it must. */
async function speakUntil(engine: EngineApi, times: number, counted: Promise<EventLine>): Promise<EventLine> {
  const timer = setInterval(() => {
    for (let index = 0; index < times; index++) engine.speak({ opus, capturedAt: clock.now() });
  }, 40);
  try {
    return await counted;
  } finally {
    clearInterval(timer);
  }
}

function rejected(reason: string): Promise<EventLine> {
  return relay.process.next("stats", (line) => reason in (line["packetsRejected"] as object));
}

describe("a relay counts, and goes on carrying, when a peer", () => {
  it("[SS9] sends garbage", async () => {
    // Nobody asked this one to join: it dials on this machine because it was told of nodes here.
    const network = createNetwork({ ...setup, bootstrap: relay.addresses }, clock, crypto);
    const { links } = await network.start();
    const card = parseCard(crypto, relay.card, millis(Date.now()));
    if (!card.ok) throw new Error(card.reason);
    const link = await links.dial(card.value.address, AbortSignal.timeout(10_000));
    const closed = new Promise((resolve) => link.attach({ onMessage: () => undefined, onClose: resolve }));
    link.send(crypto.randomBytes(1000).fill(255, 0, 1));
    expect(await rejected("frame")).toBeDefined();
    await closed;
    await network.stop();
  });

  it("sends packets that nobody signed", async () => {
    const engine = await speakerWith((message) => {
      if (message[0] !== mediaType) return message;
      const changed = message.slice();
      changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
      return changed;
    });
    expect(await speakUntil(engine, 1, rejected("signature"))).toBeDefined();
    await engine.stop();
  });

  it("speaks ten times too fast", async () => {
    const engine = await speakerWith((message) => message);
    expect(await speakUntil(engine, 10, rejected("rate"))).toBeDefined();
    await engine.stop();
  });

  it("and others still hear", async () => {
    const listener = processes.listener(host.invite, "--profile", "wss");
    await listener.next("joined");
    const engine = await speakerWith((message) => message);
    await speakUntil(engine, 1, listener.next("sound"));
    expect((await listener.end()).code).toBe(0);
  });
});
