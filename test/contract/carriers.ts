import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { WebSocketServer } from "ws";
import { createPortPair, portOverMessagePort, portOverWebSocket, type WebSocketLike } from "../../p2p/port/carriers.ts";
import type { PortsUnderTest } from "./engine-port.ts";

/** Two queues in memory. */
export function memoryPorts(): Promise<PortsUnderTest> {
  const [left, right] = createPortPair();
  return Promise.resolve({ left, right, end: () => Promise.resolve() });
}

/** A MessageChannel of node:worker_threads. */
export function messagePorts(): Promise<PortsUnderTest> {
  const { port1, port2 } = new MessageChannel();
  const end = (): Promise<void> => {
    port1.close();
    return Promise.resolve();
  };
  return Promise.resolve({ left: portOverMessagePort(port1), right: portOverMessagePort(port2), end });
}

/** A real WebSocket on loopback: Node's own client, as a browser has it, and `ws` as the server. */
export async function webSocketPorts(): Promise<PortsUnderTest> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[WebSocketLike]>;
  const { port } = server.address() as { readonly port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const left = portOverWebSocket(client);
  const [socket] = await accepted;
  const right = portOverWebSocket(socket);
  return {
    left,
    right,
    end: async () => {
      client.close();
      for (const open of server.clients) open.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
