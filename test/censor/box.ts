import { execFile, execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** How many relays there are at most: each has a namespace, hence addresses, of its own. */
export const relaysMax = 9;
/** Who joins: each behind an interface of the censor of its own, so that what he saw of each can be told apart. */
export const sides = ["desktop", "volunteer"] as const;
/** One of the two who join. */
export type Side = (typeof sides)[number];
/** The namespaces of one box. */
export type Place = Side | "censor" | "path" | "switch" | "host" | `relay-${number}`;

/** Namespaces are `thbox-<pid of who made them>-<place>`. */
const prefix = "thbox-";
/** Folders likewise. */
const folderPrefix = "teahouse-censor-";
const resolverFolder = "/etc/netns";

/**
 * Addresses that our own gate takes for public, of a block that nobody announces on the internet; the box has no way out
 * anyway. Those who join sit behind the censor's address translation, as behind any home router.
 */
const outsideCensor = "21.0.0.1";
/** The address of a relay, from 1, or of the host. */
export const outsideAddress = (place: `relay-${number}` | "host"): string =>
  place === "host" ? "21.0.250.1" : `21.0.${place.slice("relay-".length)}.1`;
/** The private address of who joins. */
export const insideAddress: Readonly<Record<Side, string>> = { desktop: "192.168.71.2", volunteer: "192.168.72.2" };
/** The censor's own addresses on the insides; the one of a side is its resolver. */
export const censorAddress: Readonly<Record<Side, string>> = { desktop: "192.168.71.1", volunteer: "192.168.72.1" };
/** The censor's interface towards who joins. */
export const insideInterface: Readonly<Record<Side, string>> = { desktop: "inside-d", volunteer: "inside-v" };
/** The censor's interface towards the relays: the near end of a long way to a switch where relays and host meet. */
export const outsideInterface = "outside";

/** From who joins to a relay and back: within a continent. */
const roundTripMs = 80;
const pathProgram = fileURLToPath(new URL("./path.ts", import.meta.url));
/** The ends of the long way, and the addresses in its middle that each of them knows. */
const ends = {
  censor: { own: "10.77.1.1", middle: "10.77.1.2", name: "near" },
  switch: { own: "10.77.2.1", middle: "10.77.2.2", name: "far" },
} as const;
/** VXLAN, UDP, IP and Ethernet around a frame, and to spare. */
const wrappingBytes = 100;

/** What this machine must be for the box; undefined when it is, else one sentence. */
export function boxObstacle(): string | undefined {
  if (process.platform !== "linux") return "The censor's box needs Linux: it is made of network namespaces.";
  if (process.getuid?.() !== 0)
    return "The censor's box needs root, because it makes network namespaces: run it as root.";
  return undefined;
}

/** Desktop – censor – relays: network namespaces that reach each other and nothing else. */
export class Box {
  /** A folder for what a run keeps until it ends. */
  readonly folder: string;
  readonly #id: string;
  readonly #relays: number;
  readonly #children = new Set<ChildProcess>();
  readonly #onExit = (): void => this.remove();
  #isGone = false;

  private constructor(relays: number) {
    this.#relays = relays;
    this.#id = `${prefix}${process.pid}-`;
    this.folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  }

  /** Makes the box. Throws when a command fails, and then leaves nothing behind. */
  static async make(relays: number): Promise<Box> {
    if (!(relays >= 1 && relays <= relaysMax)) throw new Error(`a box has 1 to ${relaysMax} relays`);
    sweep();
    const box = new Box(relays);
    process.on("exit", box.#onExit);
    try {
      box.#make();
      await box.#startPath();
    } catch (error) {
      box.remove();
      throw error;
    }
    return box;
  }

  /** The relays' places. */
  get relays(): readonly `relay-${number}`[] {
    return Array.from({ length: this.#relays }, (_, index) => `relay-${index + 1}` as const);
  }

  /** For programs in the box: what they leave when they are killed goes with it. */
  get environment(): Readonly<Record<string, string>> {
    return { TMPDIR: this.folder, XDG_RUNTIME_DIR: this.folder };
  }

  /** A place's namespace. */
  namespace(place: Place): string {
    return `${this.#id}${place}`;
  }

  /** The words that run a program in a place, before the program's own. */
  inside(place: Place): readonly [program: string, ...args: string[]] {
    return ["ip", "netns", "exec", this.namespace(place)];
  }

  /** Runs a program in a place to its end. Rejects when it fails. */
  async run(place: Place, ...words: readonly string[]): Promise<string> {
    const [program, ...args] = this.inside(place);
    return (await execute(program, [...args, ...words], { maxBuffer: 2 ** 24 })).stdout;
  }

  /** Starts a program in a place; what still runs when the box goes is killed. */
  spawn(place: Place, words: readonly string[], options: SpawnOptions): ChildProcess {
    const [program, ...args] = this.inside(place);
    const child = spawn(program, [...args, ...words], options);
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** The censor forgets every rule and every connection he watched. */
  async pardon(): Promise<void> {
    await this.run("censor", "nft", "flush", "ruleset");
    await this.run("censor", "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", outsideInterface, "-j", "MASQUERADE");
    for (const name of [outsideInterface, ...Object.values(insideInterface)]) {
      // Nothing to take away is no failure.
      await this.run("censor", "tc", "qdisc", "del", "dev", name, "root").catch(() => undefined);
    }
  }

  /** Ends what was started here and takes the namespaces away. Synchronous, so that it can be the last thing done. */
  remove(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    process.off("exit", this.#onExit);
    for (const child of this.#children) child.kill("SIGKILL");
    removeNamespaces(namespaces().filter((name) => name.startsWith(this.#id)));
    removeFolder(this.folder);
  }

  #make(): void {
    const places: Place[] = ["censor", "path", "switch", ...sides, "host", ...this.relays];
    for (const place of places) {
      ip("netns", "add", this.namespace(place));
      this.#ip(place, "link", "set", "lo", "up");
    }
    this.#ip("switch", "link", "add", "bridge", "type", "bridge");
    this.#ip("switch", "link", "set", "bridge", "up");
    for (const end of ["censor", "switch"] as const) this.#joinPath(end);
    this.#ip("censor", "addr", "add", `${outsideCensor}/16`, "dev", outsideInterface);
    this.#ip("switch", "link", "set", outsideInterface, "master", "bridge");
    for (const side of sides) this.#joinInside(side);
    for (const place of ["host", ...this.relays] as const) this.#joinOutside(place);
    this.#exec("censor", "sysctl", "-q", "net.ipv4.ip_forward=1", "net.netfilter.nf_conntrack_acct=1");
    this.#exec("censor", "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", outsideInterface, "-j", "MASQUERADE");
  }

  #joinInside(side: Side): void {
    this.#wire(side, "censor", insideInterface[side]);
    this.#ip("censor", "addr", "add", `${censorAddress[side]}/24`, "dev", insideInterface[side]);
    this.#ip(side, "addr", "add", `${insideAddress[side]}/24`, "dev", "eth0");
    this.#ip(side, "route", "add", "default", "via", censorAddress[side]);
    // Whoever asks for a name asks the censor.
    const folder = join(resolverFolder, this.namespace(side));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "resolv.conf"), `nameserver ${censorAddress[side]}\n`);
  }

  #joinOutside(place: `relay-${number}` | "host"): void {
    const name = `out-${place}`;
    this.#wire(place, "switch", name);
    this.#ip("switch", "link", "set", name, "master", "bridge");
    this.#ip(place, "addr", "add", `${outsideAddress(place)}/16`, "dev", "eth0");
  }

  /** A wire from a place's `eth0` to an interface of that name in the middle. */
  #wire(place: Place, middle: Place, name: string): void {
    const end = ["name", "eth0", "netns", this.namespace(place)];
    this.#ip(middle, "link", "add", name, "type", "veth", "peer", ...end);
    this.#ip(middle, "link", "set", name, "up");
    this.#ip(place, "link", "set", "eth0", "up");
  }

  /** One end of the long way: `outside` in that place, whose frames go as datagrams over a wire to the path. */
  #joinPath(place: "censor" | "switch"): void {
    const { own, middle, name } = ends[place];
    const mtu = ["mtu", String(1500 + wrappingBytes)];
    const end = ["name", "under", "netns", this.namespace(place), ...mtu];
    this.#ip("path", "link", "add", name, ...mtu, "type", "veth", "peer", ...end);
    this.#ip("path", "addr", "add", `${middle}/24`, "dev", name);
    this.#ip(place, "addr", "add", `${own}/24`, "dev", "under");
    this.#ip("path", "link", "set", name, "up");
    this.#ip(place, "link", "set", "under", "up");
    const way = ["id", "1", "local", own, "remote", middle, "dstport", "4789"];
    this.#ip(place, "link", "add", outsideInterface, "mtu", "1500", "type", "vxlan", ...way);
    this.#ip(place, "link", "set", outsideInterface, "up");
    // A program passes the frames on: they must be packets as on a wire, none of them big, all with their sums.
    this.#exec(place, "ethtool", "-K", outsideInterface, "tx", "off", "tso", "off", "gso", "off");
  }

  async #startPath(): Promise<void> {
    const addresses = [ends.censor, ends.switch].flatMap(({ own, middle }) => [own, middle]);
    const words = [process.execPath, pathProgram, String(roundTripMs / 2), ...addresses];
    const child = this.spawn("path", words, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", () => reject(new Error("the long way ended before it was open")));
    });
  }

  #ip(place: Place, ...words: readonly string[]): void {
    ip("-n", this.namespace(place), ...words);
  }

  #exec(place: Place, ...words: readonly string[]): void {
    ip("netns", "exec", this.namespace(place), ...words);
  }
}

function ip(...words: readonly string[]): string {
  return execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function namespaces(): string[] {
  const names = ip("netns", "list")
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  return names.filter((name) => name.startsWith(prefix));
}

/** Takes away what runs were killed before they could: what has our name and whose maker is gone. */
function sweep(): void {
  const isLeft = (start: string) => (name: string) =>
    name.startsWith(start) && !isAlive(Number(name.slice(start.length).split("-")[0]));
  removeNamespaces(namespaces().filter(isLeft(prefix)));
  for (const name of readdirSafely(tmpdir()).filter(isLeft(folderPrefix))) removeFolder(join(tmpdir(), name));
  const folders = readdirSafely(resolverFolder).filter((name) => name.startsWith(prefix));
  for (const name of folders) {
    if (!namespaces().includes(name)) rmSync(join(resolverFolder, name), { recursive: true, force: true });
  }
}

/** Also ends what runs in them: nothing gets into a namespace of ours that we did not start there. */
function removeNamespaces(names: readonly string[]): void {
  for (const name of names) {
    for (const pid of ip("netns", "pids", name).split("\n").filter(Boolean).map(Number)) kill(pid);
    ip("netns", "del", name);
    rmSync(join(resolverFolder, name), { recursive: true, force: true });
  }
}

/** What is being ended may still write into it. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

function readdirSafely(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
