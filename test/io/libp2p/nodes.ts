import type { NodeOptions, TeahouseNode } from "../../../p2p/io/libp2p/node.ts";
import { createNode } from "../../../p2p/io/libp2p/node.ts";
import { millis } from "../../../p2p/api/ids.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import type { Clock } from "../../../p2p/engine/ports.ts";

export const crypto = createCrypto();

/** The real time; discovery wants no wake-ups. */
export const clock: Clock = {
  now: () => millis(Date.now()),
  wakeAt: () => () => undefined,
};

export const tlsAddress = "/ip4/127.0.0.1/tcp/0/tls/ws";
export const tcpAddress = "/ip4/127.0.0.1/tcp/0";

/** Nodes of one test, stopped together at its end. */
export class Nodes {
  readonly #nodes: TeahouseNode[] = [];

  async create(options: Partial<NodeOptions> = {}): Promise<TeahouseNode> {
    const privateKey = crypto.randomBytes(32);
    const node = await createNode({ privateKey, profile: "wss", dht: "off", crypto, clock, ...options });
    this.#nodes.push(node);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.stop()));
  }
}

/** A node's first address. */
export const addressOf = (node: TeahouseNode): string => {
  const [address] = node.addresses();
  if (address === undefined) throw new Error("the node does not listen");
  return address;
};
