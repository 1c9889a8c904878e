import { type Millis, millis } from "../../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../../p2p/core/machine.ts";
import type { PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import type { PeerMaker } from "../cast.ts";
import type { Part } from "../observer.ts";
import { makePeer } from "../peer-maker.ts";

/** How one machine breaks the rules. Each runs the real code and bends what goes in or comes out. */
export interface Bending {
  /** Instead of the input; the real machine gets what this returns. `say` adds an output of its own. */
  input?(input: PeerInput, now: Millis, say: (output: PeerOutput) => void): PeerInput;
  /** Instead of the output: any number of them. */
  output?(output: PeerOutput, now: Millis): readonly PeerOutput[];
  /** How long an output is kept back, ms. */
  delayMs?(output: PeerOutput): number;
}

/** Bends the machines of one part; the rest stay honest. */
export function bend(part: Part, make: () => Bending): PeerMaker {
  return (options, crypto, node, own) => {
    const machine = makePeer(options, crypto, node, own);
    return own === part ? new BentMachine(machine, make()) : machine;
  };
}

/** Whether the bytes are a media frame. */
export function isMedia(bytes: Uint8Array): boolean {
  const kind = parseFrame(bytes)?.kind;
  return kind === "media" || kind === "bundle";
}

/** A machine that breaks a rule. */
export class BentMachine implements Machine<PeerInput, PeerOutput> {
  private readonly outputs: PeerOutput[] = [];
  /** What is kept back, in order of time: delays of one machine are all the same. */
  private readonly kept: { readonly at: number; readonly output: PeerOutput }[] = [];
  private readonly machine: Machine<PeerInput, PeerOutput>;
  private readonly bending: Bending;
  private now: Millis | undefined;

  constructor(machine: Machine<PeerInput, PeerOutput>, bending: Bending) {
    this.machine = machine;
    this.bending = bending;
  }

  handle(input: PeerInput, now: Millis): void {
    this.now = now;
    while (this.kept.length > 0 && this.kept[0]!.at <= now) this.outputs.push(this.kept.shift()!.output);
    const bent = this.bending.input?.(input, now, (output) => void this.outputs.push(output)) ?? input;
    this.machine.handle(bent, now);
  }

  poll(): PeerOutput | undefined {
    while (this.outputs.length === 0) {
      const output = this.machine.poll();
      if (output === undefined || this.now === undefined) return undefined;
      for (const bent of this.bending.output?.(output, this.now) ?? [output]) this.say(bent, this.now);
    }
    return this.outputs.shift();
  }

  deadline(): Deadline | undefined {
    const own = this.kept[0];
    const real = this.machine.deadline();
    if (own === undefined || (real !== undefined && real.at <= own.at)) return real;
    return { at: millis(own.at), reason: "something kept back" };
  }

  private say(output: PeerOutput, now: Millis): void {
    const delayMs = this.bending.delayMs?.(output) ?? 0;
    if (delayMs > 0) this.kept.push({ at: now + delayMs, output });
    else this.outputs.push(output);
  }
}
