import { isIP } from "node:net";
import type { Stream } from "@libp2p/interface";
import { candidatesMax, isSide, type Candidate, type Candidates, type Description, type Side } from "./description.ts";
import { deferred } from "./deferred.ts";
import { FrameReader, joinFrames, type StreamBytes } from "./frames.ts";
import { closeStream } from "./stream.ts";

/** Name of the protocol by which a WebRTC link is agreed on, over a connection that Noise has authenticated. */
export const signalProtocol = "/teahouse/signal/1";

/** Why a volunteer makes no offer: WebRTC is off here, or enough are being made or held for this peer or in all. */
export type Refusal = "off" | "full";

/** please → offer or refuse → answer → candidates; then the channel speaks for itself. */
export type SignalMessage =
  { readonly type: "please" } | { readonly type: "refuse"; readonly reason: Refusal } | Description | Candidates;

/** Bytes of one message; eight candidates take 600. */
const messageBytesMax = 16_384;
/** Messages that one side may send: two are needed, and whoever sends more is not speaking this protocol. */
const messagesMax = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a message; undefined when it is not exactly one of ours. Never throws. */
export function parseSignal(bytes: Uint8Array): SignalMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  switch (fields["type"]) {
    case "please":
      return onlyKeys(fields, ["type"]) ? { type: "please" } : undefined;
    case "refuse": {
      const { reason } = fields;
      return onlyKeys(fields, ["type", "reason"]) && (reason === "off" || reason === "full")
        ? { type: "refuse", reason }
        : undefined;
    }
    case "offer": {
      const side = parseSide(fields);
      return side !== undefined && onlyKeys(fields, sideKeys) ? { type: "offer", ...side } : undefined;
    }
    case "candidates": {
      const candidates = parseCandidates(fields["candidates"]);
      return candidates !== undefined && onlyKeys(fields, ["type", "candidates"])
        ? { type: "candidates", candidates }
        : undefined;
    }
    case "answer": {
      const side = parseSide(fields);
      const { setup } = fields;
      if (side === undefined || !onlyKeys(fields, [...sideKeys, "setup"])) return undefined;
      return setup === "active" || setup === "passive" ? { type: "answer", ...side, setup } : undefined;
    }
    default:
      return undefined;
  }
}

const sideKeys = ["type", "ufrag", "pwd", "fingerprint"];

function onlyKeys(fields: Record<string, unknown>, keys: readonly string[]): boolean {
  return Object.keys(fields).every((key) => keys.includes(key));
}

function parseSide({ ufrag, pwd, fingerprint }: Record<string, unknown>): Side | undefined {
  const side = { ufrag, pwd, fingerprint };
  return isSide(side) ? side : undefined;
}

function parseCandidates(value: unknown): Candidate[] | undefined {
  if (!Array.isArray(value) || value.length > candidatesMax) return undefined;
  const candidates: Candidate[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== "object" || item === null || !onlyKeys(item as Record<string, unknown>, candidateKeys)) {
      return undefined;
    }
    const { address, port, priority } = item as Record<string, unknown>;
    if (typeof address !== "string" || isIP(address) === 0 || address.includes("%")) return undefined;
    if (!isWhole(port, 0xffff) || !isWhole(priority, 0xffff_ffff)) return undefined;
    candidates.push({ address, port, priority });
  }
  return candidates;
}

const candidateKeys = ["address", "port", "priority"];

function isWhole(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max;
}

/** One signalling conversation over one stream. What breaks the protocol ends it. */
export class Signalling {
  readonly #stream: Stream;
  readonly #reader = new FrameReader(messageBytesMax);
  readonly #waiting: SignalMessage[] = [];
  readonly #ended = deferred<string>();
  #wake: (() => void) | undefined;
  #reason: string | undefined;
  #received = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.addEventListener("message", (event) => this.#receive(event.data));
    stream.addEventListener("remoteCloseWrite", () => this.#end("closed"));
    stream.addEventListener("close", (event) => this.#end(event.error === undefined ? "closed" : "lost"));
    if (stream.status === "aborted" || stream.status === "reset") this.#end("lost");
    else if (stream.remoteWriteStatus === "closed") queueMicrotask(() => this.#end("closed"));
  }

  /** Resolves, with `closed`, `lost` or `protocol`, when the far end will say no more. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** Sends a message; nothing happens when the far end has gone, which `next` reports. */
  send(message: SignalMessage): void {
    try {
      this.#stream.send(joinFrames([encoder.encode(JSON.stringify(message))]));
    } catch {
      this.#end("lost");
    }
  }

  /** The next message of one of these types; rejects with `protocol`, or with why there is none. */
  async next<Type extends SignalMessage["type"]>(
    types: readonly Type[],
    signal: AbortSignal,
  ): Promise<Extract<SignalMessage, { type: Type }>> {
    while (this.#waiting.length === 0) {
      if (this.#reason !== undefined) throw new Error(this.#reason === "protocol" ? "protocol" : "unreachable");
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    const message = this.#waiting.shift();
    if (message === undefined || !(types as readonly string[]).includes(message.type)) {
      this.abort();
      throw new Error("protocol");
    }
    return message as Extract<SignalMessage, { type: Type }>;
  }

  /** Ends the conversation in peace. */
  close(): void {
    closeStream(this.#stream);
  }

  /** Ends the conversation, so that the far end gives up too. */
  abort(): void {
    this.#stream.abort(new Error("given up"));
  }

  #receive(data: StreamBytes): void {
    const whole = this.#reader.push(data, (frame) => {
      this.#received += 1;
      const message = this.#received > messagesMax ? undefined : parseSignal(frame);
      if (message === undefined) this.#end("protocol");
      else if (this.#reason === undefined) this.#waiting.push(message);
    });
    if (!whole) this.#end("protocol");
    this.#wake?.();
  }

  #end(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    if (reason === "protocol") this.abort();
    this.#ended.resolve(reason);
    this.#wake?.();
  }
}
