import { createPortClient } from "../../p2p/port/client.ts";
import { servePort } from "../../p2p/port/server.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import { memoryPorts, messagePorts, webSocketPorts } from "./carriers.ts";
import { describeEngineApi, describePort, type PortsUnderTest } from "./engine-port.ts";

describePort("memory", memoryPorts);
describePort("a MessagePort", messagePorts);
describePort("a WebSocket", webSocketPorts);

describeEngineApi("directly", () => {
  const double = new EngineDouble();
  return Promise.resolve({ engine: double, double, end: () => Promise.resolve() });
});

const carriers: readonly (readonly [name: string, make: () => Promise<PortsUnderTest>])[] = [
  ["through a port over memory", memoryPorts],
  ["through a port over a MessagePort", messagePorts],
  ["through a port over a WebSocket", webSocketPorts],
];

for (const [name, make] of carriers) {
  describeEngineApi(name, async () => {
    const ports = await make();
    const double = new EngineDouble();
    const server = servePort(ports.right, double, { rights: "owner" });
    const engine = createPortClient(ports.left);
    const end = (): Promise<void> => {
      engine.close();
      server.close("local");
      return ports.end();
    };
    return { engine, double, end };
  });
}
