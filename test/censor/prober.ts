import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { outsideAddress, type Box } from "./box.ts";
import type { ProbeOrder } from "./probe-program.ts";
import type { Flow } from "./wire/flows.ts";

const program = fileURLToPath(new URL("./probe-program.ts", import.meta.url));
/** Beginnings replayed to one relay. */
const replaysMax = 3;

/** Visits every relay from the censor's own address, and says what he could tell it by; nothing found is empty. */
export async function probeRelays(box: Box, flows: readonly Flow[]): Promise<string[]> {
  const order: ProbeOrder = {
    relays: box.relays.map((place) => {
      const address = outsideAddress(place);
      const seen = flows.filter(
        ({ kind, serverAddress, sent }) => kind === "tcp" && serverAddress === address && sent.length > 0,
      );
      return { address, recorded: seen.slice(0, replaysMax).map(({ sent }) => sent.toString("base64")) };
    }),
  };
  const [command, ...args] = box.inside("censor");
  const words = [...args, process.execPath, program];
  const text = await new Promise<string>((resolve, reject) => {
    const child = execFile(command, words, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error("the prober broke", { cause: error }));
    });
    child.stdin?.end(JSON.stringify(order));
  });
  return JSON.parse(text) as string[];
}
