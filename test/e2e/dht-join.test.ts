import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Processes, clip, deadRelay, withHints } from "./rooms.ts";
import type { HostUp, RelayUp } from "./rooms.ts";

const relayCount = 20;
const deadCount = 5;

const processes = new Processes();
const relays: RelayUp[] = [];
let host: HostUp;

beforeAll(async () => {
  // A few at a time: each of them is a process, and two cores start them all.
  const first = await processes.relay();
  relays.push(first);
  while (relays.length < relayCount) {
    const batch = Math.min(4, relayCount - relays.length);
    const started = Array.from({ length: batch }, () => processes.relay("--bootstrap", ...first.addresses));
    relays.push(...(await Promise.all(started)));
  }
  host = await processes.host(relays.slice(0, 3), "--audio", clip, "--loop");
});

afterAll(() => processes.end());

describe("a room known by the DHT alone", () => {
  it("[RM24] is joined with 20 relays as servers, 5 of them dead, through one that does not carry it", async () => {
    const invite = withHints(host.invite, [await deadRelay()]);
    // The record is put in the background: once one guest has come this way, it is there.
    const before = processes.listener(invite, "--bootstrap", ...(relays.at(-1)?.addresses ?? []));
    await before.next("sound");
    // One of the dead carried the room, the others only keep records; none says goodbye.
    const dead = [...relays.slice(1, 2), ...relays.slice(4, 4 + deadCount - 1)];
    for (const relay of dead) relay.process.kill("SIGKILL");
    await Promise.all(dead.map((relay) => relay.process.exited));
    const after = processes.listener(invite, "--bootstrap", ...(relays.at(-2)?.addresses ?? []));
    const sound = await after.next("sound");
    expect(sound["ms"]).toBeGreaterThan(0);
    const stats = await after.next("stats", (line) => Number(line["framesOnTime"]) > 0);
    expect(stats["hops"]).toBeGreaterThan(0);
  });
});
