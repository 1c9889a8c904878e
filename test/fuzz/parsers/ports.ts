import type { VoiceKey } from "../../../p2p/api/ids.ts";
import { parseDurationMs } from "../../../p2p/cli/duration.ts";
import { parseCommandLine } from "../../../p2p/cli/options.ts";
import { requestCall, tellCall } from "../../../p2p/port/commands.ts";
import {
  lentIdOf,
  readCarried,
  readForBorrower,
  readForDesk,
  readForLender,
  writeCarried,
} from "../../../p2p/port/lending.ts";
import { readFromEngine, readFromWindow } from "../../../p2p/port/protocol.ts";
import { readHeard, readSpoken, writeHeard, writeSpoken } from "../../../p2p/port/sound.ts";
import { bytesOf, type Parsers, textOf } from "../parser.ts";
import { refusesPolitely, someTime } from "./world.ts";

const voice = "ab".repeat(32) as VoiceKey;
const opus = Uint8Array.of(0xf8, 1, 2, 3);

function json(...values: readonly unknown[]): Uint8Array[] {
  return values.map((value) => bytesOf(JSON.stringify(value)));
}

/** What window and engine, lender and borrower say over a port, and what is written on a command line. */
export function portParsers(): Parsers {
  return { ...speechParsers(), ...lendingParsers(), ...commandLineParsers() };
}

function speechParsers(): Parsers {
  const spoken = writeSpoken({ opus, capturedAt: someTime });
  const heard = writeHeard({
    speaker: voice,
    layer: "low",
    sequence: 7,
    opus,
    capturedAt: someTime,
    receivedAt: someTime,
  });
  return {
    "port, from the window": {
      samples: json(
        { kind: "request", id: 1, method: "join", arguments: ["thi1-AAAA", { name: "Ana" }] },
        { kind: "request", id: 2, method: "host", arguments: [{ title: "Tea", via: [], letEverybodySpeak: true }] },
        { kind: "tell", method: "say", arguments: ["hello"] },
        { kind: "tell", method: "removeFromStage", arguments: [voice] },
        { kind: "taken", events: 4, sounds: 2 },
        { kind: "hear", on: true },
      ),
      accepts: (bytes) => {
        const read = readFromWindow(textOf(bytes));
        if (typeof read === "string") return false;
        // An engine that does nothing: whether a call is made of it is what counts.
        const engine = {} as Parameters<typeof requestCall>[0];
        if (read.kind === "request") return requestCall(engine, read.method, read.arguments) !== undefined;
        return read.kind !== "tell" || tellCall(engine, read.method, read.arguments) !== undefined;
      },
      text: true,
      covers: ["readFromWindow", "readText"],
    },
    "port, from the engine": {
      samples: json(
        { kind: "event", event: { event: "step", step: "joined" } },
        { kind: "event", event: { event: "members", speakers: 1, listeners: 2, relays: 3 } },
        { kind: "fault", id: 3, code: "invite-damaged", message: "no" },
        { kind: "answer", id: 3, value: { a: [1, 2, { b: null }] } },
        { kind: "bye", reason: "local" },
      ),
      accepts: (bytes) => typeof readFromEngine(textOf(bytes)) !== "string",
      text: true,
      covers: ["readFromEngine"],
    },
    "sound of a window": {
      samples: [spoken ?? new Uint8Array(0)],
      accepts: (bytes) => readSpoken(bytes) !== undefined,
      covers: ["readSpoken"],
    },
    "sound of an engine": {
      samples: [heard ?? new Uint8Array(0)],
      accepts: (bytes) => readHeard(bytes) !== undefined,
      covers: ["readHeard"],
    },
  };
}

function lendingParsers(): Parsers {
  const proxy = { kind: "socks5", host: "127.0.0.1", port: 1080, credentials: { user: "a", password: "b" } };
  return {
    "lending, to the page": {
      samples: json(
        { kind: "socket", id: 2, url: "wss://198.51.100.7/path" },
        { kind: "channel", id: 3, offer: "v=0" },
        { kind: "candidates", id: 3, candidates: ["candidate:1 1 UDP 1 198.51.100.7 9 typ host"] },
        { kind: "taken", id: 2, bytes: 9 },
      ),
      accepts: (bytes) => typeof readForLender(textOf(bytes)) !== "string",
      text: true,
      covers: ["readForLender"],
    },
    "lending, to the engine": {
      samples: json(
        { kind: "opened", id: 2 },
        { kind: "answer", id: 3, sdp: "v=0" },
        { kind: "closed", id: 2, reason: "lost" },
        { kind: "lender", here: true },
      ),
      accepts: (bytes) => typeof readForBorrower(textOf(bytes)) !== "string",
      text: true,
      covers: ["readForBorrower"],
    },
    "lending, to the desk": {
      samples: json(
        { kind: "route", id: 4, route: { host: "198.51.100.7", port: 443, path: "/p", proxy } },
        { kind: "hang-up" },
      ),
      accepts: (bytes) => readForDesk(textOf(bytes)) !== undefined,
      text: true,
      covers: ["readForDesk"],
    },
    "lent bytes": {
      samples: [writeCarried(7, Uint8Array.of(1, 2, 3))],
      accepts: (bytes) => readCarried(bytes) !== undefined && lentIdOf(bytes) !== undefined,
      covers: ["readCarried", "lentIdOf"],
    },
  };
}

function commandLineParsers(): Parsers {
  return {
    "command line": {
      samples: [bytesOf("listen\nthi1-AAAA\n--for\n20s\n--json"), bytesOf("relay\n--max-children\n7\n--only")],
      accepts: (bytes) => refusesPolitely(() => parseCommandLine(textOf(bytes).split("\n"))),
      text: true,
      covers: ["parseCommandLine", "readTokens"],
    },
    duration: {
      samples: [bytesOf("20s"), bytesOf("5m")],
      accepts: (bytes) => refusesPolitely(() => parseDurationMs("--for", textOf(bytes))),
      text: true,
      covers: ["parseDurationMs"],
    },
  };
}
