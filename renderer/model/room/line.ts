import type { Port } from "../../../p2p/api/port.ts";
import type { PortClient } from "../../../p2p/port/client.ts";
import type { Scope } from "../scope.ts";
import type { LineState } from "../session.ts";
import type { Timers } from "../timers.ts";
import { Cell, type Value } from "../value.ts";

/** Waits before each new try, in ms: together 12 s, longer than an engine takes to come back. */
const retryMs = [100, 250, 500, 1000, 2000, 4000, 4000] as const;

/** What is there at the address that the window came from: `refused` does not know us any more. */
export type Origin = "there" | "refused" | "gone";

/** How ports to the engine are had. */
export interface LinePorts {
  /** Must not reject; what it brings may be closed already. */
  open(): Promise<Port>;
  /** Looks whether the window's own address still answers. Must not reject. */
  look(): Promise<Origin>;
}

/** Keeps a client connected: tries again when the connection is lost, and says so when that is in vain. */
export class Line {
  readonly #state = new Cell<LineState>("connecting");
  readonly #client: PortClient;
  readonly #ports: LinePorts;
  readonly #timers: Timers;
  readonly #scope: Scope;
  #tries = 0;
  /** Somebody asked to go on here while there was no port to say so over. */
  #wantsSeat = false;
  #cancel: (() => void) | undefined;

  constructor(client: PortClient, ports: LinePorts, timers: Timers, scope: Scope) {
    this.#client = client;
    this.#ports = ports;
    this.#timers = timers;
    this.#scope = scope;
    scope.own(client.onState(() => this.#follow()));
    scope.own(() => this.#cancel?.());
    this.#connect();
  }

  get state(): Value<LineState> {
    return this.#state;
  }

  /** Goes on in this window, and closes the other one. */
  takeOver(): void {
    if (this.#client.state === "occupied") return this.#client.takeOver();
    if (this.#state.get() !== "replaced") return;
    this.#wantsSeat = true;
    this.#connect();
  }

  #connect(): void {
    this.#ports.open().then(
      (port) => (this.#scope.ended ? port.close() : this.#client.reconnect(port)),
      () => this.#retry(),
    );
  }

  #follow(): void {
    const { state, closeReason } = this.#client;
    switch (state) {
      case "connecting":
        return;
      case "open":
        this.#tries = 0;
        this.#wantsSeat = false;
        return this.#state.set("open");
      case "occupied":
        if (this.#wantsSeat) return this.#client.takeOver();
        return this.#state.set("second-window");
      case "closed":
        if (closeReason === "replaced") return this.#state.set("replaced");
        if (closeReason === "lost") return this.#retry();
        return this.#state.set(closeReason === "protocol" ? "line-broken" : "engine-gone");
      default:
        return state satisfies never;
    }
  }

  #retry(): void {
    const wait = retryMs[this.#tries];
    this.#tries += 1;
    this.#state.set("restarting");
    if (wait === undefined) return this.#state.set("line-lost");
    this.#cancel = this.#timers.after(wait, () => {
      this.#ports.look().then(
        (origin) => {
          if (this.#scope.ended) return;
          if (origin === "refused") this.#state.set("token-wrong");
          else if (origin === "gone") this.#retry();
          else this.#connect();
        },
        () => this.#retry(),
      );
    });
  }
}
