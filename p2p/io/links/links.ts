import type { Connection, Libp2p, PeerId as Libp2pPeerId, Stream } from "@libp2p/interface";
import type { Channels } from "../../api/channel.ts";
import { linkId, type PeerId } from "../../api/ids.ts";
import type { Link, RelayAddress } from "../../api/link.ts";
import type { LendingRefusal } from "../../api/socket.ts";
import type { WayFailure } from "../../api/way.ts";
import type { Links } from "../../engine/ports.ts";
import { hexOf, peerIdOf, peerIdOfHex, toMultiaddrs } from "../libp2p/address.ts";
import { causesOf, RouteError, wayFailureOf } from "../routes/failure.ts";
import type { Routes } from "../routes/routes.ts";
import { withDialledAddress } from "./description.ts";
import { NativeChannels } from "./native-channel.ts";
import { signalProtocol, Signalling } from "./signal.ts";
import { linkProtocol, StreamLink, type LinkEnd } from "./stream.ts";
import { negotiateAnswer, negotiateOffer, type WebRtcLink } from "./webrtc-link.ts";
import { loadNativeWebRtc, type WrtcOptions } from "./wrtc.ts";

/** Why a link could not be had: the message of the Error that `dial` and `upgrade` reject with. */
export type LinkFailure = WayFailure | "protocol" | "refused" | "aborted" | LendingRefusal;

/** How links are made. */
export interface LinksOptions extends WrtcOptions {
  /** Whether WebRTC links may be made here. Default true, where there is a library for them. */
  readonly webrtc?: boolean;
  /** Who answers volunteers: the window. Then we offer only with `offers`. Natively, both, when left out. */
  readonly answers?: Channels;
  /** Whether others may ask us for an offer, which is made natively. Default: where nobody lends us answers. */
  readonly offers?: boolean;
  /** Which addresses of others may be dialed, and whether data channels may be had now. Any and always, when left out. */
  readonly routes?: Pick<Routes, "admitted" | "allowsUdp" | "mayUpgrade" | "upgraded">;
  /** WebRTC links that others may open here, in all. Default 512: 150 MB of idle ones (measured 300 kB each). */
  readonly webrtcLinksMax?: number;
}

/** Streams of links on one connection, each way: two volunteers may share that many rooms, each with one link or two. */
const linkStreamsMax = 64;
/** Conversations about WebRTC on one connection at a time: one, its repetition, and the same from a second session. */
const signalStreamsMax = 4;
/** Offers that may wait for their answer here; each holds a certificate and a socket. */
const negotiationsMax = 32;
/** WebRTC links that one peer may hold here: its parent and backup links of a few sessions. */
const webrtcLinksPerPeerMax = 8;
/** A dial, with TCP, TLS, WebSocket, Noise and yamux: nine round trips, of 600 ms on the worst road, with one repetition. */
const dialMs = 10_000;
/** From asking for an offer to an open channel: eight round trips. UDP that has not answered by then is blocked. */
const upgradeMs = 10_000;
/** How long a connection that we dialled is kept without a stream: long enough for the next link to use it. */
const idleConnectionMs = 5_000;

/** The engine's `Links` over one libp2p node, with a life of its own. */
export class NodeLinks implements Links {
  readonly #node: Libp2p;
  readonly #options: LinksOptions;
  readonly #listeners: ((link: Link) => void)[] = [];
  readonly #open = new Set<Link>();
  readonly #dialled = new WeakSet<Connection>();
  readonly #stopping = new AbortController();
  #offers: NativeChannels | undefined;
  #answers: Channels | undefined;
  #nextId = 1;
  /** Who is being offered a link right now, once for each conversation. */
  readonly #offering: (PeerId | undefined)[] = [];

  constructor(node: Libp2p, options: LinksOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** Begins to take links that others open. Resolves when they can. Call `onLink` before. */
  async start(): Promise<void> {
    if (this.#options.webrtc !== false) await this.#findWebRtc();
    // A relayed connection (libp2p's "limited") would be cut after two minutes; links are never run over one.
    await this.#node.handle(linkProtocol, (stream, connection) => this.#onLinkStream(stream, connection), {
      maxInboundStreams: linkStreamsMax,
      maxOutboundStreams: linkStreamsMax,
    });
    await this.#node.handle(signalProtocol, (stream, connection) => void this.#onSignalStream(stream, connection), {
      maxInboundStreams: signalStreamsMax,
      maxOutboundStreams: signalStreamsMax,
    });
  }

  /** Native WebRTC is not even loaded where the window's is used for everything. */
  async #findWebRtc(): Promise<void> {
    const { answers, offers = answers === undefined } = this.#options;
    const module = offers || answers === undefined ? await loadNativeWebRtc() : undefined;
    const native = module === undefined ? undefined : new NativeChannels(module, this.#options);
    this.#offers = offers ? native : undefined;
    this.#answers = answers ?? native;
  }

  /** Closes every link with a goodbye and gives up what is being made. No link is handed out after it. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("aborted"));
    await this.#node.unhandle([linkProtocol, signalProtocol]);
    for (const link of this.#open) link.close();
  }

  onLink(listener: (link: Link) => void): void {
    this.#listeners.push(listener);
  }

  async dial(target: RelayAddress, signal: AbortSignal, fresh = false): Promise<Link> {
    const within = AbortSignal.any([signal, this.#stopping.signal, AbortSignal.timeout(dialMs)]);
    try {
      within.throwIfAborted();
      const remote = peerIdOf(target.key);
      // What froze would take the new stream too, and answer nothing.
      if (fresh) for (const old of this.#node.getConnections(remote)) old.abort(new Error("frozen"));
      const existing = this.#connectionTo(remote);
      const connection = existing ?? (await this.#connect(target, within));
      try {
        const stream = await connection.newStream(linkProtocol, { signal: within });
        return this.#hold(
          (end) => new StreamLink(stream, end),
          remote,
          () => this.#leave(connection),
        );
      } catch (error) {
        this.#leave(connection);
        throw error;
      }
    } catch (error) {
      throw dialFailure(error) ?? failure(error, within);
    }
  }

  async upgrade(remote: PeerId, signal: AbortSignal): Promise<Link> {
    const { routes } = this.#options;
    if (routes?.mayUpgrade() === false) throw new Error("refused");
    try {
      const link = await this.#upgrade(remote, signal);
      routes?.upgraded(undefined);
      return link;
    } catch (error) {
      // A refusal or a goodbye says nothing of the network, nor does the end of the connection over which it was agreed on.
      const failed = wayFailureOf(error);
      const stands = this.#connectionTo(peerIdOfHex(remote)) !== undefined;
      if (stands && (failed === "timeout" || failed === "unreachable")) routes?.upgraded(failed);
      throw error;
    }
  }

  async #upgrade(remote: PeerId, signal: AbortSignal): Promise<Link> {
    const within = AbortSignal.any([signal, this.#stopping.signal, AbortSignal.timeout(upgradeMs)]);
    try {
      return await this.#upgradeOnce(remote, within);
    } catch (error) {
      // About one cold connect in 750 fails inside the library; a refusal, or lack of time, is not that.
      if (within.aborted || failure(error, within).message !== "unreachable") throw failure(error, within);
    }
    try {
      return await this.#upgradeOnce(remote, within);
    } catch (error) {
      throw failure(error, within);
    }
  }

  async #upgradeOnce(remote: PeerId, within: AbortSignal): Promise<Link> {
    const answers = this.#answers;
    if (answers === undefined) throw new Error("refused");
    within.throwIfAborted();
    const peer = peerIdOfHex(remote);
    const connection = this.#connectionTo(peer);
    if (connection === undefined) throw new Error("unreachable");
    const signalling = new Signalling(await connection.newStream(signalProtocol, { signal: within }));
    let negotiation: { abort(): void } | undefined;
    try {
      signalling.send({ type: "please" });
      const offer = await signalling.next(["offer", "refuse"], within);
      if (offer.type === "refuse") throw new Error("refused");
      const made = this.#negotiating(peer, (end) => negotiateAnswer(answers, offer, end));
      const { negotiation: answering } = made;
      negotiation = answering;
      signalling.send(await orAborted(answering.description, within));
      const candidates = await signalling.next(["candidates"], within);
      this.#stillAllowed();
      answering.accept(withDialledAddress(candidates, hostOf(connection)));
      const link = await orAborted(Promise.race([answering.link, brokenOff(signalling)]), within);
      this.#stillAllowed();
      signalling.close();
      return made.keep(link);
    } catch (error) {
      negotiation?.abort();
      signalling.abort();
      throw error;
    }
  }

  /** Throws when a way without data channels was chosen while one was being made. */
  #stillAllowed(): void {
    if (this.#options.routes?.allowsUdp === false) throw new Error("refused");
  }

  #onLinkStream(stream: Stream, connection: Connection): void {
    if (this.#stopping.signal.aborted || hexOf(connection.remotePeer) === undefined) {
      stream.abort(new Error("refused"));
      return;
    }
    this.#announce(this.#hold((end) => new StreamLink(stream, end), connection.remotePeer));
  }

  async #onSignalStream(stream: Stream, connection: Connection): Promise<void> {
    const signalling = new Signalling(stream);
    const within = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(upgradeMs)]);
    let negotiation: { abort(): void } | undefined;
    const offers = this.#offers;
    const name = hexOf(connection.remotePeer);
    const refusal = this.#refusal(name);
    this.#offering.push(name);
    try {
      await signalling.next(["please"], within);
      if (refusal !== undefined || offers === undefined) {
        signalling.send({ type: "refuse", reason: refusal ?? "off" });
        signalling.close();
        return;
      }
      const made = this.#negotiating(connection.remotePeer, (end) => negotiateOffer(offers, end));
      const { negotiation: offering } = made;
      negotiation = offering;
      signalling.send(await orAborted(offering.description, within));
      offering.accept(await signalling.next(["answer"], within));
      signalling.send(offering.candidates());
      const link = await orAborted(Promise.race([offering.link, brokenOff(signalling)]), within);
      this.#stillAllowed();
      signalling.close();
      this.#announce(made.keep(link));
    } catch {
      // Whoever asked for the link hears of it by the broken conversation and counts it; here nothing was promised.
      negotiation?.abort();
      signalling.abort();
    } finally {
      this.#offering.splice(this.#offering.indexOf(name), 1);
    }
  }

  #refusal(name: PeerId | undefined): "off" | "full" | undefined {
    if (this.#offers === undefined || this.#options.routes?.allowsUdp === false) return "off";
    if (this.#offering.length >= negotiationsMax) return "full";
    const held = [...this.#open]
      .filter((link) => link.kind === "webrtc")
      .map((link) => link.remote as PeerId | undefined);
    held.push(...this.#offering);
    if (held.length >= (this.#options.webrtcLinksMax ?? 512)) return "full";
    return held.filter((remote) => remote === name).length >= webrtcLinksPerPeerMax ? "full" : undefined;
  }

  #negotiating<Made>(remote: Libp2pPeerId, begin: (end: LinkEnd) => Made) {
    let kept: WebRtcLink | undefined;
    let ended = false;
    const onEnd = (): void => {
      ended = true;
      if (kept !== undefined) this.#open.delete(kept);
    };
    const negotiation = begin({ ...this.#endOf(remote), onEnd });
    const keep = (link: WebRtcLink): WebRtcLink => {
      kept = link;
      if (!ended) this.#open.add(link);
      return link;
    };
    return { negotiation, keep };
  }

  #hold(make: (end: LinkEnd) => Link, remote: Libp2pPeerId, onEnd?: () => void): Link {
    // A stream may have ended before its link is made.
    let ended = false;
    const holder: { link?: Link } = {};
    const made = make({
      ...this.#endOf(remote),
      onEnd: () => {
        ended = true;
        if (holder.link !== undefined) this.#open.delete(holder.link);
        onEnd?.();
      },
    });
    holder.link = made;
    if (!ended) this.#open.add(made);
    return made;
  }

  #endOf(remote: Libp2pPeerId): LinkEnd {
    const name = hexOf(remote);
    if (name === undefined) throw new Error("wrong key");
    return { id: linkId(this.#nextId++), remote: name };
  }

  #announce(link: Link): void {
    if (this.#listeners.length === 0 || this.#stopping.signal.aborted) link.close();
    for (const listener of this.#listeners) listener(link);
  }

  #connectionTo(remote: Libp2pPeerId): Connection | undefined {
    return this.#node.getConnections(remote).find(({ status, limits }) => status === "open" && limits === undefined);
  }

  async #connect(target: RelayAddress, signal: AbortSignal): Promise<Connection> {
    const named = toMultiaddrs(target);
    const addresses = this.#options.routes?.admitted(named) ?? named;
    if (addresses.length === 0) throw new Error("unreachable");
    const connection = await this.#node.dial(addresses, { signal });
    this.#dialled.add(connection);
    return connection;
  }

  /** Hangs up a connection of our own dialling once nothing uses it any more. */
  #leave(connection: Connection): void {
    if (!this.#dialled.has(connection)) return;
    const timer = setTimeout(() => {
      if (connection.status === "open" && connection.streams.length === 0) connection.close().catch(() => undefined);
    }, idleConnectionMs);
    timer.unref();
  }
}

/** Makes the links of a node. `start` before the node is announced to anybody, `stop` before the node stops. */
export function createLinks(node: Libp2p, options: LinksOptions = {}): NodeLinks {
  return new NodeLinks(node, options);
}

/** The IP address at which the far end is, as the connection shows; empty when it was reached by a name. */
function hostOf(connection: Connection): string {
  return connection.remoteAddr.getComponents().find(({ name }) => name === "ip4" || name === "ip6")?.value ?? "";
}

/** Rejects when the conversation ends in any way but a friendly close, which may overtake the opening of the channel. */
async function brokenOff(signalling: Signalling): Promise<never> {
  const reason = await signalling.ended;
  if (reason === "closed") return new Promise<never>(() => undefined);
  throw new Error(reason === "protocol" ? "protocol" : "unreachable");
}

function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) give();
    signal.addEventListener("abort", give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}

const ours: ReadonlySet<string> = new Set(["unreachable", "wrong key", "timeout", "protocol", "refused", "aborted"]);

/** What the window says instead of a connection; libp2p passes it on among the causes. */
const refusals: ReadonlySet<string> = new Set<LendingRefusal>(["no window", "not in this browser", "too many"]);

/** One of our few reasons for whatever went wrong below; nothing of an address or a name is in it. */
function failure(error: unknown, within: AbortSignal): Error {
  const causes = causesOf(error);
  const names = causes.map(({ name }) => name);
  const reason = (): LinkFailure => {
    if (error instanceof Error && ours.has(error.message)) return error.message as LinkFailure;
    const refusal = causes.find(({ message }) => refusals.has(message));
    if (refusal !== undefined) return refusal.message as LendingRefusal;
    if (within.aborted) return (within.reason as Error | undefined)?.name === "TimeoutError" ? "timeout" : "aborted";
    if (names.includes("TimeoutError")) return "timeout";
    if (names.includes("UnsupportedProtocolError")) return "protocol";
    if (names.some((name) => name.startsWith("TooMany"))) return "refused";
    return "unreachable";
  };
  // Without the cause: it names addresses, and whoever counts or prints reasons must not.
  return new Error(reason());
}

/** What only routes know: that it was not tried, or that somebody else answered. Undefined for everything else. */
function dialFailure(error: unknown): RouteError | undefined {
  const failed = wayFailureOf(error);
  if (failed === "unreachable" || failed === "timeout" || failed === "other") return undefined;
  const afterMs = causesOf(error).map((cause) => (cause instanceof RouteError ? cause.afterMs : 0));
  return new RouteError(failed, Math.max(0, ...afterMs));
}
