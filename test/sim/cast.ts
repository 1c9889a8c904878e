import { limits } from "../../p2p/api/limits.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import type { Crypto } from "../../p2p/core/crypto.ts";
import type { Machine } from "../../p2p/core/machine.ts";
import type { HostRelay, PeerEvent, PeerInput, PeerOptions, PeerOutput } from "../../p2p/core/peer-io.ts";
import type { Rng } from "../../p2p/core/rng.ts";
import type { Invite } from "../../p2p/core/room/invite/invite.ts";
import type { SimDiscovery } from "./discovery.ts";
import type { Ending, Network } from "./network.ts";
import type { Observers, Part } from "./observer.ts";
import { lendingShare, relayCount } from "./options.ts";
import type { SimOptions } from "./options.ts";
import { BentMachine } from "./cheats/bent-machine.ts";
import { crowdOfOne, crowdsMax, crowdStaysMs, Villains } from "./cheats/villains.ts";
import { Microphones } from "./microphones.ts";
import { drawChildrenMax, drawNormal } from "./topology.ts";
import type { Topology } from "./topology.ts";
import type { World } from "./world.ts";

/** When the host begins, and how long it takes until it speaks: relays are up before. */
const hostAtMs = 200;
const hostSpeaksMs = 300;
/** From the wish to leave until the engine is stopped: what it wanted to say is out by then. */
const leaveMs = 300;
/** Who was told that there is no way in tries again, as somebody new, after this long. */
const tryAgainMs = 1000;
/** Children that all relays together allow, per listener: enough to lose a few relays, too few for any of them to be idle. */
const slotsPerListener = 1.8;
const childrenMin = 4;
/** Relays differ: sigma of a lognormal. */
const childrenSigma = 0.5;

/** A line carries a little more than its owner lends, for the tree itself and for three microphones at once. */
const kbpsPerChild = 300;

/** Makes the machine of one peer. */
export type PeerMaker = (
  options: PeerOptions,
  crypto: Crypto,
  node: number,
  part: Part,
) => Machine<PeerInput, PeerOutput>;

/** What the cast plays in. */
export interface Stage {
  readonly world: World<PeerInput, PeerOutput>;
  readonly network: Network;
  readonly topology: Topology;
  readonly discovery: SimDiscovery;
  readonly observers: Observers;
  readonly options: SimOptions;
  readonly rng: Rng;
  readonly makePeer: PeerMaker;
  /** The primitives of one node: its own randomness, one kind for all. */
  readonly cryptoOf: (node: number) => Crypto;
}

/** Everybody in a run: who they are, when they come, when they speak, and what becomes of what their machines say. */
export class Cast {
  /** Relays of the room in rank order. */
  readonly relays: number[] = [];
  readonly host: number;
  /** Hears of everybody new who comes to listen. */
  onJoin: (node: number) => void = () => undefined;
  private readonly stage: Stage;
  private readonly parts = new Map<number, Part>();
  private readonly microphones: Microphones;
  private readonly leaving = new Set<number>();
  private readonly joinRng: Rng;
  private readonly lendRng: Rng;
  private readonly villains: Villains;
  private speakersToCome: number;
  private invite: Invite | undefined;

  /** Places relays and host; the audience follows when the room is open. */
  constructor(stage: Stage) {
    this.stage = stage;
    this.joinRng = stage.rng.fork("joins");
    this.villains = new Villains(stage.options.hostile, stage.rng.fork("villains"));
    this.lendRng = stage.rng.fork("lenders");
    const { world, observers, options } = stage;
    const mayOpen = (node: number): boolean => !this.leaving.has(node) && world.isAlive(node);
    this.microphones = new Microphones(world, observers, this.joinRng, options.packetMs, mayOpen);
    this.speakersToCome = stage.options.speakers;
    const relays = this.placeRelays();
    const host = this.place("host", undefined);
    this.host = host;
    this.stage.world.planIn(hostAtMs, () => this.beginHost(relays), undefined);
  }

  /** Whether the room was ever opened. */
  get isOpen(): boolean {
    return this.invite !== undefined;
  }

  /** Living nodes that play one of these parts and are not on their way out. */
  living(...parts: Part[]): number[] {
    return [...this.parts]
      .filter(([node, part]) => parts.includes(part) && this.stage.world.isAlive(node) && !this.leaving.has(node))
      .map(([node]) => node);
  }

  /** Somebody new comes to listen; the first to come also want to speak. */
  join(): void {
    if (this.invite === undefined) return;
    const part = this.speakersToCome-- > 0 ? "speaker" : this.drawPart();
    const node = this.place(part, part === "lender" ? this.drawAddress(this.lendRng) : undefined);
    this.stage.observers.tell("started", node, part);
    if (part === "lender") this.lend(node, this.drawChildrenMax(), this.lendRng.bytes(16));
    this.command(node, { kind: "join", invite: this.invite, name: "" });
    if (part !== "speaker") this.onJoin(node);
  }

  /** The host types something, if it lives. */
  type(text: string): void {
    this.command(this.host, { kind: "say", text });
  }

  /** Somebody leaves as one should. */
  leave(node: number): void {
    if (this.leaving.has(node) || !this.stage.world.isAlive(node)) return;
    this.leaving.add(node);
    this.microphones.close(node);
    this.stage.observers.tell("ended", node, "leave");
    this.command(node, { kind: "leave" });
    this.stage.world.planIn(leaveMs, () => this.stage.network.end(node, "leave"), undefined);
  }

  /** Somebody is gone from one moment to the next. */
  kill(node: number, ending: Exclude<Ending, "leave">): void {
    if (this.leaving.has(node) || !this.stage.world.isAlive(node)) return;
    this.microphones.close(node);
    this.stage.observers.tell("ended", node, ending);
    this.stage.network.end(node, ending);
  }

  /** Takes what a machine says that is not about links. */
  handle(node: number, output: Extract<PeerOutput, { kind: "publish" | "lookup" | "heard" | "event" }>): void {
    switch (output.kind) {
      case "publish":
        return this.stage.discovery.publish(output.key, output.value);
      case "lookup":
        return this.stage.discovery.lookup(node, output.keys);
      case "heard":
        if (!this.leaving.has(node)) this.stage.observers.heard(node, output.packet);
        return;
      case "event":
        this.stage.observers.tell("event", node, output.event);
        return this.react(node, output.event);
      default:
        output satisfies never;
    }
  }

  /** A machine's own words come while it is being drained: whatever follows from them is planned, not done at once. */
  private react(node: number, event: PeerEvent): void {
    const { world } = this.stage;
    if (event.event === "hosting" && node === this.host && this.invite === undefined) {
      this.invite = event.invites.listener;
      world.planIn(hostSpeaksMs, this.microphones.open, node);
      this.planAudience();
    } else if (event.event === "joined" && this.parts.get(node) === "speaker") {
      world.planIn(0, () => this.command(node, { kind: "raise-hand" }), undefined);
    } else if (event.event === "trouble" && event.fatal && node !== this.host) {
      world.planIn(0, () => this.leave(node), undefined);
      world.planIn(tryAgainMs, () => this.join(), undefined);
    } else if (event.event === "role" && node !== this.host) {
      if (event.role === "listener") world.planIn(0, this.microphones.close, node);
      else world.planIn(0, this.microphones.open, node);
    }
  }

  private beginHost(relays: readonly HostRelay[]): void {
    this.stage.observers.tell("started", this.host, "host");
    const options = { via: [], letEverybodySpeak: true, coreSize: this.stage.options.core };
    this.command(this.host, { kind: "host", options, relays });
  }

  private planAudience(): void {
    const { listeners, joinSeconds } = this.stage.options;
    const withinMs = joinSeconds * 1000;
    for (let index = 0; index < listeners; index++) {
      this.stage.world.planIn(withinMs * this.joinRng.next(), () => this.join(), undefined);
    }
  }

  private placeRelays(): HostRelay[] {
    const { rng, world } = this.stage;
    return this.drawUplinks().map((maxChildren) => {
      const secret = rng.bytes(16);
      const address = this.drawAddress(rng);
      const node = this.place("relay", address);
      this.relays.push(node);
      this.stage.observers.tell("started", node, "relay");
      world.planIn(0, () => this.lend(node, maxChildren, secret), undefined);
      return { address, secret };
    });
  }

  /** What each ranked relay allows. */
  private drawUplinks(): number[] {
    const { options, rng } = this.stage;
    const length = relayCount(options);
    if (options.uplinks === "tailed") return Array.from({ length }, () => this.drawChildrenMax());
    const weights = Array.from({ length }, () => Math.exp(childrenSigma * drawNormal(rng)));
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) =>
      Math.max(childrenMin, Math.round((slotsPerListener * options.listeners * weight) / whole)),
    );
  }

  private drawChildrenMax(): number {
    return drawChildrenMax(this.lendRng, this.stage.options.relays);
  }

  private drawPart(): Part {
    const share = lendingShare(this.stage.options);
    return share > 0 && this.lendRng.next() < share ? "lender" : "listener";
  }

  /** A machine lends what its person allows. */
  private lend(node: number, maxChildren: number, cardSecret: Uint8Array): void {
    this.stage.observers.tell("lent", node, maxChildren);
    this.stage.network.setUplink(node, (maxChildren + limits.relaysMax) * kbpsPerChild);
    this.command(node, { kind: "volunteer", options: { maxChildren }, cardSecret });
  }

  private drawAddress(rng: Rng): RelayAddress {
    const key = rng.bytes(32);
    // /ip4/10.x.y.z/tcp/443/tls/ws in multiaddr's binary form; the virtual network goes by the key alone.
    const place = Uint8Array.of(0x04, 10, ...rng.bytes(3), 0x06, 0x01, 0xbb, 0xc0, 0x03, 0xdd, 0x03);
    return { key, addresses: [place], token: rng.bytes(16) };
  }

  /** @param villains draws whether it breaks the rules. */
  private place(part: Part, address: RelayAddress | undefined, villains: Villains | undefined = this.villains): number {
    const { world, topology, network, makePeer, cryptoOf, rng, observers } = this.stage;
    const node = this.parts.size;
    const key = address?.key ?? rng.bytes(32);
    const peer = Buffer.from(key).toString("hex") as PeerOptions["self"]["peer"];
    const options: PeerOptions = { self: { peer, address }, profile: "auto", discovery: part !== "relay" };
    topology.place();
    network.attach(peer, part === "relay" ? "public" : part === "lender" ? "behind-nat" : "none");
    this.parts.set(node, part);
    const machine = makePeer(options, cryptoOf(node), node, part);
    const villain = villains?.draw(part);
    world.add(villain ? new BentMachine(machine, villain.bending) : machine);
    if (villain) observers.tell("hostile", node);
    if (villain?.isMany === true) this.comeAsMany(node);
    return node;
  }

  /** One computer comes in under several keys at once, and some seconds later under others. */
  private comeAsMany(first: number, crowds = crowdsMax): void {
    const { world, observers } = this.stage;
    if (crowds === 0) return;
    const come = (): void => {
      if (!world.isAlive(first) || this.invite === undefined) return;
      for (let count = 0; count < crowdOfOne; count++) {
        const node = this.place("listener", undefined, undefined);
        observers.tell("hostile", node);
        observers.tell("started", node, "listener");
        this.command(node, { kind: "join", invite: this.invite, name: "" });
        world.planIn(crowdStaysMs, () => this.kill(node, "crash"), undefined);
      }
      this.comeAsMany(first, crowds - 1);
    };
    world.planIn(crowdStaysMs, come, undefined);
  }

  private command(node: number, command: Extract<PeerInput, { kind: "command" }>["command"]): void {
    this.stage.world.input(node, { kind: "command", command });
  }
}
