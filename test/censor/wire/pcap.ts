/** One packet of IPv4 that carried TCP or UDP. */
export interface Packet {
  readonly kind: "tcp" | "udp";
  /** ms since the epoch. */
  readonly at: number;
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  readonly payload: Buffer;
  /** TCP's sequence number; 0 for UDP. */
  readonly sequence: number;
  /** TCP's SYN without ACK. */
  readonly isOpening: boolean;
  /** TCP's SYN, either way. */
  readonly isSyn: boolean;
}

/** Packets, and how many there were of every other kind (ARP aside), by name. */
export interface Capture {
  readonly packets: readonly Packet[];
  readonly others: Readonly<Record<string, number>>;
}

const headerBytes = 24;
const recordBytes = 16;
const ethernetBytes = 14;
const etherTypes = { ip4: 0x0800, arp: 0x0806, ip6: 0x86dd } as const;
const protocols = { tcp: 6, udp: 17 } as const;

/**
 * Reads what tcpdump wrote: little-endian pcap of Ethernet, in microseconds or nanoseconds. A record that is cut off at
 * the end is left out. Throws for any other file.
 */
export function readCapture(bytes: Buffer): Capture {
  if (bytes.length < headerBytes) return { packets: [], others: {} };
  const magic = bytes.readUInt32LE(0);
  const ticksPerMs = magic === 0xa1b2c3d4 ? 1000 : magic === 0xa1b23c4d ? 1_000_000 : undefined;
  if (ticksPerMs === undefined || bytes.readUInt32LE(20) !== 1) throw new Error("not a capture of Ethernet");
  const packets: Packet[] = [];
  const others: Record<string, number> = {};
  for (let at = headerBytes; at + recordBytes <= bytes.length;) {
    const time = bytes.readUInt32LE(at) * 1000 + bytes.readUInt32LE(at + 4) / ticksPerMs;
    const end = at + recordBytes + bytes.readUInt32LE(at + 8);
    if (end > bytes.length) break;
    const frame = readFrame(bytes.subarray(at + recordBytes, end), time);
    if (typeof frame === "string") others[frame] = (others[frame] ?? 0) + 1;
    else if (frame !== undefined) packets.push(frame);
    at = end;
  }
  return { packets, others };
}

/** The packet, or the name of what else it is; undefined for ARP, which never leaves a wire. */
function readFrame(frame: Buffer, at: number): Packet | string | undefined {
  if (frame.length < ethernetBytes) return "runt";
  const type = frame.readUInt16BE(12);
  if (type === etherTypes.arp) return undefined;
  const ip = frame.subarray(ethernetBytes);
  if (type === etherTypes.ip6) return isNeighbourTalk(ip) ? undefined : "IPv6";
  if (type !== etherTypes.ip4 || ip.length < 20) return "not IP";
  const headLength = (ip.readUInt8(0) & 15) * 4;
  const rest = ip.subarray(headLength, ip.readUInt16BE(2) || ip.length);
  const ends = { source: addressAt(ip, 12), target: addressAt(ip, 16) };
  const protocol = ip.readUInt8(9);
  if (protocol === protocols.udp && rest.length >= 8) {
    return {
      kind: "udp",
      at,
      ...ends,
      ...portsOf(rest),
      payload: rest.subarray(8),
      sequence: 0,
      isOpening: false,
      isSyn: false,
    };
  }
  if (protocol === protocols.tcp && rest.length >= 20) {
    const flags = rest.readUInt8(13);
    const isSyn = (flags & 0x02) !== 0;
    const isOpening = isSyn && (flags & 0x10) === 0;
    const payload = rest.subarray((rest.readUInt8(12) >> 4) * 4);
    return { kind: "tcp", at, ...ends, ...portsOf(rest), payload, sequence: rest.readUInt32BE(4), isOpening, isSyn };
  }
  return protocol === 1 ? "ICMP" : protocol === 2 ? "IGMP" : `IP protocol ${protocol}`;
}

/** ICMPv6, also behind a hop-by-hop header: the system looks who else is on the wire. */
function isNeighbourTalk(ip: Buffer): boolean {
  const next = ip.length < 7 ? 0 : ip.readUInt8(6);
  return next === 58 || next === 0;
}

function portsOf(rest: Buffer): { sourcePort: number; targetPort: number } {
  return { sourcePort: rest.readUInt16BE(0), targetPort: rest.readUInt16BE(2) };
}

function addressAt(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 4)].join(".");
}
