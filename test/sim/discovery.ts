import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import type { World } from "./world.ts";

/** A lookup's first answer, and its end: medians of a tuned public DHT (performance.md, section 4). */
export const answerMs = 200;
const endMs = 600;
/** A published value can be found this much later. */
const publishMs = 500;
/** Values kept under one key; a real node keeps one, several nodes disagree. */
const valuesMax = 4;

/** The DHT as a peer sees it: values appear after a while, lookups answer and end. It checks nothing: the machine must. */
export class SimDiscovery {
  private readonly values = new Map<string, Uint8Array[]>();
  private readonly world: World<PeerInput, PeerOutput>;

  constructor(world: World<PeerInput, PeerOutput>) {
    this.world = world;
  }

  publish(key: Uint8Array, value: Uint8Array): void {
    this.world.planIn(publishMs, this.stored, { key: hex(key), value });
  }

  lookup(node: number, keys: readonly Uint8Array[]): void {
    this.world.planIn(answerMs, this.answered, { node, keys: keys.map(hex) });
    this.world.planIn(endMs, this.ended, node);
  }

  private readonly stored = ({ key, value }: { readonly key: string; readonly value: Uint8Array }): void => {
    this.values.set(key, [...(this.values.get(key) ?? []), value].slice(-valuesMax));
  };

  private readonly answered = ({ node, keys }: { readonly node: number; readonly keys: readonly string[] }): void => {
    for (const value of keys.flatMap((key) => this.values.get(key) ?? [])) {
      this.world.input(node, { kind: "record", value });
    }
  };

  private readonly ended = (node: number): void => this.world.input(node, { kind: "lookup-ended" });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
