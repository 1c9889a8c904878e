import { describe, expect, it } from "vitest";
import { DialBudget } from "../../../p2p/io/routes/budget.ts";
import type { Ticket } from "../../../p2p/io/routes/budget.ts";

const relay = "203.0.113.7 443";

/** A budget with a clock of its own. */
function bench() {
  let now = 1000;
  const budget = new DialBudget(() => now);
  const dial = (address = relay): Ticket => {
    const ticket = budget.take(address);
    if (typeof ticket === "number") throw new Error(`not for ${ticket} ms`);
    return ticket;
  };
  return { budget, dial, pass: (ms: number) => void (now += ms) };
}

describe("the dial budget", () => {
  it("lets three dials a minute go to one address and port, and says when the next may", () => {
    const { budget, dial, pass } = bench();
    for (let count = 0; count < 3; count++) {
      dial().end();
      pass(10_000);
    }
    expect(budget.take(relay)).toBe(30_000);
    dial("203.0.113.7 8443").end();
    dial("203.0.113.8 443").end();
    pass(29_999);
    expect(budget.take(relay)).toBe(1);
    pass(1);
    dial().end();
    expect(budget.take(relay)).toBe(10_000);
  });

  it("lets two connections be open at once, and one until somebody has proved itself there", () => {
    const { budget, dial, pass } = bench();
    const first = dial();
    expect(budget.take(relay)).toBeTypeOf("number");
    first.proved();
    const second = dial();
    pass(60_000);
    expect(budget.take(relay)).toBeTypeOf("number");
    first.end();
    first.end();
    dial();
    expect(budget.take(relay)).toBeTypeOf("number");
    second.end();
    dial();
  });

  it("counts a dial that was refused as none", () => {
    const { budget, dial, pass } = bench();
    const ticket = dial();
    for (let count = 0; count < 100; count++) expect(budget.take(relay)).toBeTypeOf("number");
    ticket.end();
    dial().end();
    dial().end();
    pass(60_000);
    dial().end();
  });

  it("never lets more than three go in any minute, whatever comes", () => {
    const { budget, pass } = bench();
    const went: number[] = [];
    let at = 0;
    for (let round = 0; round < 5000; round++) {
      const ticket = budget.take(relay);
      if (typeof ticket !== "number") {
        went.push(at);
        ticket.end();
      }
      const step = (round * 7919) % 1500;
      at += step;
      pass(step);
    }
    expect(went.length).toBeGreaterThan(100);
    went.forEach((dialed, index) => expect(dialed - (went[index - 3] ?? -60_000)).toBeGreaterThanOrEqual(60_000));
  });

  it("keeps a bounded number of addresses in mind, and those in use in any case", () => {
    const { budget, dial } = bench();
    dial().proved();
    for (let port = 0; port < 10_000; port++) dial(`203.0.113.9 ${port}`).end();
    // Still known to be proved and open: there is room for one more.
    dial();
    expect(budget.take(relay)).toBeTypeOf("number");
  });
});
