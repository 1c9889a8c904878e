import { type Millis, millis, type RoomKey } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { OpenRoom } from "../../../api/room.ts";
import { decodeBase64url } from "../../base64url.ts";
import { ByteReader, ByteWriter, concat, equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeInvite, type Invite, parseInvite } from "../invite/invite.ts";
import { encodeText } from "../invite/text.ts";
import { type Capability, readCapability, verifyChain, writeCapability } from "../rights/capability.ts";
import { mayLead } from "../state/sealed-state.ts";
import { cut, decodeUtf8, encodeUtf8 } from "../../utf8.ts";
import {
  encodeRecord,
  openRecord,
  recordHour,
  recordKeys,
  recordPayloadBytesMax,
  signerInHour,
  signerOf,
} from "../../discovery/record.ts";

/**
 * The hall: where open rooms are listed for everybody. A place in it is a record under a secret that all know, so a server of
 * the DHT keeps it as it keeps any room's, and a room takes two of the places, drawn anew each hour ([DS11] to [DS13]).
 */

const listingVersion = 1;
const workBytes = 8;
const signatureBytes = 64;
/** Of a title; what is longer is cut. */
const titleBytesMax = 96;
const placeLabel = encodeUtf8("teahouse hall place 1");
const drawLabel = encodeUtf8("teahouse hall draw 1");
const workLabel = encodeUtf8("teahouse hall work 1");
const listingLabel = encodeUtf8("teahouse hall listing 2");

/** Who lists a room: whoever acts for it. */
interface Author {
  readonly seed: Uint8Array;
  readonly capability: Capability;
}

/** What is said of a room in the hall. */
export interface Listing {
  readonly title: string;
  /** Who was there when it was said. */
  readonly members: number;
  readonly invite: Invite;
}

/** Where a room is listed in an hour. */
export interface HallSpot {
  readonly hour: number;
  readonly place: number;
}

/** The places that a room takes in an hour. */
export function spotsOf(crypto: Crypto, tag: Uint8Array, hour: number): readonly HallSpot[] {
  return [0, 1].map((draw) => {
    const head = new ByteWriter().bytes(drawLabel).bytes(tag).u32(hour).u8(draw).finish();
    return { hour, place: new ByteReader(crypto.sha256(head)).u32() % limits.hallPlaces };
  });
}

/** The key of a place in the DHT. */
export function spotKey(crypto: Crypto, { hour, place }: HallSpot): Uint8Array {
  return recordKeys(crypto, placeSecret(crypto, place), hour)[0] ?? new Uint8Array(32);
}

/** What is hashed to pay for a place; its last 8 bytes are the work. */
export function paymentOf(tag: Uint8Array, spot: HallSpot, work: Uint8Array): Uint8Array {
  return concat(workLabel, tag, stampOf(spot), work);
}

/** How many zero bits a payment comes to. */
export function workIn(crypto: Crypto, payment: Uint8Array): number {
  const hash = crypto.sha256(payment);
  const first = hash.findIndex((byte) => byte !== 0);
  return first < 0 ? 8 * hash.length : 8 * first + Math.clz32(hash[first] ?? 0) - 24;
}

/** The record of a listing. As many of the invite's relays are named as there is room for. */
export function encodeListing(
  crypto: Crypto,
  spot: HallSpot,
  listing: Listing,
  work: Uint8Array,
  author: Author,
  now: Millis,
): Uint8Array {
  const payload = payloadOf(crypto, spot, listing, work, author, now);
  const content = { hour: spot.hour, sequence: Math.floor(now), payload };
  return encodeRecord(crypto, placeSecret(crypto, spot.place), content);
}

/** What a listing's record holds inside its seal. It is signed with the record's number, so that nobody wraps an old one anew. */
export function payloadOf(
  crypto: Crypto,
  spot: HallSpot,
  listing: Listing,
  work: Uint8Array,
  author: Author,
  now: Millis,
): Uint8Array {
  const head = new ByteWriter().u8(listingVersion).bytes(work).u32(Math.min(0xffff_ffff, listing.members));
  head.sized8(encodeUtf8(cut(listing.title, titleBytesMax)));
  writeCapability(head, author.capability);
  const room = recordPayloadBytesMax - head.length - 2 - signatureBytes;
  const body = head.sized16(fittingInvite(crypto, listing.invite, room)).finish();
  const signature = crypto.sign(author.seed, signedPart(spot, Math.floor(now), body));
  return concat(body, signature);
}

/** A listing as a reader believes it. */
export interface BelievedListing extends OpenRoom {
  readonly tag: Uint8Array;
  /** By the lister's clock. */
  readonly saidAt: Millis;
  readonly workBits: number;
}

/** Reads what lies in a place; undefined for what nobody who leads its room stands behind, or that cost too little ([DS12]). */
export function openListing(
  crypto: Crypto,
  spot: HallSpot,
  value: Uint8Array,
  now: Millis,
): BelievedListing | undefined {
  const opened = openRecord(crypto, placeSecret(crypto, spot.place), value);
  if (!opened.ok || opened.value.hour !== spot.hour) return undefined;
  const { payload, sequence } = opened.value;
  const read = readListing(crypto, payload);
  if (!read) return undefined;
  const { work, members, title, capability, invite, end, signature } = read;
  const { roomKey, tag, chain } = invite;
  const workBits = workIn(crypto, paymentOf(tag, spot, work));
  if (workBits < limits.hallWorkBits) return undefined;
  const leads = verifyChain(crypto, roomKey, [capability], now);
  const admits = verifyChain(crypto, roomKey, chain, now);
  if (!leads.ok || !mayLead(leads.value) || !admits.ok || admits.value.role !== "listener") return undefined;
  const signed = signedPart(spot, sequence, payload.subarray(0, end));
  if (!crypto.verify(capability.grantee, signed, signature)) return undefined;
  const text = encodeInvite(crypto, invite);
  return { room: toHex(roomKey) as RoomKey, title, members, invite: text, tag, saidAt: millis(sequence), workBits };
}

/** What a listing says and how it is signed. */
interface ReadListing extends Listing {
  readonly work: Uint8Array;
  readonly capability: Capability;
  /** Where what is signed ends. */
  readonly end: number;
  readonly signature: Uint8Array;
}

/** Takes a listing apart by structure alone. */
export function readListing(crypto: Crypto, payload: Uint8Array): ReadListing | undefined {
  const reader = new ByteReader(payload);
  const version = reader.u8();
  const work = reader.bytes(workBytes);
  const members = reader.u32();
  const titleBytes = reader.sized8();
  const capability = readCapability(reader);
  const bytes = reader.sized16();
  const end = reader.offset;
  const signature = reader.bytes(signatureBytes);
  if (version !== listingVersion || !reader.ended || !capability || titleBytes.length > titleBytesMax) return undefined;
  const title = decodeUtf8(titleBytes);
  const invite = parseInvite(crypto, encodeText("invite", bytes));
  if (title === undefined || !invite.ok) return undefined;
  return { work, members, title, capability, invite: invite.value, end, signature };
}

/** Where to look at this time: all places of the hour, and of the one before while the new one fills. */
export function spotsToAsk(now: Millis): readonly HallSpot[] {
  const hour = recordHour(now);
  const hours = now - hour * 3_600_000 < limits.hallOverlapMs && hour > 0 ? [hour, hour - 1] : [hour];
  return hours.flatMap((each) => Array.from({ length: limits.hallPlaces }, (_, place) => ({ hour: each, place })));
}

/** Tells a server which of the records that it is given are of the hall, so that it takes only listings there ([DS13]). */
export class HallSigners {
  readonly #crypto: Crypto;
  /** By hour, the newest last: what each place's record is signed by. */
  readonly #hours = new Map<number, Uint8Array[]>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** The place that a record of this hour is for; undefined for a room's own. */
  spotOf(value: Uint8Array, hour: number): HallSpot | undefined {
    const signer = signerOf(value);
    const place = this.#signers(hour).findIndex((each) => equal(each, signer));
    return place < 0 ? undefined : { hour, place };
  }

  #signers(hour: number): Uint8Array[] {
    const known = this.#hours.get(hour);
    if (known) return known;
    const signers = Array.from({ length: limits.hallPlaces }, (_, place) =>
      signerInHour(this.#crypto, placeSecret(this.#crypto, place), hour),
    );
    this.#hours.set(hour, signers);
    // The hours that anybody asks about lie side by side.
    for (const oldest of this.#hours.keys()) {
      if (this.#hours.size <= hoursKnownMax) break;
      this.#hours.delete(oldest);
    }
    return signers;
  }
}

/** As many as a server takes records of, before and after its own. */
const hoursKnownMax = 100;

/** Everybody knows it. */
function placeSecret(crypto: Crypto, place: number): Uint8Array {
  return crypto.sha256(concat(placeLabel, Uint8Array.of(place)));
}

function signedPart(spot: HallSpot, sequence: number, body: Uint8Array): Uint8Array {
  return concat(listingLabel, stampOf(spot), new ByteWriter().u48(sequence).finish(), body);
}

function stampOf({ hour, place }: HallSpot): Uint8Array {
  return new ByteWriter().u32(hour).u8(place).finish();
}

function fittingInvite(crypto: Crypto, invite: Invite, bytesMax: number): Uint8Array {
  for (let count = invite.hints.length; ; count--) {
    const text = encodeInvite(crypto, { ...invite, hints: invite.hints.slice(0, count) });
    const bytes = decodeBase64url(text.slice(text.indexOf("-") + 1)) ?? new Uint8Array(0);
    if (bytes.length <= bytesMax || count === 0) return bytes;
  }
}
