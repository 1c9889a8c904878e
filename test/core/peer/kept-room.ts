import type { Act, RoomFacts, RoomPerson } from "../../../p2p/api/room.ts";
import type { Role } from "../../../p2p/api/engine.ts";
import type { ErrorCode } from "../../../p2p/api/errors.ts";
import { parseView, type RelayView } from "../../../p2p/core/room/state/view.ts";
import type { LinkId } from "../../../p2p/api/ids.ts";
import { concat } from "../../../p2p/core/bytes.ts";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { type Passing, Room } from "./room.ts";

/** A room with a host and people who came by invites of these roles. */
export class KeptRoom extends Room {
  readonly relays: readonly number[];
  readonly keeper: number;
  #question = 1;
  readonly #views = new Map<number, RelayView>();
  readonly #pieces = new Map<LinkId, Map<number, Uint8Array>>();

  constructor(seed: string, relays = 2, letEverybodySpeak = false) {
    super(seed);
    this.relays = Array.from({ length: relays }, () => this.addRelay());
    this.keeper = this.addPerson();
    this.filter = (passing) => {
      this.#noteView(passing);
      return true;
    };
    this.host(this.keeper, this.relays, { letEverybodySpeak, title: "tea", name: "Host" });
    this.run(500);
  }

  /** Somebody comes in. */
  enter(role: Exclude<Role, "host"> = "listener"): number {
    const node = this.addPerson();
    this.join(node, this.invite(this.keeper, role));
    this.run(1000);
    return node;
  }

  /** Does something; what was answered. */
  act(node: number, act: Act): ErrorCode | undefined {
    const id = this.#question++;
    this.command(node, { kind: "act", id, act });
    const answer = this.events(node, "answered").find((event) => event.id === id);
    if (!answer) throw new Error("no answer");
    this.run(600);
    return answer.code;
  }

  facts(node: number): RoomFacts {
    const facts = this.events(node, "room-state").at(-1);
    if (!facts) throw new Error("nothing is known of the room");
    return facts;
  }

  identity(node: number): string {
    const self = this.facts(node).people.find((person) => person.self);
    if (self) return self.identity;
    throw new Error(`the room does not know ${node} by name`);
  }

  /** Somebody as somebody else sees them. */
  seen(by: number, identity: string): RoomPerson | undefined {
    return this.facts(by).people.find((person) => person.identity === identity);
  }

  /** Raises a hand and is let on stage; the identity. */
  bringOnStage(node: number, by = this.keeper): string {
    this.command(node, { kind: "raise-hand" });
    this.run(600);
    const hand = this.facts(by).hands.find(({ name }) => name === `person ${node}`);
    if (hand) this.command(by, { kind: "admit", hand: hand.id });
    this.run(600);
    return this.identity(node);
  }

  /** A message of the lane may come in pieces. */
  #noteView({ to, link, bytes }: Passing): void {
    const frame = bytes[0] === 7 ? parseFrame(bytes) : undefined;
    if (frame?.kind !== "fragment") return;
    const pieces = this.#pieces.get(link) ?? new Map<number, Uint8Array>();
    this.#pieces.set(link, pieces.set(frame.sequence, frame.bytes));
    if (!frame.last) return;
    const paper = parsePaper(
      concat(...[...pieces].toSorted(([left], [right]) => left - right).map(([, each]) => each)),
    );
    const view = paper?.kind === "view" ? parseView(paper.bytes) : undefined;
    if (view?.ok) this.#views.set(to, view.value);
    pieces.clear();
  }

  /** The view that passed this node last. */
  viewOf(node: number): RelayView | undefined {
    return this.#views.get(node);
  }

  /** Who is on stage, by name, as somebody sees it. */
  stage(by: number): string[] {
    return this.facts(by)
      .people.filter(({ voice }) => voice !== null)
      .map(({ name }) => name);
  }

  troubles(node: number): string[] {
    return this.events(node, "trouble").map(({ code }) => code);
  }

  isOut(node: number): boolean {
    return this.events(node, "left").length > 0;
  }
}
