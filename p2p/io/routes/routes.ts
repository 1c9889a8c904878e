import type { Connection, DialTransportOptions, Transport } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import { multiaddr } from "@multiformats/multiaddr";
import type { Profile } from "../../api/engine.ts";
import type { PeerId } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import type { Socket, SocketRoute, Sockets } from "../../api/socket.ts";
import type { ChosenWay, Rung, WayChoice, WayFailure } from "../../api/way.ts";
import type { Ways } from "../../engine/ports.ts";
import { toHex } from "../../core/bytes.ts";
import { parseProxy } from "../proxy/url.ts";
import { addressClass } from "./address-class.ts";
import { DialBudget } from "./budget.ts";
import { RouteError, strangers, wayFailureOf } from "./failure.ts";
import { Ladder, networkFingerprint } from "./ladder.ts";
import type { LadderChoice } from "./ladder.ts";

/** How long a straight socket may take when a proxy waits to be tried after it: a dial has 10 s. */
const firstWayMsMax = 4_000;
/** Strangers kept in mind, for the invites of this run. */
const strangersMax = 4096;

/** How the routes of one run are made. */
export interface RoutesOptions {
  readonly profile: Profile;
  /** Multiaddrs a person gave: one in a local network says that its addresses may be dialed. */
  readonly bootstrap?: readonly string[];
  /** Throws `TeahouseError` `proxy-damaged` from the constructor. */
  readonly way?: WayChoice;
  /**
   * Whether an invite that leads into local networks alone is followed there. Else only with profile or way `lan`. Default
   * true.
   */
  readonly local?: boolean;
  /** Milliseconds that do not step back, and what names the network; the real ones when left out. */
  readonly now?: () => number;
  readonly network?: () => string;
}

/** What routes need of the node above them. */
export interface RoutedNode {
  /** Where others reach it. */
  addresses(): readonly Multiaddr[];
  /** Hangs up what it dialed, so that the next connection goes the way chosen. */
  hangUp(): void;
  /** Has so many bytes sent back by a peer that is connected. Rejects when they stop coming. */
  transfer(remote: PeerId, bytes: number, signal: AbortSignal): Promise<void>;
}

/** What a multiaddr leads to, as far as the dial budget cares. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Everything that decides how, and whether, this run dials: the address gate, the dial budget, the ladder with its memory,
 * and who turned out to be a stranger. One for a run; nodes come and go below it.
 *
 * The gate. An invite, card or gossip may lead only to public addresses: never to a name (it would be asked for in
 * clear), never to a special address, and to a local one (loopback, private) only
 * - with profile or way `lan`;
 * - when a person gave a local address as `--bootstrap`;
 * - when every address of the invite or of the cards is local: then it was made in this network, or for this computer, and
 *   leads nowhere else. One public address in it, and the local ones point aside;
 * - for a volunteer, which enters no room: when it is itself reached at local addresses alone.
 * Even then whoever answers there without being the relay has seen one request, and sees no second.
 */
export class Routes implements Ways {
  readonly #options: RoutesOptions;
  readonly #now: () => number;
  readonly #budget: DialBudget;
  readonly #ladder: Ladder;
  readonly #failures = new Map<Rung, Map<WayFailure, number>>();
  readonly #strangers = new Set<string>();
  readonly #bootstrapLocal: boolean;
  #scope = "";
  #scopeLocal: boolean | undefined;
  #node: RoutedNode | undefined;
  #stream: Rung | undefined;
  /** Aborts what is being dialed by a choice that was replaced. */
  #choosing = new AbortController();

  constructor(options: RoutesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#budget = new DialBudget(this.#now);
    this.#ladder = new Ladder({ now: this.#now, network: options.network ?? networkFingerprint }, choiceOf(options));
    this.#bootstrapLocal = (options.bootstrap ?? []).some((text) => classOf(placeOf(multiaddr(text))) === "local");
  }

  /** The node that is up now. */
  attach(node: RoutedNode): void {
    this.#node = node;
  }

  addressText(address: Uint8Array): string {
    try {
      return multiaddr(address).toString();
    } catch {
      return "?";
    }
  }

  async transfer(remote: PeerId, bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#node === undefined) throw new RouteError("unreachable");
    await this.#node.transfer(remote, bytes, signal);
  }

  choose(choice: WayChoice): void {
    this.#ladder.choose(readChoice(choice));
    // What is under way would end beside the way chosen now, and no hanging up would find it.
    this.#choosing.abort(new Error("aborted"));
    this.#choosing = new AbortController();
    // It was the person who asked for another try, not an invite.
    this.#strangers.clear();
    this.#stream = undefined;
    this.#node?.hangUp();
  }

  get chosen(): ChosenWay {
    const { rung, proxy, proxyUse } = this.#ladder.choice;
    return { rung, proxy: this.proxied ? "always" : proxy === undefined ? "none" : proxyUse };
  }

  enter(relays: readonly RelayAddress[]): void {
    const addresses = relays.flatMap(({ addresses: each }) => each);
    const classes = addresses.map((bytes) => classOf(placeOfBytes(bytes)));
    // Who names no address at all says nothing of where relays may be.
    this.#scopeLocal = classes.length > 0 && classes.every((each) => each === "local");
    // The same relays are the same invite, as far as strangers go.
    this.#scope = relays.flatMap(({ key, addresses: each }) => [key, ...each].map(toHex)).join(" ");
  }

  get proxied(): boolean {
    return this.#ladder.proxied;
  }

  get allowsUdp(): boolean {
    return this.#ladder.allowsUdp;
  }

  mayUpgrade(): boolean {
    return this.#ladder.mayUpgrade();
  }

  upgraded(failure: WayFailure | undefined): void {
    this.#ladder.upgraded(failure === undefined);
    if (failure !== undefined) this.#count("webrtc", failure);
  }

  get stream(): Rung | undefined {
    return this.#stream;
  }

  get failures(): Readonly<Partial<Record<Rung, Readonly<Partial<Record<WayFailure, number>>>>>> {
    return Object.fromEntries([...this.#failures].map(([rung, counts]) => [rung, Object.fromEntries(counts)]));
  }

  /** Undefined: somebody's word may lead there. Else why not. */
  obstacle(address: Multiaddr): WayFailure | undefined {
    const kind = classOf(placeOf(address));
    const isLan = this.#options.profile === "lan" || this.#ladder.choice.rung === "lan";
    switch (kind) {
      case "public":
        return undefined;
      case "local":
        return isLan || this.#leadsLocal() ? undefined : "local address";
      case "special":
        return "special address";
      case "name":
        return isLan && !this.proxied ? undefined : "name";
      default:
        return kind satisfies never;
    }
  }

  /** Those of the addresses that may be dialed. Throws `RouteError` with the reason when there is none. */
  admitted(addresses: readonly Multiaddr[]): Multiaddr[] {
    const obstacles = addresses.map((address) => this.obstacle(address));
    for (const obstacle of obstacles) if (obstacle !== undefined) this.#count(this.#rung(), obstacle);
    const admitted = addresses.filter((_, index) => obstacles[index] === undefined);
    const [first] = obstacles;
    if (admitted.length === 0) throw new RouteError(first ?? "unreachable");
    return admitted;
  }

  /** A transport whose dials keep to the budget, leave strangers alone, and are counted. */
  guard<Components>(
    create: (components: Components) => Transport,
    carries: "sockets" | "lan",
  ): (components: Components) => Transport {
    return (components) => {
      const transport = create(components);
      const dial = transport.dial.bind(transport);
      transport.dial = (address: Multiaddr, options: DialTransportOptions) =>
        this.#dial(address, (signal) => dial(address, { ...options, signal }), options.signal, carries);
      return transport;
    };
  }

  /** Sockets that take the ladder's way. */
  sockets(inner: Sockets): Sockets {
    return {
      open: async (route, { signal }) => {
        const ways = this.#ladder.ways();
        for (const [index, proxy] of ways.entries()) {
          const isLast = index === ways.length - 1;
          const tooSoon = index === 0 ? undefined : this.#budget.charge(`${route.host} ${route.port}`);
          if (tooSoon !== undefined) throw new RouteError("too soon", tooSoon);
          try {
            const socket = await this.#open(inner, { ...route, proxy }, signal as AbortSignal, isLast);
            this.#ladder.opened(proxy);
            this.#stream = proxy === undefined ? "wss" : "proxy";
            return socket;
          } catch (error) {
            const failure = wayFailureOf(error);
            // One more request to whoever is not the relay would be one too many.
            if (isLast || signal.aborted || strangers.has(failure)) throw error;
            this.#count(proxy === undefined ? "wss" : "proxy", failure);
          }
        }
        throw new RouteError("proxy only");
      },
    };
  }

  #open(inner: Sockets, route: SocketRoute, signal: AbortSignal, isLast: boolean): Promise<Socket> {
    const within = isLast ? signal : AbortSignal.any([signal, AbortSignal.timeout(firstWayMsMax)]);
    return inner.open(route, { signal: within });
  }

  async #dial(
    address: Multiaddr,
    dial: (signal: AbortSignal) => Promise<Connection>,
    signal: AbortSignal,
    carries: "sockets" | "lan",
  ): Promise<Connection> {
    const place = placeOf(address);
    const key = `${place?.host} ${place?.port}`;
    const rung = carries === "lan" ? "lan" : this.#rung();
    const fail = (failure: WayFailure): void => this.#count(rung, failure);
    if (carries === "lan" && this.proxied) {
      fail("proxy only");
      throw new RouteError("proxy only");
    }
    const stranger = `${this.#scope} ${key}`;
    if (this.#strangers.has(stranger)) throw new RouteError("stranger");
    const ticket = this.#budget.take(key);
    if (typeof ticket === "number") {
      fail("too soon");
      throw new RouteError("too soon", ticket);
    }
    const chosen = this.#choosing.signal;
    try {
      const connection = await dial(AbortSignal.any([signal, chosen]));
      if (chosen.aborted) {
        connection.abort(new Error("another way"));
        throw new Error("aborted");
      }
      ticket.proved();
      if (carries === "lan") this.#stream = "lan";
      connection.addEventListener("close", () => ticket.end(), { once: true });
      if (connection.status !== "open") ticket.end();
      return connection;
    } catch (error) {
      ticket.end();
      const failure = wayFailureOf(error);
      fail(failure);
      if (strangers.has(failure)) this.#remember(stranger);
      throw error;
    }
  }

  #remember(stranger: string): void {
    this.#strangers.add(stranger);
    if (this.#strangers.size <= strangersMax) return;
    const oldest = this.#strangers.values().next();
    if (oldest.done !== true) this.#strangers.delete(oldest.value);
  }

  #leadsLocal(): boolean {
    if (this.#bootstrapLocal) return true;
    if (this.#options.local === false) return false;
    if (this.#scopeLocal !== undefined) return this.#scopeLocal;
    const reach = this.#node?.addresses() ?? [];
    return reach.length > 0 && reach.every((address) => classOf(placeOf(address)) === "local");
  }

  #rung(): Rung {
    return this.proxied ? "proxy" : this.#options.profile === "lan" ? "lan" : "wss";
  }

  #count(rung: Rung, failure: WayFailure): void {
    const counts = this.#failures.get(rung) ?? new Map<WayFailure, number>();
    this.#failures.set(rung, counts);
    counts.set(failure, (counts.get(failure) ?? 0) + 1);
  }
}

function choiceOf({ way, profile }: RoutesOptions): LadderChoice {
  return readChoice(way ?? { rung: profile === "webrtc" ? "auto" : profile });
}

function readChoice({ rung, proxy, proxyUse = "always" }: WayChoice): LadderChoice {
  return { rung, proxy: proxy === undefined ? undefined : parseProxy(proxy), proxyUse };
}

function placeOfBytes(bytes: Uint8Array): Place | undefined {
  try {
    return placeOf(multiaddr(bytes));
  } catch {
    return undefined;
  }
}

function placeOf(address: Multiaddr): Place | undefined {
  const [host, transport] = address.getComponents();
  return host?.value === undefined ? undefined : { host: host.value, port: Number(transport?.value ?? 0) };
}

function classOf(place: Place | undefined): ReturnType<typeof addressClass> {
  return place === undefined ? "special" : addressClass(place.host);
}
