import { wsSockets } from "../../../p2p/io/sockets/ws.ts";
import { describeSocket } from "../../contract/socket.ts";

describeSocket("on ws", () => wsSockets, { refused: "ECONNREFUSED" });
