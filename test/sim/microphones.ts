import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import type { Rng } from "../../p2p/core/rng.ts";
import type { Observers } from "./observer.ts";
import { speak, speakLow } from "./speech.ts";
import type { World } from "./world.ts";

/** Who speaks: each open microphone gives a packet in both layers, again and again. */
export class Microphones {
  private readonly counts = new Map<number, number>();
  private readonly opened = new Set<number>();
  private readonly world: World<PeerInput, PeerOutput>;
  private readonly observers: Observers;
  private readonly rng: Rng;
  private readonly packetMs: number;
  private readonly mayOpen: (node: number) => boolean;

  constructor(
    world: World<PeerInput, PeerOutput>,
    observers: Observers,
    rng: Rng,
    packetMs: number,
    mayOpen: (node: number) => boolean,
  ) {
    this.world = world;
    this.observers = observers;
    this.rng = rng;
    this.packetMs = packetMs;
    this.mayOpen = mayOpen;
  }

  readonly open = (node: number): void => {
    if (this.opened.has(node) || !this.mayOpen(node)) return;
    this.opened.add(node);
    this.observers.tell("microphone", node, true);
    // Microphones are not in step with each other.
    this.world.planIn(this.packetMs * this.rng.next(), this.tick, node);
  };

  readonly close = (node: number): void => {
    if (this.opened.delete(node)) this.observers.tell("microphone", node, false);
  };

  private readonly tick = (node: number): void => {
    if (!this.opened.has(node)) return;
    const count = this.counts.get(node) ?? 0;
    this.counts.set(node, count + 1);
    this.observers.tell("spoke", node, count);
    const { world } = this;
    const utterance = { speaker: node, count };
    world.input(node, { kind: "speak", opus: speak(utterance), low: speakLow(utterance), capturedAt: world.now });
    world.planIn(this.packetMs, this.tick, node);
  };
}
