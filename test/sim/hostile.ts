import type { Millis } from "../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../p2p/core/machine.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import { parseFrame } from "../../p2p/core/session/frames.ts";
import type { PeerMaker } from "./cast.ts";
import type { Part } from "./observer.ts";
import { makePeer } from "./peer-maker.ts";

/** How one machine breaks the rules. Each runs the real code and bends what goes in or comes out. */
export interface Bending {
  /** Instead of the input; the real machine gets what this returns. `say` adds an output of its own. */
  input?(input: PeerInput, now: Millis, say: (output: PeerOutput) => void): PeerInput;
  /** Instead of the output: any number of them. */
  output?(output: PeerOutput, now: Millis): readonly PeerOutput[];
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
  return parseFrame(bytes)?.kind === "media";
}

class BentMachine implements Machine<PeerInput, PeerOutput> {
  private readonly outputs: PeerOutput[] = [];
  private readonly machine: Machine<PeerInput, PeerOutput>;
  private readonly bending: Bending;
  private now: Millis | undefined;

  constructor(machine: Machine<PeerInput, PeerOutput>, bending: Bending) {
    this.machine = machine;
    this.bending = bending;
  }

  handle(input: PeerInput, now: Millis): void {
    this.now = now;
    const bent = this.bending.input?.(input, now, (output) => void this.outputs.push(output)) ?? input;
    this.machine.handle(bent, now);
  }

  poll(): PeerOutput | undefined {
    while (this.outputs.length === 0) {
      const output = this.machine.poll();
      if (output === undefined || this.now === undefined) return undefined;
      this.outputs.push(...(this.bending.output?.(output, this.now) ?? [output]));
    }
    return this.outputs.shift();
  }

  deadline(): Deadline | undefined {
    return this.machine.deadline();
  }
}
