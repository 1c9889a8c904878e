import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { TeahouseProcess } from "../e2e/processes.ts";
import { clip } from "../e2e/rooms.ts";
import { outsideAddress, type Box } from "./box.ts";

/** The site that one of the relays is called by. */
const namedSite = "www.example.org";

/** What is outside: relays on port 443 and a host who speaks without end. */
export class Stage {
  readonly #relays: readonly TeahouseProcess[];
  readonly #host: TeahouseProcess;
  /** The listener's. */
  readonly invite: string;

  private constructor(relays: readonly TeahouseProcess[], host: TeahouseProcess, invite: string) {
    this.#relays = relays;
    this.#host = host;
    this.invite = invite;
  }

  /** Resolves when the room is open and has a voice. Rejects when one of them does not come up. */
  static async open(box: Box): Promise<Stage> {
    // A certificate of the volunteer's own for the first; the others make theirs.
    const files = { certificate: join(box.folder, "certificate.pem"), key: join(box.folder, "key.pem") };
    const { cert, key } = selfSignedCertificate(Date.now());
    await Promise.all([writeFile(files.certificate, cert), writeFile(files.key, key, { mode: 0o600 })]);
    const relays = box.relays.map((place, index) => {
      const listen = ["--listen", `/ip4/${outsideAddress(place)}/tcp/443/tls/ws`];
      const tls = index === 0 ? ["--tls-cert", files.certificate, "--tls-key", files.key] : [];
      // The second is to be called by a name, which no resolver knows: the hello tells it, and nobody looks it up.
      const name = ["--announce", `/ip4/${outsideAddress(place)}/tcp/443/tls/sni/${namedSite}/ws`];
      return new TeahouseProcess(["relay", ...listen, ...tls, ...(index === 1 ? name : [])], {
        inside: box.inside(place),
        environment: box.environment,
      });
    });
    const started = [...relays];
    try {
      const cards = await Promise.all(relays.map(async (relay) => String((await relay.next("card"))["card"])));
      const args = ["host", "--via", "-", "--audio", clip, "--loop"];
      const host = new TeahouseProcess(args, {
        inside: box.inside("host"),
        environment: box.environment,
        stdin: cards.join("\n"),
      });
      started.push(host);
      const invites = (await host.next("room"))["invites"] as Readonly<Record<string, string>>;
      await host.next("stats", (line) => Number(line["framesSent"]) > 0);
      return new Stage(relays, host, invites["listener"] ?? "");
    } catch (error) {
      await Promise.all(started.map((process) => process.end()));
      throw error;
    }
  }

  /** Kills this share of the relays, those with these peer ids first, as a raid does: without a goodbye. */
  async kill(share: number, first: readonly string[]): Promise<void> {
    const isFirst = (relay: TeahouseProcess): boolean => first.includes(String(relay.last("ready")?.["peer"]));
    const ordered = [...this.#relays.filter(isFirst), ...this.#relays.filter((relay) => !isFirst(relay))];
    const dead = ordered.slice(0, Math.round(ordered.length * share));
    for (const relay of dead) relay.kill("SIGKILL");
    await Promise.all(dead.map(({ exited }) => exited));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays, this.#host].map((process) => process.end()));
  }
}
