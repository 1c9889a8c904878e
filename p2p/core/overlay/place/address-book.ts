import type { PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { peerOf } from "../../session/frames.ts";

/** Of those who lend beyond the view's relays so many are remembered: to be dialed when the parent is gone. */
const lendersMax = 24;
/** Addresses remembered: all that a view can name, hints before it, and those who lend; the oldest that nobody needs falls. */
const addressesMax = 160;

/** How relays of a room and others who lend are dialed, bounded whatever neighbours name. */
export class AddressBook {
  readonly #addresses = new Map<PeerId, RelayAddress>();
  /** Who lends beyond the view's relays, by what those said; newest last. */
  readonly #lenders = new Set<PeerId>();
  readonly #isNeeded: (peer: PeerId) => boolean;
  readonly #forgotten: (peer: PeerId) => void;

  /** @param isNeeded whether somebody may be dialed whoever else is known; `forgotten` hears of each whose address fell. */
  constructor(isNeeded: (peer: PeerId) => boolean, forgotten: (peer: PeerId) => void) {
    this.#isNeeded = isNeeded;
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#addresses.size;
  }

  get lenders(): Iterable<PeerId> {
    return this.#lenders;
  }

  addressOf(peer: PeerId): RelayAddress | undefined {
    return this.#addresses.get(peer);
  }

  isLender(peer: PeerId): boolean {
    return this.#lenders.has(peer);
  }

  /** Learns addresses; returns the peers in the order given. */
  learn(relays: readonly RelayAddress[]): PeerId[] {
    const peers = relays.map(peerOf);
    for (const [index, peer] of peers.entries()) {
      this.#addresses.delete(peer);
      this.#addresses.set(peer, relays[index]!);
    }
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= addressesMax) break;
      if (!this.#lenders.has(oldest) && !peers.includes(oldest)) this.#forget(oldest);
    }
    return peers;
  }

  /** Learns of somebody who lends; `isRanked`: the view has its address. */
  learnLender(address: RelayAddress, isRanked: (peer: PeerId) => boolean): PeerId {
    const peer = peerOf(address);
    this.#lenders.delete(peer);
    this.#lenders.add(peer);
    if (!isRanked(peer)) this.#addresses.set(peer, address);
    for (const oldest of this.#lenders) {
      if (this.#lenders.size <= lendersMax) break;
      this.#lenders.delete(oldest);
      this.#forget(oldest);
    }
    return peer;
  }

  /** The view names these no more. */
  dismiss(peers: readonly PeerId[]): void {
    for (const peer of peers) this.#lenders.delete(peer);
  }

  #forget(peer: PeerId): void {
    if (this.#isNeeded(peer)) return;
    this.#addresses.delete(peer);
    this.#forgotten(peer);
  }
}
