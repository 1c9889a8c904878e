import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SpokenPacket } from "../../p2p/api/engine.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { millis } from "../../p2p/api/ids.ts";
import { keptSeed } from "../../p2p/cli/identity-store.ts";
import { main } from "../../p2p/cli/main.ts";
import type { MainWorld } from "../../p2p/cli/main.ts";
import type { HostSetup } from "../../p2p/host.ts";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { EngineDouble, statsOfDouble } from "../doubles/engine-double.ts";

interface Run {
  readonly engine: EngineDouble;
  readonly out: string[];
  readonly errors: string[];
  readonly setups: HostSetup[];
  readonly interruption: AbortController;
  readonly code: Promise<number>;
  events(): { event: string; [field: string]: unknown }[];
}

function start(args: readonly string[], overrides: Partial<MainWorld> = {}, engine = new EngineDouble()): Run {
  const out: string[] = [];
  const errors: string[] = [];
  const setups: HostSetup[] = [];
  const interruption = new AbortController();
  async function* stdin(): AsyncGenerator<string> {
    yield " thi1-from-stdin\n";
  }
  const world: MainWorld = {
    stdin: stdin(),
    interrupted: interruption.signal,
    passphrase: undefined,
    proxy: undefined,
    version: "0.1.0",
    checkInvite: () => undefined,
    checkCard: () => undefined,
    createEngine: async (setup) => {
      setups.push(setup);
      return engine;
    },
    openPlayer: async () => ({
      play: () => ({ done: Promise.resolve(), setStrength: () => undefined, stop: () => undefined }),
    }),
    runWindow: async (request, { printer }) => {
      const message = request.open ? "opened" : "not opened";
      printer.print({ event: "window", open: request.open, shell: "browser", message });
      return 0;
    },
    usage: () => ({ rssMb: 90, cpuMs: 500 }),
    writeLine: (line) => out.push(line),
    writeError: (line) => errors.push(line),
    sinceStartMs: () => 1234.6,
    ...overrides,
  };
  const code = main(args, world);
  return { engine, out, errors, setups, interruption, code, events: () => out.map((line) => JSON.parse(line)) };
}

describe("a command's life", () => {
  it("listens until interrupted, leaves, and ends with the summary", async () => {
    const run = start(["listen", "thi1-x", "--json"]);
    await run.engine.called("join");
    run.interruption.abort();
    expect(await run.code).toBe(0);
    expect(run.engine.calls).toEqual(["start", "join", "leave", "stop"]);
    expect(run.events().map(({ event }) => event)).toEqual(["ready", "joined", "summary"]);
    expect(run.events().at(-1)).toMatchObject({
      t: 1235,
      framesExpected: 25,
      framesOnTime: 24,
      latencyMs: { p50: 10, p95: 20, p99: 30 },
      outagesMs: [120],
      covers: 1,
      moves: 2,
      rssMb: 90,
    });
    expect(run.errors).toEqual([]);
  });

  it("leaves by itself when --for is over, counted from the room", async () => {
    const run = start(["relay", "--json", "--for", "1ms"]);
    expect(await run.code).toBe(0);
    expect(run.events().map(({ event }) => event)).toEqual(["ready", "card", "summary"]);
  });

  it("can be interrupted while it is still joining", async () => {
    const engine = new EngineDouble();
    engine.gate = new Promise(() => undefined);
    const run = start(["listen", "thi1-x", "--json"], {}, engine);
    await engine.called("join");
    run.interruption.abort();
    expect(await run.code).toBe(0);
    expect(engine.calls).toEqual(["start", "join", "leave", "stop"]);
  });

  it("prints the engine's stats with the cost of the process", async () => {
    const run = start(["listen", "thi1-x", "--json"]);
    await run.engine.called("join");
    run.engine.emit({ event: "stats", ...statsOfDouble });
    run.interruption.abort();
    expect(await run.code).toBe(0);
    const stats = run.events().filter(({ event }) => event === "stats");
    expect(stats).toMatchObject([{ hops: 3, links: { webrtc: 1 }, layer: "normal", rssMb: 90, cpuMs: 500 }]);
  });

  it("prints no summary when the node never came up", async () => {
    const engine = new EngineDouble();
    engine.failure = new TeahouseError("port-taken", "What it says.");
    const run = start(["relay", "--json"], {}, engine);
    expect(await run.code).toBe(2);
    expect(run.events().map(({ event }) => event)).toEqual(["error"]);
  });

  it.each([
    ["invite-damaged", 2, "error"],
    ["port-taken", 2, "error"],
    ["no-network", 3, "error"],
    ["room-not-found", 3, "error"],
    ["invite-expired", 4, "refused"],
    ["refused-only-own", 4, "refused"],
    ["audio-empty", 5, "error"],
    ["internal", 70, "error"],
  ] as const)("ends %s with exit code %i and one %s event", async (code, exit, event) => {
    const engine = new EngineDouble();
    engine.failure = new TeahouseError(code, "What it says.");
    const run = start(["listen", "thi1-x", "--json"], {}, engine);
    expect(await run.code).toBe(exit);
    const said = run.events().filter((line) => line.event === "error" || line.event === "refused");
    expect(said).toEqual([{ event, t: 1235, code, message: "What it says." }]);
  });

  it("says trouble to people on stderr, in the same one sentence", async () => {
    const engine = new EngineDouble();
    engine.failure = new TeahouseError("no-network", "What it says.");
    const run = start(["listen", "thi1-x"], {}, engine);
    expect(await run.code).toBe(3);
    expect(run.errors).toEqual(["What it says."]);
  });

  it("does not say twice what the engine said as an event", async () => {
    const engine = new EngineDouble();
    engine.failure = new TeahouseError("locked", "The room is locked.");
    const run = start(["listen", "thi1-x", "--json"], {}, engine);
    await engine.called("start");
    engine.emit({ event: "refused", code: "locked", message: "The room is locked." });
    expect(await run.code).toBe(4);
    expect(run.events().filter(({ event }) => event === "refused")).toHaveLength(1);
  });

  it("ends with 4 when it is thrown out of a room it was in", async () => {
    const run = start(["listen", "thi1-x", "--json"]);
    await run.engine.called("join");
    await new Promise(setImmediate);
    run.engine.emit({ event: "refused", code: "banned", message: "You were banned." });
    expect(await run.code).toBe(4);
    expect(run.engine.calls.slice(-2)).toEqual(["leave", "stop"]);
  });

  it("ends with what was said last when it is out of the room, and not by its own wish", async () => {
    const run = start(["listen", "thi1-x", "--json"]);
    await run.engine.called("join");
    await new Promise(setImmediate);
    run.engine.emit({ event: "error", code: "stalled", message: "Lost for a moment." });
    run.engine.emit({ event: "error", code: "ended", message: "The room is over." });
    run.engine.emit({ event: "left" });
    expect(await run.code).toBe(4);
    expect(run.events().filter(({ event }) => event === "error")).toHaveLength(2);
  });

  it("keeps what broke to itself: our fault is one sentence and 70", async () => {
    const engine = new EngineDouble();
    engine.failure = new RangeError("secret of room abab");
    const run = start(["listen", "thi1-x"], {}, engine);
    expect(await run.code).toBe(70);
    expect(run.errors).toEqual(["Something broke inside Teahouse; please start it again."]);
  });

  it("says bad usage in JSON when asked for JSON, and makes no engine", async () => {
    const run = start(["listen", "--json"]);
    expect(await run.code).toBe(2);
    expect(run.events()).toMatchObject([{ event: "error", code: "usage" }]);
    expect(run.setups).toEqual([]);
  });
});

describe("the commands", () => {
  it("host is its own relay without --via, and says what that reveals", async () => {
    const run = start(["host", "--for", "1ms", "--name", "Ada"]);
    expect(await run.code).toBe(0);
    expect(run.engine.hosted).toEqual({ via: [], letEverybodySpeak: true, name: "Ada" });
    expect(run.setups[0]).toMatchObject({
      dht: "server",
      listen: expect.arrayContaining(["/ip4/0.0.0.0/tcp/0/tls/ws"]),
    });
    expect(run.out).toContain("People you invite will see this computer's address.");
    expect(run.out.join("\n")).toMatch(/to listen.*thi1-l\n.*thi1-s\n.*thi1-m\n.*thi1-h\n/s);
  });

  it("host with --via does not listen, and reads cards from stdin", async () => {
    const run = start(["host", "--via", "thc1-a", "-", "--for", "1ms", "--core-size", "1", "--json"]);
    expect(await run.code).toBe(0);
    expect(run.engine.hosted).toMatchObject({ via: ["thc1-a", "thi1-from-stdin"], coreSize: 1 });
    expect(run.setups[0]).toMatchObject({ dht: "client", listen: [] });
  });

  it("host stays when its file has ended", async () => {
    let stopped: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (stopped = resolve));
    const run = start(["host", "--audio", "f.wav", "--json"], {
      openPlayer: async () => ({
        play: () => ({ done: Promise.resolve(), setStrength: () => undefined, stop: () => stopped() }),
      }),
    });
    await ended;
    await new Promise(setImmediate);
    expect(run.engine.calls).not.toContain("leave");
    run.interruption.abort();
    expect(await run.code).toBe(0);
  });

  it("speak raises a hand, speaks when let on stage, lowers it at the end of the file and leaves", async () => {
    const packet: SpokenPacket = { opus: new Uint8Array([1]), capturedAt: millis(5) };
    const run = start(["speak", "thi1-x", "--audio", "f.wav", "--json"], {
      openPlayer: async () => ({
        play: (onPacket) => {
          onPacket(packet);
          return { done: Promise.resolve(), setStrength: () => undefined, stop: () => undefined };
        },
      }),
    });
    await run.engine.called("raiseHand");
    expect(run.engine.spoken).toEqual([]);
    run.engine.emit({ event: "role", role: "speaker", by: "host" });
    expect(await run.code).toBe(0);
    expect(run.engine.spoken).toEqual([packet]);
    expect(run.engine.calls).toEqual(["start", "join", "raiseHand", "lowerHand", "leave", "stop"]);
  });

  it("opens the room to whoever finds it when asked to", async () => {
    const listen = "/ip4/127.0.0.1/tcp/0/tls/ws";
    const open = start(["host", "--open", "--listen", listen, "--for", "1ms"]);
    expect(await open.code).toBe(0);
    expect(open.engine.acts).toEqual([{ kind: "set-room", access: "open" }]);
    const plain = start(["host", "--listen", listen, "--for", "1ms"]);
    expect(await plain.code).toBe(0);
    expect(plain.engine.acts).toEqual([]);
  });

  it("lends before it joins, where it can be dialed, and says that people see the address", async () => {
    const run = start(["listen", "thi1-x", "--lend", "--max-children", "5", "--for", "1ms"]);
    expect(await run.code).toBe(0);
    expect(run.engine.calls.slice(0, 3)).toEqual(["start", "lend", "join"]);
    expect(run.engine.lent).toEqual({ maxChildren: 5 });
    expect(run.setups[0]?.listen.length).toBeGreaterThan(0);
    expect(run.out.join()).toContain("People in this room can see this computer's address.");
    const hiding = start(["listen", "thi1-x", "--for", "1ms"]);
    expect(await hiding.code).toBe(0);
    expect([hiding.setups[0]?.listen, hiding.engine.lent]).toEqual([[], undefined]);
  });

  it("takes a proxy from the environment, where no process list shows its password, unless the line names one", async () => {
    const proxy = "socks5://user:password@127.0.0.1:9050";
    const hidden = start(["listen", "thi1-x", "--for", "1ms"], { proxy });
    expect(await hidden.code).toBe(0);
    expect(hidden.setups[0]?.way).toEqual({ rung: "auto", proxy, proxyUse: "always" });
    const named = start(["listen", "thi1-x", "--for", "1ms", "--proxy", "socks5://127.0.0.1:1"], { proxy });
    expect(await named.code).toBe(0);
    expect(named.setups[0]?.way?.proxy).toBe("socks5://127.0.0.1:1");
    const damaged = start(["listen", "thi1-x"], { proxy: "ftp://user:password@host" });
    expect(await damaged.code).toBe(2);
    expect(damaged.errors.join()).not.toContain("password@host");
  });

  it("finds a bad audio file before it makes an engine", async () => {
    const run = start(["speak", "thi1-x", "--audio", "f.wav", "--json"], {
      openPlayer: async () => {
        throw new TeahouseError("audio-missing", "There is no such file.");
      },
    });
    expect(await run.code).toBe(5);
    expect(run.setups).toEqual([]);
  });

  it("says what is wrong with an invite or a card before it makes an engine", async () => {
    const fault = (): never => {
      throw new TeahouseError("invite-damaged", "It is damaged.");
    };
    for (const args of [
      ["listen", "thi1-x"],
      ["speak", "thi1-x", "--audio", "f.wav"],
      ["host", "--via", "thc1-x"],
    ]) {
      const run = start(args, { checkInvite: fault, checkCard: fault });
      expect(await run.code).toBe(2);
      expect(run.setups).toEqual([]);
      expect(run.errors).toEqual(["It is damaged."]);
    }
  });

  it("needs no end of stdin once the invite is whole", async () => {
    let given = 0;
    async function* stdin(): AsyncGenerator<string> {
      for (const piece of ["thi1-", "from\n", "-stdin\n"]) {
        given++;
        yield piece;
      }
      await new Promise(() => undefined);
    }
    const checkInvite = (text: string): void => {
      if (!text.includes("stdin")) throw new TeahouseError("invite-damaged", "It is damaged.");
    };
    const run = start(["listen", "-", "--for", "1ms", "--json"], { stdin: stdin(), checkInvite });
    expect(await run.code).toBe(0);
    expect(given).toBe(3);
    expect(run.engine.joinedWith).toBe("thi1-from\n-stdin\n");
  });

  it("reads the invite from stdin", async () => {
    const run = start(["listen", "-", "--for", "1ms", "--json"]);
    expect(await run.code).toBe(0);
    expect(run.engine.joinedWith?.trim()).toBe("thi1-from-stdin");
  });

  it.each([
    [["host", "--proxy", "socks5://127.0.0.1:9050"], "--proxy"],
    [["relay", "--proxy", "socks5://127.0.0.1:9050"], "--proxy"],
    [["listen", "thi1-x", "--lend", "--proxy", "socks5://127.0.0.1:9050"], "--proxy"],
    [["relay", "--data", "folder"], "TEAHOUSE_PASSPHRASE"],
  ])("refuses what it cannot do rather than ignore it: %j", async (args, named) => {
    const run = start(args);
    expect(await run.code).toBe(2);
    expect(run.errors.join()).toContain(named);
    expect(run.setups).toEqual([]);
  });

  it.each([
    [["relay", "--decoy", "missing-folder"], "--decoy"],
    [["relay", "--tls-cert", "missing.pem", "--tls-key", "missing.pem"], "--tls-cert"],
  ])("says which file cannot be read: %j", async (args, named) => {
    const run = start(args);
    expect(await run.code).toBe(5);
    expect(run.errors.join()).toContain(named);
    expect(run.setups).toEqual([]);
  });

  it("gives a relay its site and its certificate", async () => {
    const folder = await mkdtemp(join(tmpdir(), "relay-files-"));
    try {
      const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
      const made = selfSignedCertificate(Date.now() - 500 * 86_400_000);
      await writeFile(certificate, made.cert);
      await writeFile(key, made.key);
      const run = start(["relay", "--decoy", folder, "--tls-cert", certificate, "--tls-key", key, "--for", "1ms"]);
      expect(await run.code).toBe(0);
      expect(run.setups[0]).toMatchObject({ tls: { cert: made.cert, key: made.key } });
      expect(run.setups[0]?.site).toBeTypeOf("function");
      // It is out of date, which stops nobody but is worth a sentence.
      expect(run.out.join()).toContain("--tls-cert is not valid today");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("without a command opens the window, and says so in one line", async () => {
    const run = start([]);
    expect(await run.code).toBe(0);
    expect(run.out).toEqual(["opened"]);
    const closed = start(["--no-open", "--json"]);
    expect(await closed.code).toBe(0);
    expect(closed.events()).toMatchObject([{ event: "window", open: false }]);
  });

  it("prints its help and its version", async () => {
    const help = start(["--help"]);
    expect(await help.code).toBe(0);
    expect(help.out.join()).toContain("teahouse relay");
    const version = start(["--version"]);
    await version.code;
    expect(version.out).toEqual(["0.1.0"]);
  });
});

describe("a relay's kept identity", () => {
  it("comes back with the passphrase, is sealed on disk, and opens with no other", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "teahouse-")), "data");
    try {
      const seed = await keptSeed(folder, "correct horse");
      expect(seed).toHaveLength(32);
      expect(await keptSeed(folder, "correct horse")).toEqual(seed);
      const path = join(folder, "identity");
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await readFile(path)).includes(Buffer.from(seed))).toBe(false);
      await expect(keptSeed(folder, "another")).rejects.toMatchObject({ code: "usage" });
      await writeFile(path, "short");
      await expect(keptSeed(folder, "correct horse")).rejects.toMatchObject({ code: "usage" });
    } finally {
      await rm(join(folder, ".."), { recursive: true });
    }
  });
});
