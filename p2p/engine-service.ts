import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { EngineApi, Profile } from "./api/engine.ts";
import type { WayChoice } from "./api/way.ts";
import { createHost } from "./host.ts";
import { Routes } from "./io/routes/routes.ts";
import { borrow } from "./port/borrower.ts";
import type { EnginePorts } from "./port/lanes.ts";
import { servePort } from "./port/server.ts";
import { createShyEngine, type Standing } from "./shy-engine.ts";

/** How the engine of a window is set up: the first message to its process. */
export interface EngineProcessSetup {
  readonly profile: Profile;
  /** Multiaddrs to listen on from the start; empty: it listens only when it has to. */
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  readonly dht: boolean;
  /** The way to the network to begin with; automatic when left out. */
  readonly way?: WayChoice;
  /** Whether an invite that leads into local networks alone is followed there; see `Routes`. Default true. */
  readonly local?: boolean;
}

/**
 * Makes the engine of a window and serves it to its owner, the supervisor at the other end of the ports. It has no network of
 * its own but to listen and on a LAN: what it dials, the window dials for it.
 */
export function serveEngine(setup: EngineProcessSetup, ports: EnginePorts): EngineApi {
  const { profile, listen, bootstrap, dht } = setup;
  // Nodes come and go with rooms; what was learned of the network, and who was dialed how often, stays.
  const routes = new Routes(setup);
  const lent = borrow(ports.lending, after);
  const make = (standing: Standing | undefined) =>
    createHost({
      profile,
      listen: standing === undefined ? [] : listenOn(listen, standing.port),
      announce: [],
      bootstrap,
      dht: dht ? (standing === undefined ? "client" : "server") : "off",
      tls: undefined,
      seed: standing?.seed,
      blind: false,
      lent,
      routes,
    });
  const engine = createShyEngine(make, {
    freshSeed: () => randomBytes(32),
    listensAtOnce: listen.length > 0,
    mayListen: () => !routes.proxied,
    chooseWay: (choice) => routes.choose(choice),
  });
  servePort(ports.owner, engine, { rights: "owner" });
  return engine;
}

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** The addresses asked for, or every one of this computer, inside TLS. A free port is the one it had, if it had one. */
function listenOn(asked: readonly string[], port: number): string[] {
  if (asked.length > 0) return asked.map((address) => address.replace(/\/tcp\/0(?=\/|$)/, `/tcp/${port}`));
  const families = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // Listening on IPv6 fails as a whole where there is none.
  const hasIp6 = families.some(({ family }) => family === "IPv6");
  return [`/ip4/0.0.0.0/tcp/${port}/tls/ws`, ...(hasIp6 ? [`/ip6/::/tcp/${port}/tls/ws`] : [])];
}
