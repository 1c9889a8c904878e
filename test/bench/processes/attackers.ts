/**
 * Everybody who is bad to a relay, in one process: `node attackers.ts SECONDS`, on stdin a line of JSON with the relay's
 * addresses and two invites. They run the real code, but for what each does wrong. Prints a line of what they did.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { EngineApi } from "../../../p2p/api/engine.ts";
import type { Link } from "../../../p2p/api/link.ts";
import { createSeats } from "../../../p2p/core/room/member/seats.ts";
import { createEngine } from "../../../p2p/engine/engine.ts";
import type { Links, Network } from "../../../p2p/engine/ports.ts";
import { createNetwork } from "../../../p2p/host.ts";
import { createClock } from "../../../p2p/io/clock.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";

/** What the attackers are told. */
export interface AttackOrder {
  readonly port: number;
  readonly invite: string;
  readonly speakerInvite: string;
}

/** What they came to. */
export interface AttackReport {
  readonly junkSent: number;
  readonly idleOpened: number;
  readonly spoken: number;
  readonly sybils: number;
}

/** GOALS.md, S3. */
const junkPerSecond = 10_000;
const idleConnections = 1000;
const speakerFactor = 10;
const sybilsWanted = 500;
const tickMs = 40;
const sybilsAtOnce = 8;
/** So many send junk, each its share: one alone is shut out most of the time. */
const junkersAtOnce = 8;
/** An idle connection that the relay hung up on is opened again. */
const redialMs = 200;

const spanMs = Number(process.argv[2]) * 1000;
const clock = createClock();
const crypto = createCrypto();
const done = { junkSent: 0, idleOpened: 0, spoken: 0, sybils: 0 };
let isOver = false;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const order = JSON.parse(String((await lines.next()).value)) as AttackOrder;

/** An engine that is a person of its own, and the links it has. */
async function enter(invite: string): Promise<{ readonly engine: EngineApi; readonly open: Set<Link> }> {
  const nothing = { listen: [], announce: [], bootstrap: [], tls: undefined, seed: undefined, blind: false } as const;
  const real = createNetwork({ ...nothing, profile: "wss", dht: "off" }, clock, crypto);
  const open = new Set<Link>();
  const note = (link: Link): Link => {
    open.add(link);
    return link;
  };
  const watched = (links: Links): Links => ({
    dial: async (target, signal, fresh) => note(await links.dial(target, signal, fresh)),
    upgrade: async (remote, signal) => note(await links.upgrade(remote, signal)),
    onLink: (listener) => links.onLink(listener),
  });
  const network: Network = {
    start: async () => {
      const presence = await real.start();
      return { ...presence, links: watched(presence.links) };
    },
    stop: () => real.stop(),
  };
  const ports = { clock, crypto, network, seats: createSeats(crypto) };
  const engine = createEngine(ports, { profile: "wss", version: "attack" });
  await engine.start();
  await engine.join(invite, {});
  return { engine, open };
}

/** Joins, and then sends what looks like media and is none, as fast as its share; once it is shut out, at once as somebody else. */
async function junk(): Promise<void> {
  while (!isOver) {
    const person = await enter(order.invite).catch(() => undefined);
    if (person === undefined) continue;
    const { engine, open } = person;
    let due = 0;
    for (let isOpen = true; isOpen && !isOver;) {
      await after(tickMs);
      due += (junkPerSecond * tickMs) / 1000 / junkersAtOnce;
      for (; due > 0; due--) {
        const frame = crypto.randomBytes(240);
        // SPEC.md, Sessions: media, one link crossed.
        frame.set([6, 1]);
        const results = [...open].map((link) => link.send(frame));
        isOpen = results.some((result) => result !== "closed");
        if (isOpen) done.junkSent += 1;
      }
    }
    void engine.stop();
  }
}

function idle(): void {
  if (isOver) return;
  const socket: Socket = connect(order.port, "127.0.0.1");
  socket.once("connect", () => (done.idleOpened += 1));
  socket.on("error", () => undefined);
  socket.once("close", () => setTimeout(idle, redialMs).unref());
}

async function shout(): Promise<void> {
  const { engine } = await enter(order.speakerInvite);
  engine.raiseHand();
  const opus = new Uint8Array(120).fill(7);
  while (!isOver) {
    await after(tickMs);
    for (let index = 0; index < speakerFactor; index++) engine.speak({ opus, capturedAt: clock.now() });
    done.spoken += speakerFactor;
  }
}

async function sybil(): Promise<void> {
  while (!isOver && done.sybils < sybilsWanted) {
    done.sybils += 1;
    // Whoever gets in stays.
    await enter(order.invite).catch(() => undefined);
  }
}

async function after(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

// What a relay does to them is no concern of theirs.
process.on("unhandledRejection", () => undefined);
for (let index = 0; index < idleConnections; index++) idle();
for (let index = 0; index < junkersAtOnce; index++) void junk();
void shout();
for (let index = 0; index < sybilsAtOnce; index++) void sybil();
await after(spanMs);
isOver = true;
process.stdout.write(`${JSON.stringify(done satisfies AttackReport)}\n`, () => process.exit(0));
