import { afterAll, beforeAll } from "vitest";
import { describeSocket } from "../contract/socket.ts";
import { LentNetwork } from "./lending.ts";

let network: LentNetwork;
beforeAll(async () => {
  network = await LentNetwork.start();
});
afterAll(() => network.stop());

describeSocket("lent by a window", () => network.borrower.sockets, { refused: "unreachable" });
