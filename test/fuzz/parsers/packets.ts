import { ByteWriter } from "../../../p2p/core/bytes.ts";
import { parsePacket } from "../../../p2p/core/packet/format.ts";
import { PacketGate } from "../../../p2p/core/packet/gate.ts";
import { PacketOpener } from "../../../p2p/core/packet/seal.ts";
import { isVoicePacket } from "../../../p2p/core/jitter/opus-packet.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { samplePacket, testNow } from "../../core/fixtures.ts";
import type { Parsers } from "../parser.ts";
import type { Samples } from "../samples.ts";

/** What a packet of sound passes on its way. */
export function packetParsers({ crypto, room }: Samples): Parsers {
  const packet = samplePacket(room, 1000);
  return {
    packet: {
      samples: [packet, samplePacket(room, 1001, 1), samplePacket(room, 1002, limits.opusBytesMax)],
      accepts: (bytes) => parsePacket(bytes).ok,
      covers: ["parsePacket"],
    },
    "packet gate": {
      samples: [packet],
      accepts: (bytes) => new PacketGate(crypto, room.view, testNow).admit(bytes, testNow).ok,
      sealed: true,
      covers: ["PacketGate"],
    },
    "packet seal": {
      // Without the signature: what the tag alone keeps out.
      samples: [packet.subarray(0, packet.length - 64)],
      accepts: (bytes) => {
        const parsed = parsePacket(new ByteWriter().bytes(bytes).bytes(new Uint8Array(64)).finish());
        const opener = new PacketOpener(crypto, { number: 1, secret: room.secret });
        return parsed.ok && opener.open(parsed.value, room.voiceKey, testNow).ok;
      },
      sealed: true,
      covers: ["PacketOpener"],
    },
    "opus head": {
      samples: [Uint8Array.of(0xf8, ...new Rng("opus").bytes(119))],
      accepts: (bytes) => isVoicePacket(bytes) || bytes.length > 2,
      covers: ["isVoicePacket", "opusDurationMs"],
    },
  };
}
