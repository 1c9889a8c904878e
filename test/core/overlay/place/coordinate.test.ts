import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../../../p2p/core/bytes.ts";
import {
  type Coordinate,
  coordinateBytes,
  isUseful,
  nowhere,
  readCoordinate,
  roundTripBetween,
  stepBetween,
  Whereabouts,
  writeCoordinate,
} from "../../../../p2p/core/overlay/place/coordinate.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { peerName } from "../edges.ts";

/** A world of places on a plane, each with a last mile. */
function drawPlaces(rng: Rng, count: number): Coordinate[] {
  return Array.from({ length: count }, () => ({
    x: 300 * rng.next(),
    y: 200 * rng.next(),
    z: 0,
    height: 3 + 20 * rng.next(),
    error: 0,
  }));
}

function settle(rng: Rng, places: readonly Coordinate[], rounds: number): Whereabouts[] {
  const all = places.map(() => new Whereabouts(() => rng.next()));
  for (let round = 0; round < rounds; round++) {
    for (const [a, own] of all.entries()) {
      const b = rng.int(places.length);
      if (a !== b) own.learn(peerName(b), all[b]!.own, roundTripBetween(places[a]!, places[b]!));
    }
  }
  return all;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

describe("coordinates", () => {
  it("[OV18] neighbours find out where they are, and newcomers by four round trips", () => {
    const errors = Array.from({ length: 10 }, (_, seed) => {
      const rng = new Rng(`coordinates ${seed}`);
      const places = drawPlaces(rng, 13);
      const core = settle(rng, places.slice(0, 12), 60);
      const newcomer = new Whereabouts(() => rng.next());
      expect(isUseful(newcomer.own)).toBe(false);
      for (const landmark of [0, 1, 2, 3])
        newcomer.learn(peerName(landmark), core[landmark]!.own, roundTripBetween(places[12]!, places[landmark]!));
      const others = core.slice(4).map((known, index) => {
        const real = roundTripBetween(places[12]!, places[4 + index]!);
        return Math.abs(roundTripBetween(newcomer.own, known.own) - real) / real;
      });
      return median(others);
    });
    expect(median(errors)).toBeLessThan(0.25);
  });

  it("[OV18] nothing that a neighbour says takes anybody out of the world, and a silly round trip teaches nothing", () => {
    const own = new Whereabouts(() => 0.3);
    for (const ms of [0, -5, Number.NaN, Infinity, 60_000]) own.learn(peerName(1), nowhere, ms);
    expect(own.own).toEqual(nowhere);
    const liar = readCoordinate(new ByteReader(new Uint8Array(coordinateBytes).fill(0xff)));
    for (let index = 0; index < 100; index++) own.learn(peerName(index), liar, 1 + index);
    const { x, y, z, height, error } = own.own;
    for (const value of [x, y, z, height]) expect(Math.abs(value)).toBeLessThanOrEqual(3000);
    expect(error).toBeGreaterThanOrEqual(0);
    expect(error).toBeLessThanOrEqual(1);
  });

  it("[OV18] is read as it was written, to a tenth of a millisecond", () => {
    const coordinate = { x: -123.4, y: 0.1, z: 2999.9, height: 7.5, error: 51 / 255 };
    const writer = new ByteWriter();
    writeCoordinate(writer, coordinate);
    const bytes = writer.finish();
    expect(bytes).toHaveLength(coordinateBytes);
    const back = readCoordinate(new ByteReader(bytes));
    expect(stepBetween(back, coordinate)).toBeLessThan(0.1);
    expect(back.error).toBeCloseTo(coordinate.error);
  });
});
