import { describe, expect, it } from "vitest";
import { AssertionError } from "../../p2p/core/assert.ts";
import { decodeBase64url, encodeBase64url } from "../../p2p/core/base64url.ts";
import { ByteReader, ByteWriter, compare, concat, copy, equal, fromHex, toHex } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { decodeUtf8, encodeUtf8 } from "../../p2p/core/utf8.ts";

describe("ByteWriter and ByteReader", () => {
  it("read back what was written, as DataView lays it out", () => {
    const bytes = new ByteWriter().u8(0xfe).u16(0xfedc).u32(0xfedcba98).u48(0xfedcba987654).finish();
    const view = new DataView(bytes.buffer);
    expect([view.getUint8(0), view.getUint16(1), view.getUint32(3)]).toEqual([0xfe, 0xfedc, 0xfedcba98]);
    expect(view.getUint32(7) * 0x10000 + view.getUint16(11)).toBe(0xfedcba987654);
    const reader = new ByteReader(bytes);
    expect([reader.u8(), reader.u16(), reader.u32(), reader.u48()]).toEqual([0xfe, 0xfedc, 0xfedcba98, 0xfedcba987654]);
    expect(reader.ended).toBe(true);
  });

  it("grow over any size and round trip random fields", () => {
    const rng = new Rng("fields");
    const fields = Array.from({ length: 300 }, () => rng.bytes(rng.int(200)));
    const writer = new ByteWriter();
    fields.forEach((field, index) => (index % 2 === 0 ? writer.sized8(field) : writer.sized16(field)));
    const reader = new ByteReader(writer.finish());
    for (const [index, field] of fields.entries()) {
      expect(equal(index % 2 === 0 ? reader.sized8() : reader.sized16(), field)).toBe(true);
    }
    expect(reader.ended).toBe(true);
  });

  it("give out copies: what is written later changes nothing that was finished", () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.finish();
    first[0] = 9;
    expect([...writer.u8(2).finish()]).toEqual([1, 2]);
  });

  it("fail for good at the first read past the end, and give nothing after it", () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    expect(reader.u16()).toBe(0x0102);
    expect(reader.u16()).toBe(0);
    expect([reader.failed, reader.ended, reader.remaining, reader.u8()]).toEqual([true, false, 0, 0]);
    expect(reader.bytes(1)).toHaveLength(0);
  });

  it("allocate nothing for a length that lies", () => {
    const reader = new ByteReader(Uint8Array.of(0xff, 0xff, 1));
    expect(reader.sized16()).toHaveLength(0);
    expect(reader.failed).toBe(true);
  });

  it("copy, so that a reused network buffer changes nothing", () => {
    const network = Buffer.from([1, 2, 3, 4]);
    const read = new ByteReader(network).bytes(4);
    const copied = copy(network);
    network.fill(9);
    expect([...read, ...copied]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });

  it.each([
    ["a byte of 256", (writer: ByteWriter) => writer.u8(256)],
    ["a negative number", (writer: ByteWriter) => writer.u16(-1)],
    ["a fraction", (writer: ByteWriter) => writer.u32(0.5)],
    ["49 bits", (writer: ByteWriter) => writer.u48(2 ** 48)],
    ["300 bytes under a length of one", (writer: ByteWriter) => writer.sized8(new Uint8Array(300))],
  ])("assert that a field fits: %s", (_, write) => {
    expect(() => write(new ByteWriter())).toThrow(AssertionError);
  });
});

describe("hex, base64url and UTF-8", () => {
  it("agree with Node's own, both ways", () => {
    const rng = new Rng("text");
    for (let length = 0; length < 100; length++) {
      const bytes = rng.bytes(length);
      const node = Buffer.from(bytes);
      expect(toHex(bytes)).toBe(node.toString("hex"));
      expect(equal(fromHex(toHex(bytes).toUpperCase()), bytes)).toBe(true);
      expect(encodeBase64url(bytes)).toBe(node.toString("base64url"));
      expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
    }
  });

  it("refuse what is not of their alphabet", () => {
    expect(() => fromHex("0g")).toThrow(AssertionError);
    expect(() => fromHex("012")).toThrow(AssertionError);
    for (const text of ["ab+/", "ab==", "a b", "ä"]) expect(decodeBase64url(text)).toBeUndefined();
  });

  it("encode and decode UTF-8 as TextEncoder and a fatal TextDecoder do", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const strict = (bytes: Uint8Array): string | undefined => {
      try {
        return decoder.decode(bytes);
      } catch {
        return undefined;
      }
    };
    const rng = new Rng("utf8");
    const texts = ["", "tea", "茶館 · 茶馆", "чай", "ئۇيغۇر", "བོད་ཡིག", "\u{1f375}", "\ud800 lone", "\ufeffmark"];
    for (const text of texts) expect(encodeUtf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)));
    for (const text of texts.slice(0, 7)) expect(decodeUtf8(encodeUtf8(text))).toBe(text);
    const leads = [0x41, 0xc0, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x80, 0x9f, 0xa0, 0xbf, 0x8f, 0x90];
    for (let run = 0; run < 20_000; run++) {
      const bytes = Uint8Array.from({ length: 1 + rng.int(5) }, () => leads[rng.int(leads.length)] ?? 0);
      expect(decodeUtf8(bytes)).toBe(strict(bytes));
    }
  });
});

describe("concat, equal and compare", () => {
  it("order bytes as unsigned, a prefix first", () => {
    const one = Uint8Array.of(1);
    expect(equal(concat(one, one), Uint8Array.of(1, 1))).toBe(true);
    expect(equal(one, concat(one, one))).toBe(false);
    expect(compare(one, concat(one, one))).toBeLessThan(0);
    expect(compare(Uint8Array.of(200), one)).toBeGreaterThan(0);
    expect(compare(one, copy(one))).toBe(0);
  });
});
