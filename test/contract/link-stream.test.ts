import type { Libp2p, Stream } from "@libp2p/interface";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import { hexOf } from "../../p2p/io/libp2p/address.ts";
import { FrameReader, joinFrames } from "../../p2p/io/links/frames.ts";
import { linkProtocol, StreamLink } from "../../p2p/io/links/stream.ts";
import { Collector, describeLink, numbered, numberOf, turns, type LinkFixture } from "./link.ts";
import { loopbackNode } from "./nodes.ts";

let dialler: Libp2p;
let listener: Libp2p;
let accepted: (stream: Stream) => void = () => undefined;

beforeAll(async () => {
  [dialler, listener] = await Promise.all([loopbackNode(), loopbackNode()]);
  const limitsOfTest = { maxInboundStreams: 1000, maxOutboundStreams: 1000 };
  await listener.handle(linkProtocol, (stream) => accepted(stream), limitsOfTest);
  await dialler.handle(linkProtocol, (stream) => accepted(stream), limitsOfTest);
});

afterAll(async () => {
  await Promise.all([dialler.stop(), listener.stop()]);
});

async function streams(): Promise<[dialled: Stream, taken: Stream]> {
  const incoming = new Promise<Stream>((resolve) => (accepted = resolve));
  const dialled = await dialler.dialProtocol(listener.getMultiaddrs(), linkProtocol);
  return [dialled, await incoming];
}

function fixtureOf(nearStream: Stream, farStream: Stream, nearNode: Libp2p, farNode: Libp2p): LinkFixture {
  return {
    near: new StreamLink(nearStream, { id: linkId(1), remote: hexOf(farNode.peerId) as PeerId }),
    far: new StreamLink(farStream, { id: linkId(2), remote: hexOf(nearNode.peerId) as PeerId }),
    stall: () => farStream.pause(),
    resume: () => farStream.resume(),
    vanish: () => farStream.abort(new Error("vanished")),
    inject: (bytes) => farStream.send(joinFrames([new Uint8Array(bytes)])),
    dispose: () => {
      nearStream.abort(new Error("test is over"));
      farStream.abort(new Error("test is over"));
    },
  };
}

const promises = { kind: "stream", ordered: true } as const;
describeLink(
  "stream, from the dialling end",
  async () => {
    const [dialled, taken] = await streams();
    return fixtureOf(dialled, taken, dialler, listener);
  },
  promises,
);
describeLink(
  "stream, from the accepting end",
  async () => {
    const [dialled, taken] = await streams();
    return fixtureOf(taken, dialled, listener, dialler);
  },
  promises,
);

describe("stream links", () => {
  it("put everything sent within one turn into one write", async () => {
    const [dialled, taken] = await streams();
    const near = new StreamLink(dialled, { id: linkId(1), remote: hexOf(listener.peerId) as PeerId });
    const atFar = new Collector(new StreamLink(taken, { id: linkId(2), remote: hexOf(dialler.peerId) as PeerId }));
    const writes: number[] = [];
    const send = dialled.send.bind(dialled);
    dialled.send = (data) => {
      writes.push(data.byteLength);
      return send(data);
    };
    for (let index = 0; index < 6; index += 1) near.send(numbered(index));
    await atFar.count(6);
    expect(writes).toEqual([6 * 102]);
    near.close();
    await atFar.closed();
  });

  it("say goodbye after the last message, even within one turn", async () => {
    const [dialled, taken] = await streams();
    const near = new StreamLink(dialled, { id: linkId(1), remote: hexOf(listener.peerId) as PeerId });
    const atFar = new Collector(new StreamLink(taken, { id: linkId(2), remote: hexOf(dialler.peerId) as PeerId }));
    near.send(numbered(42));
    near.close();
    await atFar.closed();
    expect(atFar.order).toEqual(["message", "close"]);
    expect(numberOf(atFar.messages[0] ?? new Uint8Array(4))).toBe(42);
  });

  it("leave no stream behind on either side", async () => {
    const open = (): Stream[] =>
      [...dialler.getConnections(), ...listener.getConnections()].flatMap((connection) => connection.streams);
    const [dialled, taken] = await streams();
    const near = new StreamLink(dialled, { id: linkId(1), remote: hexOf(listener.peerId) as PeerId });
    const far = new StreamLink(taken, { id: linkId(2), remote: hexOf(dialler.peerId) as PeerId });
    expect(open()).toEqual(expect.arrayContaining([dialled, taken]));
    const closed = [dialled, taken].map(
      (stream) => new Promise((resolve) => stream.addEventListener("close", resolve, { once: true })),
    );
    near.close();
    await Promise.all(closed);
    expect(far.send(numbered(1))).toBe("closed");
    expect([dialled.status, taken.status]).toEqual(["closed", "closed"]);
    expect(open().includes(dialled) || open().includes(taken)).toBe(false);
  });

  it("lose their connection without a goodbye: `lost` at both ends", async () => {
    const alone = await loopbackNode();
    const incoming = new Promise<Stream>((resolve) => (accepted = resolve));
    const stream = await alone.dialProtocol(listener.getMultiaddrs(), linkProtocol);
    const near = new Collector(new StreamLink(stream, { id: linkId(1), remote: hexOf(listener.peerId) as PeerId }));
    const far = new Collector(new StreamLink(await incoming, { id: linkId(2), remote: hexOf(alone.peerId) as PeerId }));
    for (const connection of alone.getConnections()) connection.abort(new Error("cable pulled"));
    await Promise.all([near.closed(), far.closed()]);
    await turns();
    expect([near.closes, far.closes]).toEqual([["lost"], ["lost"]]);
    await alone.stop();
  });
});

describe("frames", () => {
  it("come out the same however the network cuts them", () => {
    const messages = [numbered(1, 1), numbered(2, 2), numbered(3, 300), numbered(4, 1150)];
    const joined = joinFrames(messages);
    for (const step of [1, 2, 3, 7, 256, joined.length]) {
      const reader = new FrameReader(1150);
      const out: Uint8Array[] = [];
      for (let at = 0; at < joined.length; at += step) {
        expect(reader.push(joined.slice(at, at + step), (frame) => out.push(frame.slice()))).toBe(true);
      }
      expect(out).toEqual(messages);
    }
  });

  it("are refused as soon as the length is read, and for good", () => {
    const reader = new FrameReader(1150);
    const out: Uint8Array[] = [];
    expect(reader.push(Uint8Array.of(0, 1, 9, 0xff, 0xff), (frame) => out.push(frame))).toBe(false);
    expect(out).toEqual([Uint8Array.of(9)]);
    expect(reader.push(joinFrames([Uint8Array.of(1)]), (frame) => out.push(frame))).toBe(false);
    expect(out).toHaveLength(1);
  });
});
