import { describe, expect, it } from "vitest";
import type { Port } from "../../p2p/api/port.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { createPortClient } from "../../p2p/port/client.ts";
import { faultsMax } from "../../p2p/port/protocol.ts";
import { Seat } from "../../p2p/port/seat.ts";
import { servePort, type PortServer } from "../../p2p/port/server.ts";
import { Line, type Origin } from "../../renderer/model/room/line.ts";
import { Scope } from "../../renderer/model/scope.ts";
import type { LineState } from "../../renderer/model/session.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import { ManualTimers } from "./timers.ts";

/** An engine behind ports in memory, and windows that keep a line to it. */
class Exchange {
  readonly engine = new EngineDouble();
  readonly seat = new Seat();
  readonly servers: PortServer[] = [];
  /** The engine's ends of the ports. */
  readonly ends: Port[] = [];
  origin: Origin = "there";
  looks = 0;

  window(): { readonly line: Line; readonly timers: ManualTimers; readonly scope: Scope } {
    const timers = new ManualTimers();
    const scope = new Scope();
    const ports = {
      open: (): Promise<Port> => {
        const [ours, theirs] = createPortPair();
        this.ends.push(theirs);
        this.servers.push(servePort(theirs, this.engine, { rights: "window", seat: this.seat }));
        return Promise.resolve(ours);
      },
      look: (): Promise<Origin> => {
        this.looks += 1;
        return Promise.resolve(this.origin);
      },
    };
    return { line: new Line(createPortClient(), ports, timers, scope), timers, scope };
  }
}

/** Resolves once the line is in this state. */
function becomes(line: Line, state: LineState): Promise<void> {
  return new Promise((resolve) => {
    const scope = new Scope();
    scope.watch(line.state, (current) => {
      if (current !== state) return;
      resolve();
      scope.end();
    });
  });
}

/** Lets every wait between tries pass until the line is in this state, which must come within `tries` of them. */
async function passUntil(line: Line, timers: ManualTimers, state: LineState, tries: number): Promise<void> {
  for (let count = 0; count < tries && line.state.get() !== state; count++) {
    timers.pass(10_000);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
  expect(line.state.get()).toBe(state);
}

describe("the window's line to the engine", () => {
  it("opens, and comes back by itself when the connection was lost", async () => {
    const exchange = new Exchange();
    const { line, timers } = exchange.window();
    await becomes(line, "open");
    exchange.servers[0]?.close("lost");
    await becomes(line, "restarting");
    await passUntil(line, timers, "open", 1);
    expect([exchange.servers.length, exchange.looks]).toEqual([2, 1]);
  });

  it("gives up when its address has long been silent, and leaves no timer behind", async () => {
    const exchange = new Exchange();
    const { line, timers } = exchange.window();
    await becomes(line, "open");
    exchange.origin = "gone";
    exchange.servers[0]?.close("lost");
    await becomes(line, "restarting");
    await passUntil(line, timers, "line-lost", 10);
    expect(timers.waiting).toBe(0);
    expect(exchange.looks).toBeGreaterThan(3);
  });

  it("does not try again where it is not known any more", async () => {
    const exchange = new Exchange();
    const { line, timers } = exchange.window();
    await becomes(line, "open");
    exchange.origin = "refused";
    exchange.servers[0]?.close("lost");
    await becomes(line, "restarting");
    await passUntil(line, timers, "token-wrong", 1);
    expect(timers.waiting).toBe(0);
  });

  it("says when the engine is gone for good", async () => {
    const exchange = new Exchange();
    const { line } = exchange.window();
    await becomes(line, "open");
    exchange.servers[0]?.close("engine-gone");
    await becomes(line, "engine-gone");
    expect(exchange.looks).toBe(0);
  });

  it("says that they do not understand each other when the engine breaks the rules of the line, and does not try again", async () => {
    const exchange = new Exchange();
    const { line } = exchange.window();
    await becomes(line, "open");
    for (let fault = 0; fault < faultsMax; fault += 1) exchange.ends.at(-1)?.postMessage("{");
    await becomes(line, "line-broken");
    expect(exchange.looks).toBe(0);
  });

  it("is the second window until it takes over; then the first one can take it back", async () => {
    const exchange = new Exchange();
    const first = exchange.window();
    await becomes(first.line, "open");
    const second = exchange.window();
    await becomes(second.line, "second-window");
    second.line.takeOver();
    await Promise.all([becomes(second.line, "open"), becomes(first.line, "replaced")]);
    first.line.takeOver();
    await Promise.all([becomes(first.line, "open"), becomes(second.line, "replaced")]);
    second.line.takeOver();
    await Promise.all([becomes(second.line, "open"), becomes(first.line, "replaced")]);
    expect([first.line.state.get(), second.line.state.get()]).toEqual(["replaced", "open"]);
  });

  it("having taken over once, does not grab the engine by itself later", async () => {
    const exchange = new Exchange();
    const first = exchange.window();
    await becomes(first.line, "open");
    const second = exchange.window();
    await becomes(second.line, "second-window");
    second.line.takeOver();
    await becomes(first.line, "replaced");
    first.line.takeOver();
    await becomes(second.line, "replaced");
    // Its own connection is lost while another window waits: it must come back as the second one, and ask.
    const third = exchange.window();
    await becomes(third.line, "second-window");
    exchange.servers.at(-2)?.close("lost");
    await becomes(third.line, "open");
    await becomes(first.line, "restarting");
    await passUntil(first.line, first.timers, "second-window", 1);
    expect(third.line.state.get()).toBe("open");
  });
});
