import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { millis } from "../../p2p/api/ids.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import { rightsOfRole } from "../../p2p/core/room/rights/capability.ts";
import { encodeInvite, issueInvite, parseInvite } from "../../p2p/core/room/invite/invite.ts";
import { createRoomKeys } from "../../p2p/core/room/rights/keys.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { fromMultiaddrs } from "../../p2p/io/libp2p/address.ts";
import { TeahouseProcess } from "./processes.ts";
import type { SpawnOptions } from "./processes.ts";

/** The clip of the tree. */
export const clip = fileURLToPath(new URL("../fixtures/speech.flac", import.meta.url));
/** A free port on loopback only. */
export const loopback = "/ip4/127.0.0.1/tcp/0/tls/ws";

const crypto = createCrypto();
const hourMs = 3_600_000;

/** A relay, up, with its card. */
export interface RelayUp {
  readonly process: TeahouseProcess;
  readonly card: string;
  /** Multiaddrs with path token and peer. */
  readonly addresses: readonly string[];
}

/** A host in its room. */
export interface HostUp {
  readonly process: TeahouseProcess;
  readonly invite: string;
  readonly speakerInvite: string;
}

/** Everything that a test file started, so that it can end it. */
export class Processes {
  readonly #all: TeahouseProcess[] = [];

  start(args: readonly string[], options: SpawnOptions = {}): TeahouseProcess {
    const process = new TeahouseProcess(args, options);
    this.#all.push(process);
    return process;
  }

  async relay(...args: string[]): Promise<RelayUp> {
    const process = this.start(["relay", "--listen", loopback, ...args]);
    const card = String((await process.next("card"))["card"]);
    const addresses = (await process.next("ready"))["addresses"] as string[];
    return { process, card, addresses };
  }

  /** Cards go by stdin. */
  async host(relays: readonly RelayUp[], ...args: string[]): Promise<HostUp> {
    const cards = relays.map(({ card }) => card).join("\n");
    const via = relays.length === 0 ? [] : ["--via", "-"];
    const process = this.start(["host", ...via, ...args], { stdin: cards });
    const invites = (await process.next("room"))["invites"] as Record<string, string>;
    return { process, invite: invites["listener"] ?? "", speakerInvite: invites["speaker"] ?? "" };
  }

  listener(invite: string, ...args: string[]): TeahouseProcess {
    return this.start(["listen", "-", ...args], { stdin: invite });
  }

  /** Ends all of them, by pid. */
  async end(): Promise<void> {
    await Promise.all(this.#all.map((process) => process.end()));
  }
}

/** The same invite with other relays in it. */
export function withHints(invite: string, hints: readonly RelayAddress[]): string {
  const parsed = parseInvite(crypto, invite);
  if (!parsed.ok) throw new Error(parsed.reason);
  return encodeInvite(crypto, { ...parsed.value, hints });
}

/** An invite to a room that nobody ever opened, `hours` old. */
export function strayInvite(hints: readonly RelayAddress[], hours = 0): string {
  const madeAt = Date.now() - hours * hourMs;
  const notBefore = Math.floor(madeAt / 1000) - 60;
  const terms = {
    role: "listener",
    rights: rightsOfRole.listener,
    notBefore,
    expires: notBefore + 24 * 3600,
    sequence: 1,
  } as const;
  return encodeInvite(crypto, issueInvite(crypto, createRoomKeys(crypto, millis(madeAt)), terms, hints));
}

/** A relay that was there once: a key of its own, and a port that nobody listens on. */
export async function deadRelay(): Promise<RelayAddress> {
  const key = crypto.publicKey(crypto.randomBytes(32));
  return fromMultiaddrs(key, crypto.randomBytes(16), [`/ip4/127.0.0.1/tcp/${await closedPort()}/tls/ws`]);
}

/** A port that was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}

/** One character in the middle of a text, changed. */
export function damaged(text: string): string {
  const at = Math.floor(text.length / 2);
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}
