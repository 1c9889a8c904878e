/**
 * A child process for tests of the supervisor: an engine without a network behind the real port, which dies on request:
 * `say("die")` ends it as kill -9 would, `say("hang")` stops it in its tracks, `join("hopeless")` gives a capsule that no engine can come back with.
 */
import { portOverEmitter } from "../../p2p/port/carriers.ts";
import { servePort } from "../../p2p/port/server.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { EngineDouble, statsOfDouble } from "./engine-double.ts";

class MortalEngine extends EngineDouble {
  override async start(): Promise<void> {
    if (setup.diesAtStart === true) process.kill(process.pid, "SIGKILL");
    if (setup.hangsAtStart === true) process.kill(process.pid, "SIGSTOP");
    if (setup.failsAtStart === true) throw new TeahouseError("port-taken", "This port is in use.");
    await super.start();
    if (setup.tells === true) setInterval(() => this.emit({ event: "stats", ...statsOfDouble }), 100);
  }

  override async join(invite: string): Promise<void> {
    this.capsuleBytes = new TextEncoder().encode(`${invite} of ${process.pid}`);
    await super.join(invite);
  }

  override async resume(capsule: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(capsule);
    if (text.startsWith("hopeless")) throw new TeahouseError("room-not-found", "Nobody knows this room any more.");
    this.capsuleBytes = capsule;
    await super.resume(capsule);
    // The person as the room sees them.
    this.emit({ event: "role", role: "speaker", by: text });
  }

  override say(text: string): void {
    if (text === "die") process.kill(process.pid, "SIGKILL");
    if (text === "hang") process.kill(process.pid, "SIGSTOP");
    super.say(text);
  }
}

let setup: {
  readonly diesAtStart?: boolean;
  readonly hangsAtStart?: boolean;
  readonly failsAtStart?: boolean;
  readonly tells?: boolean;
} = {};

process.once("message", (message) => {
  setup = message as typeof setup;
  const port = portOverEmitter({
    emitter: process,
    messageEvent: "message",
    closeEvent: "disconnect",
    post: (sent) => void process.send?.(sent, undefined, undefined, () => undefined),
    close: () => process.disconnect(),
  });
  servePort(port, new MortalEngine(), { rights: "owner" });
});
