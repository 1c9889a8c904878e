/**
 * `teahouse --no-open`, but its rooms are shaped as a chain of relays, which no person would ask for: prints `window` with
 * its `url`, and `members`, as that does.
 */
import type { EngineApi, HostOptions } from "../../p2p/api/engine.ts";
import { siteFolder } from "../../p2p/cli/window-build.ts";
import { forkEngine } from "../../p2p/engine-fork.ts";
import { startShell } from "../../p2p/shell/shell.ts";
import { createSupervisor } from "../../p2p/supervisor.ts";

const supervisor = createSupervisor(() => forkEngine({ profile: "auto", listen: [], bootstrap: [], dht: false }));
const engine = new Proxy(supervisor.engine, {
  get(target, name): unknown {
    if (name === "host") return (options: HostOptions) => target.host({ ...options, coreSize: 1, relayFanout: 1 });
    const member: unknown = Reflect.get(target, name, target);
    return typeof member === "function" ? member.bind(target) : member;
  },
}) satisfies EngineApi;
supervisor.engine.subscribe((event) => {
  if (event.event === "members") console.log(JSON.stringify({ t: 0, ...event }));
});
const started = supervisor.start();
const shell = await startShell({
  siteFolder,
  engine,
  onLender: (port) => supervisor.lend(port, { byHop: false }),
  onLenderGone: () => supervisor.dismissLender(),
});
await started;
process.on("SIGTERM", () => {
  Promise.all([shell.stop(), supervisor.stop()]).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
console.log(JSON.stringify({ event: "window", t: 0, url: shell.issueAddress() }));
