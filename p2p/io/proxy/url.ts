import { isIP } from "node:net";
import { TeahouseError } from "../../api/errors.ts";
import type { Proxy } from "../../api/socket.ts";

/** Characters of a proxy's address that are looked at at all. */
const urlCharactersMax = 1024;
/** RFC 1929 gives user and password one byte of length each. */
const credentialBytesMax = 255;

const form =
  "a proxy is written as socks5://host:port or http://host:port, with user:password@ before the host if it asks for one";

/**
 * Reads a proxy's address: `socks5://` (also `socks5h://`; names are resolved at the proxy in any case) or `http://`. Throws
 * `TeahouseError` `proxy-damaged` with a sentence that repeats nothing of it, because a password may be in it.
 */
export function parseProxy(text: string): Proxy {
  const url = text.length <= urlCharactersMax && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw damaged(`That is not a proxy's address; ${form}.`);
  const kind = kinds[url.protocol];
  if (url.protocol === "https:")
    throw damaged("A proxy inside TLS cannot be used yet; use its http:// or socks5:// port.");
  if (kind === undefined) throw damaged(`Only SOCKS5 and HTTP proxies can be used; ${form}.`);
  if (url.hostname === "" || (url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
    throw damaged(`That is not a proxy's address; ${form}.`);
  }
  // The library knows that HTTP is at port 80, and leaves it out.
  const port = url.port === "" ? (kind === "http" ? 80 : 1080) : Number(url.port);
  if (port === 0) throw damaged("A proxy's port is from 1 to 65535.");
  const credentials = credentialsOf(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) === 0 && !/^[a-z0-9._-]{1,253}$/i.test(host)) throw damaged(`That is not a proxy's address; ${form}.`);
  return { kind, host, port, ...(credentials === undefined ? {} : { credentials }) };
}

const kinds: Readonly<Record<string, Proxy["kind"]>> = { "socks5:": "socks5", "socks5h:": "socks5", "http:": "http" };

function credentialsOf(url: URL): Proxy["credentials"] {
  if (url.username === "" && url.password === "") return undefined;
  let user: string;
  let password: string;
  try {
    user = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    throw damaged("The proxy's user or password is not written as URLs want it; write % as %25.");
  }
  const fits = (word: string): boolean => word !== "" && Buffer.byteLength(word) <= credentialBytesMax;
  if (!fits(user) || !fits(password)) {
    throw damaged("A proxy's user and password go together, and each has 1 to 255 bytes.");
  }
  // Basic authentication ends the user at the first colon (RFC 7617), and headers end at a line's end.
  if (user.includes(":") || /\p{Cc}/u.test(user + password)) {
    throw damaged("The proxy's user or password has characters in it that proxies do not take.");
  }
  return { user, password };
}

function damaged(sentence: string): TeahouseError {
  return new TeahouseError("proxy-damaged", sentence);
}
