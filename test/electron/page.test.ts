import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOwnPage, pageScheme, pageUrl, servePage } from "../../electron/page.ts";
import { pageHeaders } from "../../p2p/api/page.ts";

let base = "";
let root = "";

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "teahouse-page-"));
  root = join(base, "renderer");
  mkdirSync(join(root, "assets"), { recursive: true });
  writeFileSync(join(root, "index.html"), "the page");
  writeFileSync(join(root, "assets", "index-Ab_1.js"), "code");
  writeFileSync(join(root, "assets", "opus.wasm"), "wasm");
  writeFileSync(join(root, "assets", "index.js.map"), "map");
  writeFileSync(join(root, ".secret.json"), "secret");
  writeFileSync(join(base, "package.json"), "secret");
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

const get = (path: string, method = "GET"): Promise<Response> =>
  servePage(root, new Request(`app://window${path}`, { method }));

describe("the window's own address", () => {
  it.each([
    ["/", "the page", "text/html; charset=utf-8"],
    ["/index.html", "the page", "text/html; charset=utf-8"],
    ["/index.html?later#part", "the page", "text/html; charset=utf-8"],
    ["/assets/index-Ab_1.js", "code", "text/javascript; charset=utf-8"],
    ["/assets/opus.wasm", "wasm", "application/wasm"],
  ])("serves %s", async (path, text, type) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(text);
    expect(response.headers.get("content-type")).toBe(type);
  });

  it("answers HEAD without a body", async () => {
    const response = await get("/index.html", "HEAD");
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it.each([
    "/../package.json",
    "/%2e%2e/package.json",
    "/..%2fpackage.json",
    "/..%5cpackage.json",
    "/assets/../../package.json",
    "/assets//index-Ab_1.js",
    "/.secret.json",
    "/assets/index.js.map",
    "/assets",
    "/assets/",
    "/nothing.js",
    "/index.html%00.js",
    "/C:/index.html",
  ])("serves nothing for %s", async (path) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([404, ""]);
  });

  it("serves no other host and no other method", async () => {
    expect((await servePage(root, new Request("app://elsewhere/index.html"))).status).toBe(404);
    expect((await servePage(root, new Request("https://teahouse/index.html"))).status).toBe(404);
    expect((await get("/index.html", "POST")).status).toBe(405);
  });

  it("isolates the page and forbids it everything it does not use, whatever the answer", async () => {
    for (const response of [await get("/"), await get("/nothing.js"), await get("/", "POST")]) {
      for (const [name, value] of Object.entries(pageHeaders)) expect(response.headers.get(name)).toBe(value);
    }
    expect(pageHeaders).toMatchObject({
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cache-Control": "no-store",
    });
  });

  it("is an origin of its own that writes no code cache and runs no service worker", () => {
    expect(pageScheme).toEqual({
      scheme: "app",
      privileges: {
        standard: true,
        secure: true,
        supportFetchAPI: true,
        corsEnabled: true,
        bypassCSP: false,
        allowServiceWorkers: false,
        allowExtensions: false,
        codeCache: false,
      },
    });
    expect(isOwnPage(pageUrl)).toBe(true);
  });

  it.each(["", "about:blank", "app://window.example/", "app://x@teahouse/", "https://teahouse/", "file:///", "app:"])(
    "%j is not it",
    (address) => expect(isOwnPage(address)).toBe(false),
  );
});
