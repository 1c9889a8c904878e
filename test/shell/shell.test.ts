import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Port } from "../../p2p/api/port.ts";
import { portOverWebSocket } from "../../p2p/port/carriers.ts";
import { createPortClient, type PortClient } from "../../p2p/port/client.ts";
import { refusalSentences, unbuiltSentence } from "../../p2p/shell/answers.ts";
import { type Shell, type ShellOptions, startShell } from "../../p2p/shell/shell.ts";
import { EngineDouble } from "../doubles/engine-double.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teahouse-site-"));
  await mkdir(join(folder, "site", "assets"), { recursive: true });
  await writeFile(join(folder, "site", "index.html"), "<!doctype html><p>the window</p>");
  await writeFile(join(folder, "site", "assets", "main.js"), "export {};");
  await writeFile(join(folder, "site", "notes.txt"), "not for serving");
  await writeFile(join(folder, "secret.html"), "outside");
});

afterAll(() => rm(folder, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as any program on this computer could make it. */
function ask(shell: Shell, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const { port } = new URL(shell.origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

/** Comes in with a fresh address, as a browser does; the result is its cookie. */
async function enter(shell: Shell): Promise<string> {
  const entered = await ask(shell, new URL(shell.issueAddress()).pathname);
  return entered.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

async function using(work: (shell: Shell, double: EngineDouble) => Promise<void>, more: Partial<ShellOptions> = {}) {
  const double = new EngineDouble();
  await double.start();
  const shell = await startShell({ siteFolder: join(folder, "site"), engine: double, ...more });
  try {
    await work(shell, double);
  } finally {
    await shell.stop();
  }
}

const socketTo = (shell: Shell, headers: Record<string, string>, path = "/port"): WebSocket =>
  new WebSocket(`${shell.origin.replace("http", "ws")}${path}`, { headers });

/** A window, connected the way a page is. */
async function openWindow(shell: Shell, cookie: string): Promise<PortClient> {
  const socket = socketTo(shell, { cookie, origin: shell.origin });
  const client = createPortClient(portOverWebSocket(socket));
  await new Promise<void>((resolve) => client.onState(() => resolve()));
  return client;
}

/** The status with which a WebSocket is refused; 101 when it is not. */
function socketStatus(shell: Shell, headers: Record<string, string>, path?: string): Promise<number> {
  const socket = socketTo(shell, headers, path);
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("unexpected-response", (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.on("open", () => {
      socket.terminate();
      resolve(101);
    });
  });
}

describe("the browser shell", () => {
  it("exchanges the token for a cookie, once, and serves the window to who has it", () =>
    using(async (shell) => {
      const { pathname } = new URL(shell.issueAddress());
      const entered = await ask(shell, pathname);
      expect(entered.status).toBe(200);
      const [setCookie = ""] = entered.headers["set-cookie"] ?? [];
      expect(setCookie).toMatch(/^teahouse-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
      const cookie = setCookie.split(";")[0] ?? "";
      const window = await ask(shell, "/", { cookie });
      expect([window.status, window.body]).toEqual([200, "<!doctype html><p>the window</p>"]);
      expect(window.headers).toMatchObject({
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
      const policy = window.headers["content-security-policy"];
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|\*/);
      expect((await ask(shell, "/assets/main.js", { cookie })).headers["content-type"]).toContain("text/javascript");
      expect((await ask(shell, "/", { cookie }, "HEAD")).body).toBe("");
      // Reloading the address is no new entry, and no trouble.
      expect(await ask(shell, pathname, { cookie })).toMatchObject({ status: 303, headers: { location: "/" } });
    }));

  it("turns away a token that is wrong or was used, with one sentence", () =>
    using(async (shell) => {
      const { pathname } = new URL(shell.issueAddress());
      const wrong = await ask(shell, `/open/${"A".repeat(43)}`);
      expect(wrong.status).toBe(403);
      expect(wrong.body).toContain(refusalSentences.token);
      expect(wrong.headers["set-cookie"]).toBeUndefined();
      expect((await ask(shell, pathname)).status).toBe(200);
      const again = await ask(shell, pathname);
      expect(again.status).toBe(403);
      expect(again.body).toContain(refusalSentences.token);
      expect(again.headers["set-cookie"]).toBeUndefined();
    }));

  it("makes the address before void when it issues another", () =>
    using(async (shell) => {
      const { pathname } = new URL(shell.issueAddress());
      shell.issueAddress();
      expect((await ask(shell, pathname)).status).toBe(403);
    }));

  it.each(["/", "/index.html", "/assets/main.js", "/nothing"])("shows %s to nobody without the cookie", (path) =>
    using(async (shell) => {
      for (const cookie of ["", "teahouse-1=x", `teahouse-${new URL(shell.origin).port}=${"A".repeat(43)}`]) {
        const answer = await ask(shell, path, { cookie });
        expect(answer.status).toBe(403);
        expect(answer.body).toContain(refusalSentences.session);
      }
    }),
  );

  it("answers to no other name: a name pointed at 127.0.0.1 learns nothing (DNS rebinding)", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const { port } = new URL(shell.origin);
      const { pathname } = new URL(shell.issueAddress());
      for (const host of [`evil.example:${port}`, `localhost:${port}`, "127.0.0.1", `127.0.0.1:${Number(port) + 1}`]) {
        for (const path of ["/", pathname, "/opening"]) {
          const answer = await ask(shell, path, { host, cookie });
          expect(answer.status).toBe(421);
          expect(answer.headers["set-cookie"]).toBeUndefined();
        }
        expect(await socketStatus(shell, { host, origin: shell.origin, cookie })).toBe(421);
      }
      // And the token was not used up by that.
      expect((await ask(shell, pathname)).status).toBe(200);
    }));

  it("answers no other page, even one whose browser has the cookie", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const { port } = new URL(shell.origin);
      for (const origin of ["https://evil.example", "null", `http://localhost:${port}`, "http://127.0.0.1:1"]) {
        expect((await ask(shell, "/", { origin, cookie })).status).toBe(403);
        expect(await socketStatus(shell, { origin, cookie })).toBe(403);
      }
      expect(await socketStatus(shell, { cookie })).toBe(403);
      expect(await socketStatus(shell, { origin: shell.origin })).toBe(403);
      expect(await socketStatus(shell, { origin: shell.origin, cookie }, "/other")).toBe(404);
      expect(await socketStatus(shell, { origin: shell.origin, cookie })).toBe(101);
    }));

  it.each([
    "/../secret.html",
    "/..%2fsecret.html",
    "/%2e%2e/secret.html",
    "/assets/../../secret.html",
    "/assets/..%5c..%5csecret.html",
    "//secret.html",
    "/notes.txt",
    "/assets",
    "/assets/",
    "/constructor",
    "/__proto__",
  ])("serves nothing but the built files: not %s", (path) =>
    using(async (shell) => {
      const answer = await ask(shell, path, { cookie: await enter(shell) });
      expect(answer.status).toBe(404);
      expect(answer.body).not.toContain("outside");
    }),
  );

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("has nothing for %s", (method) =>
    using(async (shell) => {
      expect((await ask(shell, "/", { cookie: await enter(shell) }, method)).status).toBe(405);
    }),
  );

  it("survives what is no HTTP", () =>
    using(async (shell) => {
      const { port } = new URL(shell.origin);
      for (const bytes of ["\0\0\0", "GET\r\n\r\n", `GET / HTTP/1.1\r\nHost: ${"x".repeat(20_000)}\r\n\r\n`]) {
        const socket = connect(Number(port), "127.0.0.1");
        socket.on("error", () => undefined);
        socket.resume();
        socket.end(bytes);
        await once(socket, "close");
      }
      expect((await ask(shell, "/", { cookie: await enter(shell) })).status).toBe(200);
    }));

  it("says in one sentence that the window is not built", () =>
    using(
      async (shell) => {
        expect(shell.isBuilt).toBe(false);
        const answer = await ask(shell, "/", { cookie: await enter(shell) });
        expect(answer.status).toBe(503);
        expect(answer.body).toContain(unbuiltSentence);
      },
      { siteFolder: join(tmpdir(), "teahouse-nothing-here") },
    ));

  it("holds the opening page until the browser has its cookie, and tells nobody anything by it", () =>
    using(async (shell) => {
      let enterNow = (): void => undefined;
      shell.openingAddress(new Promise((resolve) => (enterNow = resolve)));
      const opening = ask(shell, "/opening");
      const { name, value } = shell.issueCookie();
      expect((await ask(shell, "/", { cookie: `${name}=${value}` })).status).toBe(200);
      enterNow();
      const answer = await opening;
      expect([answer.status, answer.headers.location, answer.headers["set-cookie"]]).toEqual([303, "/", undefined]);
    }));

  it("keeps nobody waiting at the opening page when no browser of ours comes up", () =>
    using(async (shell) => {
      expect((await ask(shell, "/opening")).status).toBe(403);
      expect((await ask(shell, "/opening", { cookie: await enter(shell) })).status).toBe(404);
    }));
});

describe("the shell's port", () => {
  it("serves the engine with a window's rights", () =>
    using(async (shell, double) => {
      const client = await openWindow(shell, await enter(shell));
      expect(client.snapshot().map(({ event }) => event)).toEqual(["ready"]);
      await client.join("thi1-x", { name: "Guest" });
      expect(double.joinedWith).toBe("thi1-x");
      await expect(client.stop()).rejects.toMatchObject({ code: "usage" });
      await expect(client.resume(Uint8Array.of(1))).rejects.toMatchObject({ code: "usage" });
      client.close();
    }));

  it("has room for one window: the second may take over, and the first is told", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const first = await openWindow(shell, cookie);
      const second = await openWindow(shell, cookie);
      expect([first.state, second.state]).toEqual(["open", "occupied"]);
      const opened = new Promise<void>((resolve) => second.onState(() => resolve()));
      const evicted = new Promise<unknown>((resolve) => first.onState((_state, reason) => resolve(reason)));
      second.takeOver();
      await opened;
      expect(second.state).toBe("open");
      expect(await evicted).toBe("replaced");
    }));

  it("cuts off a window that sends too much at once, and lives on", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const socket = socketTo(shell, { cookie, origin: shell.origin });
      await once(socket, "open");
      socket.on("error", () => undefined);
      socket.send("x".repeat(600_000));
      const [code] = (await once(socket, "close")) as [number];
      expect(code).toBe(1009);
      const client = await openWindow(shell, cookie);
      expect(client.state).toBe("open");
    }));

  it("tells every window that the engine is gone for good, also one that comes later", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const first = await openWindow(shell, cookie);
      const told = new Promise<unknown>((resolve) => first.onState((_state, reason) => resolve(reason)));
      shell.hangUp("engine-gone");
      expect(await told).toBe("engine-gone");
      const later = await openWindow(shell, cookie);
      if (later.state !== "closed") await new Promise<void>((resolve) => later.onState(() => resolve()));
      expect(later.closeReason).toBe("engine-gone");
    }));

  it("says when the window has been gone for a while, and when it is back", async () => {
    const absences: boolean[] = [];
    let told = (): void => undefined;
    const onAbsence = (isAbsent: boolean): void => {
      absences.push(isAbsent);
      told();
    };
    await using(
      async (shell) => {
        const cookie = await enter(shell);
        const nextTold = (): Promise<void> => new Promise((resolve) => (told = resolve));
        (await openWindow(shell, cookie)).close();
        await nextTold();
        expect(absences).toEqual([true]);
        const back = await openWindow(shell, cookie);
        expect(back.state).toBe("open");
        expect(absences).toEqual([true, false]);
      },
      { absentMs: 20, onAbsence },
    );
  });

  it("keeps still about a window that comes back in time", async () => {
    const absences: boolean[] = [];
    await using(
      async (shell) => {
        const cookie = await enter(shell);
        (await openWindow(shell, cookie)).close();
        const back = await openWindow(shell, cookie);
        // A page that is loaded again may be here before the server saw the old one go: it is let in then.
        if (back.state !== "open") await new Promise<void>((resolve) => back.onState(() => resolve()));
        expect(back.state).toBe("open");
        expect(absences).toEqual([]);
      },
      { absentMs: 3_600_000, onAbsence: (isAbsent) => void absences.push(isAbsent) },
    );
  });
});

describe("the window's network, lent over the shell", () => {
  /** Who lends, as whoever made the shell hears it. */
  class Lenders {
    readonly ports: { readonly port: Port; readonly isOurs: boolean }[] = [];
    goneCount = 0;
    readonly options = {
      onLender: (port: Port, isOurs: boolean) => void this.ports.push({ port, isOurs }),
      onLenderGone: (): void => {
        this.goneCount += 1;
      },
    };
  }

  it("is let in by the same gates as the window, and only while one has the seat", async () => {
    const lenders = new Lenders();
    await using(async (shell) => {
      const cookie = await enter(shell);
      const { origin } = shell;
      expect(await socketStatus(shell, { cookie, origin }, "/lend"), "nobody has the seat").toBe(409);
      const window = await openWindow(shell, cookie);
      expect(await socketStatus(shell, { origin }, "/lend")).toBe(403);
      expect(await socketStatus(shell, { cookie }, "/lend")).toBe(403);
      expect(await socketStatus(shell, { cookie, origin: "https://example.org" }, "/lend")).toBe(403);
      expect(await socketStatus(shell, { cookie, origin, host: "example.org" }, "/lend")).toBe(421);
      expect(lenders.ports).toEqual([]);
      expect(await socketStatus(shell, { cookie, origin }, "/lend")).toBe(101);
      expect(lenders.ports.map(({ isOurs }) => isOurs)).toEqual([false]);
      window.close();
    }, lenders.options);
  });

  it("tells the browser that we started from one that was given the address", async () => {
    const lenders = new Lenders();
    await using(async (shell) => {
      const { name, value } = shell.issueCookie();
      const cookie = `${name}=${value}`;
      const window = await openWindow(shell, cookie);
      expect(await socketStatus(shell, { cookie, origin: shell.origin }, "/lend")).toBe(101);
      expect(lenders.ports.map(({ isOurs }) => isOurs)).toEqual([true]);
      window.close();
    }, lenders.options);
  });

  it("is no longer wanted of a window that lost the seat", async () => {
    const lenders = new Lenders();
    await using(
      async (shell) => {
        const cookie = await enter(shell);
        const first = await openWindow(shell, cookie);
        const before = lenders.goneCount;
        const second = await openWindow(shell, cookie);
        expect([second.state, lenders.goneCount]).toEqual(["occupied", before]);
        const isOpen = new Promise<void>((resolve) => second.onState((state) => state === "open" && resolve()));
        second.takeOver();
        await isOpen;
        expect(lenders.goneCount).toBe(before + 1);
        const isLeft = new Promise<void>((resolve) => (lenders.options.onLenderGone = () => resolve()));
        first.close();
        second.close();
        await isLeft;
        expect(await socketStatus(shell, { cookie, origin: shell.origin }, "/lend")).toBe(409);
      },
      { onLender: lenders.options.onLender, onLenderGone: () => lenders.options.onLenderGone() },
    );
  });

  it("is asked of nobody by a shell that has no use for it", () =>
    using(async (shell) => {
      const cookie = await enter(shell);
      const window = await openWindow(shell, cookie);
      expect(await socketStatus(shell, { cookie, origin: shell.origin }, "/lend")).toBe(409);
      window.close();
    }));
});
