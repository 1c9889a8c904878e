import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DataChannel } from "node-datachannel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkId, type PeerId } from "../../p2p/api/ids.ts";
import { NativeChannels } from "../../p2p/io/links/native-channel.ts";
import { negotiateAnswer, negotiateOffer, type WebRtcLink } from "../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc, nativeObjectsAlive, type NativeWebRtc } from "../../p2p/io/links/wrtc.ts";
import { eventually } from "../eventually.ts";
import { Collector, describeLink, numbered, numberOf, type LinkFixture } from "./link.ts";
import { watchChannels } from "./watch-channels.ts";
import { UdpProxy, type Way } from "./udp-proxy.ts";

// SCTP doubles its patience while the network is stalled, up to seconds.
let native: NativeWebRtc;
beforeAll(async () => {
  native = (await loadNativeWebRtc()) as NativeWebRtc;
  expect(native).toBeDefined();
});
afterAll(async () => {
  await eventually(() => expect(nativeObjectsAlive()).toBe(0));
});

const offerer = { id: linkId(1), remote: "bb".repeat(32) as PeerId };
const answerer = { id: linkId(2), remote: "aa".repeat(32) as PeerId };
const loopback = { bindAddress: "127.0.0.1" };

interface Pair {
  readonly offering: WebRtcLink;
  readonly answering: WebRtcLink;
  readonly proxy: UdpProxy;
  /** The bare channels, for a hostile end. */
  readonly channels: readonly DataChannel[];
}

/** The real thing with one hop in between; the descriptions change hands without a network. */
async function connect(): Promise<Pair> {
  const channels: DataChannel[] = [];
  const halves = new NativeChannels(watchChannels(native, channels), loopback);
  const offering = negotiateOffer(halves, offerer);
  const answering = negotiateAnswer(halves, await offering.description, answerer);
  offering.accept(await answering.description);
  const proxy = new UdpProxy();
  const { type, candidates } = offering.candidates();
  const port = await proxy.open(candidates[0]?.port ?? 0);
  answering.accept({ type, candidates: candidates.map((candidate) => ({ ...candidate, port })) });
  const [left, right] = await Promise.all([offering.link, answering.link]);
  return { offering: left, answering: right, proxy, channels };
}

function fixtureOf(pair: Pair, near: "offering" | "answering"): LinkFixture {
  const far = near === "offering" ? pair.answering : pair.offering;
  const towardsFar: Way = near === "offering" ? "to-answer" : "to-offer";
  return {
    near: pair[near],
    far,
    stall: () => (pair.proxy.rule = (way) => (way === towardsFar ? "hold" : "pass")),
    resume: () => {
      pair.proxy.rule = () => "pass";
      pair.proxy.release();
    },
    vanish: () => far.abort(),
    inject: (bytes) => pair.channels[near === "offering" ? 1 : 0]?.sendMessageBinary(new Uint8Array(bytes)),
    dispose: async () => {
      finish(pair);
      await eventually(() => expect(nativeObjectsAlive()).toBe(0));
    },
  };
}

describeLink("webrtc, from the offering end", async () => fixtureOf(await connect(), "offering"), {
  kind: "webrtc",
  ordered: false,
});
describeLink("webrtc, from the answering end", async () => fixtureOf(await connect(), "answering"), {
  kind: "webrtc",
  ordered: false,
});

describe("webrtc links", () => {
  for (const way of ["to-answer", "to-offer"] as const) {
    const ends = (pair: Pair): [WebRtcLink, WebRtcLink] =>
      way === "to-answer" ? [pair.offering, pair.answering] : [pair.answering, pair.offering];

    it(`let a message overtake one that is late (${way})`, async () => {
      const pair = await connect();
      const [near, far] = ends(pair);
      const atFar = new Collector(far);
      holdOrDropOnce(pair.proxy, way, "hold");
      near.send(numbered(1, 1100));
      near.send(numbered(2, 1100));
      await atFar.count(1);
      expect(atFar.messages.map(numberOf)).toEqual([2]);
      pair.proxy.release();
      await atFar.count(2);
      expect(atFar.messages.map(numberOf)).toEqual([2, 1]);
      finish(pair);
    });

    it(`never send a lost message again (${way})`, async () => {
      const pair = await connect();
      const [near, far] = ends(pair);
      const [atNear, atFar] = [new Collector(near), new Collector(far)];
      holdOrDropOnce(pair.proxy, way, "drop");
      near.send(numbered(1, 1100));
      // A reliable channel sends again after three acknowledgements that report the hole; here are many more.
      for (let round = 2; round < 32; round += 1) {
        near.send(numbered(round, 1100));
        await atFar.until(() => atFar.messages.some((message) => numberOf(message) === round));
        far.send(numbered(round));
        await atNear.until(() => atNear.messages.some((message) => numberOf(message) === round));
      }
      expect(atFar.messages.map(numberOf)).toEqual(Array.from({ length: 30 }, (_, index) => index + 2));
      finish(pair);
    });
  }

  it("close with `protocol` on a text message", async () => {
    const pair = await connect();
    const atOffering = new Collector(pair.offering);
    const atAnswering = new Collector(pair.answering);
    pair.channels[1]?.sendMessage("hello");
    await Promise.all([atOffering.closed(), atAnswering.closed()]);
    expect(atOffering.order).toEqual(["close"]);
    expect(atOffering.closes).toEqual(["protocol"]);
    finish(pair);
  });

  it("give up without a trace when aborted before they are open", async () => {
    const halves = new NativeChannels(native, loopback);
    const offering = negotiateOffer(halves, offerer);
    const answering = negotiateAnswer(halves, await offering.description, answerer);
    await answering.description;
    offering.abort();
    answering.abort();
    await expect(offering.link).rejects.toThrow("unreachable");
    await expect(answering.link).rejects.toThrow("unreachable");
    await eventually(() => expect(nativeObjectsAlive()).toBe(0));
  });

  it("can be made and destroyed fifty times in any order", async () => {
    const links: WebRtcLink[] = [];
    for (let batch = 0; batch < 5; batch += 1) {
      const pairs = await Promise.all(Array.from({ length: 10 }, () => connect()));
      for (const { offering, answering, proxy } of pairs) {
        links.push(offering, answering);
        Promise.all([new Collector(offering).closed(), new Collector(answering).closed()]).then(
          () => proxy.close(),
          () => undefined,
        );
      }
    }
    // 37 has no factor in common with 100: every link once, in an order that looks like none; every third crashes.
    for (let step = 0; step < links.length; step += 1) {
      const link = links[(step * 37) % links.length];
      if (step % 3 === 0) link?.abort();
      else link?.close();
    }
    await eventually(() => expect(nativeObjectsAlive()).toBe(0));
  });

  it("let a process end by itself once they are closed", async () => {
    const script = `
      const { NativeChannels } = await import(${JSON.stringify(sourceOf("native-channel.ts"))});
      const { negotiateAnswer, negotiateOffer } = await import(${JSON.stringify(sourceOf("webrtc-link.ts"))});
      const { loadNativeWebRtc } = await import(${JSON.stringify(sourceOf("wrtc.ts"))});
      const halves = new NativeChannels(await loadNativeWebRtc(), { bindAddress: "127.0.0.1" });
      const a = negotiateOffer(halves, { id: 1, remote: "" });
      const b = negotiateAnswer(halves, await a.description, { id: 1, remote: "" });
      a.accept(await b.description);
      b.accept(a.candidates());
      const [left, right] = await Promise.all([a.link, b.link]);
      right.attach({ onMessage: () => left.close(), onClose: (reason) => console.log(reason) });
      left.send(Uint8Array.of(1));
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (data: Buffer) => (said += data.toString()));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, said.trim()]).toEqual([0, "remote"]);
  });
});

function sourceOf(name: string): string {
  return fileURLToPath(new URL(`../../p2p/io/links/${name}`, import.meta.url));
}

/** Ends a pair at once; a goodbye would have to pass the proxy, which goes too. */
function finish(pair: Pair): void {
  pair.offering.abort();
  pair.answering.abort();
  pair.proxy.close();
}

/** Treats the first large datagram on this way so, and lets pass everything else. */
function holdOrDropOnce(proxy: UdpProxy, way: Way, fate: "hold" | "drop"): void {
  let done = false;
  proxy.rule = (going, bytes) => {
    if (done || going !== way || bytes < 1100) return "pass";
    done = true;
    return fate;
  };
}
