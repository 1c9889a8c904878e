import { type Packet, parsePacket } from "../../../p2p/core/packet/format.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";

/** Whether a message carries packets. */
export function isMedia(bytes: Uint8Array): boolean {
  return packetsIn(bytes).length > 0;
}

/** The packets in one message. */
export function packetsIn(bytes: Uint8Array): Packet[] {
  const frame = parseFrame(bytes);
  const packets = frame?.kind === "media" ? [frame.packet] : frame?.kind === "bundle" ? frame.packets : [];
  return packets.flatMap((packet) => {
    const parsed = parsePacket(packet);
    return parsed.ok ? [parsed.value] : [];
  });
}
