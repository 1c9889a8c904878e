import type { Rng } from "../../p2p/core/rng.ts";

/** Values at which fields of one, two and four bytes turn. */
const edges8 = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
const edges16 = [0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const edges32 = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
/** Numbers and words at which readers of text turn. */
const textEdges = [
  "0",
  "-1",
  "1e999",
  "4294967296",
  "9007199254740993",
  "NaN",
  "null",
  "{}",
  "[]",
  "[[[[[[[[",
  '"',
  "\\u0000",
  "\\",
  "__proto__",
  "constructor",
  "toString",
  "\r\n",
  "\0",
  "%",
  "%00",
  " ",
  "a=".repeat(40),
  "\u00ff".repeat(9),
];
/** Longest that an input grows; more than any reader takes. */
const bytesMax = 70_000;

/** What is mutated, and from what. */
export interface Stock {
  /** Valid inputs and those that once broke something. */
  readonly inputs: readonly Uint8Array[];
  readonly text: boolean;
}

/**
 * One input made from the stock: fields set to where they turn, parts doubled, swapped, cut out, filled or taken from
 * another input, lengths that lie. Mostly one to four such steps; sometimes bytes from nowhere behind a true beginning.
 */
export function mutant(rng: Rng, stock: Stock): Uint8Array {
  const base = pick(rng, stock.inputs) ?? new Uint8Array(0);
  if (rng.int(16) === 0) return behindTrueBeginning(rng, base);
  let bytes = base;
  for (let left = 1 + rng.int(4); left > 0; left--) {
    bytes = stock.text && rng.int(2) === 0 ? mutateText(rng, bytes) : mutateBytes(rng, bytes, stock);
  }
  return bytes;
}

function behindTrueBeginning(rng: Rng, base: Uint8Array): Uint8Array {
  const bytes = rng.bytes(rng.int(2 * base.length + 16));
  bytes.set(base.subarray(0, rng.int(Math.min(bytes.length, base.length) + 1)));
  return bytes;
}

function mutateBytes(rng: Rng, bytes: Uint8Array, stock: Stock): Uint8Array {
  const at = rng.int(bytes.length + 1);
  switch (rng.int(10)) {
    case 0:
    case 1:
    case 2:
      return withField(bytes, at, 1, (bytes[at] ?? 0) ^ (1 << rng.int(8)));
    case 3:
      return withField(bytes, at, 1, pick(rng, edges8) ?? 0);
    case 4:
      return withField(bytes, at, 2, pick(rng, edges16) ?? 0);
    case 5:
      return withField(bytes, at, 4, pick(rng, edges32) ?? 0);
    case 6:
      return bytes.subarray(0, at);
    case 7:
      return spliced(bytes, at, 1 + rng.int(16), new Uint8Array(0));
    case 8:
      return spliced(bytes, at, 0, rng.bytes(1 + rng.int(16)));
    default:
      return withPart(rng, bytes, at, stock);
  }
}

/** A part doubled, moved, or taken from another input. */
function withPart(rng: Rng, bytes: Uint8Array, at: number, stock: Stock): Uint8Array {
  const from = rng.int(2) === 0 ? bytes : (pick(rng, stock.inputs) ?? bytes);
  const start = rng.int(from.length + 1);
  const part = from.subarray(start, start + 1 + rng.int(64));
  return spliced(bytes, at, rng.int(2) * part.length, part);
}

function mutateText(rng: Rng, bytes: Uint8Array): Uint8Array {
  const whole = bytes[0] === 0x7b && rng.int(2) === 0 ? mutateJson(rng, bytes) : undefined;
  if (whole) return whole;
  const at = tokenStart(bytes, rng.int(bytes.length + 1));
  const end = tokenEnd(bytes, at);
  switch (rng.int(4)) {
    case 0:
      return spliced(bytes, at, 0, bytes.subarray(at, end));
    case 1:
      return spliced(bytes, at, end - at, new Uint8Array(0));
    default: {
      const word = pick(rng, textEdges) ?? "";
      return spliced(
        bytes,
        at,
        rng.int(2) * (end - at),
        Uint8Array.from(word, (letter) => letter.charCodeAt(0)),
      );
    }
  }
}

/** One value of a JSON text made another, lost, or named otherwise; undefined when it is no JSON any more. */
function mutateJson(rng: Rng, bytes: Uint8Array): Uint8Array | undefined {
  try {
    const changed = JSON.stringify(mutateValue(rng, JSON.parse(Buffer.from(bytes).toString("latin1"))));
    return Uint8Array.from(changed, (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function mutateValue(rng: Rng, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && rng.int(4) > 0) {
    const at = rng.int(value.length);
    const kept: unknown[] = value.slice();
    if (rng.int(4) === 0) kept.push(...kept.slice(at));
    else kept[at] = mutateValue(rng, kept[at]);
    return kept;
  }
  if (typeof value === "object" && value !== null && rng.int(8) > 0) {
    const entries = Object.entries(value);
    const chosen = entries[rng.int(Math.max(1, entries.length))];
    if (!chosen) return value;
    const rest = entries.filter((entry) => entry !== chosen);
    if (rng.int(8) === 0) return Object.fromEntries(rest);
    if (rng.int(8) === 0) return Object.fromEntries([...rest, [pick(rng, textEdges) ?? "", chosen[1]]]);
    return Object.fromEntries([...rest, [chosen[0], mutateValue(rng, chosen[1])]]);
  }
  return pick(rng, jsonEdges);
}

const jsonEdges: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  65_535,
  65_536,
  4_294_967_296,
  1e300,
  "",
  "a",
  "\u0000",
  "198.51.100.7",
  "x".repeat(300),
  [],
  {},
  [[]],
  { kind: "toString" },
];

/** Letters and digits make a token; whatever else does not. */
function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
}

function tokenStart(bytes: Uint8Array, near: number): number {
  let at = near;
  while (at > 0 && isWord(bytes[at - 1])) at--;
  return at;
}

function tokenEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isWord(bytes[at])) at++;
  return Math.max(at, Math.min(bytes.length, start + 1));
}

/** Big-endian, and little-endian as often as the place is odd: formats of files have it so. */
function withField(bytes: Uint8Array, at: number, size: number, value: number): Uint8Array {
  const changed = bytes.slice();
  for (let index = 0; index < size && at + index < changed.length; index++) {
    const byte = at % 2 === 0 ? size - 1 - index : index;
    changed[at + index] = (value >>> (8 * byte)) & 0xff;
  }
  return changed;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const tail = bytes.subarray(Math.min(bytes.length, at + removed));
  if (at + added.length + tail.length > bytesMax) return bytes;
  const changed = new Uint8Array(at + added.length + tail.length);
  changed.set(bytes.subarray(0, at));
  changed.set(added, at);
  changed.set(tail, at + added.length);
  return changed;
}

function pick<Item>(rng: Rng, items: readonly Item[]): Item | undefined {
  return items[rng.int(items.length)];
}
