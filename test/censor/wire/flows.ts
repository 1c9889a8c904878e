import type { Packet } from "./pcap.ts";

/** One TCP connection or one pair of UDP ports, as seen on the wire. */
export interface Flow {
  readonly kind: "tcp" | "udp";
  /** Who opened it, as `address:port`. */
  readonly client: string;
  readonly server: string;
  /** The server's alone. */
  readonly serverAddress: string;
  readonly serverPort: number;
  /** When its first packet passed, ms since the epoch. */
  readonly at: number;
  /** TCP: the bytes in order, as far as they were seen without a hole, first for client, then for server. */
  readonly sent: Buffer;
  readonly answered: Buffer;
  /** UDP: each datagram; TCP: each segment with bytes. */
  readonly packets: readonly Packet[];
}

/**
 * Groups packets into flows, in the order in which they began. What was under way before the recording is left out: TCP
 * without its opening, and what somebody else than `inside` sent first.
 */
export function flowsOf(packets: readonly Packet[], inside: string): Flow[] {
  const groups = new Map<string, Packet[]>();
  const open = new Map<string, string>();
  for (const packet of packets) {
    const ends = [`${packet.source}:${packet.sourcePort}`, `${packet.target}:${packet.targetPort}`];
    const pair = `${packet.kind} ${ends.toSorted().join(" ")}`;
    // The same ports again are another connection.
    if (packet.isOpening && isFresh(groups.get(open.get(pair) ?? ""), packet)) open.delete(pair);
    const key = open.get(pair) ?? `${pair} ${groups.size}`;
    open.set(pair, key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [packet]);
    else group.push(packet);
  }
  return [...groups.values()]
    .filter(([first]) => first?.source === inside && (first.kind === "udp" || first.isOpening))
    .map(flowOf);
}

/** Whether this SYN opens something new, and is not the old one sent again. */
function isFresh(group: readonly Packet[] | undefined, packet: Packet): boolean {
  return group !== undefined && group[0]?.sequence !== packet.sequence;
}

function flowOf(packets: readonly Packet[]): Flow {
  const [opening] = packets;
  if (opening === undefined) throw new Error("a flow has packets");
  const client = `${opening.source}:${opening.sourcePort}`;
  const sent = packets.filter((packet) => `${packet.source}:${packet.sourcePort}` === client);
  const answered = packets.filter((packet) => !sent.includes(packet));
  return {
    kind: opening.kind,
    client,
    server: `${opening.target}:${opening.targetPort}`,
    serverAddress: opening.target,
    serverPort: opening.targetPort,
    at: opening.at,
    sent: opening.kind === "tcp" ? inOrder(sent) : Buffer.alloc(0),
    answered: opening.kind === "tcp" ? inOrder(answered) : Buffer.alloc(0),
    packets: packets.filter(({ payload }) => payload.length > 0),
  };
}

/** TCP's bytes of one direction: repeats fall out, and the first hole ends them. */
function inOrder(packets: readonly Packet[]): Buffer {
  const withBytes = packets.filter(({ payload }) => payload.length > 0);
  const syn = packets.find(({ isSyn }) => isSyn);
  const first = syn === undefined ? withBytes[0]?.sequence : (syn.sequence + 1) >>> 0;
  if (first === undefined) return Buffer.alloc(0);
  const pieces = withBytes
    .map(({ sequence, payload }) => ({ offset: (sequence - first) | 0, payload }))
    .sort((one, other) => one.offset - other.offset);
  const kept: Buffer[] = [];
  let end = 0;
  for (const { offset, payload } of pieces) {
    if (offset > end) break;
    if (offset + payload.length <= end) continue;
    kept.push(payload.subarray(end - offset));
    end = offset + payload.length;
  }
  return Buffer.concat(kept);
}
