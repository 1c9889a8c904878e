const replacement = 0xfffd;

/** UTF-8 of a string. A lone surrogate, which UTF-8 has no form for, becomes U+FFFD as in TextEncoder. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let point = character.codePointAt(0) ?? replacement;
    if (point >= 0xd800 && point <= 0xdfff) point = replacement;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), tail(point, 0));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), tail(point, 6), tail(point, 0));
    else bytes.push(0xf0 | (point >> 18), tail(point, 12), tail(point, 6), tail(point, 0));
  }
  return Uint8Array.from(bytes);
}

/**
 * The string of strict UTF-8 (RFC 3629): undefined for overlong forms, surrogates, points above U+10FFFF, and
 * sequences cut short. Nothing is replaced, so that two different byte strings never read the same.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = "";
  let index = 0;
  while (index < bytes.length) {
    const first = bytes[index] ?? 0;
    const size = sizeOf(first);
    if (size === 0 || index + size > bytes.length) return undefined;
    let point = size === 1 ? first : first & (0x7f >> size);
    for (let next = index + 1; next < index + size; next++) {
      const byte = bytes[next] ?? 0;
      if ((byte & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (byte & 0x3f);
    }
    if (!belongs(point, size)) return undefined;
    text += String.fromCodePoint(point);
    index += size;
  }
  return text;
}

function tail(point: number, shift: number): number {
  return 0x80 | ((point >> shift) & 0x3f);
}

function sizeOf(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

/** The point's shortest form has `size` bytes, and it is a scalar value. */
function belongs(point: number, size: number): boolean {
  if (size === 3) return point >= 0x800 && (point < 0xd800 || point > 0xdfff);
  if (size === 4) return point >= 0x10000 && point <= 0x10ffff;
  return true;
}

/** Cuts a text to so many bytes of UTF-8, at a character's border. */
export function cut(text: string, bytesMax: number): string {
  let bytes = 0;
  let kept = "";
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}
