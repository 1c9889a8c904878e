import type { ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { censorAddress, insideInterface, outsideAddress, outsideInterface, type Box } from "./box.ts";
import type { MiddleboxOrder, MiddleboxWord } from "./middlebox.ts";
import { fromInside, toInside, type Rule } from "./rules/rule.ts";

const middlebox = fileURLToPath(new URL("./middlebox.ts", import.meta.url));
/** The middlebox listens on one port for each relay, from this one. */
const middleboxPort = 9001;
/** Where poisoned names lead: to nobody. */
const poison = "21.0.66.66";

/** A rule while it is in force. */
export class Censor {
  readonly #box: Box;
  readonly #rule: Rule;
  #middlebox: ChildProcess | undefined;
  #trips = 0;

  constructor(box: Box, rule: Rule) {
    this.#box = box;
    this.#rule = rule;
  }

  /**
   * What is so before a rule falls in mid-room: where it judges how TCP connections begin there is no UDP, or sound would
   * not depend on them.
   */
  async setScene(): Promise<void> {
    if (this.#rule.judge === undefined) return;
    await this.#filter("scene.nft", sceneText);
  }

  /** Puts the rule in force; resolves when it is. Killing relays and probing them is for others to do. */
  async fall(browserHellos: ReadonlySet<string>): Promise<void> {
    const rule = this.#rule;
    const leads = rule.judge !== undefined || rule.lifeMs !== undefined;
    if (leads || rule.poisonsNames === true) await this.#startMiddlebox(browserHellos);
    await this.#filter("rule.nft", filterText(rule, leads ? this.#box.relays.map(outsideAddress) : []));
    for (const words of rule.iptables ?? []) await this.#box.run("censor", "iptables", "-A", "FORWARD", ...words);
    for (const name of rule.queue === undefined ? [] : [outsideInterface, ...Object.values(insideInterface)]) {
      await this.#box.run("censor", "tc", "qdisc", "add", "dev", name, "root", ...(rule.queue ?? []));
    }
  }

  /** How often the rule hit something, as far as it counts that. */
  async trips(): Promise<number> {
    const text = await this.#box.run("censor", "nft", "-j", "list", "counter", "inet", "censor", "trips");
    const { nftables } = JSON.parse(text) as { nftables: readonly { counter?: { packets: number } }[] };
    return this.#trips + (nftables.find(({ counter }) => counter !== undefined)?.counter?.packets ?? 0);
  }

  /** Takes the rule back. */
  async lift(): Promise<void> {
    this.#middlebox?.kill("SIGKILL");
    this.#middlebox = undefined;
    await this.#box.pardon();
  }

  async #filter(name: string, text: string): Promise<void> {
    const file = join(this.#box.folder, name);
    await writeFile(file, text);
    await this.#box.run("censor", "nft", "-f", file);
  }

  async #startMiddlebox(browserHellos: ReadonlySet<string>): Promise<void> {
    const child = this.#box.spawn("censor", [process.execPath, middlebox], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#middlebox = child;
    const relays = this.#box.relays.map((place, index) => ({
      address: outsideAddress(place),
      port: middleboxPort + index,
    }));
    const order: MiddleboxOrder = {
      rule: this.#rule.name,
      relays,
      browserHellos: [...browserHellos],
      resolvers: Object.values(censorAddress),
      poison,
    };
    await new Promise<void>((resolve, reject) => {
      child.once("exit", () => reject(new Error("the middlebox ended before it was ready")));
      child.on("message", (said: MiddleboxWord) => {
        if (said.word === "ready") resolve();
        else this.#trips += 1;
      });
      child.send(order);
    });
  }
}

const sceneText = `table inet scene {
  chain scene {
    type filter hook forward priority 0; policy accept;
    meta l4proto udp drop
  }
}
`;

/** The censor's packet filter: what the rule says, and the way to the middlebox for those relays. */
function filterText(rule: Rule, led: readonly string[]): string {
  const ways = led.map(
    (address, index) => `${fromInside} ip daddr ${address} tcp dport 443 redirect to :${middleboxPort + index}`,
  );
  // What was open before the rule fell cannot be judged any more by how it began.
  const cuts =
    led.length === 0 ? [] : [`${fromInside} tcp dport 443 reject with tcp reset`, `${toInside} tcp sport 443 drop`];
  return `table inet censor {
  counter trips { }
  ${(rule.sets ?? []).join("\n  ")}
  chain ways {
    type nat hook prerouting priority dstnat; policy accept;
    ${ways.join("\n    ")}
  }
  chain judge {
    type filter hook forward priority 0; policy accept;
    ${[...cuts, ...(rule.statements ?? [])].join("\n    ")}
  }
}
`;
}
