import { copyFile, mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type InlineConfig, type Plugin } from "vite";

/**
 * `node electron/build.ts [FOLDER [PART…]]`: main process, preload and peer-process as JavaScript in dist/electron, or in
 * FOLDER, or only the parts that are named. Electron could strip the types by itself, but not those of a sandboxed preload, and nothing outside our
 * own files; bundled, the app is a handful of files whose hash the system can check, without node_modules.
 */

/** Left outside of the bundles: what Electron provides, and the one module that is machine code. */
const external = ["electron", "node-datachannel"];

const images = ["tray.png", "tray@2x.png", "tray-template.png", "tray-template@2x.png"];

const root = fileURLToPath(new URL("..", import.meta.url));

/** Built, there is no package.json at the place where the sources look for it; its version is written into the code. */
async function versionPlugin(): Promise<Plugin> {
  const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8")) as { version: string };
  return {
    name: "teahouse:version",
    enforce: "pre",
    load: (id) =>
      id === `${root}p2p/version.ts` ? `export const packageVersion = async () => ${JSON.stringify(version)};` : null,
  };
}

function config(name: string, format: "es" | "cjs", outDir: string, plugins: Plugin[]): InlineConfig {
  return {
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: "warn",
    root,
    plugins,
    ssr: { noExternal: true, external, target: "node" },
    build: {
      ssr: `electron/${name}.ts`,
      target: "node24",
      outDir,
      emptyOutDir: false,
      // Readable, so that people can compare what they run with what they read.
      minify: false,
      rolldownOptions: {
        external,
        output: { format, entryFileNames: `${name}.${format === "cjs" ? "cjs" : "js"}`, codeSplitting: false },
      },
    },
  };
}

const formats = { main: "es", "peer-process": "es", preload: "cjs" } as const;

const [outDir = `${root}dist/electron`, ...parts] = process.argv.slice(2);
await mkdir(outDir, { recursive: true });
const plugins = [await versionPlugin()];
for (const [name, format] of Object.entries(formats)) {
  if (parts.length === 0 || parts.includes(name)) await build(config(name, format, outDir, plugins));
}
for (const image of images) await copyFile(`${root}electron/assets/${image}`, `${outDir}/${image}`);
