import { createSocket, type RemoteInfo } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { recordLength } from "./wire/hello.ts";
import { rules } from "./rules/all.ts";
import type { Opening, Rule, Verdict } from "./rules/rule.ts";

/**
 * The part of a rule that has to look at connections as a whole: a program in the censor's namespace, through which his
 * packet filter leads them. It is told what to do by its parent, and ends with it.
 */

/** What the parent says first. */
export interface MiddleboxOrder {
  readonly rule: string;
  /** Each relay, and the local port to which its connections are led. */
  readonly relays: readonly { readonly address: string; readonly port: number }[];
  readonly browserHellos: readonly string[];
  /** Addresses on which names are answered. */
  readonly resolvers: readonly string[];
  /** What every name is answered with, as IPv4. */
  readonly poison: string;
}

/** What it says: `ready` once, and `trip` for each connection or question that the rule hit. */
export type MiddleboxWord = { readonly word: "ready" } | { readonly word: "trip"; readonly what: string };

const relayPort = 443;
/** Bytes looked at before the verdict: a hello with Chromium's post-quantum share is below 2 KiB. */
const openingBytesMax = 16_384;
/** A beginning that is not whole by then is judged as it is. */
const openingMsMax = 1000;
/** The Great Firewall's (the paper's section 4). */
const residualMs = 180_000;

const say = (word: MiddleboxWord): void => void process.send?.(word);

class Middlebox {
  readonly #rule: Rule;
  readonly #order: MiddleboxOrder;
  readonly #browserHellos: ReadonlySet<string>;
  /** Client address and relay, with the time until which they are cut off. */
  readonly #residual = new Map<string, number>();

  constructor(rule: Rule, order: MiddleboxOrder) {
    this.#rule = rule;
    this.#order = order;
    this.#browserHellos = new Set(order.browserHellos);
  }

  async start(): Promise<void> {
    const { relays, resolvers } = this.#order;
    await Promise.all(relays.map(({ address, port }) => this.#listen(address, port)));
    if (this.#rule.poisonsNames === true) await Promise.all(resolvers.map((address) => this.#resolve(address)));
    say({ word: "ready" });
  }

  #listen(relay: string, port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void this.#pass(client, relay));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, () => resolve());
    });
  }

  async #pass(client: Socket, relay: string): Promise<void> {
    client.on("error", () => undefined);
    const pair = `${client.remoteAddress ?? ""} ${relay}`;
    if ((this.#residual.get(pair) ?? 0) > Date.now()) return hang(client);
    const opening = await openingOf(client);
    const verdict = this.#rule.judge?.(opening, { browserHellos: this.#browserHellos }) ?? "pass";
    if (verdict !== "pass") {
      say({ word: "trip", what: verdict });
      return this.#punish(client, verdict, pair);
    }
    const server = connect({ host: relay, port: relayPort, noDelay: true, allowHalfOpen: true });
    server.on("error", () => client.resetAndDestroy());
    client.on("error", () => server.resetAndDestroy());
    server.write(opening.bytes);
    client.pipe(server).pipe(client);
    if (this.#rule.lifeMs !== undefined) this.#limitLife(client, server, this.#rule.lifeMs);
  }

  #punish(client: Socket, verdict: Exclude<Verdict, "pass">, pair: string): void {
    switch (verdict) {
      case "reset":
        client.resetAndDestroy();
        break;
      case "residual":
        this.#residual.set(pair, Date.now() + residualMs);
        hang(client);
        break;
      case "drop":
        hang(client);
        break;
      default:
        verdict satisfies never;
    }
  }

  #limitLife(client: Socket, server: Socket, [least, most]: readonly [number, number]): void {
    const timer = setTimeout(
      () => {
        say({ word: "trip", what: "reset" });
        client.resetAndDestroy();
        server.resetAndDestroy();
      },
      least + Math.random() * (most - least),
    );
    client.once("close", () => clearTimeout(timer));
  }

  /** Answers every question with one address, whatever was asked. */
  #resolve(address: string): Promise<void> {
    const socket = createSocket("udp4");
    socket.on("message", (question: Buffer, from: RemoteInfo) => {
      say({ word: "trip", what: "DNS question" });
      const answer = answerTo(question, this.#order.poison);
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(53, address, () => resolve());
    });
  }
}

/** Never answers again, and lets the client find out by itself. */
function hang(client: Socket): void {
  client.pause();
}

/** What a connection begins with: its first segment, and a whole record of TLS if it is one. */
function openingOf(client: Socket): Promise<Opening> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let bytes = Buffer.alloc(0);
    const finish = (): void => {
      clearTimeout(timer);
      client.off("data", onData);
      client.off("end", finish);
      client.off("close", finish);
      client.pause();
      resolve({ first: first ?? Buffer.alloc(0), bytes });
    };
    const onData = (piece: Buffer): void => {
      first ??= piece;
      bytes = Buffer.concat([bytes, piece]);
      const wanted = recordLength(bytes) ?? 0;
      if (bytes.length >= Math.min(wanted, openingBytesMax)) finish();
    };
    const timer = setTimeout(finish, openingMsMax);
    client.on("data", onData);
    client.once("end", finish);
    client.once("close", finish);
  });
}

/** An answer with one A record (RFC 1035); undefined when the question cannot be read. */
function answerTo(question: Buffer, address: string): Buffer | undefined {
  let end = 12;
  while (end < question.length && question[end] !== 0) end += 1 + (question[end] ?? 0);
  end += 5;
  if (end > question.length) return undefined;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  for (const [at, count] of [
    [4, 1],
    [6, 1],
    [8, 0],
    [10, 0],
  ] as const)
    header.writeUInt16BE(count, at);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([header, question.subarray(12, end), record]);
}

process.once("message", (order: MiddleboxOrder) => {
  const rule = rules.find(({ name }) => name === order.rule);
  if (rule === undefined) throw new Error(`there is no rule ${order.rule}`);
  void new Middlebox(rule, order).start();
});
// Without the parent there is nobody to be a censor for.
process.once("disconnect", () => process.exit(0));
