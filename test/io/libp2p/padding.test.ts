import { describe, expect, it } from "vitest";
import { socketMessageBytesMax } from "../../../p2p/api/socket.ts";
import { Padding, paddedMessages, paddingBytesMax, payloadBytesMax } from "../../../p2p/io/libp2p/padding.ts";
import { crypto } from "./nodes.ts";

/** Draws this many bytes of padding each time. */
const drawing = (length: number): Padding =>
  new Padding((count) => (count === 1 ? Uint8Array.of(length) : new Uint8Array(count).fill(0xee)));

describe("padding", () => {
  it("carries payloads of every size there and back, and the first four at random lengths", () => {
    for (const size of [1, 2, 28, 255, 65_000, payloadBytesMax]) {
      const [near, far] = [new Padding(crypto.randomBytes), new Padding(crypto.randomBytes)];
      const payloads = Array.from({ length: 6 }, () => crypto.randomBytes(size));
      const messages = payloads.map((payload) => near.wrap(payload));
      expect(messages.map((message) => far.unwrap(message))).toEqual(payloads);
      for (const message of messages.slice(0, paddedMessages)) {
        expect(message.length).toBeGreaterThanOrEqual(size + 2);
        expect(message.length).toBeLessThanOrEqual(Math.min(size + 2 + paddingBytesMax, socketMessageBytesMax));
      }
      for (const message of messages.slice(paddedMessages)) expect(message).toHaveLength(size);
    }
  });

  it("draws every length from 0 to 255", () => {
    const payload = new Uint8Array(20);
    for (let length = 0; length <= paddingBytesMax; length++) {
      // A draw of one byte is also the padding of one byte.
      expect(drawing(length).wrap(payload)).toHaveLength(22 + length);
    }
    const sizes = new Set(Array.from({ length: 500 }, () => new Padding(crypto.randomBytes).wrap(payload).length));
    expect(sizes.size).toBeGreaterThan(100);
  });

  it("counts each direction for itself", () => {
    const both = drawing(7);
    for (let index = 0; index < paddedMessages; index++) both.wrap(Uint8Array.of(1));
    expect(both.wrap(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    expect(both.unwrap(Uint8Array.of(0, 1, 9))).toEqual(Uint8Array.of(9));
  });

  it("refuses frames that are not ours", () => {
    const frames = [
      [],
      [0],
      [0, 0],
      [0, 0, 1],
      [0, 2, 1],
      [0xff, 0xff, 1, 2, 3],
      // More padding than there can be.
      [0, 1, 1, ...new Array<number>(paddingBytesMax + 1).fill(0)],
      [...Buffer.from("\x13/multistream/1.0.0\n")],
    ];
    for (const frame of frames) expect(drawing(0).unwrap(Uint8Array.from(frame))).toBeUndefined();
  });
});
