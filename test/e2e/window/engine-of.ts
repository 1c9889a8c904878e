import { readFile } from "node:fs/promises";
import type { TeahouseProcess } from "../processes.ts";

/** The process that a shell's engine runs in. */
export async function engineOf(shell: TeahouseProcess): Promise<number> {
  const children = await readFile(`/proc/${shell.pid}/task/${shell.pid}/children`, "utf8");
  for (const pid of children.trim().split(" ").map(Number)) {
    if ((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("engine-process")) return pid;
  }
  throw new Error("the shell has no engine");
}
