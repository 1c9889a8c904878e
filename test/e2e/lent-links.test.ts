import type { DataChannel } from "node-datachannel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import { NativeChannels } from "../../p2p/io/links/native-channel.ts";
import { negotiateAnswer, negotiateOffer, type WebRtcLink } from "../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc, type NativeWebRtc } from "../../p2p/io/links/wrtc.ts";
import { Collector, describeLink, type LinkFixture } from "../contract/link.ts";
import { UdpProxy, type Way } from "../contract/udp-proxy.ts";
import { watchChannels } from "../contract/watch-channels.ts";
import { LentNetwork } from "./lending.ts";

let network: LentNetwork;
let native: NativeWebRtc;
beforeAll(async () => {
  [network, native] = await Promise.all([LentNetwork.start(), loadNativeWebRtc() as Promise<NativeWebRtc>]);
});
afterAll(() => network.stop());

const volunteer = { id: linkId(1), remote: "bb".repeat(32) as PeerId };
const window = { id: linkId(2), remote: "aa".repeat(32) as PeerId };

interface Pair {
  readonly offering: WebRtcLink;
  readonly answering: WebRtcLink;
  readonly proxy: UdpProxy;
  /** The volunteer's bare channel, for a hostile one. */
  readonly channel: DataChannel | undefined;
}

/** A volunteer's native half and the window's, with one hop in between. */
async function connect(): Promise<Pair> {
  const channels: DataChannel[] = [];
  const offering = negotiateOffer(
    new NativeChannels(watchChannels(native, channels), { bindAddress: "127.0.0.1" }),
    volunteer,
  );
  const answering = negotiateAnswer(network.borrower.channels, await offering.description, window);
  const answer = await answering.description;
  expect(answer.setup).toBe("active");
  offering.accept(answer);
  const proxy = new UdpProxy();
  const { type, candidates } = offering.candidates();
  const port = await proxy.open(candidates[0]?.port ?? 0);
  answering.accept({ type, candidates: candidates.map((candidate) => ({ ...candidate, port })) });
  const [left, right] = await Promise.all([offering.link, answering.link]);
  return { offering: left, answering: right, proxy, channel: channels[0] };
}

function finish({ offering, answering, proxy }: Pair): void {
  offering.abort();
  answering.abort();
  proxy.close();
}

/** The window's end is near: its far end can be made hostile. */
function fixtureOf(pair: Pair): LinkFixture {
  const towardsFar: Way = "to-offer";
  return {
    near: pair.answering,
    far: pair.offering,
    stall: () => (pair.proxy.rule = (way) => (way === towardsFar ? "hold" : "pass")),
    resume: () => {
      pair.proxy.rule = () => "pass";
      pair.proxy.release();
    },
    vanish: () => pair.offering.abort(),
    inject: (bytes) => pair.channel?.sendMessageBinary(new Uint8Array(bytes)),
    dispose: () => finish(pair),
  };
}

describeLink("webrtc, lent by a window", async () => fixtureOf(await connect()), { kind: "webrtc", ordered: false });

describe("webrtc links lent by a window", () => {
  it("close with `protocol` on a text message", async () => {
    const pair = await connect();
    const atAnswering = new Collector(pair.answering);
    const atOffering = new Collector(pair.offering);
    pair.channel?.sendMessage("hello");
    await Promise.all([atAnswering.closed(), atOffering.closed()]);
    expect(atAnswering.order).toEqual(["close"]);
    expect([atAnswering.closes, atOffering.closes]).toEqual([["protocol"], ["lost"]]);
    finish(pair);
  });

  it("are lost with the page, and made again when it is back", async () => {
    const pair = await connect();
    const atAnswering = new Collector(pair.answering);
    await network.page.reload();
    await atAnswering.closed();
    expect(atAnswering.closes).toEqual(["lost"]);
    finish(pair);
    await network.isLent();
    const again = await connect();
    const atOffering = new Collector(again.offering);
    again.answering.send(Uint8Array.of(1, 2, 3));
    await atOffering.count(1);
    finish(again);
  });
});
