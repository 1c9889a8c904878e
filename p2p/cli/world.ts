import type { EngineApi, Profile, SpokenPacket } from "../api/engine.ts";
import type { Millis } from "../api/ids.ts";
import type { RelayAddress } from "../api/link.ts";
import type { Crypto } from "../core/crypto.ts";
import type { Invite } from "../core/room/invite.ts";
import type { Printer } from "./printer.ts";
import type { SecretSource } from "./secrets.ts";
import type { ProcessUsage } from "./summary.ts";

/** How the engine of one command is made; see p2p/host.ts. */
export interface EngineSetup {
  readonly profile: Profile;
  /** Multiaddrs; empty: nobody can dial this node. */
  readonly listen: readonly string[];
  /** Multiaddrs that others are told instead of those it listens on. */
  readonly announce: readonly string[];
  readonly bootstrap: readonly string[];
  readonly dht: "server" | "client" | "off";
  /** PEM texts; undefined: a certificate is made at start and kept in memory. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** 32 bytes that everything lasting about this node derives from; undefined: fresh. */
  readonly seed: Uint8Array | undefined;
}

/** A file that was opened and proved to be audio. */
export interface Player {
  /** Hands out one packet each 40 ms. `done` resolves at the end of the file, never with `loop`. */
  play(onPacket: (packet: SpokenPacket) => void): { readonly done: Promise<void>; stop(): void };
}

/** A node that tries ways without joining; see p2p/host.ts. */
export interface ProbeKit {
  readonly crypto: Crypto;
  now(): Millis;
  /** Throws `TeahouseError` with the invite's fault. */
  readInvite(text: string): Invite;
  /** What an address is made of, in words: "TLS WebSocket", "TCP". */
  addressKind(address: Uint8Array): string;
  /** Opens and closes a link. Rejects with an Error whose message says what failed; so do the next two. */
  dial(target: RelayAddress, signal: AbortSignal): Promise<void>;
  /** Opens and closes a data channel to a relay that was just dialed. */
  upgrade(target: RelayAddress, signal: AbortSignal): Promise<void>;
  /** Resolves when the DHT gave a record under this key that opens with the secret. */
  findRecord(key: Uint8Array, secret: Uint8Array, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** What commands need from outside; tests hand in another one. */
export interface CliWorld {
  readonly stdin: SecretSource;
  readonly printer: Printer;
  /** Aborted by the first SIGINT or SIGTERM, or when nobody reads our output any more. */
  readonly interrupted: AbortSignal;
  /** Value of the passphrase variable. */
  readonly passphrase: string | undefined;
  createEngine(setup: EngineSetup): Promise<EngineApi>;
  createProbe(setup: EngineSetup): Promise<ProbeKit>;
  /** Throws `TeahouseError` `audio-missing`, `audio-unreadable` or `audio-empty`. */
  openPlayer(path: string, loop: boolean): Promise<Player>;
  usage(): ProcessUsage;
}
