/**
 * One relay of a tree as it would be built without thinking: it decodes what comes, waits 60 ms in a buffer so that it can
 * play it evenly, and encodes it anew. `node naive-hop.ts [URL of the hop above]`; prints `ready` with its `port`.
 * Whoever connects to `/in` speaks, whoever connects to `/out` is sent everything.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { createVoiceDecoder, createVoiceEncoder } from "../../p2p/io/audio/opus.ts";

/** What WebRTC programs begin with. */
const bufferMs = 60;
const packetMs = 40;
/** sequence u32, capture time f64, Opus */
const headBytes = 12;

const decoder = await createVoiceDecoder();
const encoder = await createVoiceEncoder();
const waiting = new Map<number, Buffer>();
const listeners = new Set<WebSocket>();
let nextAt: number | undefined;
let next = 0;

function take(packet: Buffer): void {
  const sequence = packet.readUInt32BE(0);
  if (nextAt === undefined) {
    next = sequence;
    nextAt = performance.now() + bufferMs;
    setTimeout(play, bufferMs);
  }
  if (sequence >= next) waiting.set(sequence, packet);
}

/** Plays one packet into the encoder, by an even clock. */
function play(): void {
  const packet = waiting.get(next);
  waiting.delete(next);
  const pcm = packet === undefined ? decoder.conceal() : decoder.decode(packet.subarray(headBytes));
  const head = Buffer.alloc(headBytes);
  packet?.copy(head, 0, 0, headBytes);
  head.writeUInt32BE(next, 0);
  const again = Buffer.concat([head, encoder.encode(pcm ?? decoder.conceal()).opus]);
  for (const listener of listeners) listener.send(again);
  next += 1;
  nextAt = (nextAt ?? performance.now()) + packetMs;
  setTimeout(play, Math.max(0, nextAt - performance.now()));
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => {
  if (request.url === "/in") socket.on("message", (packet: Buffer) => take(packet));
  else listeners.add(socket);
  socket.on("close", () => listeners.delete(socket));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const above = process.argv.find((argument) => argument.startsWith("ws:"));
if (above !== undefined) {
  const upward = new WebSocket(above);
  upward.on("message", (packet: Buffer) => take(packet));
  await once(upward, "open");
}
process.on("SIGTERM", () => process.exit(0));
console.log(JSON.stringify({ event: "ready", t: 0, port: (server.address() as AddressInfo).port }));
