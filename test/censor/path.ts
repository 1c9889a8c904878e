import { createSocket, type Socket } from "node:dgram";

/**
 * The length of the way: a program between the censor and the outside that holds every frame for a while. The kernels it
 * runs on may lack a queue that delays, so both ends wrap their frames in VXLAN, and what arrives here are datagrams.
 * Arguments: ms one way, and for each end its own address and ours that it knows.
 */

/** The port of VXLAN (RFC 7348). */
const port = 4789;
const [delayText = "", ...addresses] = process.argv.slice(2);
const delayMs = Number(delayText);

async function open(ours: string): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 2 ** 22, sendBufferSize: 2 ** 22 });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, ours, () => resolve());
  });
  // A frame that cannot be passed on is a frame lost, as on any way.
  socket.on("error", () => undefined);
  return socket;
}

const [near = "", oursNear = "", far = "", oursFar = ""] = addresses;
const [one, other] = await Promise.all([open(oursNear), open(oursFar)]);
one.on("message", (frame: Buffer) => void setTimeout(() => other.send(frame, port, far), delayMs));
other.on("message", (frame: Buffer) => void setTimeout(() => one.send(frame, port, near), delayMs));
process.send?.("ready");
process.once("disconnect", () => process.exit(0));
