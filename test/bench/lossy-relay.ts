import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

/** Which way a datagram goes: from the answering side to the offering one, or back. */
export type Way = "to-offer" | "to-answer";

/** A network of one hop between two WebRTC peers on loopback, in user space: it takes its time, and loses. */
export class LossyRelay {
  /** Datagrams of no fewer bytes count as messages; smaller ones are acknowledgements and consent checks. */
  readonly #messageBytesMin: number;
  readonly #oneWayMs: number;
  readonly #front: Socket = createSocket("udp4");
  readonly #back: Socket = createSocket("udp4");
  #far: RemoteInfo | undefined;
  #closed = false;
  /** Whether the next datagram of this way is lost. */
  loses: (way: Way) => boolean = () => false;
  /** What the next datagram of this way takes beside, ms. */
  scatterMs: (way: Way) => number = () => 0;
  /** Messages towards the answering side, and how many of them were let through. */
  messages = 0;
  passed = 0;
  /** Datagrams that came to the relay and the bytes in them, by their way. */
  readonly datagrams: Record<Way, number> = { "to-offer": 0, "to-answer": 0 };
  readonly bytes: Record<Way, number> = { "to-offer": 0, "to-answer": 0 };
  /** How long datagrams really took, ms: timers of a busy machine are late. */
  readonly wayMs: number[] = [];

  constructor(oneWayMs: number, messageBytesMin: number) {
    this.#oneWayMs = oneWayMs;
    this.#messageBytesMin = messageBytesMin;
  }

  /** Stands in front of where the offering side waits; resolves with the port to tell the answering side instead. */
  async open(port: number, address = "127.0.0.1"): Promise<number> {
    await Promise.all(
      [this.#front, this.#back].map(
        (socket) => new Promise<void>((resolve) => socket.bind(0, "0.0.0.0", () => resolve())),
      ),
    );
    this.#front.on("message", (data, from) => {
      this.#far = from;
      this.#carry("to-offer", data, () => this.#back.send(data, port, address));
    });
    this.#back.on("message", (data) => {
      const to = this.#far;
      if (to !== undefined) this.#carry("to-answer", data, () => this.#front.send(data, to.port, to.address));
    });
    return this.#front.address().port;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#front.close();
    this.#back.close();
  }

  #carry(way: Way, data: Uint8Array, send: () => void): void {
    this.datagrams[way] += 1;
    this.bytes[way] += data.length;
    const isMessage = way === "to-answer" && data.length >= this.#messageBytesMin;
    if (isMessage) this.messages += 1;
    if (this.loses(way)) return;
    if (isMessage) this.passed += 1;
    const cameAt = performance.now();
    setTimeout(
      () => {
        if (this.#closed) return;
        if (isMessage) this.wayMs.push(performance.now() - cameAt);
        send();
      },
      this.#oneWayMs + this.scatterMs(way),
    );
  }
}
