import type { RelayAddress } from "../api/link.ts";
import { TeahouseError } from "../api/errors.ts";
import { recordHour, recordKeys } from "../core/discovery/record.ts";
import type { Invite } from "../core/room/invite.ts";
import { inviteOf } from "./commands.ts";
import type { ProbeKit } from "../host.ts";
import type { ExitCode } from "./life.ts";
import type { InviteRequest } from "./options.ts";
import type { CliWorld } from "./world.ts";

/** Patience with one rung: the dial of libp2p itself gives up after about as long. */
const rungMsMax = 8000;

/**
 * `teahouse probe`: tries every way into a room that this network may let through, one after the other, without
 * joining. 0 when one works.
 */
export async function runProbe(request: InviteRequest, world: CliWorld): Promise<ExitCode> {
  if (request.proxy !== undefined) {
    throw new TeahouseError("usage", "--proxy is not built yet; without it this computer would connect directly.");
  }
  const text = await inviteOf(request.invite, world);
  const kit = await world.createProbe({
    profile: request.profile,
    listen: request.listen,
    announce: [],
    bootstrap: request.bootstrap,
    tls: undefined,
    seed: undefined,
    blind: true,
    dht: request.dht ? "client" : "off",
  });
  try {
    return await walk(kit, kit.readInvite(text), request, world);
  } finally {
    await kit.stop();
  }
}

async function walk(kit: ProbeKit, invite: Invite, request: InviteRequest, world: CliWorld): Promise<ExitCode> {
  let works = false;
  const say = (rung: string, ok: boolean, message: string): void => {
    works ||= ok;
    world.printer.print({ event: "probe", rung, ok, message });
  };
  for (const [index, hint] of invite.hints.entries()) {
    if (world.interrupted.aborted) return 0;
    await tryHint(kit, hint, `relay ${index + 1} of ${invite.hints.length}`, request, say);
  }
  if (invite.hints.length === 0) say("relays", false, "the invite names none");
  if (request.dht && !world.interrupted.aborted) await tryDht(kit, invite, say);
  if (works) return 0;
  throw new TeahouseError(
    "no-network",
    "No way into this room works from here; ask for a new invite, or try another network.",
  );
}

type Say = (rung: string, ok: boolean, message: string) => void;

async function tryHint(
  kit: ProbeKit,
  hint: RelayAddress,
  name: string,
  request: InviteRequest,
  say: Say,
): Promise<void> {
  let reached = false;
  for (const address of hint.addresses) {
    // Each address alone, so that the answer says which of them this network lets through.
    const rung = `${name}, ${kit.addressText(address)}`;
    const failure = await failureOf(kit.dial({ ...hint, addresses: [address] }, AbortSignal.timeout(rungMsMax)));
    reached ||= failure === undefined;
    say(rung, failure === undefined, failure ?? "connected, and the relay proved its key");
    if (failure === undefined) break;
  }
  if (!reached || request.profile === "wss") return;
  const failure = await failureOf(kit.upgrade(hint, AbortSignal.timeout(rungMsMax)));
  say(`${name}, WebRTC over UDP`, failure === undefined, failure ?? "a data channel opened");
}

async function tryDht(kit: ProbeKit, invite: Invite, say: Say): Promise<void> {
  const signal = AbortSignal.timeout(rungMsMax);
  const hour = recordHour(kit.now());
  const keys = [hour, hour - 1].flatMap((at) => recordKeys(kit.crypto, invite.secret, at));
  const found = await Promise.all(keys.map((key) => failureOf(kit.findRecord(key, invite.secret, signal))));
  const ok = found.includes(undefined);
  say("DHT", ok, ok ? "the room's record was found" : "the room's record was not found");
}

/** Undefined when it worked, else what failed. */
async function failureOf(attempt: Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    return error instanceof Error && error.name !== "TimeoutError" && error.name !== "AbortError"
      ? error.message
      : "no answer in time";
  }
}
