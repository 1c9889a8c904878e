import { millis, type Millis, type PeerId } from "../api/ids.ts";
import type { Link, RelayAddress } from "../api/link.ts";
import type { ProbeStep, ProbeVerdict, WayFailure } from "../api/way.ts";
import { toHex } from "../core/bytes.ts";
import type { Crypto } from "../core/crypto.ts";
import { openRecord, recordHour, recordKeys } from "../core/discovery/record.ts";
import type { Invite } from "../core/room/invite.ts";
import type { Clock, Presence } from "./ports.ts";

/** Patience with one try: the dial of libp2p itself gives up after about as long. */
const tryMsMax = 8000;
/** What is moved over a connection that opened: freezes come after 15 to 20 KB (censorship anchor, finding 6). */
const transferBytes = 24_576;

/** What a probe stands on. */
export interface ProbeGround {
  readonly presence: Presence;
  readonly crypto: Crypto;
  readonly clock: Clock;
}

/** Walks every way into a room, one after the other and without joining, and says what it comes to. Never rejects. */
export async function probe(
  { presence, crypto, clock }: ProbeGround,
  invite: Invite,
  onStep: (step: ProbeStep) => void,
): Promise<ProbeVerdict> {
  const steps: ProbeStep[] = [];
  const note = (step: ProbeStep): void => {
    steps.push(step);
    onStep(step);
  };
  for (const [index, relay] of invite.hints.entries()) {
    await tryRelay(presence, clock, relay, index + 1, note);
  }
  if (presence.discovery) {
    const found = await findRecord(presence, crypto, clock, invite);
    note({ rung: "dht", relay: 0, what: "DHT", ok: found, ...(found ? {} : { failure: "no record" }) });
  }
  return verdictOf(steps, presence.ways?.proxied === true);
}

async function tryRelay(
  { links, ways }: Presence,
  clock: Clock,
  relay: RelayAddress,
  number: number,
  note: (step: ProbeStep) => void,
): Promise<void> {
  let link: Link | undefined;
  for (const address of relay.addresses) {
    // Each address alone, so that the answer says which of them this network lets through.
    const what = ways?.addressText(address) ?? "";
    try {
      link = await within(clock, (signal) => links.dial({ ...relay, addresses: [address] }, signal));
      note({ rung: "relay", relay: number, what, ok: true });
      break;
    } catch (error) {
      note({ rung: "relay", relay: number, what, ok: false, failure: failureOf(error) });
    }
  }
  if (link === undefined || ways === undefined) {
    link?.close();
    return;
  }
  // A data channel is agreed upon over a connection, which lives as long as a link on it.
  const peer = toHex(relay.key) as PeerId;
  const moved = await attempt(within(clock, (signal) => ways.transfer(peer, transferBytes, signal)));
  note({
    rung: "transfer",
    relay: number,
    what: "24 KB",
    ok: moved === undefined,
    ...(moved === undefined ? {} : { failure: "frozen" }),
  });
  if (moved === undefined && ways.allowsUdp) {
    const failure = await attempt(
      within(clock, async (signal) => {
        (await links.upgrade(peer, signal)).close();
      }),
    );
    note({ rung: "webrtc", relay: number, what: "UDP", ok: failure === undefined, ...(failure && { failure }) });
  }
  link.close();
}

async function findRecord(presence: Presence, crypto: Crypto, clock: Clock, invite: Invite): Promise<boolean> {
  const { discovery } = presence;
  if (discovery === undefined) return false;
  const hour = recordHour(clock.now());
  const keys = [hour, hour - 1].flatMap((at) => recordKeys(crypto, invite.secret, at));
  const found = keys.map((key) =>
    within(clock, async (signal) => {
      for await (const value of discovery.lookup(key, signal)) {
        if (openRecord(crypto, invite.secret, value).ok) return true;
      }
      return false;
    }).catch(() => false),
  );
  return (await Promise.all(found)).includes(true);
}

/** What a probe's steps come to: the first of the explanations, from the most particular to the least, that fits. */
export function verdictOf(steps: readonly ProbeStep[], proxied: boolean): ProbeVerdict {
  const of = (rung: ProbeStep["rung"]): ProbeStep[] => steps.filter((step) => step.rung === rung);
  const works = (tried: readonly ProbeStep[]): boolean => tried.some(({ ok }) => ok);
  if (works(of("relay"))) {
    if (of("transfer").length > 0 && !works(of("transfer"))) return "frozen";
    // Who refuses a data channel answered; UDP that is dead does not.
    const dead = of("webrtc").filter(({ failure }) => failure !== "refused");
    return dead.length > 0 && !works(of("webrtc")) ? "udp-blocked" : "works";
  }
  if (works(of("dht"))) return "dht-only";
  const failures = of("relay").map(({ failure }) => failure ?? "other");
  const any = (...which: readonly ProbeStep["failure"][]): boolean => failures.some((each) => which.includes(each));
  if (proxied && any("proxy unreachable", "proxy refused", "proxy broken")) return "proxy-dead";
  if (any("portal")) return "portal";
  if (any("refused")) return "relays-refuse";
  if (any("cut")) return "tls-blocked";
  if (any("stranger", "wrong key")) return "strangers";
  const leadNowhere: readonly ProbeStep["failure"][] = ["local address", "name", "special address"];
  return failures.length > 0 && failures.every((each) => leadNowhere.includes(each)) ? "lan-only" : "offline";
}

const known: ReadonlySet<string> = new Set<WayFailure | "refused">([
  "unreachable",
  "timeout",
  "cut",
  "stranger",
  "portal",
  "wrong key",
  "local address",
  "name",
  "special address",
  "too soon",
  "proxy unreachable",
  "proxy refused",
  "proxy broken",
  "proxy only",
  "refused",
]);

function failureOf(error: unknown): WayFailure | "refused" {
  const message = error instanceof Error ? error.message : "";
  // Whoever is told to stop when time is up says so.
  if (message === "aborted") return "timeout";
  return known.has(message) ? (message as WayFailure | "refused") : "other";
}

/** Undefined when it worked. */
async function attempt(work: Promise<unknown>): Promise<WayFailure | "refused" | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}

async function within<Value>(clock: Clock, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const late: Millis = millis(clock.now() + tryMsMax);
  const cancel = clock.wakeAt(late, () => controller.abort());
  try {
    return await work(controller.signal);
  } finally {
    cancel();
  }
}
