import type { Thing, ThingEvents } from "./lender.ts";

/** WebSocket close codes of a goodbye, and of a broken rule (RFC 6455, 7.4.1). */
const goodbyes: ReadonlySet<number> = new Set([1000, 1001, 1005]);
const breaches: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009]);

/** What browsers and `ws` call a WebSocket, as far as it is lent. */
export interface BrowserSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly wasClean: boolean; readonly code: number }) => void,
  ): void;
}

/** Lends a WebSocket that is connecting. */
export function lendSocket(socket: BrowserSocket, events: ThingEvents): Thing {
  socket.binaryType = "arraybuffer";
  let isOver = false;
  socket.addEventListener("open", () => {
    if (!isOver) events.opened();
  });
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    if (data instanceof ArrayBuffer) return events.arrived(new Uint8Array(data));
    isOver = true;
    socket.close();
    events.closed("protocol");
  });
  socket.addEventListener("close", ({ wasClean, code }) => {
    if (isOver) return;
    isOver = true;
    events.closed(breaches.has(code) ? "protocol" : wasClean && goodbyes.has(code) ? "clean" : "lost");
  });
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
    close: () => socket.close(1000),
    drop: () => {
      isOver = true;
      // Browsers know no harder way; what is not sent yet may still be.
      socket.close();
    },
  };
}
