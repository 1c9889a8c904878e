import { type DialId, type LinkId, linkId, type Millis, millis, type PeerId } from "../../../p2p/api/ids.ts";
import type { HeardPacket, HostOptions, Profile, Role, VolunteerOptions } from "../../../p2p/api/engine.ts";
import type { LinkCloseReason, LinkKind, RelayAddress } from "../../../p2p/api/link.ts";
import { equal, toHex } from "../../../p2p/core/bytes.ts";
import type { Crypto } from "../../../p2p/core/crypto.ts";
import type { Machine } from "../../../p2p/core/machine.ts";
import { Peer } from "../../../p2p/core/peer.ts";
import type { Command, PeerEvent, PeerInput, PeerOutput } from "../../../p2p/core/peer-io.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { issueCapability, rights, rightsOfRole } from "../../../p2p/core/room/rights/capability.ts";
import type { Invite } from "../../../p2p/core/room/invite/invite.ts";
import { createSeats } from "../../../p2p/core/room/member/seats.ts";
import { createPair } from "../../../p2p/core/room/rights/keys.ts";
import { proveDoor } from "../../../p2p/core/room/rights/doors.ts";
import { encodeFrame, type Hello, parseFrame } from "../../../p2p/core/session/frames.ts";
import { Puppet, Skewed } from "./puppet.ts";
import { World } from "../../sim/world.ts";
import { ipv4Multiaddr, seededCrypto } from "../fixtures.ts";

/** One way over any link, ms. */
const delayMs = 10;

const doorCrypto = seededCrypto("doors");

/** How one peer is made. */
export interface PersonOptions {
  /** How wrong its clock is. */
  readonly skewMs?: number;
  readonly profile?: Profile;
  /** Whether it may ask the DHT, which is `Room.records`. */
  readonly discovery?: boolean;
  readonly listens?: boolean;
  readonly crypto?: Partial<Crypto>;
}

/** A message on its way. */
export interface Passing {
  readonly from: number;
  readonly to: number;
  readonly kind: LinkKind;
  /** The sender's end. */
  readonly link: LinkId;
  readonly bytes: Uint8Array;
}

interface End {
  readonly id: LinkId;
  readonly owner: number;
  readonly kind: LinkKind;
  other: End | undefined;
  open: boolean;
}

interface Place {
  readonly peer: PeerId;
  readonly address: RelayAddress;
  readonly cardSecret: Uint8Array;
  readonly machine: Machine<PeerInput, PeerOutput>;
  readonly listens: boolean;
  readonly events: PeerEvent[];
  readonly heard: HeardPacket[];
  readonly ends: Map<LinkId, End>;
  /** What its crypto drew at random, the very arrays: every secret that it made and has not overwritten. */
  readonly drawn: Uint8Array[];
  crashed: boolean;
}

/**
 * Real peers on virtual time with links in memory: every link takes 10 ms, streams lose nothing, data channels lose what
 * the seed says. What a test wants lost or seen it takes in `filter`.
 */
export class Room {
  readonly world: World<PeerInput, PeerOutput>;
  readonly places: Place[] = [];
  /** Asked for every message as it leaves; false: it is lost. */
  filter: (passing: Passing) => boolean = () => true;
  /** What a message takes, one way, ms. */
  delayOf: (passing: Passing) => number = () => delayMs;
  /** Nobody answers a dial to these. */
  readonly unreachable = new Set<number>();
  /** What was published, by key in hex; what a lookup yields. */
  readonly records = new Map<string, Uint8Array>();
  lookups = 0;
  /** Whether speakers send the low layer too. */
  withLow = true;
  /** Every dial for a stream, as it began. */
  readonly dials: { readonly from: number; readonly to: number; readonly at: number }[] = [];
  readonly #rng: Rng;
  readonly #datagramLoss: number;
  readonly #dials = new Set<string>();
  #nextLink = 1;

  constructor(seed: string, datagramLoss = 0) {
    this.#rng = new Rng(seed);
    this.#datagramLoss = datagramLoss;
    this.world = new World<PeerInput, PeerOutput>({ kind: "timeout" }, (node, output) => this.#carry(node, output));
  }

  get now(): Millis {
    return this.world.now;
  }

  /** A relay that carries for others and cannot open packets. */
  addRelay(lends: VolunteerOptions = {}, options: PersonOptions = {}): number {
    const node = this.#addPeer({ listens: true, ...options }, false);
    this.command(node, { kind: "volunteer", options: lends, cardSecret: this.at(node).cardSecret });
    return node;
  }

  /** Somebody who can sit in a room. */
  addPerson(options: PersonOptions = {}): number {
    return this.#addPeer(options, true);
  }

  /** A peer that does only what the test says. */
  addPuppet(): { readonly node: number; readonly puppet: Puppet } {
    const puppet = new Puppet();
    return { node: this.#place(puppet, true), puppet };
  }

  at(node: number): Place {
    const place = this.places[node];
    if (!place) throw new Error(`no place ${node}`);
    return place;
  }

  peer(node: number): Peer {
    const machine = this.at(node).machine;
    const inner = machine instanceof Skewed ? machine.inner : machine;
    if (!(inner instanceof Peer)) throw new Error(`${node} is a puppet`);
    return inner;
  }

  command(node: number, command: Command): void {
    this.world.input(node, { kind: "command", command });
  }

  /** Opens a room on these relays and gives its invites; the host does not speak yet. */
  host(node: number, relays: readonly number[], options: Partial<HostOptions> = {}): void {
    const cards = relays.map((relay) => ({ address: this.at(relay).address, secret: this.at(relay).cardSecret }));
    const full = { via: [], letEverybodySpeak: true, ...options };
    this.command(node, { kind: "host", options: full, relays: cards });
  }

  /** The invite that a host made. */
  invite(host: number, role: Exclude<Role, "host"> = "listener"): Invite {
    const hosting = this.events(host, "hosting").at(-1);
    if (!hosting) throw new Error("not hosting");
    return hosting.invites[role];
  }

  /** An invite with terms of its own, signed by the root of the host's room. */
  craftInvite(host: number, times: { readonly notBefore: number; readonly expires: number }): Invite {
    const crypto = seededCrypto("crafted");
    const invite = this.invite(host);
    const { roomKey } = invite;
    const isRoot = (seed: Uint8Array): boolean => seed.length === 32 && equal(crypto.publicKey(seed), roomKey);
    const seed = this.at(host).drawn.find(isRoot);
    if (!seed) throw new Error("the root was not drawn here");
    // By the door of the invite that the host gave out.
    const bearer = { seed: invite.inviteSeed, key: crypto.publicKey(invite.inviteSeed) };
    const allowed = rightsOfRole.listener | rights.grant;
    const grant = { grantee: bearer.key, role: "listener", rights: allowed, ...times, sequence: 0 } as const;
    return { ...invite, inviteSeed: bearer.seed, chain: [issueCapability(crypto, roomKey, seed, grant)] };
  }

  join(node: number, invite: Invite): void {
    this.command(node, { kind: "join", invite, name: `person ${node}` });
  }

  /** 40 ms of speech: the first bytes say who and which. */
  speak(node: number, mark: number): void {
    const opus = Uint8Array.of(node, mark >> 8, mark & 0xff, ...new Array<number>(117).fill(7));
    const skewMs = this.#skewOf(node);
    const low = this.withLow ? { low: opus.slice(0, 60) } : {};
    this.world.input(node, { kind: "speak", opus, ...low, capturedAt: millis(this.now + skewMs) });
  }

  /** Speaks for so long, a packet every 40 ms, while the world goes on. */
  talk(node: number, ms: number, from = 0): void {
    for (let packet = 0; packet < ms / 40; packet++) {
      this.speak(node, from + packet);
      this.run(40);
    }
  }

  /** Marks of what `node` heard from `speaker`. */
  marks(node: number, speaker: number): number[] {
    const from = this.at(node).heard.filter((packet) => packet.opus[0] === speaker);
    return from.map((packet) => ((packet.opus[1] ?? 0) << 8) | (packet.opus[2] ?? 0));
  }

  events<Name extends PeerEvent["event"]>(node: number, name: Name): (PeerEvent & { event: Name })[] {
    type Wanted = PeerEvent & { event: Name };
    return this.at(node).events.filter((event): event is Wanted => event.event === name);
  }

  run(ms: number): void {
    this.world.run(this.world.elapsedMs + ms);
  }

  /** Ends a node; its neighbours see their links lost at once, or, with `frozen`, see nothing at all. */
  kill(node: number, frozen = false): void {
    const place = this.at(node);
    this.world.remove(node);
    place.crashed = true;
    if (frozen) return;
    for (const end of [...place.ends.values()]) this.#tell(end.other, "lost");
  }

  /** Closes every link between two nodes, or those of one kind, as a broken network path does. */
  cut(a: number, b: number, kind?: LinkKind): void {
    for (const end of [...this.at(a).ends.values()]) {
      if (end.other?.owner !== b || (kind !== undefined && end.kind !== kind)) continue;
      this.#tell(end, "lost");
      this.#tell(end.other, "lost");
    }
  }

  /** Opens a link from one node to another without anybody's dial; the dialing end's id. */
  link(from: number, to: number, kind: LinkKind = "stream"): LinkId {
    const [near, far] = this.#join(from, to, kind);
    this.#opened(near, undefined);
    this.#opened(far, undefined);
    return near.id;
  }

  /** Lets a puppet send bytes on its end of a link. In a hello it shows the invite that its room gave out first. */
  say(node: number, link: LinkId, bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    const said = frame?.kind === "hello" && !frame.doors ? encodeFrame(this.#atTheDoor(node, link, frame)) : bytes;
    this.sayRaw(node, link, said);
  }

  /** The same, with nothing added. */
  sayRaw(node: number, link: LinkId, bytes: Uint8Array): void {
    this.#carry(node, { kind: "send", link, bytes });
  }

  #atTheDoor(node: number, link: LinkId, hello: Hello): Hello {
    const far = this.at(node).ends.get(link)?.other?.owner;
    const hosting = this.places.flatMap(({ events }) => events).find(({ event }) => event === "hosting");
    if (far === undefined || hosting?.event !== "hosting") return hello;
    const { inviteSeed, tag } = hosting.invites.listener;
    if (toHex(tag) !== hello.tag) return hello;
    const door = createPair(doorCrypto, inviteSeed);
    const context = { tag: hello.tag, relay: this.at(far).peer, host: this.at(node).peer, session: hello.session };
    return { ...hello, doors: [proveDoor(doorCrypto, door, context)] };
  }

  #skewOf(node: number): number {
    const machine = this.at(node).machine;
    return machine instanceof Skewed ? machine.skewMs : 0;
  }

  #addPeer(options: PersonOptions, seats: boolean): number {
    const seeded = seededCrypto(`${this.#rng.u32()}`);
    const drawn: Uint8Array[] = [];
    const randomBytes = (length: number): Uint8Array => {
      const bytes = seeded.randomBytes(length);
      drawn.push(bytes);
      return bytes;
    };
    const crypto: Crypto = { ...seeded, randomBytes, ...options.crypto };
    const identity = this.#identity();
    const address = options.listens === true ? identity.address : undefined;
    const self = { peer: identity.peer, address };
    const { profile = "wss", discovery = false, skewMs = 0 } = options;
    const peer = new Peer({ self, profile, discovery }, crypto, seats ? createSeats(crypto) : undefined);
    return this.#place(skewMs === 0 ? peer : new Skewed(peer, skewMs), options.listens === true, identity, drawn);
  }

  #identity(): Pick<Place, "peer" | "address" | "cardSecret"> {
    const key = this.#rng.bytes(32);
    const address = { key, token: this.#rng.bytes(16), addresses: [ipv4Multiaddr(this.#rng)] };
    return { peer: toHex(key) as PeerId, address, cardSecret: this.#rng.bytes(16) };
  }

  #place(machine: Place["machine"], listens: boolean, identity = this.#identity(), drawn: Uint8Array[] = []): number {
    this.places.push({
      ...identity,
      machine,
      listens,
      drawn,
      events: [],
      heard: [],
      ends: new Map(),
      crashed: false,
    });
    return this.world.add(machine);
  }

  #carry(node: number, output: PeerOutput): void {
    const place = this.at(node);
    switch (output.kind) {
      case "send":
        return this.#send(place.ends.get(output.link), output.bytes);
      case "close":
        return this.#close(place.ends.get(output.link));
      case "dial":
        return this.#dial(node, output.dial, toHex(output.target.key), "stream");
      case "upgrade":
        return this.#dial(node, output.dial, output.remote, "webrtc");
      case "cancel-dial":
        this.#dials.delete(`${node}/${output.dial}`);
        return;
      case "publish":
        this.records.set(toHex(output.key), output.value);
        return;
      case "lookup":
        return this.#lookUp(node, output.keys);
      case "heard":
        place.heard.push(output.packet);
        return;
      case "event":
        place.events.push(output.event);
        return;
      default:
        output satisfies never;
    }
  }

  #send(end: End | undefined, bytes: Uint8Array): void {
    const other = end?.other;
    if (!end?.open || !other) return;
    const passing = { from: end.owner, to: other.owner, kind: end.kind, link: end.id, bytes };
    if (!this.filter(passing)) return;
    if (end.kind === "webrtc" && this.#rng.next() < this.#datagramLoss) return;
    this.world.planIn(
      this.delayOf(passing),
      () => {
        if (other.open) this.world.input(other.owner, { kind: "message", link: other.id, bytes });
      },
      undefined,
    );
  }

  #close(end: End | undefined): void {
    if (!end) return;
    end.open = false;
    this.world.planIn(0, () => this.#tell(end, "local"), undefined);
    this.world.planIn(delayMs, () => this.#tell(end.other, "remote"), undefined);
  }

  #tell(end: End | undefined, reason: LinkCloseReason): void {
    if (!end || !this.at(end.owner).ends.delete(end.id)) return;
    end.open = false;
    this.world.input(end.owner, { kind: "link-closed", link: end.id, reason });
  }

  #dial(node: number, dial: DialId, peer: string, kind: LinkKind): void {
    const name = `${node}/${dial}`;
    this.#dials.add(name);
    const remote = this.places.findIndex((place) => place.peer === peer);
    if (kind === "stream") this.dials.push({ from: node, to: remote, at: this.world.elapsedMs });
    this.world.planIn(
      4 * delayMs,
      () => {
        if (!this.#dials.delete(name)) return;
        const place = this.places[remote];
        const answers =
          place && !place.crashed && !this.unreachable.has(remote) && (place.listens || kind === "webrtc");
        if (!answers) {
          this.world.input(node, { kind: "dial-failed", dial, reason: "nobody" });
          return;
        }
        const [near, far] = this.#join(node, remote, kind);
        this.#opened(far, undefined);
        this.#opened(near, dial);
      },
      undefined,
    );
  }

  #join(from: number, to: number, kind: LinkKind): readonly [End, End] {
    const make = (owner: number): End => {
      const end: End = { id: linkId(this.#nextLink++), owner, kind, other: undefined, open: true };
      this.at(owner).ends.set(end.id, end);
      return end;
    };
    const near = make(from);
    const far = make(to);
    near.other = far;
    far.other = near;
    return [near, far];
  }

  #opened(end: End, dial: DialId | undefined): void {
    const remote = this.at(end.other?.owner ?? -1).peer;
    const input = { kind: "link-opened", link: end.id, remote, linkKind: end.kind } as const;
    this.world.input(end.owner, dial === undefined ? input : { ...input, dial });
  }

  #lookUp(node: number, keys: readonly Uint8Array[]): void {
    this.lookups++;
    this.world.planIn(
      50,
      () => {
        for (const key of keys) {
          const value = this.records.get(toHex(key));
          if (value) this.world.input(node, { kind: "record", value });
        }
        this.world.input(node, { kind: "lookup-ended" });
      },
      undefined,
    );
  }
}
