import { describe, expect, it } from "vitest";
import { type LinkId, linkId, millis, type PeerId } from "../../../p2p/api/ids.ts";
import type { LinkKind } from "../../../p2p/api/link.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { encodeFrame, type Frame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { Session } from "../../../p2p/core/session/session.ts";
import type { SessionSignal } from "../../../p2p/core/session/signals.ts";

const id = new Rng("session").bytes(16);
const stream = linkId(1);
const datagrams = linkId(2);

/** One session and what it wanted to do. */
class Bench {
  readonly sent: { readonly link: LinkId; readonly frame: Frame }[] = [];
  readonly closed: LinkId[] = [];
  readonly froze: LinkId[] = [];
  readonly session: Session;

  constructor(dialed: boolean, links: readonly (readonly [LinkId, LinkKind])[] = [[stream, "stream"]]) {
    const wires = {
      send: (link: LinkId, bytes: Uint8Array): void => {
        const frame = parseFrame(bytes);
        if (!frame) throw new Error("sent what is no frame");
        this.sent.push({ link, frame });
      },
      close: (link: LinkId): void => void this.closed.push(link),
      froze: (link: LinkId): void => void this.froze.push(link),
    };
    this.session = new Session(id, "aa".repeat(32) as PeerId, dialed, wires, millis(0));
    for (const [link, kind] of links) this.session.addLink(link, kind, false, millis(0));
  }

  of(kind: Frame["kind"]): { readonly link: LinkId; readonly frame: Frame }[] {
    return this.sent.filter(({ frame }) => frame.kind === kind);
  }

  take(link: LinkId, frame: Frame, at: number): SessionSignal[] {
    return this.session.handleFrame(link, frame, millis(at));
  }

  /** Wakes it whenever it wants to be, up to a time; a machine that wants to be woken for ever fails here. */
  sleepUntil(at: number): void {
    for (let wakes = 0; this.session.deadline().at <= at; wakes++) {
      if (wakes > 1000) throw new Error(`busy: ${this.session.deadline().reason}`);
      const due = this.session.deadline().at;
      if (this.session.isSilent(due)) return;
      this.session.handleTimeout(due);
    }
  }
}

const both: readonly (readonly [LinkId, LinkKind])[] = [
  [stream, "stream"],
  [datagrams, "webrtc"],
];
const tick: Frame = { kind: "tick", nextMs: 200, stalled: false, passing: false };
const packet = encodeFrame({ kind: "media", hops: 0, packet: Uint8Array.of(1) });

describe("sessions", () => {
  it("[SS2] a resend takes the next link, since the first may be frozen", () => {
    const { session, of } = bind(new Bench(false, both));
    session.sendReliable(Uint8Array.of(1), millis(0));
    expect(of("fragment").map(({ link }) => link)).toEqual([stream]);
    session.handleTimeout(millis(1000));
    expect(of("fragment").map(({ link }) => link)).toEqual([stream, datagrams]);
    session.handleTimeout(millis(3000));
    expect(of("fragment").map(({ link }) => link)).toEqual([stream, datagrams, stream]);
  });

  it("[SS5] a link that we add says whose it is, serves once that is answered, and asks again for a lost answer", () => {
    const bench = new Bench(true);
    bench.session.addLink(datagrams, "webrtc", true, millis(0));
    expect(bench.sent).toEqual([{ link: datagrams, frame: { kind: "attach", session: id } }]);
    bench.session.sendMedia(packet, millis(10));
    expect(bench.of("media")).toMatchObject([{ link: stream }]);
    bench.session.handleTimeout(millis(299));
    expect(bench.of("attach")).toHaveLength(1);
    bench.session.handleTimeout(millis(300));
    expect(bench.of("attach")).toHaveLength(2);
    bench.take(datagrams, { kind: "attached", session: id }, 310);
    bench.session.sendMedia(packet, millis(320));
    expect(bench.of("media").at(-1)).toMatchObject({ link: datagrams });
    bench.session.handleTimeout(millis(610));
    expect(bench.of("attach")).toHaveLength(2);
  });

  it("[SS5] a link whose attach nobody answers is closed", () => {
    const bench = new Bench(true);
    bench.session.addLink(datagrams, "webrtc", true, millis(0));
    for (let at = 0; at <= 3000; at += 200) {
      bench.take(stream, tick, at);
      bench.sleepUntil(at);
    }
    expect(bench.closed).toEqual([datagrams]);
    expect(bench.session.linkIds).toEqual([stream]);
  });

  it("[SS6] [SS10] what was on the way is sent again on the link that remains; without one the session waits", () => {
    const { session, of } = bind(new Bench(false, both));
    session.sendReliable(Uint8Array.of(1), millis(0));
    session.sendReliable(Uint8Array.of(2), millis(0));
    expect(of("fragment").map(({ link }) => link)).toEqual([stream, stream]);
    expect(session.removeLink(stream, millis(50))).toBe(true);
    expect(of("fragment").slice(2)).toMatchObject([
      { link: datagrams, frame: { sequence: 0 } },
      { link: datagrams, frame: { sequence: 1 } },
    ]);
    expect(session.removeLink(datagrams, millis(60))).toBe(false);
    expect(session.sendMedia(packet, millis(70))).toBe(false);
    expect(session.isSevered).toBe(true);
    session.sendReliable(Uint8Array.of(3), millis(80));
    const before = of("fragment").length;
    expect(session.isSilent(millis(9999))).toBe(false);
    expect(session.isOver(millis(9999))).toBe(false);
    session.addLink(stream, "stream", false, millis(5000));
    const again = of("fragment").slice(before);
    expect(again.map(({ frame }) => (frame.kind === "fragment" ? frame.sequence : -1))).toEqual([0, 1, 2]);
  });

  it("[SS10] the side that dialed waits 8 s for a new link, the other 10 s since it heard, and its place for 3 s", () => {
    const below = new Bench(true);
    below.take(stream, tick, 100);
    below.session.removeLink(stream, millis(500));
    expect(below.session.deadline().at).toBe(8500);
    expect(below.session.isSilent(millis(8499))).toBe(false);
    expect(below.session.isOver(millis(8499))).toBe(false);
    expect(below.session.isOver(millis(8500))).toBe(true);
    const above = new Bench(false);
    above.take(stream, tick, 100);
    above.session.removeLink(stream, millis(500));
    expect(above.session.deadline().at).toBe(3500);
    above.session.handleTimeout(millis(3499));
    expect(above.session.keepsPlace).toBe(true);
    above.session.handleTimeout(millis(3500));
    expect(above.session.keepsPlace).toBe(false);
    expect(above.session.deadline().at).toBe(10_100);
    expect(above.session.isOver(millis(10_099))).toBe(false);
    expect(above.session.isOver(millis(10_100))).toBe(true);
    above.session.addLink(datagrams, "stream", false, millis(5000));
    expect(above.session.keepsPlace).toBe(true);
  });

  it("[SS10] [SS5] on a stream everything follows the attach at once, and an older stream is closed", () => {
    const bench = new Bench(true);
    bench.session.sendReliable(Uint8Array.of(1), millis(0));
    bench.sent.splice(0);
    bench.session.addLink(datagrams, "stream", true, millis(10));
    expect(bench.closed).toEqual([stream]);
    expect(bench.sent.map(({ link, frame }) => [link, frame.kind])).toEqual([
      [datagrams, "attach"],
      [datagrams, "fragment"],
    ]);
    expect(bench.session.isDoubtful).toBe(false);
    expect(bench.take(datagrams, { kind: "attached", session: id }, 20)).toEqual([{ kind: "attached" }]);
  });

  it("[SS6] a link that is added continues where the last one fell", () => {
    const { session, of } = bind(new Bench(false, []));
    session.sendReliable(Uint8Array.of(1), millis(0));
    expect(of("fragment")).toEqual([]);
    session.addLink(stream, "stream", false, millis(10));
    expect(of("fragment")).toMatchObject([{ link: stream, frame: { sequence: 0 } }]);
  });

  it("[SS7] media goes by data channel where there is one, papers by the stream", () => {
    const { session, of } = bind(new Bench(false, both));
    session.sendMedia(packet, millis(0));
    session.sendReliable(Uint8Array.of(1), millis(0));
    expect(of("media")).toMatchObject([{ link: datagrams }]);
    expect(of("fragment")).toMatchObject([{ link: stream }]);
    expect(session.mediaKind).toBe("webrtc");
    session.removeLink(datagrams, millis(0));
    expect(session.mediaKind).toBe("stream");
  });

  it("[SS7] the side below gives a data channel up that is silent for 900 ms beside a live stream", () => {
    const below = new Bench(true, both);
    for (let at = 0; at < 900; at += 100) {
      below.take(stream, tick, at);
      below.sleepUntil(at);
    }
    expect(below.closed).toEqual([]);
    below.session.handleTimeout(millis(899));
    expect(below.closed).toEqual([]);
    below.session.handleTimeout(millis(900));
    expect(below.closed).toEqual([datagrams]);
    expect(below.session.isSilent(millis(900))).toBe(false);
  });

  it("[SS7] [SS12] a stream that is silent for 4 s beside a live data channel is given up as frozen; a channel that is all there is, is not", () => {
    const quiet = new Bench(true, both);
    for (let at = 0; at < 4000; at += 100) {
      quiet.take(datagrams, tick, at);
      quiet.sleepUntil(at);
    }
    expect(quiet.closed).toEqual([]);
    quiet.session.handleTimeout(millis(4000));
    expect(quiet.closed).toEqual([stream]);
    expect(quiet.froze).toEqual([stream]);
    expect(quiet.session.isSilent(millis(4000))).toBe(false);
    expect(quiet.session.isDoubtful).toBe(false);
    const alone = new Bench(true, [[datagrams, "webrtc"]]);
    alone.session.handleTimeout(millis(950));
    expect(alone.closed).toEqual([]);
  });

  it.each([
    { side: "downwards", dialed: false, tickMs: 200, silenceMs: 10_000 },
    { side: "upwards", dialed: true, tickMs: 2000, silenceMs: 1000 },
  ])("[SS8] ticks $side on every link every $tickMs ms; silence ends the edge after $silenceMs ms", (facts) => {
    const { tickMs, silenceMs } = facts;
    const bench = new Bench(facts.dialed, both);
    bench.session.handleTimeout(millis(tickMs - 1));
    expect(bench.of("tick")).toEqual([]);
    bench.session.handleTimeout(millis(tickMs));
    expect(bench.of("tick").map(({ link }) => link)).toEqual(facts.dialed ? [stream] : [stream, datagrams]);
    const talking = new Bench(facts.dialed);
    talking.session.sendMedia(packet, millis(tickMs - 1));
    talking.session.handleTimeout(millis(tickMs));
    expect(talking.of("tick")).toEqual([]);
    talking.take(stream, tick, 500);
    expect(talking.session.isSilent(millis(500 + silenceMs - 1))).toBe(false);
    expect(talking.session.isSilent(millis(500 + silenceMs))).toBe(true);
    expect(talking.session.deadline().at).toBeLessThanOrEqual(500 + silenceMs);
  });

  it("[SS8] time during which our own process stood still does not count as silence", () => {
    const bench = new Bench(true, both);
    bench.take(stream, tick, 100);
    bench.take(datagrams, tick, 100);
    bench.session.forgive(30_000, millis(30_200));
    expect(bench.session.isSilent(millis(30_200))).toBe(false);
    bench.session.handleTimeout(millis(30_200));
    expect(bench.closed).toEqual([]);
    expect(bench.session.isSilent(millis(31_100))).toBe(true);
    // Never more than up to now: nobody is given time that has not passed.
    bench.session.forgive(90_000, millis(31_200));
    expect(bench.session.isSilent(millis(32_200))).toBe(true);
  });

  it("[SS8] when one link upwards was lost, the others must be heard on within 300 ms", () => {
    const doubted = new Bench(true, both);
    doubted.take(datagrams, tick, 100);
    doubted.session.removeLink(stream, millis(200));
    expect(doubted.session.isDoubtful).toBe(true);
    expect(doubted.session.isSilent(millis(499))).toBe(false);
    expect(doubted.session.isSilent(millis(500))).toBe(true);
    expect(doubted.session.deadline().at).toBeLessThanOrEqual(500);
    const alive = new Bench(true, both);
    alive.session.removeLink(stream, millis(200));
    alive.take(datagrams, tick, 300);
    expect(alive.session.isDoubtful).toBe(false);
    expect(alive.session.isSilent(millis(1299))).toBe(false);
    const below = new Bench(false, both);
    below.session.removeLink(stream, millis(200));
    expect(below.session.isSilent(millis(9000))).toBe(false);
  });

  it("[SS8] a link that is idle while the other carries everything gets a tick every second downwards", () => {
    const bench = new Bench(false, both);
    for (let at = 40; at <= 2000; at += 40) {
      bench.session.sendMedia(packet, millis(at));
      bench.session.handleTimeout(millis(at));
    }
    expect(bench.of("tick").map(({ link }) => link)).toEqual([stream, stream]);
  });

  it("[OV16] who is quiet ticks every 2 s downwards too, and is silent after 8 s", () => {
    const above = new Bench(false);
    above.session.quiet = true;
    above.session.handleTimeout(millis(1999));
    expect(above.of("tick")).toEqual([]);
    above.session.handleTimeout(millis(2000));
    expect(above.of("tick")).toHaveLength(1);
    const below = new Bench(true);
    below.session.quiet = true;
    expect(below.session.isSilent(millis(7999))).toBe(false);
    expect(below.session.isSilent(millis(8000))).toBe(true);
  });

  it("[SS12] papers go by data channel where streams freeze", () => {
    const { session, of } = bind(new Bench(true, both));
    session.prefersDatagrams = true;
    session.sendReliable(Uint8Array.of(1), millis(0));
    expect(of("fragment").map(({ link }) => link)).toEqual([datagrams]);
  });

  it("ends with a goodbye on every link", () => {
    const bench = new Bench(false, both);
    bench.session.end();
    expect(bench.of("bye").map(({ link }) => link)).toEqual([stream, datagrams]);
    expect(bench.closed).toEqual([stream, datagrams]);
    expect(bench.take(stream, { kind: "bye" }, 10)).toEqual([{ kind: "bye" }]);
  });

  it("[SS3] too long a message breaks the session, and so does an opening frame in the middle of it", () => {
    const bench = new Bench(false);
    const bytes = new Uint8Array(1100);
    const signals = Array.from({ length: 64 }, (_, sequence) =>
      bench.take(stream, { kind: "fragment", sequence, last: false, bytes }, 0),
    );
    expect(signals.flat()).toContainEqual({ kind: "broken" });
    expect(new Bench(false).take(stream, { kind: "welcome", session: id, time: 0, hops: 0 }, 0)).toEqual([
      { kind: "broken" },
    ]);
  });
});

function bind(bench: Bench): { session: Session; of: Bench["of"] } {
  return { session: bench.session, of: (kind) => bench.of(kind) };
}
