/**
 * Many listeners in one process, each a whole engine: `node audience.ts COUNT PROFILE`, the invite on stdin. Prints
 * `ready` when all have sound, and a line of counts when a line comes on stdin.
 */
import { createInterface } from "node:readline";
import type { EngineApi } from "../../../p2p/api/engine.ts";
import type { Profile } from "../../../p2p/api/engine.ts";
import { createHost } from "../../../p2p/host.ts";

const [, , countText = "", profileText = "webrtc"] = process.argv;
const profile = profileText as Profile;
/** Joining at once: each costs a handshake on both sides. */
const joiningAtOnce = 4;
const engines: EngineApi[] = [];

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const invite = String((await lines.next()).value);

async function join(): Promise<void> {
  const nothing = { listen: [], announce: [], bootstrap: [], tls: undefined, seed: undefined, blind: false } as const;
  const engine = await createHost({ ...nothing, profile, dht: "off" });
  const sound = new Promise<void>((resolve) => engine.subscribe((event) => event.event === "sound" && resolve()));
  await engine.start();
  await engine.join(invite, {});
  await sound;
  engines.push(engine);
}

let waiting = Number(countText);
await Promise.all(
  Array.from({ length: joiningAtOnce }, async () => {
    while (waiting-- > 0) await join();
  }),
);
process.stdout.write("ready\n");
for (;;) {
  if ((await lines.next()).done === true) break;
  const counts = engines.map((engine) => engine.stats());
  const sum = (of: (stats: (typeof counts)[number]) => number): number =>
    counts.reduce((all, each) => all + of(each), 0);
  const kinds = counts.filter(({ links }) => (links.webrtc ?? 0) > 0).length;
  const [expected, onTime] = [sum(({ framesExpected }) => framesExpected), sum(({ framesOnTime }) => framesOnTime)];
  process.stdout.write(
    `${JSON.stringify({ expected, onTime, bytesIn: sum(({ bytesIn }) => bytesIn), webrtc: kinds })}\n`,
  );
}
await Promise.all(engines.map((engine) => engine.stop()));
process.exit(0);
