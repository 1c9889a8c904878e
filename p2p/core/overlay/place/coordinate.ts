import type { PeerId } from "../../../api/ids.ts";
import type { ByteReader, ByteWriter } from "../../bytes.ts";

/**
 * Where somebody is, so that the round trip between two who never met can be guessed: a point, and above it a height, the
 * last mile that every way to it crosses (Dabek et al., "Vivaldi", SIGCOMM 2004). In ms.
 */
export interface Coordinate {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly height: number;
  /** How wrong its guesses were lately, as a share of the round trip: 1 knows nothing. */
  readonly error: number;
}

/** Somebody who has not measured anything. */
export const nowhere: Coordinate = { x: 0, y: 0, z: 0, height: 0, error: 1 };
/** From this error on a coordinate says nothing: Vivaldi's own evaluation calls 0.5 a node that has just begun. */
const errorUseful = 0.5;

/** How strongly one measurement moves a coordinate and its error: c_c and c_e of the paper, section 3.3. */
const moveShare = 0.25;
const errorShare = 0.25;
/** Neighbours whose last round trip is kept: each new one settles with all of them, as if they were measured again. */
const neighboursMax = 16;
/** Rounds of settling: after these a change is below the jitter of a round trip. */
const rounds = 8;
/** The largest number its field holds, ms; the way around the world and back takes 400. */
const axisMsMax = 3000;
const heightMsMax = 1000;
/** A last mile takes something: without it two in one place could never be told apart (the paper, section 5.4). */
const heightMsMin = 0.5;
/** A round trip beyond this says that somebody was busy, not where they are. */
const roundTripMsMax = 2000;

/** Bytes of a written coordinate: three axes and a height in ms of 2 bytes each, and the error. */
export const coordinateBytes = 9;

interface Neighbour {
  readonly at: Coordinate;
  readonly roundTripMs: number;
}

/** The guess of a round trip, ms. */
export function roundTripBetween(a: Coordinate, b: Coordinate): number {
  return Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z) + a.height + b.height;
}

/** How far one coordinate is from another of the same peer, ms. */
export function stepBetween(a: Coordinate, b: Coordinate): number {
  return Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z) + Math.abs(a.height - b.height);
}

/** Whether its guesses are worth anything. */
export function isUseful(coordinate: Coordinate): boolean {
  return coordinate.error < errorUseful;
}

/** Finds one's own coordinate from round trips to neighbours who told theirs ([OV18]). */
export class Whereabouts {
  #own: Coordinate = nowhere;
  readonly #neighbours = new Map<PeerId, Neighbour>();
  readonly #random: () => number;

  /** `random`: in [0, 1), for the first step away from somebody in the same place. */
  constructor(random: () => number) {
    this.#random = random;
  }

  get own(): Coordinate {
    return this.#own;
  }

  /** A round trip to a neighbour was measured. One who knows nothing itself teaches nothing, unless nobody knows anything. */
  learn(peer: PeerId, at: Coordinate, roundTripMs: number): void {
    if (!(roundTripMs > 0) || roundTripMs > roundTripMsMax) return;
    this.#neighbours.delete(peer);
    this.#neighbours.set(peer, { at, roundTripMs });
    for (const oldest of this.#neighbours.keys()) {
      if (this.#neighbours.size <= neighboursMax) break;
      this.#neighbours.delete(oldest);
    }
    for (let round = 0; round < rounds; round++) for (const known of this.#neighbours.values()) this.#settle(known);
  }

  /** One step of the paper's algorithm, figure 3. */
  #settle({ at, roundTripMs }: Neighbour): void {
    const own = this.#own;
    const guess = roundTripBetween(own, at);
    const weight = own.error / Math.max(own.error + at.error, 1e-3);
    const sampleError = Math.abs(guess - roundTripMs) / roundTripMs;
    const error = sampleError * errorShare * weight + own.error * (1 - errorShare * weight);
    const force = moveShare * weight * (roundTripMs - guess);
    const away = this.#directionFrom(at);
    this.#own = {
      x: clamp(own.x + force * away.x, axisMsMax),
      y: clamp(own.y + force * away.y, axisMsMax),
      z: clamp(own.z + force * away.z, axisMsMax),
      height: Math.min(heightMsMax, Math.max(heightMsMin, own.height + force * away.height)),
      error: Math.min(1, error),
    };
  }

  /** The unit vector from somebody to here; in a height model heights add up (the paper, section 5.4). */
  #directionFrom(at: Coordinate): Omit<Coordinate, "error"> {
    const [dx, dy, dz] = [this.#own.x - at.x, this.#own.y - at.y, this.#own.z - at.z];
    const plane = Math.hypot(dx, dy, dz);
    if (plane < 1e-6) {
      // In one place: any way is as good as the other.
      const [x, y, z] = [this.#random() - 0.5, this.#random() - 0.5, this.#random() - 0.5];
      const length = Math.max(1e-6, Math.hypot(x, y, z));
      return { x: x / length, y: y / length, z: z / length, height: 1 };
    }
    const whole = plane + this.#own.height + at.height;
    return { x: dx / whole, y: dy / whole, z: dz / whole, height: (this.#own.height + at.height) / whole };
  }
}

/** Writes a coordinate. */
export function writeCoordinate(writer: ByteWriter, { x, y, z, height, error }: Coordinate): void {
  for (const axis of [x, y, z]) writer.u16(Math.round(10 * clamp(axis, axisMsMax)) + 0x8000);
  writer.u16(Math.round(10 * Math.min(heightMsMax, Math.max(0, height)))).u8(Math.round(255 * clamp(error, 1)));
}

/** Reads one; whatever it holds is within bounds. Underrun: see `ByteReader`. */
export function readCoordinate(reader: ByteReader): Coordinate {
  const axis = (): number => clamp((reader.u16() - 0x8000) / 10, axisMsMax);
  const [x, y, z] = [axis(), axis(), axis()];
  return { x, y, z, height: Math.min(heightMsMax, reader.u16() / 10), error: reader.u8() / 255 };
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
