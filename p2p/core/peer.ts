import type { Layer, LendingState, Power, Stats, Totals } from "../api/engine.ts";
import { type DialId, dialId, type LinkId, type Millis, millis, type PeerId, type RoomTag } from "../api/ids.ts";
import { equal, toHex } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { Solver } from "./defence/puzzle.ts";
import { Strangers } from "./defence/strangers.ts";
import type { Deadline, Machine } from "./machine.ts";
import { Lending } from "./overlay/door/lending.ts";
import { RoomNode } from "./overlay/room-node.ts";
import type { RoomWires } from "./overlay/room-wires.ts";
import { type Command, type PeerInput, type PeerOptions, type PeerOutput, unanswered } from "./peer-io.ts";
import { idleAt, type OpenLink, PeerClock } from "./peer-clock.ts";
import { statsOf } from "./peer-stats.ts";
import type { Capsule } from "./room/keeper/capsule.ts";
import { verifyHost } from "./room/rights/proof.ts";
import type { Resident, SeatMaker } from "./room/member/resident.ts";
import {
  encodeFrame,
  type Frame,
  type Hello,
  helloType,
  isPassing,
  parseFrame,
  type Refusal,
  sessionVersion,
} from "./session/frames.ts";

/** Rooms that one peer may bring to a volunteer. */
const roomsPerPeerMax = 4;
/** A timeout this late means that our own process stood still: a busy machine, or a suspended one. */
const stallMsMin = 100;
/** Rooms that one volunteer carries. */
const roomsMax = 64;
/**
 * One peer: everything Teahouse knows about being in a tree, as one pure machine ([SS9], [OV12]). Engine and simulator drive
 * this very class. `seats` makes members, who can open packets; a relay is built without it and holds nothing that opens one.
 */
export class Peer implements Machine<PeerInput, PeerOutput> {
  readonly #options: PeerOptions;
  readonly #crypto: Crypto;
  readonly #seats: SeatMaker | undefined;
  readonly #outputs: PeerOutput[] = [];
  readonly #links = new Map<LinkId, OpenLink>();
  readonly #nodes = new Map<RoomTag, RoomNode>();
  readonly #dials = new Map<DialId, RoomNode>();
  /** Who brought which room. */
  readonly #bringers = new Map<RoomTag, PeerId>();
  readonly #rejected = new Map<string, number>();
  readonly #strangers: Strangers;
  readonly #solver: Solver;
  #resident: Resident | undefined;
  #lending: Lending | undefined;
  #power: Power = { onBattery: false, metered: false };
  #now: Millis = millis(0);
  #nextDial = 1;
  #layer: Layer = "normal";
  readonly #clock: PeerClock;

  constructor(options: PeerOptions, crypto: Crypto, seats: SeatMaker | undefined) {
    this.#options = options;
    this.#crypto = crypto;
    this.#seats = seats;
    this.#strangers = new Strangers(crypto);
    this.#solver = new Solver(crypto);
    const [nodes, links, strangers, solver] = [this.#nodes, this.#links, this.#strangers, this.#solver];
    this.#clock = new PeerClock({ resident: () => this.#resident, nodes, links, strangers, solver });
  }

  handle(input: PeerInput, now: Millis): void {
    this.#now = now;
    if (input.kind === "message") this.#handleMessage(input.link, input.bytes, now);
    else if (input.kind === "timeout") this.#handleTimeout(now);
    else {
      this.#take(input, now);
      this.#clock.reset();
    }
    if (this.#resident?.over !== true) return;
    this.#leave();
    this.#clock.reset();
  }

  poll(): PeerOutput | undefined {
    return this.#outputs.shift();
  }

  deadline(): Deadline | undefined {
    return this.#clock.deadline(this.#now);
  }

  /** Counts for `Stats`, less what only the engine knows: bytes and links. */
  stats(now: Millis): Omit<Stats, "bytesIn" | "bytesOut" | "links"> {
    return statsOf([...this.#nodes.values()], this.#rejected, this.#resident, this.#layer, now);
  }

  /** From now on, the worst gap and the latency of `stats` are those of another interval. */
  startInterval(): void {
    this.#resident?.hearing.startInterval();
  }

  /** What is lent and used, less what only the engine knows: how much is sent. */
  lending(now: Millis): Omit<LendingState, "kbps"> {
    const lending = this.#lending;
    return {
      on: lending !== undefined,
      paused: lending?.pausedBy(this.#power, now) ?? null,
      children: this.#slots()?.feeding ?? 0,
      childrenMax: lending?.childrenMax ?? 0,
      kbpsMax: lending?.options.maxKbps ?? null,
    };
  }

  /** What another engine needs to come back as who sits here; undefined outside a room. */
  capsule(): Capsule | undefined {
    return this.#resident?.capsule();
  }

  totals(): Totals {
    return this.#resident?.hearing.totals() ?? { latencyMs: null, outagesMs: [], covers: 0, moves: 0 };
  }

  #take(input: Exclude<PeerInput, { kind: "message" | "timeout" }>, now: Millis): void {
    switch (input.kind) {
      case "command":
        return this.#handleCommand(input.command, now);
      case "link-opened":
        return this.#handleOpened(input, now);
      case "dial-failed":
        return this.#takeDial(input.dial)?.handleDialFailed(input.dial, input.reason, input.afterMs ?? 0, now);
      case "link-closed":
        return this.#handleClosed(input.link, now);
      case "speak":
        if (!this.#resident?.speak(input, now)) this.#count("not-on-stage");
        return;
      case "record":
        return this.#resident?.record(input.value, now);
      case "lookup-ended":
        return this.#resident?.lookupEnded(now);
      default:
        return input satisfies never;
    }
  }

  #handleCommand(command: Command, now: Millis): void {
    switch (command.kind) {
      case "volunteer":
        this.#lending = new Lending(command.options, command.cardSecret);
        return;
      case "stop-lending":
        return this.#stopLending();
      case "power":
        this.#power = command.power;
        return;
      case "host":
      case "join":
      case "resume":
        return this.#sitDown(command, now);
      case "act":
      case "invite":
        if (this.#resident) return this.#resident.doings.ask(command, now);
        return void this.#outputs.push({ kind: "event", event: unanswered(command.id) });
      case "admit":
      case "dismiss":
      case "remove-from-stage":
        return this.#resident?.doings.rule(command, now);
      case "say":
        return this.#resident?.doings.say(command.text, now);
      case "raise-hand":
      case "lower-hand":
        return this.#resident?.raiseHand(command.kind === "raise-hand" ? "speak" : "leave-stage", now);
      case "prefer-layer":
        this.#layer = command.layer;
        return this.#resident?.preferLayer(command.layer, now);
      case "try-again":
        return this.#nodes.forEach((node) => node.tryAgain(now));
      case "leave":
        return this.#leave();
      default:
        return command satisfies never;
    }
  }

  #sitDown(command: Extract<Command, { kind: "host" | "join" | "resume" }>, now: Millis): void {
    const seat = this.#seats?.(command, this.#options, now);
    if (!seat) return;
    this.#leave(); // One person sits in one room.
    const tag = toHex(seat.tag) as RoomTag;
    const node = this.#nodes.get(tag) ?? this.#newNode(tag, now);
    node.learnHints(seat.hints);
    const emit = (output: PeerOutput): void => void this.#outputs.push(output);
    const { discovery, self } = this.#options;
    this.#resident = seat.take(node, { self: self.peer, discovery, emit }, now);
    node.resident = this.#resident;
    this.#resident.preferLayer(this.#layer, now);
    this.#resident.start(now);
  }

  #leave(): void {
    const node = [...this.#nodes.values()].find((known) => known.resident !== undefined);
    if (!node) return;
    this.#resident?.doings.leave(this.#now);
    this.#resident?.keys.leave(this.#now);
    node.resident = this.#resident = undefined;
    this.#outputs.push({ kind: "event", event: { event: "left" } });
    // A volunteer goes on carrying for the others.
    if (this.#lending && node.edges.downs.length > 0) return;
    node.close();
    this.#forget(node.tag);
  }

  #newNode(tag: RoomTag, now: Millis): RoomNode {
    const node = new RoomNode(
      tag,
      this.#crypto,
      this.#wiresFor(() => node),
      now,
    );
    this.#nodes.set(tag, node);
    return node;
  }

  #wiresFor(node: () => RoomNode): RoomWires {
    const dial = (output: (id: DialId) => PeerOutput): DialId => {
      const id = dialId(this.#nextDial++);
      this.#dials.set(id, node());
      this.#outputs.push(output(id));
      return id;
    };
    const datagrams = this.#options.profile === "webrtc" || this.#options.profile === "auto";
    return {
      self: this.#options.self.peer,
      address: this.#options.self.address,
      send: (link, bytes) => this.#send(link, bytes),
      close: (link) => this.#close(link),
      dial: (target, fresh) => dial((id) => ({ kind: "dial", dial: id, target, fresh })),
      received: (link) => this.#links.get(link) ?? { bytes: 0, messages: 0 },
      upgrade: datagrams ? (remote) => dial((id) => ({ kind: "upgrade", dial: id, remote })) : undefined,
      cancel: (id) => {
        this.#dials.delete(id);
        this.#outputs.push({ kind: "cancel-dial", dial: id });
      },
      slots: () => this.#slots(),
    };
  }

  #slots(): { used: number; max: number; feeding: number } | undefined {
    if (!this.#lending) return undefined;
    const max = this.#lending.pausedBy(this.#power, this.#now) === undefined ? this.#lending.childrenMax : 0;
    const nodes = [...this.#nodes.values()];
    const used = nodes.reduce((sum, node) => sum + node.edges.children, 0);
    return { used, max, feeding: nodes.reduce((sum, node) => sum + node.edges.feeding, 0) };
  }

  /** Whoever hangs below is said goodbye to, and moves to its reserve. */
  #stopLending(): void {
    this.#lending = undefined;
    for (const node of this.#nodes.values()) {
      for (const edge of node.edges.downs) node.end(edge);
      if (!node.resident) {
        node.close();
        this.#forget(node.tag);
      }
    }
  }

  #handleOpened(input: Extract<PeerInput, { kind: "link-opened" }>, now: Millis): void {
    const { link, remote, linkKind } = input;
    const fresh = { owner: undefined, bytes: 0, messages: 0, strayed: false, puzzle: undefined };
    this.#links.set(link, { remote, kind: linkKind, openedAt: now, ...fresh });
    const surplus = input.dial === undefined ? this.#strangers.surplus(this.#links, link, remote) : undefined;
    if (surplus !== undefined) this.#refuseLink(surplus, "too-many-links");
    if (input.dial === undefined) return;
    const node = this.#takeDial(input.dial);
    if (!node) return this.#close(link);
    node.handleDialed(input.dial, link, linkKind, remote, now);
    this.#adopt(link, node);
  }

  #takeDial(dial: DialId): RoomNode | undefined {
    const node = this.#dials.get(dial);
    this.#dials.delete(dial);
    return node && this.#nodes.get(node.tag) === node ? node : undefined;
  }

  /** Notes which edge a link belongs to, so that messages find it at once. */
  #adopt(link: LinkId, node: RoomNode): void {
    const known = this.#links.get(link);
    const edge = node.edges.ofLink(link);
    if (!known || !edge) return;
    known.owner = { node, edge };
  }

  #handleMessage(link: LinkId, bytes: Uint8Array, now: Millis): void {
    const known = this.#links.get(link);
    if (!known) return;
    known.bytes += bytes.length;
    known.messages++;
    const frame = parseFrame(bytes);
    if (known.owner && frame && isPassing(frame)) return this.#clock.pass(known.owner, link, frame, now);
    this.#clock.reset();
    if (!frame) return this.#refuseLink(link, "frame");
    if (this.#strangers.saysTooMuch(known)) return this.#refuseLink(link, "opening-bytes");
    if (frame.kind === "solution" && this.#strangers.solve(known, frame.nonce)) return;
    if (frame.kind === "puzzle" && this.#solver.take(link, frame)) return;
    // An attach may come twice: its answer can be lost.
    if (!known.owner || frame.kind === "attach") return this.#handleFirst(known, link, frame, now);
    const { node, edge } = known.owner;
    node.handleFrame(edge, link, frame, now);
    // Whose session was not known any more has begun another on the same link.
    if (frame.kind === "refuse") this.#adopt(link, node);
  }

  /** The first frame on a link that somebody else opened says what it is for. */
  #handleFirst(known: OpenLink, link: LinkId, frame: Frame, now: Millis): void {
    if (frame.kind === "attach") {
      const caller = { link, kind: known.kind, remote: known.remote };
      const node = [...this.#nodes.values()].find((each) => each.handleAttach(frame.session, caller, now));
      if (node) this.#adopt(link, node);
      else this.#stray(known, link, frame.session, now);
    } else if (frame.kind === "hello") {
      const refusal = this.#admit(known, link, frame, now);
      if (refusal) this.#refuse(link, frame, refusal, now);
    } else if (known.strayed) {
      // What followed its attach before it was told; it still has to say hello in time.
      this.#count("unknown-session");
    } else this.#refuseLink(link, "frame");
  }

  /** Nobody knows that session here: whoever came back may begin anew on the same link, and is told so once. */
  #stray(known: OpenLink, link: LinkId, session: Uint8Array, now: Millis): void {
    if (known.owner || known.strayed) return this.#refuseLink(link, "unknown-session");
    known.strayed = true;
    this.#count("unknown-session");
    const bytes = encodeFrame({ kind: "refuse", session, time: now, reason: "unknown-session", alternatives: [] });
    this.#outputs.push({ kind: "send", link, bytes });
  }

  #admit(known: OpenLink, link: LinkId, hello: Hello, now: Millis): Refusal | undefined {
    if (hello.version !== sessionVersion) return "version";
    const proved = hello.proof !== undefined && this.#proves(known.remote, hello);
    if (hello.proof !== undefined && !proved) return "proof";
    const puzzle = proved ? undefined : this.#strangers.demand(known, now);
    if (puzzle) return this.#send(link, encodeFrame({ kind: "puzzle", ...puzzle }));
    const node = this.#nodes.get(hello.tag) ?? (proved ? this.#carryNew(known.remote, hello, now) : "unknown-room");
    if (typeof node === "string") return node;
    const refusal = node.handleHello(hello, { link, kind: known.kind, remote: known.remote }, proved, now);
    if (!refusal) this.#adopt(link, node);
    return refusal;
  }

  #proves(remote: PeerId, hello: Hello): boolean {
    const context = { tag: hello.tag, relay: this.#options.self.peer, host: remote, session: hello.session };
    return hello.proof !== undefined && verifyHost(this.#crypto, hello.proof, context);
  }

  /** A host session asks for a room that is not carried here yet; the volunteer's wishes decide. */
  #carryNew(host: PeerId, hello: Hello, now: Millis): RoomNode | Refusal {
    const lending = this.#lending;
    const slots = this.#slots();
    if (!lending || !slots) return "not-carrying";
    if (slots.max === 0 || this.#nodes.size >= roomsMax) return "full";
    const holdsCard = hello.proof !== undefined && equal(hello.proof.cardSecret, lending.cardSecret);
    if (lending.options.only === true && !holdsCard) return "only-own";
    const brought = [...this.#bringers.values()].filter((peer) => peer === host).length;
    if (brought >= roomsPerPeerMax) return "full";
    this.#bringers.set(hello.tag, host);
    return this.#newNode(hello.tag, now);
  }

  #refuse(link: LinkId, hello: Hello, reason: Refusal, now: Millis): void {
    this.#count(`refused-${reason}`);
    const alternatives = reason === "full" ? (this.#nodes.get(hello.tag)?.alternatives(now) ?? []) : [];
    const { session } = hello;
    const bytes = encodeFrame({ kind: "refuse", session, time: now, reason, alternatives });
    this.#outputs.push({ kind: "send", link, bytes });
    this.#close(link);
  }

  #refuseLink(link: LinkId, reason: string): void {
    this.#count(reason);
    const owner = this.#links.get(link)?.owner;
    this.#close(link);
    if (owner) owner.node.handleLinkBroken(owner.edge, link, owner.node.usedAt);
  }

  #handleClosed(link: LinkId, now: Millis): void {
    const known = this.#links.get(link);
    this.#links.delete(link);
    this.#solver.forget(link);
    if (known?.owner) known.owner.node.handleLinkClosed(known.owner.edge, link, now);
  }

  #handleTimeout(now: Millis): void {
    const lateMs = now - (this.deadline()?.at ?? now);
    this.#clock.lookAgain(now);
    const due = this.deadline();
    // Media that came or went has put off what was due.
    if (due !== undefined && due.at > now) return;
    // Most often a session has a tick to send: who sits here and all edges and places need not be looked through for it.
    if (lateMs <= stallMsMin && this.#clock.tick(now)) return;
    this.#clock.reset();
    if (lateMs > stallMsMin) for (const node of this.#nodes.values()) node.forgive(lateMs + stallMsMin, now);
    for (const [link, known] of this.#links) {
      if (!known.owner && now >= this.#strangers.endsAt(known)) this.#refuseLink(link, "opening-timeout");
    }
    for (const { link, nonce, hello } of this.#solver.work()) {
      this.#send(link, encodeFrame({ kind: "solution", nonce }));
      this.#send(link, hello);
    }
    for (const [tag, node] of this.#nodes) {
      node.handleTimeout(now);
      if (now >= idleAt(node)) this.#forget(tag);
    }
    this.#resident?.handleTimeout(now);
  }

  #forget(tag: RoomTag): void {
    this.#nodes.delete(tag);
    this.#bringers.delete(tag);
  }

  #send(link: LinkId, bytes: Uint8Array): undefined {
    if (bytes[0] === helloType) this.#solver.note(link, bytes);
    this.#outputs.push({ kind: "send", link, bytes });
  }

  #close(link: LinkId): void {
    this.#solver.forget(link);
    if (!this.#links.delete(link)) return;
    this.#outputs.push({ kind: "close", link });
  }

  #count(reason: string): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
  }
}
