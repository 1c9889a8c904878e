import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

/** Which way a datagram goes: from the answering side to the offering one, or back. */
export type Way = "to-offer" | "to-answer";

/** A network of one hop between two WebRTC peers on loopback, which a test can stop, make lose, and make reorder. */
export class UdpProxy {
  /** What becomes of a datagram; `hold` keeps it until `release`. */
  rule: (way: Way, bytes: number) => "pass" | "drop" | "hold" = () => "pass";
  readonly #front: Socket = createSocket("udp4");
  readonly #back: Socket = createSocket("udp4");
  readonly #held: (() => void)[] = [];
  #answerer: RemoteInfo | undefined;
  #closed = false;

  /** Listens in front of the port at which the offering side waits; resolves with the port to tell the answering side instead. */
  async open(offererPort: number): Promise<number> {
    await Promise.all(
      [this.#front, this.#back].map(
        (socket) => new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve())),
      ),
    );
    this.#front.on("message", (data, from) => {
      this.#answerer = from;
      this.#carry("to-offer", data, () => this.#back.send(data, offererPort, "127.0.0.1"));
    });
    this.#back.on("message", (data) => {
      const to = this.#answerer;
      if (to !== undefined) this.#carry("to-answer", data, () => this.#front.send(data, to.port, to.address));
    });
    return this.#front.address().port;
  }

  /** Lets go what was held, in its order. */
  release(): void {
    for (const send of this.#held.splice(0)) if (!this.#closed) send();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#front.close();
    this.#back.close();
  }

  #carry(way: Way, data: Uint8Array, send: () => void): void {
    const fate = this.rule(way, data.length);
    if (fate === "pass" && !this.#closed) send();
    if (fate === "hold") this.#held.push(send);
  }
}
