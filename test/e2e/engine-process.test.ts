import { afterAll, describe, expect, it } from "vitest";
import type { EngineApi, EngineEvent } from "../../p2p/api/engine.ts";
import { forkEngine } from "../../p2p/engine-fork.ts";
import type { EngineProcessSetup } from "../../p2p/engine-service.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { createSupervisor, type Supervisor } from "../../p2p/supervisor.ts";
import { lendFromNode } from "../node-lender.ts";
import { Processes } from "./rooms.ts";

const processes = new Processes();
const supervisors: Supervisor[] = [];

afterAll(async () => {
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.stop()));
  await processes.end();
});

interface Supervised {
  readonly engine: EngineApi;
  readonly supervisor: Supervisor;
  /** The process that the engine is in now. */
  pid(): number;
}

/** The engine of a window, as `npm start` runs it, on loopback; the window's network is this process's. */
async function supervised(changes: Partial<EngineProcessSetup> = {}): Promise<Supervised> {
  const setup: EngineProcessSetup = { profile: "wss", listen: [], bootstrap: [], dht: false, ...changes };
  let pid = 0;
  const supervisor = createSupervisor(() => {
    const handle = forkEngine(setup);
    pid = handle.pid;
    return handle;
  });
  supervisors.push(supervisor);
  lend(supervisor);
  await supervisor.start();
  return { engine: supervisor.engine, supervisor, pid: () => pid };
}

/** Lends until its engine is gone, and again at once, as a page does. */
function lend(supervisor: Supervisor): void {
  const [page, desk] = createPortPair();
  supervisor.lend(desk, { byHop: false });
  lendFromNode(page, undefined, () => {
    if (!supervisors.includes(supervisor)) return;
    lend(supervisor);
  });
}

/** The first event from now on that fits. */
function following(engine: EngineApi, fits: (event: EngineEvent) => boolean): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const unsubscribe = engine.subscribe((event) => {
      if (!fits(event)) return;
      unsubscribe();
      resolve(event);
    });
  });
}

const selfOn = (event: EngineEvent): string | undefined =>
  event.event === "stage" ? event.people.find(({ self }) => self)?.identity : undefined;

describe("the engine's own process", () => {
  it("killed on stage, is back as the same person in the same room", async () => {
    const relay = await processes.relay("--no-dht");
    const host = await processes.host([relay], "--no-dht", "--profile", "wss");
    const { engine, pid } = await supervised();
    await engine.join(host.invite, { name: "Guest" });
    const seen = following(engine, (event) => selfOn(event) !== undefined);
    engine.raiseHand();
    const before = selfOn(await seen);
    const back = following(engine, ({ event }) => event === "joined");
    const backOnStage = following(engine, (event) => event.event === "stage" && selfOn(event) !== undefined);
    const killedAt = performance.now();
    const killed = pid();
    process.kill(killed, "SIGKILL");
    await back;
    console.log(`back in the room ${Math.round(performance.now() - killedAt)} ms after kill -9`);
    expect(selfOn(await backOnStage)).toBe(before);
    expect(pid()).not.toBe(killed);
  });

  it("that was its own relay comes back under the key and port that its invites name", async () => {
    const { engine, pid } = await supervised({ listen: ["/ip4/127.0.0.1/tcp/0/tls/ws"] });
    const invites = await engine.host({ via: [], letEverybodySpeak: true });
    const addressOf = (events: readonly EngineEvent[]): unknown => {
      const ready = events.findLast(({ event }) => event === "ready");
      return ready?.event === "ready"
        ? [ready.peer, ready.addresses.map((address) => address.split("/http-path")[0])]
        : [];
    };
    const before = addressOf(engine.snapshot());
    const back = following(engine, ({ event }) => event === "joined");
    process.kill(pid(), "SIGKILL");
    await back;
    expect(addressOf(engine.snapshot())).toEqual(before);
    const guest = await supervised();
    await guest.engine.join(invites.listener, {});
    expect(guest.engine.snapshot().map(({ event }) => event)).toContain("joined");
  });
});
