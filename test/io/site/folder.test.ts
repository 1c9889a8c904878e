import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSite } from "../../../p2p/io/site/folder.ts";
import { plainSite } from "../../../p2p/io/site/plain.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let scratch: string;
let server: Server;
let site: RequestListener;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "folder-site-"));
  const folder = join(scratch, "site");
  await mkdir(join(folder, "sub"), { recursive: true });
  await mkdir(join(folder, ".hidden"));
  await mkdir(join(scratch, "site-secret"));
  await mkdir(join(scratch, "empty"));
  await writeFile(join(folder, "index.html"), "<p>home</p>");
  await writeFile(join(folder, "sub", "index.html"), "<p>sub</p>");
  await writeFile(join(folder, "style.css"), "p { color: red }");
  await writeFile(join(folder, "space in name.txt"), "spacious");
  await writeFile(join(folder, ".env"), "hush hush");
  await writeFile(join(folder, ".hidden", "a.txt"), "hush hush");
  await writeFile(join(folder, "large.bin"), Buffer.alloc(3_000_000, "large"));
  await writeFile(join(scratch, "outside.txt"), "hush hush");
  await writeFile(join(scratch, "site-secret", "a.txt"), "hush hush");
  await symlink(join(scratch, "outside.txt"), join(folder, "link.txt"));
  await symlink(join(scratch, "site-secret"), join(folder, "linked"));
  await symlink(join(folder, "style.css"), join(folder, "alias.css"));
  await mkdir(join(folder, "trap"));
  await symlink(join(scratch, "outside.txt"), join(folder, "trap", "index.html"));
  await promisify(execFile)("mkfifo", [join(folder, "pipe")]);
  site = await folderSite(folder);
  server = createServer((...asked) => site(...asked)).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(scratch, { recursive: true });
});

const ask = async (path: string, options: { method?: string; headers?: Record<string, string> } = {}) => {
  const { port } = server.address() as AddressInfo;
  const asked = request({ host: "127.0.0.1", port, path, agent: false, ...options });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body } satisfies Answer;
};

describe("a folder as a site", () => {
  it("shows its pages with type, length, date and validators", async () => {
    const home = await ask("/");
    expect(home).toMatchObject({ status: 200, body: "<p>home</p>" });
    expect(home.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "content-length": "11" });
    for (const header of ["date", "etag", "last-modified"]) expect(home.headers[header]).toBeTypeOf("string");
    expect(await ask("/index.html?x=1")).toMatchObject({ status: 200, body: "<p>home</p>" });
    expect((await ask("/style.css")).headers["content-type"]).toContain("text/css");
    expect(await ask("/space%20in%20name.txt")).toMatchObject({ status: 200, body: "spacious" });
    expect(await ask("/sub")).toMatchObject({ status: 301, headers: { location: "/sub/" } });
    expect(await ask("/sub/")).toMatchObject({ status: 200, body: "<p>sub</p>" });
    expect((await ask("/large.bin")).body).toHaveLength(3_000_000);
    expect(await ask("/alias.css")).toMatchObject({ status: 200 });
  });

  it("answers HEAD, conditional requests and ranges", async () => {
    const { headers } = await ask("/");
    const etag = String(headers.etag);
    const modified = String(headers["last-modified"]);
    expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "", headers: { etag } });
    expect(await ask("/", { headers: { "If-None-Match": etag } })).toMatchObject({ status: 304, body: "" });
    expect(await ask("/", { headers: { "If-Modified-Since": modified } })).toMatchObject({ status: 304 });
    expect(await ask("/", { headers: { "If-Match": '"other"' } })).toMatchObject({ status: 412 });
    expect(await ask("/", { headers: { Range: "bytes=3-6" } })).toMatchObject({ status: 206, body: "home" });
    expect(await ask("/", { headers: { Range: "bytes=100-" } })).toMatchObject({ status: 416 });
  });

  it("shows nothing from outside, nothing hidden, and nothing that is no file", async () => {
    const outside = ["/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/sub/../../outside.txt"];
    const linked = ["/link.txt", "/linked/a.txt", "/linked/", "/trap/", "/trap/index.html", "/../site-secret/a.txt"];
    const hidden = ["/.env", "/.hidden/a.txt", "/%2eenv"];
    const strange = ["/pipe", "/a%00b", "/%", "/%ff", "//etc/passwd", "*", "http://127.0.0.1/link.txt", "/x\\..\\y"];
    for (const path of [...outside, ...linked, ...hidden, ...strange, `/${"a/".repeat(2_000)}`]) {
      const { status, body } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).not.toMatch(/hush hush|root:/);
      expect(body).not.toContain(scratch);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect(await ask("/", { method })).toMatchObject({ status: 404 });
    }
  });

  it("shows what is in the folder now", async () => {
    const path = join(scratch, "site", "new.txt");
    expect(await ask("/new.txt")).toMatchObject({ status: 404 });
    await writeFile(path, "one");
    expect(await ask("/new.txt")).toMatchObject({ status: 200, body: "one" });
    await writeFile(path, "longer");
    expect(await ask("/new.txt")).toMatchObject({ status: 200, body: "longer" });
    await rm(path);
    expect(await ask("/new.txt")).toMatchObject({ status: 404 });
  });

  it("says the same as the empty server where it has nothing", async () => {
    const missing = await ask("/nothing");
    const empty = createServer(plainSite).listen(0, "127.0.0.1");
    await once(empty, "listening");
    const full = server;
    server = empty;
    const same = await ask("/nothing");
    server = full;
    empty.close();
    expect([same.status, same.body]).toEqual([missing.status, missing.body]);
    expect(missing.body).toContain("Cannot GET /nothing");
  });

  it("cannot be made of what is no readable folder", async () => {
    for (const path of [join(scratch, "none"), join(scratch, "outside.txt"), ""]) {
      await expect(folderSite(path)).rejects.toMatchObject({ name: "TeahouseError", code: "file-unreadable" });
    }
    expect(await folderSite(join(scratch, "empty"))).toBeTypeOf("function");
  });
});
