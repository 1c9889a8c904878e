import { randomBytes } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { tellingWords } from "./wire/audit.ts";

/** A prober in the censor's namespace: reads its order from stdin, writes what gives relays away as a JSON list. */

/** Whom to visit, with what was recorded of others' visits, in base64. */
export interface ProbeOrder {
  readonly relays: readonly { readonly address: string; readonly recorded: readonly string[] }[];
}

const port = 443;
/** A relay drops strangers after 5 s; a prober need not wait for that. */
const answerMsMax = 3_000;

/** Sends bytes, and gives what came back until the end or until it took too long. */
function exchange(address: string, bytes: Uint8Array, { tls }: { readonly tls: boolean }): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket = tls
      ? connectTls({ host: address, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, () =>
          socket.write(bytes),
        )
      : connectTcp({ host: address, port }, () => socket.write(bytes));
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(pieces));
    };
    const timer = setTimeout(finish, answerMsMax);
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("error", finish);
    socket.on("close", finish);
  });
}

const request = (method: string, path: string, more: readonly string[] = []): Buffer =>
  Buffer.from(
    `${[`${method} ${path} HTTP/1.1`, "Host: www.example.org", "Connection: close", ...more].join("\r\n")}\r\n\r\n`,
  );

const upgrade = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
];

/** An answer of HTTP without what changes with the clock. */
const timeless = (answer: Buffer): string => answer.toString("latin1").replace(/^(Date|Age|Expires): .*\r\n/gim, "");

async function visit(address: string, recorded: readonly string[]): Promise<string[]> {
  const ask = (bytes: Uint8Array): Promise<Buffer> => exchange(address, bytes, { tls: true });
  const found: string[] = [];
  const see = (what: string, answer: Buffer): void => {
    const lower = answer.toString("latin1").toLowerCase();
    for (const word of tellingWords) if (lower.includes(word)) found.push(`${what}: the answer has "${word}"`);
    if (lower.startsWith("http/1.1 101")) found.push(`${what}: the relay opened itself`);
  };
  const home = await ask(request("GET", "/"));
  if (!home.toString("latin1").startsWith("HTTP/1.1 ")) found.push("GET /: no answer of a web server");
  see("GET /", home);
  // The old form of a token and the new one.
  for (const token of [randomBytes(16).toString("hex"), randomBytes(40).toString("base64url")]) {
    const [plain, knocking] = [await ask(request("GET", `/${token}`)), await ask(request("GET", `/${token}`, upgrade))];
    see("wrong token", knocking);
    if (timeless(plain) !== timeless(knocking)) found.push("wrong token: not answered as any other path");
  }
  see("OPTIONS", await ask(request("OPTIONS", "*")));
  see("garbage inside TLS", await ask(randomBytes(300)));
  see("garbage", await exchange(address, randomBytes(300), { tls: false }));
  see("plain HTTP", await exchange(address, request("GET", "/"), { tls: false }));
  see("multistream", await exchange(address, Buffer.from("\x13/multistream/1.0.0\n"), { tls: false }));
  for (const bytes of recorded) see("replay", await exchange(address, Buffer.from(bytes, "base64"), { tls: false }));
  return found;
}

const { relays } = JSON.parse(await text(process.stdin)) as ProbeOrder;
const findings = await Promise.all(relays.map(({ address, recorded }) => visit(address, recorded)));
process.stdout.write(JSON.stringify([...new Set(findings.flat())]));
