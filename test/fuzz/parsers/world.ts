import { multiaddr } from "@multiformats/multiaddr";
import { TeahouseError } from "../../../p2p/api/errors.ts";
import { millis } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { toMultiaddrs } from "../../../p2p/io/libp2p/address.ts";
import { Padding } from "../../../p2p/io/libp2p/padding.ts";
import { PathGate, pathOf } from "../../../p2p/io/libp2p/path-token.ts";
import { readCandidates, readSdp, writeCandidate, writeSdp } from "../../../p2p/io/links/description.ts";
import { FrameReader, joinFrames } from "../../../p2p/io/links/frames.ts";
import { parseSignal } from "../../../p2p/io/links/signal.ts";
import { parseProxy } from "../../../p2p/io/proxy/url.ts";
import { readLink } from "../../../electron/links.ts";
import { cardsIn, lookAt } from "../../../renderer/model/start/paste.ts";
import { bytesOf, type Parser, type Parsers, textOf } from "../parser.ts";

const ufrag = "aB3/";
const pwd = "0123456789abcdefghijkl";
const fingerprint = Array.from({ length: 32 }, (_, index) => (index + 160).toString(16).toUpperCase()).join(":");
const candidate = { address: "198.51.100.7", port: 4433, priority: 2_130_706_431 };
const side = { ufrag, pwd, fingerprint };

/** What the world's own formats bring: frames on streams, signalling, descriptions, addresses, paths, proxies. */
export function worldParsers(): Parsers {
  return { ...streamParsers(), ...signalParsers(), ...addressParsers() };
}

function streamParsers(): Parsers {
  const rng = new Rng("streams");
  const messages = [rng.bytes(3), rng.bytes(200), rng.bytes(1)];
  const padded = new Padding((length) => rng.bytes(length)).wrap(rng.bytes(60));
  return {
    "stream frames": {
      samples: [joinFrames(messages)],
      accepts: (bytes) => {
        const reader = new FrameReader(limits.linkMessageBytesMax);
        let kept = 0;
        const whole = [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)].every((piece) =>
          reader.push(piece, (frame) => (kept += frame.length)),
        );
        if (kept > bytes.length) throw new Error("more came out than went in");
        return whole;
      },
      covers: ["FrameReader"],
    },
    padding: {
      samples: [padded],
      accepts: (bytes) => new Padding((length) => new Uint8Array(length)).unwrap(bytes) !== undefined,
      covers: ["Padding"],
    },
  };
}

function json(value: unknown): Uint8Array {
  return bytesOf(JSON.stringify(value));
}

function signalParsers(): Parsers {
  const offer = writeSdp({ type: "offer", ...side });
  const answer = writeSdp({ type: "answer", setup: "active", ...side });
  return {
    signal: {
      samples: [
        json({ type: "please" }),
        json({ type: "refuse", reason: "full" }),
        json({ type: "offer", ...side }),
        json({ type: "answer", setup: "active", ...side }),
        json({ type: "candidates", candidates: [candidate, { ...candidate, address: "2001:db8::7" }] }),
      ],
      accepts: (bytes) => parseSignal(bytes) !== undefined,
      text: true,
      covers: ["parseSignal", "isSide"],
    },
    "session description": {
      samples: [bytesOf(offer), bytesOf(answer)],
      accepts: (bytes) =>
        readSdp("offer", textOf(bytes)) !== undefined || readSdp("answer", textOf(bytes)) !== undefined,
      text: true,
      covers: ["readSdp"],
    },
    "described candidates": {
      samples: [bytesOf(`a=${writeCandidate(candidate, 0)}\r\na=${writeCandidate({ ...candidate, port: 9 }, 1)}\r\n`)],
      accepts: (bytes) => readCandidates(textOf(bytes)).length > 0,
      text: true,
      covers: ["readCandidates"],
    },
  };
}

function addressParsers(): Parsers {
  const rng = new Rng("addresses");
  const key = Uint8Array.from(Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex"));
  const token = rng.bytes(16);
  const written = [
    "/ip4/198.51.100.7/tcp/443/tls/ws",
    "/dns4/tea.example/tcp/443/tls/sni/tea.example/ws",
    "/ip6/2001:db8::7/tcp/4001",
  ];
  return {
    multiaddr: {
      samples: written.map((text) => multiaddr(text).bytes),
      accepts: (bytes) => toMultiaddrs({ key, token, addresses: [bytes] }).length > 0,
      covers: ["toMultiaddrs"],
    },
    "relay path": {
      samples: [bytesOf(pathOf(token, rng.bytes(12), 1_800_000_000_000))],
      accepts: (bytes) => new PathGate([token], () => 1_800_000_000_000).admits(textOf(bytes)),
      sealed: true,
      text: true,
      covers: ["PathGate"],
    },
    "proxy url": {
      samples: [bytesOf("socks5://user:pa%20ss@[::1]:1080"), bytesOf("http://10.0.0.1:8080")],
      accepts: (bytes) => refusesPolitely(() => parseProxy(textOf(bytes))),
      text: true,
      covers: ["parseProxy"],
    },
    "desktop link": {
      samples: [bytesOf("teahouse://join#thi1-AAAA")],
      accepts: (bytes) => readLink(textOf(bytes)) !== undefined,
      text: true,
      covers: ["readLink", "linkOfArguments"],
    },
    "pasted text": pastedText(),
  };
}

function pastedText(): Parser {
  return {
    samples: [bytesOf("thc1-AAAA and thc1-BBBB"), bytesOf("teahouse://join#thi1-AAAA")],
    accepts: (bytes) => {
      const text = textOf(bytes);
      return cardsIn(text).length > 0 || ["invite", "card"].includes(lookAt(text));
    },
    text: true,
    covers: ["lookAt", "cardsIn"],
  };
}

/** What a person typed may be refused by an error with a code, and by nothing else. */
export function refusesPolitely(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof TeahouseError) return false;
    throw error;
  }
}

/** Somewhere in time, for packets of the port. */
export const someTime = millis(1_800_000_000_123);
