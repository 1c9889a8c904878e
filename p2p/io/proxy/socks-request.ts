import { once } from "node:events";
import { domainToASCII } from "node:url";
import { isIP, SocketAddress } from "node:net";
import type { Socket } from "node:net";
import type { Destination } from "./connect.ts";

/** RFC 1928, section 6. */
const replies = { granted: 0, failure: 1, "not allowed": 2, unreachable: 4, "command not supported": 7 } as const;
type SocksReply = keyof typeof replies;

const version = 5;
const noCredentials = 0;
const noneAcceptable = 255;
const commandConnect = 1;
const kinds = { ip4: 1, name: 3, ip6: 4 } as const;

/** The serving half of SOCKS5 (RFC 1928), of which it knows only CONNECT without credentials. */
export class SocksRequest {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Where the client wants to go, its name as `canonicalHost` writes it. Rejects when it speaks anything else, goes, or the
   * signal aborts; no more than it says in these two messages is read.
   */
  async read(signal: AbortSignal): Promise<Destination> {
    const [greeting = 0, methodsCount = 0] = await this.#bytes(2, signal);
    if (greeting !== version || methodsCount === 0) throw new Error("not SOCKS5");
    const methods = await this.#bytes(methodsCount, signal);
    if (!methods.includes(noCredentials)) {
      this.#socket.write(Uint8Array.of(version, noneAcceptable));
      throw new Error("wants credentials");
    }
    this.#socket.write(Uint8Array.of(version, noCredentials));
    const [again = 0, command = 0, , kind = 0] = await this.#bytes(4, signal);
    if (again !== version) throw new Error("not SOCKS5");
    const host = await this.#host(kind, signal);
    const port = (await this.#bytes(2, signal)).readUInt16BE();
    if (command !== commandConnect) {
      this.refuse("command not supported");
      throw new Error("not a CONNECT");
    }
    return { host: canonicalHost(host), port };
  }

  /** Says that bytes flow from now on. */
  grant(): void {
    this.#socket.write(answer("granted"));
  }

  /** Says why not, and hangs up. */
  refuse(reply: Exclude<SocksReply, "granted">): void {
    this.#socket.write(answer(reply));
    this.#socket.destroySoon();
  }

  async #host(kind: number, signal: AbortSignal): Promise<string> {
    switch (kind) {
      case kinds.ip4:
        return [...(await this.#bytes(4, signal))].join(".");
      case kinds.ip6: {
        const groups = (await this.#bytes(16, signal)).toString("hex").match(/.{4}/g) ?? [];
        return groups.join(":");
      }
      case kinds.name: {
        const [length = 0] = await this.#bytes(1, signal);
        if (length === 0) throw new Error("no name");
        return (await this.#bytes(length, signal)).toString("latin1");
      }
      default:
        throw new Error("not an address");
    }
  }

  async #bytes(count: number, signal: AbortSignal): Promise<Buffer> {
    for (;;) {
      signal.throwIfAborted();
      const bytes: unknown = this.#socket.read(count);
      if (Buffer.isBuffer(bytes)) {
        if (bytes.length === count) return bytes;
        throw new Error("gone");
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error("gone");
      await once(this.#socket, "readable", { signal });
    }
  }
}

/** One spelling for each host: lower case, names as they go over the wire, IPv6 as short as it can be, no brackets. */
export function canonicalHost(host: string): string {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) === 6) return new SocketAddress({ address: bare, family: "ipv6" }).address;
  return isIP(bare) === 4 ? bare : domainToASCII(bare);
}

/** Nobody asks which address we speak from. */
function answer(reply: SocksReply): Uint8Array {
  return Uint8Array.of(version, replies[reply], 0, kinds.ip4, 0, 0, 0, 0, 0, 0);
}
