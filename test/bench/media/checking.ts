import { millis } from "../../../p2p/api/ids.ts";
import { createKeyPair } from "../../../p2p/core/room/rights/keys.ts";
import { PacketGate } from "../../../p2p/core/packet/gate.ts";
import { PacketSealer } from "../../../p2p/core/packet/seal.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { sampleRoom, sampleView, testNow } from "../../core/fixtures.ts";
import { type Figure, figureOf } from "../figure.ts";

/** A round is 40 s of one voice; both sides take turns, so that a slow moment of the machine meets both. */
const ticksPerRound = 1000;
const rounds = 8;
const opusBytes = 120;
/** Packets that nobody honest sent, of three kinds. */
const badPackets = 1_000_000;

/** T9: what checking costs, against a signature on every frame of 20 ms; and whether anything false passes. */
export function measureChecking(): Promise<readonly Figure[]> {
  const ours = new Side(opusBytes, 1);
  const baseline = new Side(opusBytes / 2, 2);
  for (let round = 0; round < rounds; round++) for (const side of [ours, baseline]) side.round();
  const bad = acceptedOfBad();
  return Promise.resolve([
    figureOf({
      id: "T9",
      what: "CPU of checking one second of a voice, ms ÷ a signature on each frame of 20 ms",
      goal: 0.5,
      better: "less",
      sides: { ours: ours.msPerSecond, baseline: baseline.msPerSecond },
    }),
    figureOf({
      id: "T9",
      what: "forged, replayed or tampered packets accepted ÷ packets tried",
      goal: 0,
      better: "less",
      sides: { ours: bad, baseline: badPackets },
    }),
  ]);
}

/** One way to cut speech into signed packets, and the gate that checks them. */
class Side {
  #cpuUs = 0;
  #rounds = 0;
  #sequence = 0;
  #tick = 0;
  readonly #perTick: number;
  readonly #opusBytes: number;
  readonly #room = sampleRoom("checking");
  readonly #gates: readonly PacketGate[];

  constructor(bytes: number, perTick: number) {
    this.#opusBytes = bytes;
    this.#perTick = perTick;
    // A gate for each part of a tick: a voice may send 25 packets a second through one.
    this.#gates = Array.from({ length: perTick }, () => new PacketGate(this.#room.crypto, this.#room.view, testNow));
  }

  get msPerSecond(): number {
    return this.#cpuUs / 1000 / ((this.#rounds * ticksPerRound) / 25);
  }

  round(): void {
    const ticks = Array.from({ length: ticksPerRound }, () => this.#sealTick());
    const began = process.cpuUsage();
    for (const packets of ticks) {
      this.#tick++;
      for (const [index, packet] of packets.entries()) {
        const verdict = this.#gates[index]?.admit(packet, millis(testNow + 40 * this.#tick));
        if (verdict?.ok !== true) throw new Error("an honest packet was refused");
      }
    }
    const { user, system } = process.cpuUsage(began);
    this.#cpuUs += user + system;
    this.#rounds++;
  }

  #sealTick(): Uint8Array[] {
    return Array.from({ length: this.#perTick }, () => {
      const sequence = this.#sequence++;
      const opus = new Uint8Array(this.#opusBytes).fill(sequence);
      return this.#room.sealer.seal({ layer: "normal", sequence, capturedAt: testNow, opus, viewMark: 0 });
    });
  }
}

/** Sends replays, packets with a changed bit, and packets of a key that is not on stage under the id of one that is. */
function acceptedOfBad(): number {
  const room = sampleRoom("bad packets");
  const { crypto, keys } = room;
  const stranger = createKeyPair(crypto);
  const forger = new PacketSealer(crypto, keys.carriage.key, stranger.seed, { number: 1, secret: room.secret });
  const gate = new PacketGate(
    crypto,
    sampleView(crypto, keys, { voices: [{ key: room.voiceKey, packetsPerSecond: 25 }] }),
    testNow,
  );
  const rng = new Rng("bad packets");
  const opus = new Uint8Array(opusBytes);
  let accepted = 0;
  let honest = room.sealer.seal({ layer: "normal", sequence: 0, capturedAt: testNow, opus, viewMark: 0 });
  gate.admit(honest, testNow);
  for (let tried = 0; tried < badPackets; tried++) {
    const now = millis(testNow + 40 * (1 + Math.floor(tried / 100)));
    if (tried % 100 === 0) {
      const sequence = 1 + tried / 100;
      honest = room.sealer.seal({ layer: "normal", sequence, capturedAt: testNow, opus, viewMark: 0 });
      if (!gate.admit(honest, now).ok) throw new Error("an honest packet was refused");
    }
    const packet = honest.slice();
    const kind = tried % 3;
    if (kind === 1) packet[rng.int(packet.length)]! ^= 1 << rng.int(8);
    if (kind === 2) {
      const sequence = 1 + tried;
      packet.set(forger.seal({ layer: "normal", sequence, capturedAt: testNow, opus, viewMark: 0 }));
      packet.set(honest.subarray(1, 5), 1);
    }
    if (gate.admit(packet, now).ok) accepted++;
  }
  return accepted;
}
