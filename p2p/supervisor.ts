import { setTimeout as pause } from "node:timers/promises";
import type { EngineApi } from "./api/engine.ts";
import type { Port } from "./api/port.ts";
import { type Hop, startHop } from "./io/proxy/hop.ts";
import { createPortClient, type PortClient } from "./port/client.ts";
import { LendingDesk } from "./port/lending-desk.ts";

/** A process with an engine in it, which serves its port to an owner. */
export interface ProcessHandle {
  /** Closes when the process ends. */
  readonly port: Port;
  /** Over which its engine borrows the window's network; closes with the other. */
  readonly lending: Port;
  /** Resolves when the process has ended, for whatever reason; never rejects. */
  readonly exited: Promise<void>;
  /** Ends it at once, without a goodbye. Harmless when it has ended. */
  kill(): void;
}

/** How restarts are paced; times in milliseconds. */
export interface RestartRules {
  /** Waits before the first, second … restart of a bad spell; the last one holds for all further ones. */
  readonly waitsMs: readonly number[];
  /** This many crashes … */
  readonly crashesMax: number;
  /** … within this time are too many. */
  readonly spellMs: number;
  /** An engine that is silent for longer hangs; absent: `silenceMsMax`. */
  readonly silenceMs?: number;
}

/**
 * The first restart comes at once, so that a person is back within three seconds; the sixth crash in a minute is no
 * accident, and going on would only dial relays in vain.
 */
export const restartRules: RestartRules = { waitsMs: [0, 250, 1000, 2000, 4000], crashesMax: 6, spellMs: 60_000 };

/** What people read when it is given up. */
export const engineGoneSentence =
  "The engine of Teahouse stopped several times in a row and stays stopped; close Teahouse and open it again.";

/**
 * An engine tells its counts every second. One that says nothing for this long hangs, and is ended like one that crashed;
 * a busy machine has been seen to hold one up for 2 s.
 */
const silenceMsMax = 10_000;
const looksPerSilence = 4;
/** One that is starting reads its program from a disk, cold perhaps, before its first word: it may take this many times longer. */
const startingFactor = 3;

/** How long a goodbye may take before the process is ended without one. */
const goodbyeMsMax = 3000;

/** And how long a wipe waits for one, and for its frames to be out by then: a second is all there is. */
const wipeGoodbyeMsMax = 250;
const wipeFlushMs = 80;

/** Keeps an engine running in a process of its own. */
export interface Supervisor {
  /** The engine, whichever process it is in. It is nobody's to stop but the supervisor's. */
  readonly engine: EngineApi;
  /** Processes started after the first. */
  readonly restarts: number;
  /** Whether it was given up. */
  readonly isGone: boolean;
  /**
   * Starts the first process; resolves when its engine is up, or was and crashed at once: then it is on its way back.
   * Rejects as `EngineApi.start` does. Called once.
   */
  start(): Promise<void>;
  /** Leaves the room, stops the engine, and waits until its process is gone. */
  stop(): Promise<void>;
  /**
   * A page lends its network from now on; one that did before is hung up on, and so is this one when the engine's process
   * ends, so that it starts afresh. `byHop`: its browser's connections pass the hop.
   */
  lend(port: Port, options: { readonly byHop: boolean }): void;
  /** Hangs up on the page that lends. */
  dismissLender(): void;
  /** Starts the hop, once; resolves with its port on 127.0.0.1, for a browser of ours to use as its SOCKS5 proxy. */
  openHop(): Promise<number>;
  /** Hears that an engine is up again, back in its room when it was in one. */
  onBack(listener: () => void): void;
  /** Hears that it is given up: `engineGoneSentence`, and `left` if there was a room, were emitted. */
  onGone(listener: () => void): void;
}

/** Makes a supervisor; `spawn` starts a process. */
export function createSupervisor(spawn: () => ProcessHandle, rules: RestartRules = restartRules): Supervisor {
  return new EngineSupervisor(spawn, rules);
}

class EngineSupervisor implements Supervisor {
  restarts = 0;
  isGone = false;
  readonly #client: PortClient = createPortClient(undefined, { wipe: () => this.#wipe() });
  readonly #spawn: () => ProcessHandle;
  readonly #rules: RestartRules;
  readonly #backListeners: (() => void)[] = [];
  readonly #goneListeners: (() => void)[] = [];
  /** When it crashed in this spell, by a clock that nobody sets. */
  #crashes: number[] = [];
  #handle: ProcessHandle | undefined;
  /** In memory only: who we are in the room. */
  #capsule: Uint8Array | undefined;
  #isStopping = false;
  /** Looks since the engine was last heard. Not a time: while this computer slept or stood still, nobody looked. */
  #silentLooks = 0;
  /** The engine has not said anything yet. */
  #isStarting = false;
  #cancelWait: () => void = () => undefined;
  readonly #desk = new LendingDesk();
  #hop: Promise<Hop> | undefined;

  constructor(spawn: () => ProcessHandle, rules: RestartRules) {
    this.#spawn = spawn;
    this.#rules = rules;
    this.#client.subscribe(({ event }) => {
      this.#silentLooks = 0;
      this.#isStarting = false;
      this.#capsule = event === "left" ? undefined : (this.#client.capsule() ?? this.#capsule);
    });
  }

  get engine(): EngineApi {
    return this.#client;
  }

  async start(): Promise<void> {
    const handle = this.#run(false);
    try {
      await this.#client.start();
    } catch (error) {
      // A process that ended without a word of its own has crashed, and is owed the restart of any other crash.
      const isRefusal = this.#handle === handle && this.#client.state !== "closed";
      if (isRefusal || this.#isStopping) {
        await this.stop();
        throw error;
      }
      handle.kill();
    }
  }

  lend(port: Port, { byHop }: { readonly byHop: boolean }): void {
    const hop = this.#hop;
    this.#desk.lend(
      port,
      byHop && hop !== undefined ? { route: async (entry) => (await hop).route(entry) } : undefined,
    );
  }

  dismissLender(): void {
    this.#desk.dismiss();
  }

  async openHop(): Promise<number> {
    this.#hop ??= startHop();
    return (await this.#hop).port;
  }

  async stop(): Promise<void> {
    await this.#stopEngine();
    this.#desk.dismiss();
    await this.#hop?.then(
      (hop) => hop.stop(),
      () => undefined,
    );
  }

  /** Nothing in a process outlives it: a goodbye, an end, and another process that never knew. */
  async #wipe(): Promise<void> {
    this.#cancelWait();
    this.#capsule = undefined;
    const handle = this.#handle;
    // An end that is asked for is no crash.
    this.#handle = undefined;
    if (handle !== undefined) {
      const goodbye = this.#client.leave().then(
        () => pause(wipeFlushMs),
        () => undefined,
      );
      await Promise.race([goodbye, pause(wipeGoodbyeMsMax)]);
    }
    handle?.kill();
    await handle?.exited;
    this.#client.close();
    this.#client.forget();
    this.#crashes = [];
    if (this.#isStopping || this.isGone) return;
    this.#run(false);
    void this.#revive(undefined);
  }

  async #stopEngine(): Promise<void> {
    this.#isStopping = true;
    this.#cancelWait();
    const handle = this.#handle;
    if (handle === undefined) return;
    const goodbye = async (): Promise<void> => {
      await this.#client.stop();
      await handle.exited;
    };
    const timer = setTimeout(() => handle.kill(), goodbyeMsMax);
    // A goodbye that fails is let go: the process ends all the same.
    await goodbye().catch(() => handle.kill());
    await handle.exited;
    clearTimeout(timer);
    this.#client.close();
    this.#capsule = undefined;
  }

  onBack(listener: () => void): void {
    this.#backListeners.push(listener);
  }

  onGone(listener: () => void): void {
    this.#goneListeners.push(listener);
  }

  #run(isResuming: boolean): ProcessHandle {
    const handle = this.#spawn();
    this.#handle = handle;
    this.#desk.serve(handle.lending);
    this.#client.reconnect(handle.port, { isResuming });
    this.#watch(handle);
    return handle;
  }

  /** Waits for the end of a process; an end that nobody asked for is a crash. One that hangs, while starting too, is ended. */
  #watch(handle: ProcessHandle): void {
    const watch = setInterval(() => this.#look(handle), (this.#rules.silenceMs ?? silenceMsMax) / looksPerSilence);
    this.#silentLooks = 0;
    this.#isStarting = true;
    void handle.exited.then(() => {
      clearInterval(watch);
      if (this.#isStopping || this.#handle !== handle) return;
      this.#handle = undefined;
      // The end of a process may be heard before that of its port; whoever waits for an answer waits in vain.
      this.#client.close();
      void this.#crashed();
    });
  }

  #look(handle: ProcessHandle): void {
    this.#silentLooks += 1;
    const looksMax = looksPerSilence * (this.#isStarting ? startingFactor : 1);
    if (this.#silentLooks > looksMax && !this.#isStopping) handle.kill();
  }

  async #crashed(): Promise<void> {
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < this.#rules.spellMs), now];
    if (this.#crashes.length >= this.#rules.crashesMax) return this.#giveUp();
    const isInRoom = this.#client.snapshot().some(({ event }) => event === "joined");
    if (!isInRoom) this.#capsule = undefined;
    // People see at once that the way into the room is being looked for again.
    if (this.#capsule !== undefined) this.#client.tell({ event: "step", step: "asking-relays" });
    await this.#pause();
    if (this.#isStopping) return;
    this.restarts += 1;
    // Whoever left meanwhile has no capsule any more, and is not brought back.
    this.#run(this.#capsule !== undefined);
    await this.#revive(this.#capsule);
  }

  async #revive(capsule: Uint8Array | undefined): Promise<void> {
    const handle = this.#handle;
    try {
      // Before it dials anybody: who chose a proxy has reasons.
      if (this.#client.way !== undefined) await this.#client.chooseWay(this.#client.way);
      if (this.#client.layer !== undefined) this.#client.preferLayer(this.#client.layer);
      await this.#client.start();
    } catch {
      // One that does not come up is worth no more than one that crashed.
      handle?.kill();
      return;
    }
    try {
      if (capsule !== undefined && this.#capsule !== undefined) await this.#client.resume(capsule);
    } catch {
      // Ended by the next crash: then there is another try. Else the room cannot be come back into.
      if (this.#handle !== handle || this.#client.state === "closed") return;
      this.#leaveRoom();
    }
    for (const listener of this.#backListeners) listener();
  }

  #leaveRoom(): void {
    if (this.#client.snapshot().some(({ event }) => event === "joined")) this.#client.tell({ event: "left" });
  }

  #giveUp(): void {
    this.isGone = true;
    this.#client.tell({ event: "error", code: "internal", message: engineGoneSentence });
    this.#leaveRoom();
    for (const listener of this.#goneListeners) listener();
  }

  #pause(): Promise<void> {
    const { waitsMs } = this.#rules;
    const ms = waitsMs[Math.min(this.#crashes.length, waitsMs.length) - 1] ?? 0;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cancelWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
