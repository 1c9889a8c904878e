import type { Libp2p } from "@libp2p/interface";
import type { PeerId } from "../../api/ids.ts";
import { peerIdOfHex } from "./address.ts";

/** What is sent at once: an Ethernet frame or so, as other traffic. */
const pieceBytes = 1024;

/**
 * Has libp2p's ping send so many bytes back over the connection that there is: it echoes whatever comes. Rejects when there is
 * no connection, when they stop coming, or when the signal aborts.
 */
export async function echo(
  libp2p: Libp2p,
  protocol: string,
  remote: PeerId,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const connection = libp2p.getConnections(peerIdOfHex(remote)).find(({ status }) => status === "open");
  if (connection === undefined) throw new Error("unreachable");
  const stream = await connection.newStream(protocol, { signal });
  try {
    let received = 0;
    const echoed = new Promise<void>((resolve, reject) => {
      stream.addEventListener("message", ({ data }) => {
        received += data.byteLength;
        if (received >= bytes) resolve();
      });
      stream.addEventListener("close", () => reject(new Error("cut")), { once: true });
      signal.addEventListener("abort", () => reject(new Error("cut")), { once: true });
    });
    // It may fail while there is still something to send.
    echoed.catch(() => undefined);
    for (let sent = 0; sent < bytes; sent += pieceBytes) {
      if (!stream.send(new Uint8Array(Math.min(pieceBytes, bytes - sent)))) await drained(stream, signal);
    }
    await echoed;
  } finally {
    stream.abort(new Error("done"));
  }
}

async function drained(stream: EventTarget, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.addEventListener("drain", () => resolve(), { once: true });
    stream.addEventListener("close", () => reject(new Error("cut")), { once: true });
    signal.addEventListener("abort", () => reject(new Error("cut")), { once: true });
  });
}
