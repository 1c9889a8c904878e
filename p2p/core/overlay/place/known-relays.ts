import type { PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { peerOf } from "../../session/frames.ts";
import type { Upkeep } from "./upkeep.ts";

/** Hints kept before there is a view, the newest: whoever refuses may name others without end. */
const hintsMax = 64;

/** Which relays this node knows: those of the view in rank order, or hints before there is one; and who else lends. */
export class KnownRelays {
  #list: readonly PeerId[] = [];
  /** By the view alone; undefined before there is one. */
  #viewed: readonly PeerId[] | undefined;
  readonly #upkeep: Upkeep;
  readonly #self: PeerId;

  constructor(upkeep: Upkeep, self: PeerId) {
    this.#upkeep = upkeep;
    this.#self = self;
  }

  get list(): readonly PeerId[] {
    return this.#list;
  }

  /** This node's place in the view; undefined without one. */
  get rank(): number | undefined {
    const rank = this.#viewed?.indexOf(this.#self) ?? -1;
    return rank < 0 ? undefined : rank;
  }

  /** Relays to try before there is a view: from an invite, a record, or a refusal. */
  learnHints(relays: readonly RelayAddress[]): void {
    const peers = this.#upkeep.learn(relays).filter((peer) => peer !== this.#self);
    if (!this.#viewed) this.#list = [...new Set([...this.#list, ...peers])].slice(-hintsMax);
  }

  takeView(relays: readonly RelayAddress[]): void {
    const former = this.#viewed ?? [];
    const viewed = this.#upkeep.learn(relays);
    this.#viewed = viewed;
    this.#list = viewed;
    this.#upkeep.dismiss(former.filter((peer) => !viewed.includes(peer)));
  }

  /** A relay that has no slot named others that do. */
  prefer(relays: readonly RelayAddress[]): void {
    // Once there is a view, it alone says where the room's own relays are.
    if (!this.#viewed) this.learnHints(relays);
    for (const relay of relays) if (this.#viewed?.includes(peerOf(relay)) !== true) this.#upkeep.learnLender(relay);
    this.#upkeep.prefer(relays.map(peerOf).filter((peer) => peer !== this.#self));
  }
}
