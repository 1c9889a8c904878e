import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { Box, outsideAddress } from "../box.ts";
import { Censor } from "../censor.ts";
import { probeRelays } from "../prober.ts";
import { rules } from "../rules/all.ts";

const certificateModule = fileURLToPath(new URL("../../../p2p/io/libp2p/certificate.ts", import.meta.url));
const boxModule = fileURLToPath(new URL("../box.ts", import.meta.url));
const command = fileURLToPath(new URL("../run.ts", import.meta.url));
let box: Box | undefined;

afterEach(() => {
  box?.remove();
  box = undefined;
});

const listed = (): string => execFileSync("ip", ["netns", "list"], { encoding: "utf8" });

it("places reach each other through the censor and nothing else, and nothing is left of them", async () => {
  box = await Box.make(1);
  const { folder } = box;
  const name = box.namespace("desktop");
  const routes = await box.run("desktop", "ip", "route");
  expect(routes).toContain("default via 192.168.71.1");
  expect(await box.run("censor", "ip", "route")).not.toContain("default");
  await expect(box.run("relay-1", "ip", "route", "get", "8.8.8.8")).rejects.toThrow("unreachable");
  expect(await box.run("relay-1", "ip", "route", "get", outsideAddress("host"))).toContain("dev eth0");
  expect(await box.run("desktop", "cat", "/etc/resolv.conf")).toBe("nameserver 192.168.71.1\n");
  expect(listed()).toContain(name);
  box.remove();
  expect(listed()).not.toContain(name);
  expect([existsSync(folder), existsSync(`/etc/netns/${name}`)]).toEqual([false, false]);
});

it("what a killed run left behind is taken away by the next, with what ran in it", async () => {
  const script = `
    import { Box } from ${JSON.stringify(boxModule)};
    const box = await Box.make(1);
    const child = box.spawn("host", ["sleep", "600"], { stdio: "ignore" });
    console.log(child.pid, box.namespace("host"));
    // Not before the child is in its namespace.
    while (!(await box.run("host", "ip", "netns", "pids", box.namespace("host"))).includes(String(child.pid)));
    process.kill(process.pid, "SIGKILL");
  `;
  const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
    encoding: "utf8",
  });
  expect(signal).toBe("SIGKILL");
  const [pid = "", name = ""] = stdout.trim().split(" ");
  expect(listed()).toContain(name);
  box = await Box.make(1);
  expect(listed()).not.toContain(name);
  expect(existsSync(`/proc/${pid}/cwd`)).toBe(false);
});

it.each(rules)("$name: the system takes the rule, and it is lifted without a trace", async (rule) => {
  box ??= await Box.make(2);
  const before = await box.run("censor", "nft", "-s", "list", "ruleset");
  const censor = new Censor(box, rule);
  await censor.fall(new Set());
  expect(await censor.trips()).toBe(0);
  await censor.lift();
  expect(await box.run("censor", "nft", "-s", "list", "ruleset")).toBe(before);
  expect(await box.run("censor", "tc", "qdisc", "show", "dev", "outside")).not.toContain("tbf");
});

it("the prober tells a relay that opens itself to strangers and says what it is", async () => {
  box?.remove();
  box = await Box.make(1);
  const script = `
    import { createServer } from "node:https";
    import { selfSignedCertificate } from ${JSON.stringify(certificateModule)};
    const server = createServer(selfSignedCertificate(Date.now()), (_, response) => response.end("Teahouse relay"));
    server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n"));
    server.listen(443, "0.0.0.0", () => console.log("listening"));
  `;
  const words = [process.execPath, "--input-type=module-typescript", "-e", script];
  const server = box.spawn("relay-1", words, { stdio: ["ignore", "pipe", "inherit"] });
  if (server.stdout === null) throw new Error("the pipe was asked for");
  await once(server.stdout, "data");
  const found = await probeRelays(box, []);
  expect(found).toContain('GET /: the answer has "teahouse"');
  expect(found).toContain("wrong token: the relay opened itself");
  expect(found).toContain("wrong token: not answered as any other path");
});

it("usage is one sentence and exit code 2", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "no-such-rule"], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe('There is no rule "no-such-rule"; see "npm run censor -- --help".\n');
});
