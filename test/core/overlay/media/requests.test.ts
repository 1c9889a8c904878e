import { describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../../p2p/api/ids.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Requests } from "../../../../p2p/core/overlay/media/requests.ts";
import { type Passed, Spread } from "../../../../p2p/core/overlay/media/spread.ts";
import { samplePacket, sampleRoom, seededCrypto, testNow } from "../../fixtures.ts";
import { type SampleEdge, sampleEdge } from "../edges.ts";

interface Bench {
  readonly requests: Requests;
  readonly parent: SampleEdge;
  readonly child: SampleEdge;
  readonly rejected: string[];
  readonly blamed: number[];
}

function bench(): Bench {
  const edges = new Edges();
  const parent = sampleEdge(1, "up");
  const child = sampleEdge(2, "down");
  edges.add(parent.edge);
  edges.add(child.edge);
  const [rejected, blamed]: [string[], number[]] = [[], []];
  const requests = new Requests(
    edges,
    new Spread(seededCrypto("requests"), edges, { fault: () => undefined, isRetired: () => false }),
    {
      layers: () => "normal",
      reject: (reason) => void rejected.push(reason),
      blame: (_edge, now) => void blamed.push(now),
    },
  );
  return { requests, parent, child, rejected, blamed };
}

/** A packet as it passed the gate: one real packet, under other voices and numbers. */
const passed = ((): Passed => {
  const room = sampleRoom("requests");
  const spread = new Spread(room.crypto, new Edges(), { fault: () => undefined, isRetired: () => false });
  spread.setView(room.view, testNow);
  const packets = [samplePacket(room, 1)];
  return spread.receive(sampleEdge(1, "up").edge, { hops: 1, packets }, testNow)[0]!;
})();

function packetOf(voiceId: number, sequence: number, at: Millis): Passed {
  return { ...passed, voiceId, sequence, at };
}

/** So many microphones talk for some ticks, of which those after `lostFrom` are lost for a while in all of them. */
function talk(
  { requests, parent }: Bench,
  microphones: number,
  ticks: number,
  isLost: (tick: number) => boolean,
): Millis {
  let now: Millis = testNow;
  for (let tick = 0; tick < ticks; tick++) {
    now = millis(testNow + 40 * tick);
    const packets = Array.from({ length: microphones }, (_, voice) => packetOf(voice + 1, tick, now));
    if (!isLost(tick)) requests.arrived(packets, parent.edge, now);
    for (let at: number = now; at < now + 40; at += 10) requests.handleTimeout(millis(at));
  }
  return now;
}

function askedIn({ parent }: Bench): Set<string> {
  const asked = parent.frames.filter((frame) => frame.kind === "request");
  return new Set(asked.flatMap(({ voiceId, sequences }) => sequences.map((sequence) => `${voiceId}/${sequence}`)));
}

describe("requests for single packets", () => {
  it("[OV42] a full stage of twelve: a burst of loss of six ticks is asked for whole", () => {
    const b = bench();
    talk(b, 12, 100, (tick) => tick >= 50 && tick < 56);
    expect(askedIn(b).size).toBe(12 * 6);
  });

  it("[OV42] one packet in six lost of each of twelve voices, for a minute: all are asked for", () => {
    const b = bench();
    talk(b, 12, 1500, (tick) => tick % 6 === 5);
    expect(askedIn(b).size).toBe(12 * 250);
  });

  it("[OV42] whoever asks as much as is allowed to ask is answered all of it; nobody is charged", () => {
    for (const microphones of [1, 6, 12]) {
      const asker = bench();
      const answerer = bench();
      talk(asker, microphones, 1500, (tick) => tick % 3 === 2 || (tick % 100 > 40 && tick % 100 < 50));
      const asked = asker.parent.frames.filter((frame) => frame.kind === "request");
      expect(asked.length).toBeGreaterThan(0);
      let next = 0;
      for (let tick = 0; tick < 1500; tick++) {
        const now = millis(testNow + 40 * tick);
        const packets = Array.from({ length: microphones }, (_, voice) => packetOf(voice + 1, tick, now));
        answerer.requests.arrived(packets, answerer.parent.edge, now);
        // All that was lost until now, as it was asked for.
        while (next < asked.length && Math.max(...asked[next]!.sequences) < tick - 2)
          answerer.requests.answer(answerer.child.edge, asked[next++]!, now);
      }
      expect(answerer.rejected).toEqual([]);
      expect(answerer.blamed).toEqual([]);
    }
  });

  it("[OV42] with one microphone or none open, a neighbour is answered sixty a second; who asks for far more is blamed", () => {
    const b = bench();
    talk(b, 1, 10, () => false);
    const sequences = Array.from({ length: 20 }, (_, sequence) => sequence);
    const ask = (at: number): void =>
      b.requests.answer(
        b.child.edge,
        { kind: "request", voiceId: 1, layer: "normal", sequences },
        millis(testNow + at),
      );
    for (let at = 400; at < 10_400; at += 1000) for (let times = 0; times < 3; times++) ask(at);
    expect(b.rejected).toEqual([]);
    for (let at = 10_400; at < 12_400; at += 50) ask(at);
    expect(b.rejected.length).toBeGreaterThan(20);
    expect(b.blamed.length).toBeGreaterThan(0);
  });
});
