import { once } from "node:events";
import { request } from "node:http";
import { connect as connectSocket, isIP } from "node:net";
import type { Socket } from "node:net";
import { SocksClient } from "socks";
import type { Proxy } from "../../api/socket.ts";

/** How long TCP to the proxy may take: it is on this computer or near, and the dial as a whole has 10 s. */
const reachMsMax = 4_000;
/** How long the proxy may take to open the way behind it; together with the above less than a dial has. */
const answerMsMax = 5_500;
/** Header bytes of a proxy's answer that are read at all. */
const answerBytesMax = 8_192;

/**
 * Why there was no way through a proxy. `proxy unreachable`: nobody answers there. `proxy refused`: it wants other
 * credentials, or forbids it. `proxy broken`: it stalls, hangs up or speaks nonsense. `unreachable`: it works, and says
 * that the far end does not.
 */
export type ProxyFailure = "proxy unreachable" | "proxy refused" | "proxy broken" | "unreachable";

/** How `connectThrough` rejects. The message is the failure and names nothing of anybody. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly failure: ProxyFailure;

  constructor(failure: ProxyFailure) {
    super(failure);
    this.failure = failure;
  }
}

/** Where TCP leads. */
export interface Destination {
  /** IP literal without brackets, or a name. */
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP connection to the destination. Rejects with the network's Error, with `Error("aborted")`, or with the signal's
 * own reason; nothing is left behind then.
 */
export async function connectTcp({ host, port }: Destination, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connectSocket({ host, port, noDelay: true });
  await orFall(socket, signal, once(socket, "connect"));
  return socket;
}

/**
 * A TCP connection to the destination through the proxy, where the name is resolved: nothing is looked up here but the
 * proxy's own name, if it has one. Rejects with `ProxyError`, or the signal's reason; nothing is left behind then.
 */
export async function connectThrough(proxy: Proxy, destination: Destination, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = await connectTcp(proxy, AbortSignal.any([signal, AbortSignal.timeout(reachMsMax)])).catch(() => {
    signal.throwIfAborted();
    throw new ProxyError("proxy unreachable");
  });
  // Whatever happens to it from here on has a listener: an error without one would end the process.
  socket.on("error", () => undefined);
  const within = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]);
  try {
    const ask = proxy.kind === "socks5" ? askSocks : askHttp;
    await orFall(socket, within, ask(proxy, destination, socket));
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error instanceof ProxyError ? error : new ProxyError("proxy broken");
  }
}

/** Waits for the work, but no longer than the signal lets it; the socket falls when it does not go well. */
async function orFall(socket: Socket, signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } catch (error) {
    // What it was waiting for may still fail, and nobody listens any more.
    socket.on("error", () => undefined);
    work.catch(() => undefined);
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function askSocks(proxy: Proxy, destination: Destination, socket: Socket): Promise<void> {
  const { credentials } = proxy;
  try {
    await SocksClient.createConnection({
      command: "connect",
      destination: { host: destination.host, port: destination.port },
      existing_socket: socket,
      proxy: {
        // Only for the library's own checks: the socket is there already.
        host: proxy.host,
        port: proxy.port,
        type: 5,
        ...(credentials === undefined ? {} : { userId: credentials.user, password: credentials.password }),
      },
    });
  } catch (error) {
    throw new ProxyError(failureOfSocks(error instanceof Error ? error.message : ""));
  }
}

/** The library tells what happened by its sentences, with the reply's name at the end (RFC 1928, 6). */
function failureOfSocks(message: string): ProxyFailure {
  if (/(?:NetworkUnreachable|HostUnreachable|ConnectionRefused|TTLExpired)$/.test(message)) return "unreachable";
  if (/rejected connection - \w+$|no accepted authentication|Authentication failed/.test(message)) {
    return message.endsWith("undefined") ? "proxy broken" : "proxy refused";
  }
  return "proxy broken";
}

async function askHttp(proxy: Proxy, destination: Destination, socket: Socket): Promise<void> {
  const host = isIP(destination.host) === 6 ? `[${destination.host}]` : destination.host;
  const authority = `${host}:${destination.port}`;
  const { credentials } = proxy;
  const basic = credentials && Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
  const asking = request({
    method: "CONNECT",
    path: authority,
    maxHeaderSize: answerBytesMax,
    createConnection: () => socket,
    headers: { host: authority, ...(basic === undefined ? {} : { "proxy-authorization": `Basic ${basic}` }) },
  });
  await new Promise<void>((resolve, reject) => {
    asking.once("connect", ({ statusCode = 0 }, _, head: Buffer) => {
      const failure = failureOfStatus(statusCode);
      // The far end of TLS never speaks first: what comes now is the proxy's own talk.
      if (failure !== undefined || head.length > 0) reject(new ProxyError(failure ?? "proxy broken"));
      else resolve();
    });
    asking.on("error", () => reject(new ProxyError("proxy broken")));
    asking.once("close", () => reject(new ProxyError("proxy broken")));
    asking.end();
  });
}

function failureOfStatus(status: number): ProxyFailure | undefined {
  if (status >= 200 && status < 300) return undefined;
  // RFC 9110, 15.6: a gateway that got no answer. Everything else that is no success is a refusal.
  return status === 502 || status === 503 || status === 504 ? "unreachable" : "proxy refused";
}
