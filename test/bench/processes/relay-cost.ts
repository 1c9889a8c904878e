/**
 * What a relay costs, in CPU time for each listener and second, with three open microphones: the figure that is held
 * against other servers by hand (T14). `npm run relay-cost -- [listeners] [seconds] [profile]`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { clip, Processes } from "../../e2e/rooms.ts";

const audience = fileURLToPath(new URL("./audience.ts", import.meta.url));
const [, , listeners = "60", seconds = "20", profile = "webrtc"] = process.argv;
const spanMs = Number(seconds) * 1000;
const processes = new Processes();
const way = ["--no-dht", "--profile", profile];

const relay = await processes.relay("--max-children", "500", ...way);
const host = await processes.host([relay], "--audio", clip, "--loop", ...way);
const speech = ["speak", "-", "--audio", clip, "--loop", ...way];
const speakers = [1, 2].map(() => processes.start(speech, { stdin: host.speakerInvite }));
await Promise.all(speakers.map((speaker) => speaker.next("stats", (line) => Number(line["framesSent"]) > 0)));

const crowd = spawn(process.execPath, [audience, listeners, profile], { stdio: ["pipe", "pipe", "inherit"] });
const said = createInterface({ input: crowd.stdout })[Symbol.asyncIterator]();
crowd.stdin.write(`${host.invite}\n`);
await said.next();

interface Counts {
  readonly expected: number;
  readonly onTime: number;
  readonly bytesIn: number;
  readonly webrtc: number;
}

async function counts(): Promise<Counts> {
  crowd.stdin.write("counts\n");
  return JSON.parse(String((await said.next()).value)) as Counts;
}

const [before, first] = [await relay.process.following("stats"), await counts()];
const until = Number(before["t"]) + spanMs;
const after = await relay.process.next("stats", ({ t }) => t >= until);
const last = await counts();
const elapsed = (Number(after["t"]) - Number(before["t"])) / 1000;
const cpuUs = 1000 * (Number(after["cpuMs"]) - Number(before["cpuMs"]));
const forwarded = Number(after["packetsForwarded"]) - Number(before["packetsForwarded"]);
const report = {
  listeners: Number(listeners),
  seconds: elapsed,
  cpuUsPerListenerSecond: Math.round(cpuUs / elapsed / Number(listeners)),
  coreShare: Math.round((1000 * cpuUs) / elapsed / 1e6) / 1000,
  packetsForwarded: forwarded,
  onTimeShare: Math.round((1e4 * (last.onTime - first.onTime)) / (last.expected - first.expected)) / 1e4,
  kbpsPerListener: Math.round(((last.bytesIn - first.bytesIn) * 8) / elapsed / Number(listeners) / 1000),
  webrtc: last.webrtc,
  rssMb: after["rssMb"],
};
process.stdout.write(`${JSON.stringify(report)}\n`);
crowd.stdin.end();
await once(crowd, "exit");
await processes.end();
process.exit(0);
