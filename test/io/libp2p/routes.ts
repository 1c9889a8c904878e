import type { SocketRoute } from "../../../p2p/api/socket.ts";

/** The straight route to `wss://host:port/path`. */
export function routeOf(url: string): SocketRoute {
  const { hostname, port, pathname } = new URL(url);
  return { host: hostname, port: Number(port), path: pathname, serverName: undefined, proxy: undefined };
}
