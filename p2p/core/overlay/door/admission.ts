import type { PeerId } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { alternativesMax, type Hello, type Refusal } from "../../session/frames.ts";
import type { Edges } from "../edge.ts";
import { reservesMax } from "../heal/reserves.ts";

/** Slots that are kept for the room's own relays and hosts, whatever the volunteer allows to listeners: the tree itself. */
export const reservedSlots = limits.relaysMax;
/** Standby edges cost a tick a second; each child keeps so many, and they are spread as children are. */
const standbyShare = reservesMax;

/** Who has fewer slots than this keeps none. */
const slotsToKeepOne = 4;

/** Edges of one neighbour in one room: the old one may still be there when it comes again. */
const edgesPerPeerMax = 4;

/** Edges to the host session in one room: its own, and one that it left behind. */
const authoritiesMax = 4;

/** How long an address may be to be named in a refusal: three of them go into one frame. */
const alternativeBytesMax = 64;

/**
 * Refusals that a second try does not change. A room may still be on its way to a relay, and a slot may come free; a lock may
 * be opened again, but by then the person was told.
 */
export const finalRefusals: ReadonlySet<Refusal> = new Set([
  "version",
  "only-own",
  "banned",
  "not-carrying",
  "protocol",
  "locked",
  "closed",
]);

/** What admission looks at. */
export interface AdmissionFacts {
  readonly edges: Edges;
  /** Whether this node forwards for others at all. */
  readonly carries: boolean;
  /** Children with media, over all rooms, and how many the volunteer allows. */
  readonly children: number;
  readonly childrenMax: number;
  /** Edges of every kind that get media, over all rooms. */
  readonly feeding: number;
  /** Relays of the room, by the view. */
  readonly relays: readonly PeerId[];
  /** Whether the hello proved to come from the host session. */
  readonly proved: boolean;
  /**
   * Whether it may have the slots that are kept ([OV22]): it lends, and so brings more than it takes, or our parent said that
   * it comes.
   */
  readonly favoured: boolean;
}

/**
 * Who gets in ([OV8]): the host session first, the room's relays into reserved slots, members while there is room.
 * @returns a refusal, or undefined for yes.
 */
export function refusalOf(hello: Hello, remote: PeerId, facts: AdmissionFacts): Refusal | undefined {
  if (!facts.carries) return "not-carrying";
  if (facts.edges.all.filter((edge) => edge.peer === remote).length >= edgesPerPeerMax) return "full";
  // Whoever proves what: a volunteer's cap holds, with the tree's own slots on top.
  if (hello.feed && facts.feeding >= facts.childrenMax + reservedSlots) return "full";
  if (facts.proved)
    return facts.edges.downs.filter((edge) => edge.authority).length < authoritiesMax ? undefined : "full";
  if (hello.role !== "member") return facts.relays.includes(remote) ? undefined : "proof";
  if (hello.feed && facts.favoured && facts.children < facts.childrenMax) return undefined;
  if (hello.feed) return hasSlot(facts) ? undefined : "full";
  const standbys = facts.edges.downs.filter((edge) => !edge.feed && edge.session.keepsPlace).length;
  // Who comes to see whether it hangs better here is let in as long as there is a slot for it.
  const most = (reservedSlots + facts.childrenMax * standbyShare) * (hasSlot(facts) ? 2 : 1);
  return standbys < most ? undefined : "full";
}

/** Whether one more member may be given media. */
function hasSlot(facts: Pick<AdmissionFacts, "children" | "childrenMax">): boolean {
  return slotsFree(facts.children, facts.childrenMax) > 0;
}

/** Slots that newcomers may not take: an eighth, but one at least of whoever has some, for children of a relay that dies (Kusumoto et al. 2006). */
export function rescueSlots(childrenMax: number): number {
  return Math.max(childrenMax >= slotsToKeepOne ? 1 : 0, Math.floor(childrenMax / 8));
}

/** Slots for newcomers. */
export function slotsFree(children: number, childrenMax: number): number {
  return Math.max(0, childrenMax - rescueSlots(childrenMax) - children);
}

/** Those of some relays that a refusal names, in their order: each with one address, and few enough for one frame. */
export function alternativesOf(relays: readonly (RelayAddress | undefined)[]): RelayAddress[] {
  const short = relays.filter((relay) => (relay?.addresses[0]?.length ?? Infinity) <= alternativeBytesMax);
  const chosen = short.filter((relay) => relay !== undefined).slice(0, alternativesMax);
  return chosen.map((relay) => ({ ...relay, addresses: relay.addresses.slice(0, 1) }));
}
