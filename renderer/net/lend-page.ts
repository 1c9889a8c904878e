import { askForPort, findBridge } from "./desktop-port.ts";
import { Lending } from "./lend.ts";

/** The hidden page of the desktop app: it lends its network to the engine, and does nothing else. */
const bridge = findBridge();
if (bridge !== undefined) new Lending(async () => ({ port: await askForPort(bridge) })).start();
