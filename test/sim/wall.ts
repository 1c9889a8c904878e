import type { LinkKind } from "../../p2p/api/link.ts";
import type { Rng } from "../../p2p/core/rng.ts";
import type { Rule } from "./options.ts";

/** What TLS, WebSocket, Noise and yamux take of a stream's first bytes, and of each message. */
const handshakeBytes = 5000;
const messageBytes = 60;

/**
 * A censor between people and relays: its rules fall in the middle of a run and stay. Relays among themselves are not
 * behind it.
 */
export class Wall {
  readonly #rng: Rng;
  readonly #isRelay: (node: number) => boolean;
  readonly #carried = new WeakMap<object, number>();
  readonly #blocked = new Set<number>();
  #freezeBytes = Infinity;
  #udpDead = false;
  #raised = false;

  constructor(rng: Rng, isRelay: (node: number) => boolean) {
    this.#rng = rng;
    this.#isRelay = isRelay;
  }

  /**
   * From now on this holds. Resets are the network's to carry out.
   * @param relays of whom a share may be blocked; gives those that are.
   */
  raise(rule: Rule, relays: readonly number[]): readonly number[] {
    this.#raised = true;
    if (rule.kind === "freeze") this.#freezeBytes = rule.bytes;
    if (rule.kind === "udp") this.#udpDead = true;
    if (rule.kind !== "block") return [];
    const left = relays.slice();
    const count = Math.min(left.length - 1, Math.round(rule.share * left.length));
    while (this.#blocked.size < count) this.#blocked.add(left.splice(this.#rng.int(left.length), 1)[0]!);
    return [...this.#blocked];
  }

  /**
   * Whether a message passes. What does not is lost, and nobody is told.
   * @param end the receiving end: the same object as long as the connection lasts.
   */
  passes(from: number, to: number, kind: LinkKind, end: object, bytes: number): boolean {
    if (!this.#raised || !this.stands(from, to)) return true;
    if (this.#blocked.has(from) || this.#blocked.has(to)) return false;
    if (kind === "webrtc") return !this.#udpDead;
    if (this.#isRelay(to)) return true;
    const carried = (this.#carried.get(end) ?? handshakeBytes) + bytes + messageBytes;
    this.#carried.set(end, carried);
    return carried <= this.#freezeBytes;
  }

  /** Whether a connection can be had. */
  opens(from: number, to: number, kind: LinkKind): boolean {
    if (!this.#raised || !this.stands(from, to)) return true;
    return !this.#blocked.has(from) && !this.#blocked.has(to) && !(kind === "webrtc" && this.#udpDead);
  }

  /** Whether it is between these two. */
  stands(from: number, to: number): boolean {
    return this.#isRelay(from) !== this.#isRelay(to);
  }
}
