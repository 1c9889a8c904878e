import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Spread } from "../../../../p2p/core/overlay/media/spread.ts";
import { countingCrypto, samplePacket, sampleRoom, sampleView, testNow } from "../../fixtures.ts";
import { type SampleEdge, sampleEdge } from "../edges.ts";

const sample = sampleRoom("spread");
const crypto = countingCrypto(sample.crypto);
/** A sealer uses no number twice, so every packet is made once, in order. */
const packets = Array.from({ length: 11 }, (_, sequence) => samplePacket(sample, sequence));

function packetOf(sequence: number): Uint8Array {
  return packets[sequence] ?? new Uint8Array(0);
}

interface Bench {
  readonly spread: Spread;
  readonly up: SampleEdge;
  readonly standby: SampleEdge;
  readonly mesh: SampleEdge;
  readonly child: SampleEdge;
  readonly other: SampleEdge;
  readonly idle: SampleEdge;
  /** Who was sent media since it was last asked. */
  sentTo(): string[];
}

function bench(): Bench {
  const edges = new Edges();
  const named = {
    up: sampleEdge(1, "up", { role: "relay" }),
    standby: sampleEdge(2, "up", { role: "relay", feed: false }),
    mesh: sampleEdge(3, "mesh"),
    child: sampleEdge(4, "down"),
    other: sampleEdge(5, "down", { role: "relay" }),
    idle: sampleEdge(6, "down", { feed: false }),
  };
  for (const each of Object.values(named)) edges.add(each.edge);
  const spread = new Spread(crypto, edges, { fault: () => undefined, isRetired: () => false });
  spread.setView(sample.view, testNow);
  const seen = new Map<string, number>();
  const sentTo = (): string[] =>
    Object.entries(named).flatMap(([name, { media }]) => {
      const fresh = media().length - (seen.get(name) ?? 0);
      seen.set(name, media().length);
      return new Array<string>(fresh).fill(name);
    });
  return { spread, ...named, sentTo };
}

describe("media in the tree", () => {
  it("[OV5] from above it goes down every edge that wants it, and nowhere else", () => {
    const { spread, up, sentTo } = bench();
    expect(spread.receive(up.edge, { hops: 1, packets: [packetOf(1)] }, testNow)).toMatchObject([{ hops: 1 }]);
    expect(sentTo()).toEqual(["child", "other"]);
    expect(spread.packetsForwarded).toBe(2);
  });

  it("[OV5] from below it goes up to the parent, across the core, and down to the others", () => {
    const { spread, child, sentTo } = bench();
    spread.receive(child.edge, { hops: 1, packets: [packetOf(1)] }, testNow);
    expect(sentTo()).toEqual(["up", "mesh", "other"]);
  });

  it("[OV5] across the core it goes down only: every one of the core had it from its first", () => {
    const { spread, mesh, sentTo } = bench();
    spread.receive(mesh.edge, { hops: 1, packets: [packetOf(1)] }, testNow);
    expect(sentTo()).toEqual(["child", "other"]);
  });

  it("[OV5] is checked once and forwarded at most once, whoever sends it again", () => {
    const { spread, up, standby, child, mesh, sentTo } = bench();
    const packet = packetOf(1);
    const before = crypto.verifies;
    for (const edge of [up, standby, child, mesh, up])
      spread.receive(edge.edge, { hops: 1, packets: [packet] }, testNow);
    expect(crypto.verifies - before).toBe(1);
    expect(sentTo()).toEqual(["child", "other"]);
    expect(spread.framesDuplicate).toBe(8);
    expect([...spread.rejected]).toEqual([]);
  });

  it("[OV5] what is refused goes nowhere, is not kept, and is counted by its reason", () => {
    const { spread, up, sentTo } = bench();
    const packet = packetOf(1);
    const forged = packet.slice();
    forged[forged.length - 1]! ^= 1;
    expect(spread.receive(up.edge, { hops: 1, packets: [forged] }, testNow)).toEqual([]);
    expect(spread.receive(up.edge, { hops: 1, packets: [packet.subarray(1)] }, testNow)).toEqual([]);
    expect(spread.receive(up.edge, { hops: 32, packets: [packet] }, testNow)).toEqual([]);
    expect(Object.fromEntries(spread.rejected)).toEqual({ signature: 1, malformed: 1, hops: 1 });
    expect(sentTo()).toEqual([]);
    expect(spread.ring.have(testNow)).toEqual([]);
    expect(spread.receive(up.edge, { hops: 31, packets: [packet] }, testNow)).toHaveLength(1);
  });

  it("counts the links it crossed", () => {
    const { spread, up, child } = bench();
    spread.receive(up.edge, { hops: 4, packets: [packetOf(1)] }, testNow);
    expect(child.media()).toMatchObject([{ hops: 5 }]);
    spread.originate([packetOf(2)], [up.edge], testNow);
    expect(child.media().at(-1)).toMatchObject({ hops: 1 });
    expect(up.media()).toMatchObject([{ hops: 1 }]);
  });

  it("[OV5] our own voice goes to the parents named, across the core, and down; and not without a place in the view", () => {
    const { spread, up, standby, sentTo } = bench();
    expect(spread.originate([packetOf(1)], [up.edge, standby.edge], testNow)).toBe(true);
    expect(sentTo()).toEqual(["up", "standby", "mesh", "child", "other"]);
    spread.setView(sampleView(sample.crypto, sample.keys, { sequence: 8, voices: [] }), testNow);
    expect(spread.originate([packetOf(2)], [up.edge], testNow)).toBe(false);
    expect(sentTo()).toEqual([]);
    expect(spread.rejected.get("unknown-voice")).toBe(1);
  });

  it("[OV5] without a view nothing passes", () => {
    const edges = new Edges();
    const { edge } = sampleEdge(1, "up");
    edges.add(edge);
    const spread = new Spread(crypto, edges, { fault: () => undefined, isRetired: () => false });
    expect(spread.receive(edge, { hops: 0, packets: [packetOf(1)] }, testNow)).toEqual([]);
    expect(spread.originate([packetOf(2)], [edge], testNow)).toBe(false);
    expect(spread.rejected.get("no-view")).toBe(2);
  });

  it("[OV17] a leaf is sent the layer it wants, or the low one where there is not room; a relay what it wants", () => {
    const { spread, up, child, other } = bench();
    const { sealer } = sampleRoom("spread");
    let sequence = 0;
    const layersTo = (sample: SampleEdge): string => {
      const before = sample.media().length;
      for (let tick = 0; tick < 3; tick++) {
        sequence++;
        for (const layer of ["normal", "low"] as const) {
          const packet = sealer.seal({ layer, sequence, capturedAt: testNow, opus: new Uint8Array(60), viewMark: 0 });
          spread.receive(up.edge, { hops: 1, packets: [packet] }, millis(testNow + 40 * sequence));
        }
      }
      // The first of a voice goes to everybody: nobody knows yet what else there is of it.
      const sent = sample.media().slice(before).slice(-2);
      return sent.map(({ packet }) => (packet[0] === 0x11 ? "low" : "normal")).join();
    };
    expect(layersTo(child)).toBe("normal,normal");
    child.edge.lowOnly = true;
    // Who speaks does not wait for a second tick.
    child.edge.wish = { layers: "normal", prompt: true, lossy: false };
    expect(layersTo(child)).toBe("low,low");
    other.edge.lowOnly = true;
    expect(layersTo(other)).toBe("normal,normal");
    other.edge.wish = { layers: "both", prompt: false, lossy: false };
    expect(layersTo(other)).toBe("normal,low");
  });

  it("[OV6] a child is replayed what it lacks, once, in order", () => {
    const { spread, up, idle } = bench();
    for (let sequence = 1; sequence <= 10; sequence++) {
      spread.receive(up.edge, { hops: 1, packets: [packetOf(sequence)] }, millis(testNow + 40 * sequence));
    }
    const [have] = spread.ring.have(millis(testNow + 400));
    expect(have?.sequence).toBe(10);
    const voice = have?.voice ?? 0;
    expect(spread.replay(idle.edge, [{ voice, sequence: 7 }], millis(testNow + 400))).toBe(3);
    expect(idle.media().map((frame) => frame.packet)).toEqual([8, 9, 10].map(packetOf));
    // The same wish again, held up on the way, is one and the same.
    expect(spread.replay(idle.edge, [{ voice, sequence: 7 }], millis(testNow + 450))).toBe(0);
    expect(spread.replay(idle.edge, [{ voice, sequence: 10 }], millis(testNow + 550))).toBe(0);
    expect(spread.replay(idle.edge, [], millis(testNow + 700))).toBe(0);
    // From two seconds back, and not from further.
    expect(spread.replay(idle.edge, [{ voice, sequence: 0 }], millis(testNow + 2080))).toBe(9);
  });

  it("[OV6] who asks for everything again and again is replayed eight holes, and one a second", () => {
    const { spread, up, idle } = bench();
    spread.receive(up.edge, { hops: 1, packets: [packetOf(1)] }, testNow);
    const voice = spread.ring.have(testNow)[0]?.voice ?? 0;
    let packets = 0;
    for (let at = 0; at < 2000; at += 100)
      packets += spread.replay(idle.edge, [{ voice, sequence: 0 }], millis(testNow + at));
    expect(packets).toBe(9);
    expect(spread.rejected.get("replay-rate")).toBe(11);
  });
});
