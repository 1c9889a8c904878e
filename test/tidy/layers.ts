import { isBuiltin } from "node:module";
import { fits, packageOf, type Module, type ModuleImport } from "./modules.ts";
import type { Finding } from "./sources.ts";

/** What one layer of the house may import. */
interface Layer {
  readonly name: string;
  /** Its files; the first layer that fits a path owns it. */
  readonly files: readonly string[];
  /** Files of other layers it may import. */
  readonly imports: readonly string[];
  /** Files of other layers from which it may take types, and nothing that runs. */
  readonly types?: readonly string[];
  /** Node builtins and packages: all but the owned ones, none, or the named ones. */
  readonly packages: "free" | "none" | readonly string[];
}

/** The table of the house. A path that fits no layer is itself a finding. */
const layers: readonly Layer[] = [
  { name: "p2p/api", files: ["p2p/api/**"], imports: [], packages: "none" },
  { name: "p2p/core", files: ["p2p/core/**"], imports: ["p2p/api/**"], packages: "none" },
  { name: "p2p/engine", files: ["p2p/engine/**"], imports: ["p2p/core/**", "p2p/api/**"], packages: "none" },
  {
    name: "p2p/io",
    files: ["p2p/io/**"],
    imports: ["p2p/core/**", "p2p/api/**"],
    types: ["p2p/engine/ports.ts"],
    packages: "free",
  },
  { name: "p2p/port", files: ["p2p/port/**"], imports: ["p2p/api/**"], packages: "none" },
  { name: "p2p/shell", files: ["p2p/shell/**"], imports: ["p2p/port/**", "p2p/api/**"], packages: "free" },
  // The launcher runs on the person's own Node, too old for the sources perhaps: it starts the command, and imports none.
  { name: "p2p/teahouse.js", files: ["p2p/teahouse.js"], imports: ["p2p/cli.ts"], packages: "free" },
  {
    name: "p2p (composition)",
    files: [
      "p2p/host.ts",
      "p2p/supervisor.ts",
      "p2p/engine-*.ts",
      "p2p/shy-engine.ts",
      "p2p/cli.ts",
      "p2p/cli/**",
      "p2p/version.ts",
    ],
    imports: ["p2p/**"],
    packages: "free",
  },
  {
    name: "electron/peer-process",
    files: ["electron/peer-process.ts"],
    imports: ["p2p/engine-service.ts", "p2p/host.ts", "p2p/port/**", "p2p/api/**", "electron/ports.ts"],
    packages: "free",
  },
  {
    name: "electron",
    files: ["electron/**"],
    imports: ["p2p/supervisor.ts", "p2p/port/**", "p2p/api/**"],
    types: ["p2p/engine-service.ts"],
    packages: "free",
  },
  {
    name: "renderer/audio",
    files: ["renderer/audio/**"],
    imports: ["p2p/core/jitter/**", "p2p/api/**"],
    packages: "free",
  },
  {
    name: "renderer/net",
    files: ["renderer/net/**"],
    imports: ["p2p/port/**", "p2p/api/**"],
    packages: ["simple-peer"],
  },
  {
    name: "renderer/model",
    files: ["renderer/model/**"],
    imports: ["p2p/port/**", "p2p/api/**"],
    types: ["renderer/audio/**"],
    packages: "free",
  },
  { name: "renderer/ui", files: ["renderer/ui/**"], imports: ["renderer/model/**", "p2p/api/**"], packages: "free" },
  {
    name: "renderer/main",
    files: ["renderer/main.tsx"],
    imports: ["renderer/**", "p2p/port/**", "p2p/api/**"],
    packages: "free",
  },
  { name: "renderer/vite.config", files: ["renderer/vite.config.ts"], imports: [], packages: "free" },
  { name: "test", files: ["test/**"], imports: ["**"], packages: "free" },
];

/** Packages that only some layers may import, even where packages are free. */
const ownedPackages: readonly { readonly packages: readonly string[]; readonly by: readonly string[] }[] = [
  { packages: ["react", "react-dom"], by: ["renderer/ui/**", "renderer/main.tsx", "test/**"] },
  { packages: ["electron"], by: ["electron/**", "test/**"] },
];

/** A file that only some may import, and that others must not even reach through what they import. */
interface Confinement {
  readonly file: string;
  readonly importers: readonly string[];
  readonly farFrom: readonly string[];
  readonly why: string;
}

const confinements: readonly Confinement[] = [
  {
    file: "p2p/core/packet/seal.ts",
    importers: ["p2p/host.ts", "p2p/core/room/member/member*.ts", "test/**"],
    farFrom: ["p2p/core/peer.ts", "p2p/core/overlay/**", "p2p/core/session/**", "p2p/core/discovery/**", "p2p/io/**"],
    why: "relays are built without the part that opens packets",
  },
];

/** Every import against the table of the house, packages included. */
export function checkLayers(modules: readonly Module[]): Finding[] {
  const findings: Finding[] = [];
  for (const module of modules) {
    const layer = layers.find(({ files }) => files.some((pattern) => fits(module.path, pattern)));
    if (layer === undefined) {
      findings.push({ path: module.path, line: 0, message: "belongs to no layer of the house" });
      continue;
    }
    for (const one of module.imports) {
      const message = faultOf(layer, module.path, one);
      if (message !== undefined) findings.push({ path: module.path, line: one.line, message });
    }
  }
  return findings;
}

function faultOf(layer: Layer, path: string, one: ModuleImport): string | undefined {
  if (one.specifier === "(computed)") {
    return layer.name === "test" ? undefined : "imports a computed path, which no rule can follow";
  }
  if (one.target === undefined) return packageFault(layer, path, one.specifier);
  const { target } = one;
  const own = layer.files.some((pattern) => fits(target, pattern));
  const allowed = layer.imports.some((pattern) => fits(target, pattern));
  const asType = one.typeOnly && (layer.types ?? []).some((pattern) => fits(target, pattern));
  if (!own && !allowed && !asType) return `${layer.name} may not import ${target}`;
  return undefined;
}

function packageFault(layer: Layer, path: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  const owned = ownedPackages.find(({ packages }) => packages.includes(name));
  if (owned !== undefined && !owned.by.some((pattern) => fits(path, pattern))) {
    return `only ${owned.by.join(", ")} may import ${name}`;
  }
  if (layer.packages === "free" || layer.packages.includes(name)) return undefined;
  const kind = isBuiltin(specifier) ? "Node builtin" : "package";
  return `${layer.name} may not import the ${kind} ${specifier}`;
}

/** Imports of a confined file, and ways by which code that must stay far from it would load it all the same. */
export function checkConfinement(modules: readonly Module[]): Finding[] {
  const findings: Finding[] = [];
  for (const { file, importers, farFrom, why } of confinements) {
    for (const { path, imports } of modules) {
      const direct = imports.find(({ target }) => target === file);
      if (direct !== undefined && !importers.some((pattern) => fits(path, pattern))) {
        findings.push({ path, line: direct.line, message: `may not import ${file}: ${why}` });
      }
      const way = farFrom.some((pattern) => fits(path, pattern)) ? wayTo(file, path, modules) : undefined;
      if (way !== undefined && way.length > 2) {
        findings.push({ path, line: 0, message: `loads ${file} by way of ${way.slice(1, -1).join(", ")}: ${why}` });
      }
    }
  }
  return findings;
}

/** The shortest chain of imports that run, both ends included. */
function wayTo(goal: string, start: string, modules: readonly Module[]): string[] | undefined {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const cameFrom = new Map<string, string | undefined>([[start, undefined]]);
  for (const path of cameFrom.keys()) {
    if (path === goal) {
      const way: string[] = [];
      for (let at: string | undefined = goal; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
      return way;
    }
    for (const { target, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined && !typeOnly && !cameFrom.has(target)) cameFrom.set(target, path);
    }
  }
  return undefined;
}
