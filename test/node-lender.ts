import { WebSocket } from "ws";
import type { Port } from "../p2p/api/port.ts";
import type { NativeChannels } from "../p2p/io/links/native-channel.ts";
import { Lender, type Thing, type ThingEvents } from "../renderer/net/lender.ts";
import { lendSocket } from "../renderer/net/web-socket.ts";

/**
 * Lends the network of this process, as a page lends a browser's: where a test needs an engine of a window, but no window.
 * Without `channels` there are only sockets. `onEnd`: the engine's end is gone.
 */
export function lendFromNode(port: Port, channels?: NativeChannels, onEnd?: () => void): Lender {
  const tools = {
    openSocket: (url: string, events: ThingEvents) =>
      lendSocket(new WebSocket(url, { rejectUnauthorized: false }), events),
    ...(channels === undefined
      ? {}
      : { answer: (offer: string, events: ThingEvents) => answerNatively(channels, offer, events) }),
    after: (ms: number, callback: () => void) => void setTimeout(callback, ms),
  };
  return new Lender(port, tools, onEnd);
}

function answerNatively(channels: NativeChannels, offer: string, events: ThingEvents): Thing {
  const channel = channels.answer(offer, {
    onOpen: () => events.opened(),
    onMessage: (bytes) => events.arrived(bytes),
    onRoom: () => events.drained(),
    onClose: (reason) => events.closed(reason === "remote" ? "clean" : reason),
  });
  channel.description.then(
    (sdp) => events.answered(sdp),
    () => undefined,
  );
  return {
    get bufferedAmount() {
      return channel.bufferedAmount;
    },
    send: (bytes) => void channel.send(bytes),
    close: () => {
      channel.close();
      events.closed("clean");
    },
    drop: () => channel.abort(),
    addCandidates: (candidates) => channel.addCandidates(candidates),
  };
}
