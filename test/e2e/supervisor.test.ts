import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import { forkEngine } from "../../p2p/engine-fork.ts";
import { createSupervisor, engineGoneSentence, type RestartRules, type Supervisor } from "../../p2p/supervisor.ts";

const child = fileURLToPath(new URL("../doubles/engine-child.ts", import.meta.url));
/** As in life, but in no hurry to give up. */
const patient: RestartRules = { waitsMs: [0], crashesMax: 100, spellMs: 60_000 };

interface Watched {
  readonly supervisor: Supervisor;
  readonly pids: number[];
  readonly events: EngineEvent[];
  /** The next event from now on that fits. */
  next(fits: (event: EngineEvent) => boolean): Promise<EngineEvent>;
}

/** A supervisor of real processes, each of which is told how to behave. */
function watch(setups: readonly object[] = [{}], rules = patient): Watched {
  const pids: number[] = [];
  const supervisor = createSupervisor(() => {
    const setup = setups[Math.min(pids.length, setups.length - 1)] ?? {};
    const handle = forkEngine(setup as Parameters<typeof forkEngine>[0], child);
    pids.push(handle.pid);
    return handle;
  }, rules);
  const events: EngineEvent[] = [];
  supervisor.engine.subscribe((event) => void events.push(event));
  const next: Watched["next"] = (fits) =>
    new Promise((resolve) => {
      const unsubscribe = supervisor.engine.subscribe((event) => {
        if (!fits(event)) return;
        unsubscribe();
        resolve(event);
      });
    });
  return { supervisor, pids, events, next };
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("the supervisor of an engine", () => {
  it("brings a killed engine back into its room as the same person, again and again", async () => {
    const { supervisor, pids, events, next } = watch();
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    for (let crash = 1; crash <= 3; crash += 1) {
      const back = next(({ event }) => event === "role");
      process.kill(pids.at(-1) ?? 0, "SIGKILL");
      // Who it was in the room at first.
      expect(await back).toMatchObject({ by: `thi1-x of ${pids[0]}` });
      expect(supervisor.restarts).toBe(crash);
    }
    expect(new Set(pids).size).toBe(4);
    expect(events.map(({ event }) => event)).not.toContain("left");
    expect(events.filter(({ event }) => event === "step")).toHaveLength(3);
    expect(supervisor.engine.snapshot().map(({ event }) => event)).toContain("joined");
    await supervisor.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("wipes by ending the process that knew: another one comes up, in no room, and no crash is counted", async () => {
    const { supervisor, pids, events, next } = watch([{}], { ...patient, crashesMax: 1 });
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    await supervisor.engine.chooseWay({ rung: "wss" });
    const back = next(({ event }) => event === "ready");
    const [first] = pids;
    const askedAt = performance.now();
    await supervisor.engine.wipe();
    console.log(`wiped ${Math.round(performance.now() - askedAt)} ms after it was asked for`);
    expect(isRunning(first ?? 0)).toBe(false);
    expect(supervisor.engine.capsule()).toBeUndefined();
    expect(supervisor.engine.snapshot().map(({ event }) => event)).not.toContain("joined");
    expect(events.map(({ event }) => event)).toContain("left");
    await back;
    expect([pids.length, supervisor.isGone]).toEqual([2, false]);
    await supervisor.engine.join("thi1-y", {});
    await supervisor.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("brings an engine outside a room back without a room", async () => {
    const { supervisor, pids, events } = watch();
    await supervisor.start();
    const back = new Promise<void>((resolve) => supervisor.onBack(resolve));
    supervisor.engine.say("die");
    await back;
    expect(pids).toHaveLength(2);
    expect(events.map(({ event }) => event)).toEqual(["ready", "ready"]);
    await supervisor.engine.join("thi1-y", {});
    await supervisor.stop();
  });

  it("forgets the capsule of a room that was left", async () => {
    const { supervisor, events } = watch();
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    await supervisor.engine.leave();
    const back = new Promise<void>((resolve) => supervisor.onBack(resolve));
    supervisor.engine.say("die");
    await back;
    expect(events.map(({ event }) => event)).toEqual(["ready", "joined", "left", "ready"]);
    await supervisor.stop();
  });

  it.each([0, 200, 600])("does not bring back who leaves %i ms after the engine broke", async (ms) => {
    const { supervisor, events, next } = watch([{}], { ...patient, waitsMs: [300] });
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    const back = new Promise<void>((resolve) => supervisor.onBack(resolve));
    const step = next(({ event }) => event === "step");
    supervisor.engine.say("die");
    await step;
    await pause(ms);
    await supervisor.engine.leave();
    await back;
    expect(events.filter(({ event }) => event === "left")).toHaveLength(1);
    expect(supervisor.engine.snapshot().map(({ event }) => event)).not.toContain("joined");
    await supervisor.stop();
  });

  it("is out of the room when it cannot be come back into", async () => {
    const { supervisor, events, next } = watch();
    await supervisor.start();
    await supervisor.engine.join("hopeless", {});
    const left = next(({ event }) => event === "left");
    supervisor.engine.say("die");
    await left;
    expect(supervisor.isGone).toBe(false);
    expect(events.at(-1)).toEqual({ event: "left" });
    await supervisor.stop();
  });

  it("waits longer before each restart, gives up after too many crashes, and says so in one sentence", async () => {
    const waitsMs = [0, 40, 120];
    const { supervisor, pids, events } = watch([{}, { diesAtStart: true }], {
      waitsMs,
      crashesMax: 4,
      spellMs: 60_000,
    });
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    const gone = new Promise<void>((resolve) => supervisor.onGone(resolve));
    const began = performance.now();
    supervisor.engine.say("die");
    await gone;
    // At least the waits: processes take longer, never less.
    expect(performance.now() - began).toBeGreaterThan(150);
    expect(supervisor.isGone).toBe(true);
    expect(pids).toHaveLength(4);
    expect(events.slice(-2)).toEqual([
      { event: "error", code: "internal", message: engineGoneSentence },
      { event: "left" },
    ]);
    await expect(supervisor.engine.join("thi1-x", {})).rejects.toMatchObject({ code: "internal" });
    await supervisor.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("says at once why the first engine does not come up, and leaves nothing running", async () => {
    const { supervisor, pids } = watch([{ failsAtStart: true }]);
    await expect(supervisor.start()).rejects.toMatchObject({ code: "port-taken", message: "This port is in use." });
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("starts a first engine again that crashes while it comes up", async () => {
    const { supervisor, pids } = watch([{ diesAtStart: true }, {}]);
    const back = new Promise<void>((resolve) => supervisor.onBack(resolve));
    await supervisor.start();
    await back;
    expect(supervisor.restarts).toBe(1);
    expect(pids.filter(isRunning)).toHaveLength(1);
    await supervisor.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("ends a first engine that hangs while it comes up, and starts another", async () => {
    const { supervisor, pids } = watch([{ hangsAtStart: true }, { tells: true }], { ...patient, silenceMs: 2000 });
    const back = new Promise<void>((resolve) => supervisor.onBack(resolve));
    await supervisor.start();
    await back;
    // On a busy machine the second may be taken for a hanging one too.
    expect(pids.length).toBeGreaterThanOrEqual(2);
    expect(pids.slice(0, 1).filter(isRunning)).toEqual([]);
    await supervisor.engine.join("thi1-x", {});
    await supervisor.stop();
  });

  it("ends an engine that hangs, and brings another back into the room", async () => {
    const { supervisor, pids, next } = watch([{ tells: true }], { ...patient, silenceMs: 2000 });
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    const back = next(({ event }) => event === "role");
    supervisor.engine.say("hang");
    expect(await back).toMatchObject({ by: `thi1-x of ${pids[0]}` });
    expect(pids.slice(0, 1).filter(isRunning)).toEqual([]);
    await supervisor.stop();
  });

  it("can be stopped while it waits to restart", async () => {
    const { supervisor, pids } = watch([{}], { waitsMs: [3_600_000], crashesMax: 9, spellMs: 60_000 });
    await supervisor.start();
    await supervisor.engine.join("thi1-x", {});
    const step = new Promise<void>((resolve) => {
      supervisor.engine.subscribe(({ event }) => void (event === "step" && resolve()));
    });
    supervisor.engine.say("die");
    await step;
    await supervisor.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });
});
