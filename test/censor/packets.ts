import type { Packet } from "./wire/pcap.ts";

/** Who is inside, and a relay, in hand-made recordings. */
export const inside = "192.168.71.2";
/** Likewise. */
export const relay = "21.0.1.1";

/** One packet of a hand-made recording: from inside to the relay's port 443 unless said otherwise. */
export function packet(fields: Partial<Packet> & { readonly fromRelay?: boolean }): Packet {
  const { fromRelay = false, ...rest } = fields;
  const ends = fromRelay
    ? { source: relay, sourcePort: 443, target: inside, targetPort: 50_000 }
    : { source: inside, sourcePort: 50_000, target: relay, targetPort: 443 };
  return {
    kind: "tcp",
    at: 0,
    payload: Buffer.alloc(0),
    sequence: 0,
    isOpening: false,
    isSyn: false,
    ...ends,
    ...rest,
  };
}

/** A TCP connection in which these bytes were sent and answered. */
export function conversation(sent: Buffer, answered = Buffer.alloc(0)): Packet[] {
  return [
    packet({ isOpening: true, isSyn: true, sequence: 100 }),
    packet({ fromRelay: true, isSyn: true, sequence: 900 }),
    packet({ sequence: 101, payload: sent }),
    packet({ fromRelay: true, sequence: 901, payload: answered }),
  ];
}

/** The file that tcpdump would have written of these packets. */
export function pcapOf(packets: readonly Packet[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([header, ...packets.map(recordOf)]);
}

function recordOf(of: Packet): Buffer {
  const transport = of.kind === "tcp" ? tcpOf(of) : udpOf(of);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(20 + transport.length, 2);
  ip.writeUInt8(of.kind === "tcp" ? 6 : 17, 9);
  ip.set(of.source.split(".").map(Number), 12);
  ip.set(of.target.split(".").map(Number), 16);
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  const frame = Buffer.concat([ethernet, ip, transport]);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(Math.floor(of.at / 1000), 0);
  record.writeUInt32LE((of.at % 1000) * 1000, 4);
  record.writeUInt32LE(frame.length, 8);
  record.writeUInt32LE(frame.length, 12);
  return Buffer.concat([record, frame]);
}

function tcpOf(of: Packet): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(of.sourcePort, 0);
  head.writeUInt16BE(of.targetPort, 2);
  head.writeUInt32BE(of.sequence, 4);
  head.writeUInt8(5 << 4, 12);
  head.writeUInt8(of.isOpening ? 0x02 : of.isSyn ? 0x12 : 0x10, 13);
  return Buffer.concat([head, of.payload]);
}

function udpOf(of: Packet): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(of.sourcePort, 0);
  head.writeUInt16BE(of.targetPort, 2);
  head.writeUInt16BE(8 + of.payload.length, 4);
  return Buffer.concat([head, of.payload]);
}
