import { setupOf } from "./commands.ts";
import type { ExitCode } from "./life.ts";
import type { RoomsRequest } from "./options.ts";
import { untilInterrupted } from "./probe.ts";
import type { CliWorld } from "./world.ts";

/** A node that has just come up knows nobody: it looks again so often, so far apart, while it finds nothing. */
const looksMax = 4;
const lookAgainMs = 1_500;

/** `teahouse rooms`: which open rooms can be found from here. */
export async function runRooms(request: RoomsRequest, world: CliWorld): Promise<ExitCode> {
  const engine = await world.createEngine(setupOf(request, { dht: "client", blind: true }));
  try {
    await engine.start();
    for (let look = 1; look <= looksMax; look++) {
      const rooms = await untilInterrupted(engine.openRooms(), world.interrupted);
      if (rooms === undefined) return 0;
      for (const room of rooms) world.printer.print({ event: "open-room", ...room });
      if (rooms.length > 0) return 0;
      const pause = new Promise<void>((resolve) => setTimeout(resolve, lookAgainMs));
      if (look < looksMax) await untilInterrupted(pause, world.interrupted);
    }
    const message = "No open room was found from here; ask somebody for an invite, or name nodes with --bootstrap.";
    world.printer.print({ event: "note", message });
    return 0;
  } finally {
    await engine.stop();
  }
}
