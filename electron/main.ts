import { dirname, join } from "node:path";
import * as electron from "electron";
import { startDesktop } from "./desktop.ts";

// Built, this file is dist/electron/main.js.
const folder = import.meta.dirname;

startDesktop(electron, {
  folder,
  page: join(dirname(folder), "renderer"),
  platform: process.platform,
  argv: process.argv,
  environment: process.env,
});
