import { millis, type PeerId } from "../api/ids.ts";
import type { Link, RelayAddress } from "../api/link.ts";
import type { ProbeStep, ProbeVerdict, WayFailure } from "../api/way.ts";
import { toHex } from "../core/bytes.ts";
import type { Crypto } from "../core/crypto.ts";
import { openRecord, recordHour, recordKeys } from "../core/discovery/record.ts";
import type { Invite } from "../core/room/invite/invite.ts";
import type { Clock, Presence, Ways } from "./ports.ts";

/** Patience with one try: the dial of libp2p itself gives up after about as long. */
const tryMsMax = 8000;
/** What is moved over a connection that opened: freezes come after 15 to 20 KB (censorship anchor, finding 6). */
const transferBytes = 24_576;
/** The dial budget looks back a minute (p2p/io/routes/budget.ts); a little more, so that it is over. */
const waitMsMax = 61_000;

/** What a probe stands on. */
export interface ProbeGround {
  readonly presence: Presence;
  readonly crypto: Crypto;
  readonly clock: Clock;
}

/** One walk: what it stands on, whom it tells, and what ends it. */
interface Walk extends ProbeGround {
  readonly stop: AbortSignal;
  readonly note: (step: ProbeStep) => void;
}

/** A relay, and which of the invite's it is, from 1. */
interface Numbered {
  readonly relay: RelayAddress;
  readonly number: number;
}

/** Addresses that were dialed too often within the minute, and when that is over. */
interface Later extends Numbered {
  readonly afterMs: number;
}

/**
 * Walks every way into a room, one after the other and without joining, and says what it comes to. Where the dial budget stood
 * between us and every relay it waits, a minute at most, and asks again. Undefined when it was stopped. Never rejects.
 */
export async function probe(
  ground: ProbeGround,
  invite: Invite,
  onStep: (step: ProbeStep) => void,
  stop: AbortSignal,
): Promise<ProbeVerdict | undefined> {
  const steps: ProbeStep[] = [];
  const note = (step: ProbeStep): void => {
    if (stop.aborted) return;
    steps.push(step);
    onStep(step);
  };
  const walk: Walk = { ...ground, stop, note };
  const { presence, clock } = ground;
  const later = await tryRelays(
    walk,
    invite.hints.map((relay, index) => ({ relay, number: index + 1 })),
  );
  if (presence.discovery && !stop.aborted) {
    const found = await findRecord(walk, invite);
    note({ rung: "dht", relay: 0, what: "DHT", ok: found, ...(found ? {} : { failure: "no record" }) });
  }
  const isAnswered = steps.some(({ rung, ok }) => rung === "relay" && ok);
  if (later.length > 0 && !isAnswered) {
    await pause(clock, Math.min(waitMsMax, Math.max(...later.map(({ afterMs }) => afterMs))), stop);
    await tryRelays(walk, later);
  }
  return stop.aborted ? undefined : verdictOf(steps, presence.ways?.proxied === true);
}

/** What it returns was not tried, because it came too soon. */
async function tryRelays(walk: Walk, relays: readonly Numbered[]): Promise<Later[]> {
  const later: Later[] = [];
  for (const each of relays) {
    if (walk.stop.aborted) return later;
    const left = await tryRelay(walk, each);
    if (left !== undefined) later.push(left);
  }
  return later;
}

async function tryRelay(walk: Walk, { relay, number }: Numbered): Promise<Later | undefined> {
  const { links, ways } = walk.presence;
  const { note } = walk;
  const left: Uint8Array[] = [];
  let afterMs = 0;
  let link: Link | undefined;
  for (const address of relay.addresses) {
    // Each address alone, so that the answer says which of them this network lets through.
    const what = ways?.addressText(address) ?? "";
    try {
      link = await within(walk, (signal) => links.dial({ ...relay, addresses: [address] }, signal));
      note({ rung: "relay", relay: number, what, ok: true });
      break;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === "too soon") left.push(address);
      afterMs = Math.max(afterMs, afterMsOf(error));
      note({ rung: "relay", relay: number, what, ok: false, failure });
    }
    if (walk.stop.aborted) return undefined;
  }
  if (link === undefined) {
    return left.length === 0 ? undefined : { relay: { ...relay, addresses: left }, number, afterMs };
  }
  if (ways !== undefined && !walk.stop.aborted) await tryLink(walk, toHex(relay.key) as PeerId, number, ways);
  link.close();
  return undefined;
}

/** A data channel is agreed upon over a connection, which lives as long as a link on it. */
async function tryLink(walk: Walk, peer: PeerId, relay: number, ways: Ways): Promise<void> {
  const { note } = walk;
  const moved = await attempt(within(walk, (signal) => ways.transfer(peer, transferBytes, signal)));
  const ok = moved === undefined;
  note({ rung: "transfer", relay, what: "24 KB", ok, ...(ok ? {} : { failure: "frozen" }) });
  if (!ok || !ways.allowsUdp || walk.stop.aborted) return;
  const failure = await attempt(
    within(walk, async (signal) => {
      (await walk.presence.links.upgrade(peer, signal)).close();
    }),
  );
  note({ rung: "webrtc", relay, what: "UDP", ok: failure === undefined, ...(failure && { failure }) });
}

async function findRecord(walk: Walk, invite: Invite): Promise<boolean> {
  const { presence, crypto, clock } = walk;
  const { discovery } = presence;
  if (discovery === undefined) return false;
  const hour = recordHour(clock.now());
  const keys = [hour, hour - 1].flatMap((at) => recordKeys(crypto, invite.secret, at));
  const found = keys.map((key) =>
    within(walk, async (signal) => {
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

/** When a dial that came too soon may be tried; 0: it does not say. */
function afterMsOf(error: unknown): number {
  return error instanceof Error && "afterMs" in error ? Number(error.afterMs) : 0;
}

/** Gives up when time is up, or when the walk is stopped. */
async function within<Value>({ clock, stop }: Walk, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const cancel = clock.wakeAt(millis(clock.now() + tryMsMax), abort);
  stop.addEventListener("abort", abort);
  try {
    return await work(controller.signal);
  } finally {
    cancel();
    stop.removeEventListener("abort", abort);
  }
}

async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const cancel = clock.wakeAt(millis(clock.now() + ms), end);
  stop.addEventListener("abort", end);
  await over;
  cancel();
  stop.removeEventListener("abort", end);
}
