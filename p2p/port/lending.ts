import { channelMessageBytesMax, descriptionCharactersMax } from "../api/channel.ts";
import { limits } from "../api/limits.ts";
import type { PortMessage } from "../api/port.ts";
import { socketBufferedBytesMax, socketMessageBytesMax, type LendingRefusal, type SocketRoute } from "../api/socket.ts";
import type { WayFailure } from "../api/way.ts";
import { count, exact, flag, list, object, oneOf, optional, text, type Shape } from "./shape.ts";
import { readText, type ByKind, type TextFault } from "./texts.ts";

/**
 * How the window lends its network: the engine borrows sockets and channels over a port of their own, with a desk in
 * between (lending-desk.ts). JSON texts say what happens to them; what they carry goes as bytes behind their number.
 */

/** Sockets and channels lent at once: parents, standbys, a few relays being tried, and the DHT's questions. */
export const lendingThingsMax = 256;
/** Characters of one text, either way. */
export const lendingTextMax = 32_768;
/** Bytes before what a socket or channel carries: its number, big-endian. */
const headerBytes = 4;
/** Largest message of bytes, either way. */
export const lendingBytesMax = headerBytes + socketMessageBytesMax;
/** Messages that break the rules before the page is hung up on. */
export const lendingFaultsMax = 64;

/** How much may be on its way before somebody waits, falls or ends; bytes. */
export interface LendingBounds {
  readonly messageMax: number;
  /** Towards the network: above this the engine keeps back, or drops. */
  readonly bufferedMax: number;
  /** Towards the network: a page that is given more ends the thing, for then nobody counts. */
  readonly givenMax: number;
  /** From the network, not yet taken by the engine: above this a channel's messages fall, and a socket ends. */
  readonly underwayMax: number;
}

/** Sockets have even numbers. yamux lets a far end send 256 KiB a stream before it is told to go on. */
export const socketBounds: LendingBounds = {
  messageMax: socketMessageBytesMax,
  bufferedMax: socketBufferedBytesMax,
  givenMax: 8 * socketBufferedBytesMax,
  underwayMax: 4_194_304,
};

/** Channels have odd numbers. What is late is of no use, so little is kept. */
export const channelBounds: LendingBounds = {
  messageMax: channelMessageBytesMax,
  bufferedMax: limits.linkBufferedBytesMax,
  givenMax: 4 * limits.linkBufferedBytesMax,
  underwayMax: 4 * limits.linkBufferedBytesMax,
};

/** Whether a thing of this number is a channel. */
export const isChannelId = (id: number): boolean => id % 2 === 1;

/** The bounds for a thing of this number. */
export const boundsOf = (id: number): LendingBounds => (isChannelId(id) ? channelBounds : socketBounds);

/** A total is told after this share of what may be buffered, so that it costs few messages. */
const untoldShare = 4;

/** Whether a total has grown enough to be told: `told` and `total` in bytes. */
export const isWorthTelling = (id: number, told: number, total: number): boolean =>
  total - told >= boundsOf(id).bufferedMax / untoldShare;

/** From engine to page. */
export type ToLender =
  /** Connect; always `wss:`. */
  | { readonly kind: "socket"; readonly id: number; readonly url: string }
  /** Answer this offer. */
  | { readonly kind: "channel"; readonly id: number; readonly offer: string }
  | { readonly kind: "candidates"; readonly id: number; readonly candidates: readonly string[] }
  /** End with a goodbye. */
  | { readonly kind: "close"; readonly id: number }
  /** End without one. */
  | { readonly kind: "drop"; readonly id: number }
  /** The engine keeps back: tell the total whenever it changes, until the network has taken all that was given. */
  | { readonly kind: "await"; readonly id: number }
  /** Of what came from the network, this many bytes in all were taken. */
  | { readonly kind: "taken"; readonly id: number; readonly bytes: number }
  /** Nobody borrows any more. Said before the port is closed, because not every port tells that. */
  | { readonly kind: "bye" };

/** From page to engine. */
export type FromLender =
  | { readonly kind: "opened"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly sdp: string }
  | { readonly kind: "closed"; readonly id: number; readonly reason: LentEnd }
  /** The network took this many bytes in all. */
  | { readonly kind: "taken"; readonly id: number; readonly bytes: number };

/** How a thing ended: with the far end's goodbye, without one, or because it broke the rules. */
export type LentEnd = "clean" | "lost" | "protocol";

/** From engine to desk: what only the desk can turn into something for the page, or does itself. */
export type ToDesk =
  | { readonly kind: "route"; readonly id: number; readonly route: SocketRoute }
  /** The page broke the rules. */
  | { readonly kind: "hang-up" };

/** From desk to engine. */
export type FromDesk =
  /** Whether a page lends. Between two pages it is told that there is none. */
  | { readonly kind: "lender"; readonly here: boolean }
  /** Counts only while the thing is not open: a connection that was good may look like none from the desk. */
  | { readonly kind: "refused"; readonly id: number; readonly reason: LendingRefusal | WayFailure };

/** Why a message about lent things was dropped; counted under this name. */
export type LendingFault = TextFault | "not-text-or-bytes" | "bad-bytes" | "unknown-id" | "bad-count" | "too-many";

/** Four bytes hold a number; ours begin at nought and are not used twice. */
const id = count(0xffff_ffff);
const bytes = count();
/** An address with an IPv6 literal or a name of 253 characters, and the token's path. */
const addressCharactersMax = 1024;
const candidateCharactersMax = 256;
const candidatesMax = 16;

const toLenderShapes: ByKind<ToLender> = {
  socket: exact({ kind: oneOf("socket"), id, url: text(addressCharactersMax) }),
  channel: exact({ kind: oneOf("channel"), id, offer: text(descriptionCharactersMax) }),
  candidates: exact({
    kind: oneOf("candidates"),
    id,
    candidates: list(text(candidateCharactersMax), candidatesMax),
  }),
  close: exact({ kind: oneOf("close"), id }),
  drop: exact({ kind: oneOf("drop"), id }),
  await: exact({ kind: oneOf("await"), id }),
  taken: exact({ kind: oneOf("taken"), id, bytes }),
  bye: exact({ kind: oneOf("bye") }),
};

const fromLenderShapes: ByKind<FromLender> = {
  opened: exact({ kind: oneOf("opened"), id }),
  answer: exact({ kind: oneOf("answer"), id, sdp: text(descriptionCharactersMax) }),
  closed: exact({ kind: oneOf("closed"), id, reason: oneOf("clean", "lost", "protocol") }),
  taken: exact({ kind: oneOf("taken"), id, bytes }),
};

const routeText = text(addressCharactersMax);
const routeShape = object({
  host: routeText,
  port: count(0xffff),
  path: routeText,
  serverName: optional(routeText),
  proxy: optional(
    object({
      kind: oneOf("socks5", "http"),
      host: routeText,
      port: count(0xffff),
      credentials: optional(object({ user: routeText, password: routeText })),
    }),
  ),
}) as Shape<SocketRoute>;

const toDeskShapes: ByKind<ToDesk> = {
  route: exact({ kind: oneOf("route"), id, route: routeShape }),
  "hang-up": exact({ kind: oneOf("hang-up") }),
};

const fromDeskShapes: ByKind<FromDesk> = {
  lender: exact({ kind: oneOf("lender"), here: flag }),
  refused: exact({ kind: oneOf("refused"), id, reason: text<LendingRefusal | WayFailure>(32) }),
};

/** What a text from the engine says to the page, or why it says nothing. */
export function readForLender(message: string): ToLender | TextFault {
  return readText(message, lendingTextMax, toLenderShapes);
}

/** What a text from page or desk says to the engine, or why it says nothing. */
export function readForBorrower(message: string): FromLender | FromDesk | TextFault {
  return readText<FromLender | FromDesk>(message, lendingTextMax, { ...fromLenderShapes, ...fromDeskShapes });
}

/** What a text from the engine says to the desk; undefined when it is for the page, or nothing. */
export function readForDesk(message: string): ToDesk | undefined {
  const read = readText(message, lendingTextMax, toDeskShapes);
  return typeof read === "string" ? undefined : read;
}

/** The text of a message. */
export function writeLending(message: ToLender | FromLender | ToDesk | FromDesk): string {
  return JSON.stringify(message);
}

/** What a socket or channel carries, behind its number. */
export function writeCarried(number: number, carried: Uint8Array): Uint8Array {
  const message = new Uint8Array(headerBytes + carried.length);
  new DataView(message.buffer).setUint32(0, number);
  message.set(carried, headerBytes);
  return message;
}

/** The number, and what is carried, which shares the memory; undefined when there is nothing behind the number, or too much. */
export function readCarried(message: Uint8Array): { readonly id: number; readonly carried: Uint8Array } | undefined {
  if (message.length <= headerBytes || message.length > lendingBytesMax) return undefined;
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0);
  // A plain array, whatever carried it: the `slice` of Node's own kind is no copy.
  const carried = new Uint8Array(message.buffer, message.byteOffset + headerBytes, message.length - headerBytes);
  return { id: number, carried };
}

/** Which thing a message to the page is about, as far as can be told without reading it whole; undefined: nobody can. */
export function lentIdOf(message: PortMessage): number | undefined {
  if (typeof message !== "string") return readCarried(message)?.id;
  const read = readForLender(message);
  return typeof read === "string" || read.kind === "bye" ? undefined : read.id;
}
