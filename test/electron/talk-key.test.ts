import { beforeEach, describe, expect, it } from "vitest";
import { TalkKeyWatch } from "../../electron/talk-key.ts";
import { ManualTimers } from "../renderer/timers.ts";

let timers: ManualTimers;
let told: string[];
let watch: TalkKeyWatch;
/** Presses the key that is listened for. */
let press: (() => void) | undefined;

beforeEach(() => {
  timers = new ManualTimers();
  timers.pass(60_000);
  told = [];
  const shortcuts = {
    register: (key: string, pressed: () => void) => {
      if (key === "F9") return false;
      if (key === "Alt+Shift+T") throw new Error("there is no portal");
      press = pressed;
      return true;
    },
    unregister: () => (press = undefined),
  };
  watch = new TalkKeyWatch(shortcuts, timers, (state) => told.push(state));
  watch.choose("F8");
});

/** A key held for so long, which repeats after `firstMs` and then every 33 ms. */
function hold(ms: number, firstMs = 500): void {
  press?.();
  for (let passed = firstMs, step = firstMs; passed <= ms; passed += 33, step = 33) {
    timers.pass(step);
    press?.();
  }
}

describe("the key that talks from behind other windows", () => {
  it("talks as long as it is held, where it repeats", () => {
    hold(2000);
    expect(told).toEqual(["down"]);
    timers.pass(299);
    expect(told).toEqual(["down"]);
    timers.pass(1);
    expect(told).toEqual(["down", "up"]);
    timers.pass(1000);
    hold(3000, 1000);
    timers.pass(300);
    expect(told).toEqual(["down", "up", "down", "up"]);
  });

  it("a short press talks until the next one, of which repeats open nothing", () => {
    press?.();
    timers.pass(20_000);
    expect(told).toEqual(["down"]);
    hold(3000);
    expect(told).toEqual(["down", "up"]);
    timers.pass(2000);
    press?.();
    expect(told).toEqual(["down", "up", "down"]);
  });

  it("two short presses talk in between, and a moment longer", () => {
    press?.();
    timers.pass(600);
    press?.();
    timers.pass(300);
    expect(told).toEqual(["down", "up"]);
  });

  it("is shut when another is chosen, and says what the system does not give", () => {
    press?.();
    watch.choose("CommandOrControl+Shift+Space");
    expect(told).toEqual(["down", "up"]);
    for (const key of ["F9", "Alt+Shift+T"]) watch.choose(key);
    expect(told).toEqual(["down", "up", "refused", "refused"]);
    for (const strange of ["A", 5, null, { toString: () => "F8" }]) watch.choose(strange);
    expect([told.length, press]).toEqual([4, undefined]);
  });
});
