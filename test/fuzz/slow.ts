import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { AddressInfo } from "node:net";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { Rng } from "../../p2p/core/rng.ts";
import type { ByteSource } from "../../p2p/io/audio/byte-source.ts";
import { identify } from "../../p2p/io/audio/container.ts";
import { decodedPieces } from "../../p2p/io/audio/decode.ts";
import { readWavLayout } from "../../p2p/io/audio/wav-layout.ts";
import { connectThrough, ProxyError } from "../../p2p/io/proxy/connect.ts";
import { stockOf } from "./corpus.ts";
import { mutant } from "./mutate.ts";
import { bytesOf } from "./parser.ts";

/** Readers that take milliseconds an input, because decoders and sockets stand behind them. */
export const slowFuzzers: Readonly<Record<string, (seed: string, inputs: number) => Promise<void>>> = {
  "audio file": driveAudio,
  "wav layout": driveWav,
  "proxy answer": driveProxies,
};

const clips = ["mono-22050.flac", "mono-22050.mp3", "mono-22050.ogg", "mono-48000.opus"];
/** A decoder is given this much of a clip: headers and some frames. */
const clipBytesMax = 12_000;
/** Pieces of sound that are decoded of one input. */
const piecesMax = 8;

function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    read: (position, length) => Promise.resolve(bytes.slice(position, position + length)),
    close: () => Promise.resolve(),
  };
}

/** Whole files of every format, mutated: a decoder gives up with our own error, or plays what it can. */
async function driveAudio(seed: string, inputs: number): Promise<void> {
  const rng = new Rng(seed).fork("audio file");
  const samples = clips.map((clip) => {
    const path = fileURLToPath(new URL(`../fixtures/audio/${clip}`, import.meta.url));
    return new Uint8Array(readFileSync(path)).slice(0, clipBytesMax);
  });
  const stock = stockOf("audio file", { samples, accepts: () => true, covers: [] });
  for (let count = 0; count < inputs; count++) await decodeSome(mutant(rng, stock));
}

async function decodeSome(bytes: Uint8Array): Promise<void> {
  const source = sourceOf(bytes);
  const container = await identify(source);
  if (container === undefined) return;
  let pieces = 0;
  try {
    for await (const piece of decodedPieces(source, container)) {
      pieces += piece.channelData.length;
      if (pieces > piecesMax) return;
    }
  } catch (error) {
    if (!(error instanceof TeahouseError)) throw error;
  }
}

async function driveWav(seed: string, inputs: number): Promise<void> {
  const rng = new Rng(seed).fork("wav layout");
  const format = [16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0xbb, 0, 0, 0, 0x77, 1, 0, 2, 0, 16, 0];
  const head = [...bytesOf("RIFF"), 60, 0, 0, 0, ...bytesOf("WAVEfmt "), ...format, ...bytesOf("data"), 8, 0, 0, 0];
  const sample = Uint8Array.from([...head, 1, 2, 3, 4, 5, 6, 7, 8]);
  const stock = stockOf("wav layout", { samples: [sample], accepts: () => true, covers: [] });
  for (let count = 0; count < inputs; count++) {
    const bytes = mutant(rng, stock);
    const layout = await readWavLayout(sourceOf(bytes));
    if (layout && (layout.end > bytes.length || layout.start > layout.end))
      throw new Error("samples outside of the file");
  }
}

/** A proxy that answers with mutants of what proxies answer: every dial ends, by one of the failures that have a sentence. */
async function driveProxies(seed: string, inputs: number): Promise<void> {
  const rng = new Rng(seed).fork("proxy answer");
  const socks = Uint8Array.of(5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 4, 56);
  const samples = [
    socks,
    bytesOf("HTTP/1.1 200 Connection established\r\nVia: tea\r\n\r\n"),
    bytesOf("HTTP/1.1 407 No\r\n\r\n"),
  ];
  const stock = stockOf("proxy answer", { samples, accepts: () => true, text: true, covers: [] });
  let answer: Uint8Array = socks;
  const server = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const destination = { host: "tea.example", port: 443 };
  try {
    for (let count = 0; count < inputs; count++) {
      answer = mutant(rng, stock);
      const kind = rng.int(2) === 0 ? "socks5" : "http";
      const proxy = { kind, host: "127.0.0.1", port } as const;
      await connectThrough(proxy, destination, new AbortController().signal).then(
        (socket) => socket.destroy(),
        (error: unknown) => {
          if (!(error instanceof ProxyError)) throw error;
        },
      );
    }
  } finally {
    server.close();
  }
}
