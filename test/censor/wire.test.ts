import { createServer, type AddressInfo } from "node:net";
import { connect } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { Rng } from "../../p2p/core/rng.ts";
import { conversation, inside, packet, pcapOf, relay } from "./packets.ts";
import { audit, tellingWords } from "./wire/audit.ts";
import { datagramKind, dtlsHello, isHelloVerify, parseStun } from "./wire/datagram.ts";
import { flowsOf } from "./wire/flows.ts";
import { ja4, parseBody, parseTlsHello, type ClientHello } from "./wire/hello.ts";
import { readCapture, type Packet } from "./wire/pcap.ts";
import { exemption } from "./wire/popcount.ts";

const rng = new Rng("censor");
let nodeHello: Buffer;

beforeAll(async () => {
  nodeHello = await new Promise<Buffer>((resolve, reject) => {
    const server = createServer((socket) => {
      socket.once("data", (bytes) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const options = { host: "127.0.0.1", port, servername: "www.example.org", ALPNProtocols: ["h2", "http/1.1"] };
      connect(options).on("error", () => undefined);
    });
    server.on("error", reject);
  });
});

/** A datagram of DTLS with one fragment of a handshake message. */
function dtlsRecord(type: number, message: Buffer, offset = 0, end = message.length): Buffer {
  const fragment = message.subarray(offset, end);
  const head = Buffer.alloc(25);
  head.set([22, 0xfe, 0xfd]);
  head.writeUInt16BE(12 + fragment.length, 11);
  head.writeUInt8(type, 13);
  head.writeUIntBE(message.length, 14, 3);
  head.writeUIntBE(offset, 19, 3);
  head.writeUIntBE(fragment.length, 22, 3);
  return Buffer.concat([head, fragment]);
}

/** The body of a hello, as DTLS has it: with an empty cookie after the session id. */
function dtlsBody(): Buffer {
  const body = nodeHello.subarray(9);
  const cookieAt = 2 + 32 + 1 + body.readUInt8(34);
  return Buffer.concat([body.subarray(0, cookieAt), Buffer.from([0]), body.subarray(cookieAt)]);
}

describe("ClientHellos", () => {
  it("gives the JA4 that FoxIO's specification gives for a Chrome, whatever the order and the grease", () => {
    const hello: ClientHello = {
      carrier: "t",
      version: 0x0304,
      ciphers: [
        0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d,
        0x2f, 0x35,
      ],
      extensions: [
        0x3a3a, 0x1b, 0x00, 0x33, 0x10, 0x4469, 0x17, 0x2d, 0x0d, 0x05, 0x23, 0x12, 0x2b, 0xff01, 0x0b, 0x0a, 0x15,
        0xfafa,
      ],
      signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
      serverName: "www.example.org",
      protocols: ["h2", "http/1.1"],
    };
    expect(ja4(hello)).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
  });

  it("reads what this Node sends", () => {
    const hello = parseTlsHello(nodeHello);
    expect(hello).toMatchObject({
      carrier: "t",
      version: 0x0304,
      serverName: "www.example.org",
      protocols: ["h2", "http/1.1"],
    });
    expect(hello && ja4(hello)).toMatch(/^t13d\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
  });

  it("puts one of DTLS together from fragments in any order, some of them twice", () => {
    const body = dtlsBody();
    const pieces = [dtlsRecord(1, body, 100, 300), dtlsRecord(1, body, 0, 100), dtlsRecord(1, body, 300)];
    expect(dtlsHello(pieces.slice(0, 2))).toBeUndefined();
    const hello = dtlsHello([...pieces.slice(0, 2), ...pieces]);
    expect(hello).toMatchObject({ carrier: "d", serverName: "www.example.org" });
    expect(isHelloVerify(dtlsRecord(3, body))).toBe(true);
    expect(isHelloVerify(pieces[0] ?? body)).toBe(false);
  });

  it("takes prefixes, flipped bytes and noise without a throw", () => {
    for (let length = 0; length < nodeHello.length; length += 1) {
      expect(parseTlsHello(nodeHello.subarray(0, length))).toBeUndefined();
      parseBody("d", nodeHello.subarray(9, length));
    }
    for (let run = 0; run < 3000; run += 1) {
      const bytes = Buffer.from(run % 2 === 0 ? nodeHello : dtlsRecord(1, nodeHello));
      for (let flips = 0; flips < 3; flips += 1) bytes[rng.int(bytes.length)] = rng.int(256);
      parseTlsHello(bytes);
      dtlsHello([bytes]);
      parseStun(Buffer.from(rng.bytes(rng.int(80))));
      readCapture(Buffer.concat([pcapOf([]), rng.bytes(rng.int(200))]));
    }
  });
});

describe("the rule against fully encrypted traffic", () => {
  it("exempts by its five exemptions, and blocks about nine of ten random beginnings of 24 bytes", () => {
    const dense = Buffer.from("f0".repeat(40), "hex");
    expect(exemption(Buffer.alloc(40))).toBe("Ex1");
    expect(exemption(Buffer.concat([Buffer.from("abcdef"), dense]))).toBe("Ex2");
    expect(exemption(Buffer.concat([dense.subarray(0, 10), Buffer.from("ok, read".repeat(4))]))).toBe("Ex3");
    expect(exemption(Buffer.concat([dense, Buffer.from("a run of letters, 24 ...")]))).toBe("Ex4");
    expect(exemption(Buffer.concat([Buffer.from([0x16, 3, 1]), dense]))).toBe("Ex5");
    expect(exemption(nodeHello)).toBeDefined();
    expect(exemption(dense)).toBeUndefined();
    const blocked = Array.from({ length: 2000 }, () => exemption(rng.bytes(24))).filter(
      (by) => by === undefined,
    ).length;
    // Measured on 24 random bytes by others: 89.7 %.
    expect(blocked / 2000).toBeGreaterThan(0.87);
    expect(blocked / 2000).toBeLessThan(0.92);
  });
});

describe("recordings", () => {
  it("are read as they were written, cut off at the end or not", () => {
    const packets = [
      ...conversation(nodeHello, Buffer.from("answer")),
      packet({ kind: "udp", payload: Buffer.from("x") }),
    ];
    const file = pcapOf(packets);
    expect(readCapture(file)).toEqual({ packets, others: {} });
    expect(readCapture(file.subarray(0, -1)).packets).toEqual(packets.slice(0, -1));
    expect(() => readCapture(Buffer.alloc(100))).toThrow("not a capture");
  });

  it("become flows: in order, without repeats, up to the first hole, and only what began inside", () => {
    const [syn, answer, first] = conversation(Buffer.from("abc"));
    const pieces = [
      packet({ sequence: 107, payload: Buffer.from("ghi") }),
      packet({ sequence: 103, payload: Buffer.from("cdef") }),
      packet({ sequence: 120, payload: Buffer.from("lost before") }),
    ];
    const stray = packet({ kind: "udp", fromRelay: true, sourcePort: 7, payload: Buffer.from("old") });
    const late = packet({ sourcePort: 9, payload: Buffer.from("no opening") });
    const flows = flowsOf(
      [stray, late, syn, answer, first, ...pieces, first].filter((one) => one !== undefined),
      inside,
    );
    expect(flows.map(({ sent }) => sent.toString())).toEqual(["abcdefghi"]);
  });

  it("keep two connections from the same port apart", () => {
    const again = conversation(Buffer.from("two")).map((one) => ({ ...one, sequence: one.sequence + 5000 }));
    const flows = flowsOf([...conversation(Buffer.from("one")), ...again], inside);
    expect(flows.map(({ sent }) => sent.toString())).toEqual(["one", "two"]);
  });
});

describe("the audit", () => {
  const terms = { relays: [relay], privateAddress: inside, browserHellos: new Set<string>() };
  const leaksOf = (packets: readonly Packet[], more = {}): readonly string[] =>
    audit({ packets, others: {} }, flowsOf(packets, inside), { ...terms, ...more }).leaks;
  const udp = (payload: Buffer, more: Partial<Packet> = {}): Packet[] => [packet({ kind: "udp", payload, ...more })];

  it("has nothing to say about a browser's TLS", () => {
    const hello = parseTlsHello(nodeHello);
    const browserHellos = new Set(hello === undefined ? [] : [ja4(hello)]);
    expect(leaksOf(conversation(nodeHello), { browserHellos })).toEqual([]);
    // Who does not claim to be a browser is not asked to look like one.
    expect(leaksOf(conversation(nodeHello), { browserHellos: undefined })).toEqual([]);
    expect(leaksOf(conversation(nodeHello))).toEqual([
      expect.stringMatching(/^a TLS hello that is not Chromium's: t13d/),
    ]);
  });

  it("finds each word, in either direction, also across segments", () => {
    for (const word of tellingWords) {
      expect(leaksOf(conversation(nodeHello, Buffer.from(`..${word.toUpperCase()}..`)))).toContain(`"${word}" in tcp`);
      expect(leaksOf(udp(Buffer.from(word)))).toContain(`"${word}" in udp`);
    }
    const [syn, answer] = conversation(nodeHello);
    const halves = [
      packet({ sequence: 101, payload: Buffer.from("/multi") }),
      packet({ sequence: 107, payload: Buffer.from("stream/1.0.0") }),
    ];
    const leaks = leaksOf([syn, answer, ...halves].filter((one) => one !== undefined));
    expect(leaks).toContain('"multistream" in tcp');
    expect(leaks).toContain("TCP that does not begin with TLS");
  });

  it("finds strangers, names asked for, foreign datagrams and the private address in STUN", () => {
    expect(leaksOf(udp(Buffer.from([22]), { target: "8.8.8.8" }))).toContain("udp to a stranger, port 443");
    const question = Buffer.concat([Buffer.alloc(12), Buffer.from("\x03www\x07example\x03org\0\0\x01\0\x01")]);
    expect(leaksOf(udp(question, { targetPort: 53 }))).toEqual(["DNS for www.example.org"]);
    expect(leaksOf(udp(Buffer.from([0xc3, 0, 0, 0, 1])))).toEqual(["UDP that is neither STUN nor DTLS: quic"]);
    const stun = Buffer.alloc(32);
    stun.writeUInt16BE(0x0101, 0);
    stun.writeUInt16BE(12, 2);
    stun.writeUInt32BE(0x2112a442, 4);
    stun.writeUInt32BE(0x00200008, 20);
    stun.writeUInt8(1, 25);
    stun.writeUInt32BE((0xc0a84702 ^ 0x2112a442) >>> 0, 28);
    expect(datagramKind(stun)).toBe("stun");
    expect(parseStun(stun)?.addresses).toEqual([inside]);
    expect(leaksOf(udp(stun))).toEqual(["a private address in STUN"]);
  });

  it("finds DTLS that no browser began", () => {
    const record = dtlsRecord(1, dtlsBody());
    expect(leaksOf(udp(record))).toEqual([expect.stringMatching(/^a DTLS hello that is not Chromium's: d/)]);
    const [own] = udp(Buffer.from([0, 1]));
    const fromRelay = packet({ kind: "udp", fromRelay: true, payload: record });
    expect(leaksOf([own, fromRelay].filter((one) => one !== undefined))).toContain("DTLS opened by the relay");
  });

  it("counts flows that the rule against encrypted traffic would block", () => {
    const packets = conversation(Buffer.from("f0".repeat(40), "hex"));
    const report = audit({ packets, others: {} }, flowsOf(packets, inside), terms);
    expect(report).toMatchObject({ tcpFlows: 1, popcountBlocked: 1 });
  });
});
