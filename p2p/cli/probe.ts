import { TeahouseError } from "../api/errors.ts";
import type { ProbeStep, ProbeVerdict } from "../api/way.ts";
import { inviteOf, setupOf } from "./commands.ts";
import type { ExitCode } from "./life.ts";
import type { ProbeRequest } from "./options.ts";
import type { CliWorld } from "./world.ts";

/**
 * `teahouse probe`: tries every way into a room that this network may let through, one after the other, without
 * joining, and explains. 0 when there is sound to be had.
 */
export async function runProbe(request: ProbeRequest, world: CliWorld): Promise<ExitCode> {
  const text = await inviteOf(request.invite, world);
  const engine = await world.createEngine(setupOf(request, { dht: "client", blind: true }));
  engine.subscribe((event) => {
    if (event.event !== "probe") return;
    const message = event.failure === undefined ? worked[event.rung] : failed[event.failure];
    world.printer.print({
      event: "probe",
      rung: rungText(event),
      ok: event.ok,
      ...(event.failure === undefined ? {} : { failure: event.failure }),
      message,
    });
  });
  try {
    await engine.start();
    const code = await untilInterrupted(engine.probe(text), world.interrupted);
    if (code === undefined) return 0;
    const message = explanations[code];
    world.printer.print({ event: "explanation", code, message });
    if (code === "works" || code === "udp-blocked" || code === "dht-only") return 0;
    throw new TeahouseError("no-network", message);
  } finally {
    await engine.stop();
  }
}

/** Undefined when somebody pressed Ctrl-C first. */
export async function untilInterrupted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  let onAbort = (): void => undefined;
  const interrupted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  // Whoever leaves does not wait for the rest, nor hear of it.
  work.catch(() => undefined);
  return Promise.race([work, interrupted]).finally(() => signal.removeEventListener("abort", onAbort));
}

function rungText({ rung, relay, what }: ProbeStep): string {
  const name = relay === 0 ? "" : `relay ${relay}, `;
  switch (rung) {
    case "relay":
      return `${name}${what}`;
    case "transfer":
      return `${name}${what} over its connection`;
    case "webrtc":
      return `${name}WebRTC over UDP`;
    case "dht":
      return what;
    default:
      return rung satisfies never;
  }
}

const worked: Readonly<Record<ProbeStep["rung"], string>> = {
  relay: "connected, and the relay proved its key",
  transfer: "it went through",
  webrtc: "a data channel opened",
  dht: "the room's record was found",
};

const failed: Readonly<Record<NonNullable<ProbeStep["failure"]>, string>> = {
  unreachable: "nobody answers",
  timeout: "no answer in time",
  cut: "it answers, and then the connection is cut",
  stranger: "it answers, but is not the relay",
  portal: "this network wants to be logged in to first",
  "wrong key": "another relay answers",
  "local address": "it leads into a local network, where an invite may not send us",
  name: "it is a name, which would be asked for in clear",
  "special address": "it is an address that nobody has",
  "too soon": "it was dialed three times in this minute; try again in a minute",
  "proxy unreachable": "the proxy does not answer",
  "proxy refused": "the proxy refuses",
  "proxy broken": "the proxy does not do its work",
  "proxy only": "it would go beside the proxy",
  refused: "the relay refuses",
  "no record": "the room's record was not found",
  frozen: "the connection stops after some kilobytes",
  other: "it failed",
};

const explanations: Readonly<Record<ProbeVerdict, string>> = {
  works: "There is a way into this room from here.",
  "udp-blocked": "There is a way into this room from here; this network blocks UDP, so sound goes over TLS.",
  "dht-only": "None of the invite's relays answers, but the room can be found by its record; joining may take longer.",
  frozen: "This network lets connections begin and freezes them after some kilobytes; try another network or a proxy.",
  portal: "This network wants to be logged in to first; open any page in a browser, then try again.",
  "tls-blocked": "The relays answer, but this network cuts the connections off; try a proxy or another network.",
  strangers: "Somebody else answers where this room's relays were; ask for a new invite.",
  "relays-refuse": "The relays answer and refuse; ask the host, or try again later.",
  "proxy-dead": "The proxy is what does not work; check its address and that it is running.",
  "lan-only": "This invite leads only where an invite may not send this computer; ask for one with a public relay.",
  offline:
    "Nothing answers: check that this computer is online; if it is, try another network or ask for a new invite.",
};
