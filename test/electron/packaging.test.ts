import { execFile, execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// electron-builder itself packs the app here, around a folder that looks like Electron's: a program with nothing in it
// but the fuses, as the real one leaves its makers.

const root = fileURLToPath(new URL("../..", import.meta.url));
const packed = "linux-unpacked";

/** In the order of their bytes, with what Electron 45 comes with. */
const fuses = [
  ["runAsNode", true],
  ["cookieEncryption", false],
  ["nodeOptions", true],
  ["nodeCliInspect", true],
  ["embeddedAsarIntegrityValidation", false],
  ["onlyLoadAppFromAsar", false],
  ["loadBrowserProcessSpecificV8Snapshot", false],
  ["grantFileProtocolExtraPrivileges", true],
  ["wasmTrapHandlers", true],
] as const;
const sentinel = Buffer.from("dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX");
const on = "1".charCodeAt(0);

let base: string;
let output: string;

function makeElectron(folder: string): void {
  mkdirSync(join(folder, "locales"), { recursive: true });
  mkdirSync(join(folder, "resources"));
  const wire = fuses.map(([, isOn]) => (isOn ? "1" : "0")).join("");
  const program = Buffer.concat([
    Buffer.from("no program "),
    sentinel,
    Buffer.from([1, fuses.length]),
    Buffer.from(wire),
  ]);
  writeFileSync(join(folder, "electron"), program, { mode: 0o755 });
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  writeFileSync(join(folder, "version"), devDependencies["electron"] ?? "");
  writeFileSync(join(folder, "LICENSE"), "");
  for (const locale of ["de", "en-US", "zh-CN", "zh-TW"]) writeFileSync(join(folder, "locales", `${locale}.pak`), "");
}

/** Runs electron-builder and gives what it printed; rejects with that. */
function pack(target: string, ...options: readonly string[]): Promise<string> {
  const cli = join(root, "node_modules", "electron-builder", "cli.js");
  const settings = [`-c.electronDist=${join(base, "electron")}`, `-c.directories.output=${join(base, target)}`];
  const line = [cli, "--linux", "dir", "--x64", "--publish", "never", ...settings, ...options];
  // It keeps silent where it takes itself for tested.
  const env = { ...process.env, VITEST: "" };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, line, { cwd: root, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(stdout + stderr));
    });
  });
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "teahouse-pack-"));
  makeElectron(join(base, "electron"));
  execFileSync(process.execPath, [join(root, "electron", "build.ts")]);
  output = await pack("output");
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

interface AsarEntry {
  readonly files?: Readonly<Record<string, AsarEntry>>;
  readonly size?: number;
  readonly offset?: string;
  readonly unpacked?: boolean;
  readonly integrity?: { readonly algorithm: string };
}

/** The archive's files by path, and where their bytes begin. */
function readArchive(): {
  readonly files: ReadonlyMap<string, AsarEntry>;
  readonly start: number;
  readonly path: string;
} {
  const path = join(base, "output", packed, "resources", "app.asar");
  const file = openSync(path, "r");
  const sizes = Buffer.alloc(16);
  readSync(file, sizes);
  const header = Buffer.alloc(sizes.readUInt32LE(12));
  readSync(file, header);
  closeSync(file);
  const files = new Map<string, AsarEntry>();
  const walk = (entry: AsarEntry, at: string): void => {
    for (const [name, inner] of Object.entries(entry.files ?? {})) {
      if (inner.files === undefined) files.set(`${at}${name}`, inner);
      else walk(inner, `${at}${name}/`);
    }
  };
  walk(JSON.parse(header.toString()) as AsarEntry, "");
  return { files, start: 8 + sizes.readUInt32LE(4), path };
}

function readPacked(name: string): string {
  const { files, start, path } = readArchive();
  const { offset = "0", size = 0 } = files.get(name) ?? {};
  return readFileSync(path).toString("utf8", start + Number(offset), start + Number(offset) + size);
}

describe("the packed app", () => {
  it("19: has every fuse set that takes a power away, in the program itself", () => {
    const program = readFileSync(join(base, "output", packed, "teahouse"));
    const at = program.indexOf(sentinel) + sentinel.length + 2;
    const wire = fuses.map(([name], index) => [name, program[at + index] === on] as const);
    expect(Object.fromEntries(wire)).toEqual({
      runAsNode: false,
      cookieEncryption: true,
      nodeOptions: false,
      nodeCliInspect: false,
      embeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      // Would need a snapshot of our own.
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
      // The window decodes Opus in WASM: without them it would be slower, and no safer.
      wasmTrapHandlers: true,
    });
  });

  it("begins at the built main process", () => {
    const { files } = readArchive();
    const { main, type } = JSON.parse(readPacked("package.json")) as { main: string; type: string };
    expect([main, type, files.has(main)]).toEqual(["dist/electron/main.js", "module", true]);
    expect(readPacked("dist/electron/preload.cjs")).toContain("exposeInMainWorld");
  });

  it("holds the built files, the one native module, and nothing else", () => {
    const { files } = readArchive();
    const strange = [...files.keys()].filter(
      (path) =>
        !/^(?:package\.json|LICENSE)$/.test(path) &&
        !/^dist\/(?:electron|renderer)\//.test(path) &&
        !/^node_modules\/(?:node-datachannel|@node-datachannel\/[\w-]+|detect-libc)\//.test(path),
    );
    expect(strange).toEqual([]);
    expect([...files.keys()].filter((path) => /\.(?:ts|map|cpp)$/.test(path))).toEqual([]);
    expect(files.has("node_modules/node-datachannel/dist/esm/polyfill/index.mjs")).toBe(true);
  });

  it("keeps machine code outside of the archive, where the system can load it, and hashes the rest", () => {
    const { files } = readArchive();
    const native = [...files].filter(([path]) => path.endsWith(".node"));
    expect(native.length).toBeGreaterThan(0);
    for (const [path, entry] of native) {
      expect(entry.unpacked).toBe(true);
      const outside = join(base, "output", packed, "resources", "app.asar.unpacked", path);
      expect(readFileSync(outside).subarray(1, 4).toString()).toBe("ELF");
    }
    for (const entry of files.values()) expect(entry.integrity?.algorithm).toBe("SHA256");
  });

  it("brings the languages of the app only", () => {
    expect(readdirSync(join(base, "output", packed, "locales")).sort()).toEqual([
      "en-US.pak",
      "zh-CN.pak",
      "zh-TW.pak",
    ]);
    expect(output).not.toContain("electronLanguages");
  });
});

/** Lays the archive's files out in a folder, as Electron shows them to the code in it. */
function unpack(folder: string): void {
  const { files, start, path } = readArchive();
  const bytes = readFileSync(path);
  for (const [name, { offset = "0", size = 0, unpacked = false }] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const at = start + Number(offset);
    writeFileSync(
      join(folder, name),
      unpacked ? readFileSync(join(`${path}.unpacked`, name)) : bytes.subarray(at, at + size),
    );
  }
}

describe("what was packed", () => {
  it("is enough to run: main process, engine and the native module in it", async () => {
    const folder = join(base, "app");
    unpack(folder);
    mkdirSync(join(folder, "dist", "renderer"), { recursive: true });
    writeFileSync(join(folder, "dist", "renderer", "index.html"), "<!doctype html>");
    const runtime = join(base, "runtime");
    mkdirSync(runtime);
    const script = fileURLToPath(new URL("./built-app.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, join(folder, "dist", "electron")], {
      env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    });
    expect(stdout).toContain('{"event":"engine-again"');
    expect(stdout).toMatch(/\{"event":"quit","code":0\}\n$/);
  });
});

describe("electron-builder.yml", () => {
  const text = readFileSync(join(root, "electron-builder.yml"), "utf8");

  it("is held to electron-builder's own schema", async () => {
    expect(output).toMatch(/loaded configuration\s+file=.*electron-builder\.yml/);
    await expect(pack("wrong", "-c.electronFuses.runAsMode=false")).rejects.toThrow(
      /configuration\.electronFuses should be one of these/,
    );
  });

  it("makes installers for the three systems", () => {
    expect(text).toMatch(/^linux:\n(?: .*\n)* {2}target:\n {4}- AppImage\n {4}- deb\n/m);
    expect(text).toMatch(/^win:\n {2}target: nsis\n/m);
    expect(text).toMatch(/^mac:\n(?: .*\n)* {2}target: dmg\n/m);
  });

  it("registers invites with the system by the installers, so that no run of the app has to", () => {
    expect(text).toMatch(/^protocols:\n {2}- name: .*\n {4}schemes: \[teahouse\]\n/m);
    const nsis = readFileSync(join(root, "electron", "assets", "installer.nsh"), "utf8");
    expect(nsis).toContain(String.raw`Software\Classes\teahouse\shell\open\command`);
    expect(nsis).toContain("DeleteRegKey");
  });

  it("says on macOS why it wants the microphone, and asks for no other right of the hardened runtime than V8 needs", () => {
    expect(text).toMatch(/NSMicrophoneUsageDescription: \S/);
    const rights = readFileSync(join(root, "electron", "assets", "entitlements.plist"), "utf8");
    expect([...rights.matchAll(/<key>(.*)<\/key>/g)].map(([, key]) => key)).toEqual([
      "com.apple.security.cs.allow-jit",
      "com.apple.security.device.audio-input",
    ]);
  });
});
