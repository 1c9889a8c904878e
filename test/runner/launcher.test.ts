import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Stands for the command: says what it is, then ends as it is told. */
const command = `
  const [how = ""] = process.argv.slice(2) as string[];
  process.on("SIGINT", () => process.exit(21));
  process.on("SIGTERM", () => process.exit(22));
  console.log(JSON.stringify({ version: process.version, arguments: process.argv.slice(2) }));
  if (how === "wait") setInterval(() => undefined, 1000);
  else if (how === "die") process.kill(process.pid, "SIGKILL");
  else process.exitCode = Number(how);
`;

let folder: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teahouse-launcher-"));
  mkdirSync(join(folder, "p2p"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "p2p", "cli.ts"), command);
  copyFileSync(join(root, "p2p", "teahouse.js"), join(folder, "p2p", "teahouse.js"));
});

afterEach(() => {
  if (running?.exitCode === null && running.signalCode === null) running.kill("SIGKILL");
  running = undefined;
  rmSync(folder, { recursive: true });
});

function launch(...args: string[]): { child: ChildProcess; firstLine: Promise<string>; ended: Promise<unknown[]> } {
  const file = join(folder, "p2p", "teahouse.js");
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  running = child;
  const lines = createInterface({ input: child.stdout });
  return { child, firstLine: once(lines, "line").then(([line]) => line as string), ended: once(child, "exit") };
}

describe("npx teahouse", () => {
  beforeEach(() => symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction"));

  it("runs the command on the installed Node, and passes arguments and exit code on", async () => {
    const { firstLine, ended } = launch("5", "--name", "a b");
    expect(JSON.parse(await firstLine)).toEqual({
      version: expect.stringMatching(/^v24\./),
      arguments: ["5", "--name", "a b"],
    });
    expect(await ended).toEqual([5, null]);
  });

  it.each([
    ["SIGINT", 21],
    ["SIGTERM", 22],
  ] as const)("passes %s on, and ends when the command ends", async (signal, code) => {
    const { child, firstLine, ended } = launch("wait");
    await firstLine;
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
  });

  it("reports a command that was killed as a shell would", async () => {
    const { firstLine, ended } = launch("die");
    await firstLine;
    expect(await ended).toEqual([137, null]);
  });
});

it("npx teahouse says what to do when the Node that belongs to it is not installed", async () => {
  const { child, ended } = launch("5");
  const said: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  await once(child, "close");
  expect(await ended).toEqual([70, null]);
  expect(Buffer.concat(said).toString()).toBe(
    "The Node that belongs to Teahouse is not installed; please run npm install again.\n",
  );
});
