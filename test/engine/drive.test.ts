import { describe, expect, it } from "vitest";
import { type Millis, millis } from "../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../p2p/core/machine.ts";
import { Drive } from "../../p2p/engine/drive.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";

/** A machine that writes down what it is given and says what the test put into it. */
class Recorder implements Machine<string, string> {
  readonly inputs: string[] = [];
  readonly outputs: string[] = [];
  wakeAt: Millis | undefined;
  onHandle: (input: string) => void = () => undefined;

  handle(input: string, now: Millis): void {
    this.inputs.push(`${input}@${now - start}`);
    this.onHandle(input);
  }

  poll(): string | undefined {
    return this.outputs.shift();
  }

  deadline(): Deadline | undefined {
    return this.wakeAt === undefined ? undefined : { at: this.wakeAt, reason: "test" };
  }
}

const start = new ManualClock().now();

function bench(carry: (output: string) => void = () => undefined): {
  machine: Recorder;
  clock: ManualClock;
  drive: Drive<string, string>;
} {
  const machine = new Recorder();
  const clock = new ManualClock();
  return { machine, clock, drive: new Drive(machine, clock, "timeout", carry) };
}

describe("driving a machine", () => {
  it("one input, drain the outputs, then the next, also when carrying gives another", () => {
    const order: string[] = [];
    const { machine, drive } = bench((output) => {
      order.push(`out ${output}`);
      if (output === "a1") drive.push("b");
    });
    machine.onHandle = (input) => {
      order.push(`in ${input}`);
      machine.outputs.push(`${input}1`, `${input}2`);
    };
    drive.push("a");
    expect(order).toEqual(["in a", "out a1", "out a2", "in b", "out b1", "out b2"]);
  });

  it("sleeps until the deadline that is named now: earlier, later, or none", () => {
    const { machine, clock, drive } = bench();
    machine.wakeAt = millis(start + 100);
    drive.push("one");
    machine.wakeAt = millis(start + 50);
    drive.push("two");
    expect(clock.waiting).toBe(1);
    machine.onHandle = (input) => {
      if (input === "timeout") machine.wakeAt = undefined;
    };
    clock.advance(49);
    expect(machine.inputs).toHaveLength(2);
    clock.advance(1);
    expect(machine.inputs.at(-1)).toBe("timeout@50");
    expect(clock.waiting).toBe(0);
    machine.wakeAt = millis(start + 200);
    drive.push("three");
    machine.wakeAt = millis(start + 300);
    drive.push("four");
    clock.advance(200);
    expect(machine.inputs.at(-1)).toBe("four@50");
    clock.advance(50);
    expect(machine.inputs.at(-1)).toBe("timeout@300");
  });

  it("sets one wake-up for one deadline, however many inputs come", () => {
    const { machine, clock, drive } = bench();
    machine.wakeAt = millis(start + 100);
    for (let input = 0; input < 10; input++) drive.push("x");
    expect(clock.waiting).toBe(1);
  });

  it("after a stop nothing goes in, nothing comes out and nothing waits", () => {
    const carried: string[] = [];
    const { machine, clock, drive } = bench((output) => carried.push(output));
    machine.wakeAt = millis(start + 100);
    drive.push("one");
    drive.stop();
    machine.outputs.push("late");
    drive.push("two");
    clock.advance(1000);
    expect(machine.inputs).toEqual(["one@0"]);
    expect(carried).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it("a machine that never stops talking is a bug and is said to be one; a machine that throws is not held", () => {
    const { machine, drive } = bench();
    machine.poll = () => "again";
    expect(() => drive.push("one")).toThrow("does not stop talking");
    const other = bench();
    other.machine.onHandle = (input) => {
      if (input === "bad") throw new Error("broken");
    };
    expect(() => other.drive.push("bad")).toThrow("broken");
    other.drive.push("good");
    expect(other.machine.inputs).toEqual(["bad@0", "good@0"]);
  });
});
