import { spawnSync } from "node:child_process";

/** Whether networks can be made here: only root may, and not in every container. */
export function canMakeNetworks(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--net", "true"], { stdio: "ignore" }).status === 0;
}
