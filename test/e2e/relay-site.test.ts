import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { millis } from "../../p2p/api/ids.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import { parseCard } from "../../p2p/core/room/invite/card.ts";
import { createNetwork } from "../../p2p/host.ts";
import { createClock } from "../../p2p/io/clock.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { pathOf } from "../../p2p/io/libp2p/path-token.ts";
import { probe, requestText, upgradeHeaders } from "../io/libp2p/probe.ts";
import { Processes, clip } from "./rooms.ts";
import type { RelayUp } from "./rooms.ts";

const crypto = createCrypto();
const clock = createClock();
const processes = new Processes();
let folder: string;
let relay: RelayUp;
let address: RelayAddress;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "relay-site-"));
  const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  // Expired long ago.
  const made = selfSignedCertificate(Date.now() - 500 * 86_400_000);
  await writeFile(certificate, made.cert);
  await writeFile(key, made.key);
  await writeFile(join(folder, "index.html"), "<h1>Bicycle repairs</h1>");
  relay = await processes.relay("--decoy", folder, "--tls-cert", certificate, "--tls-key", key, "--no-dht");
  const card = parseCard(crypto, relay.card, millis(Date.now()));
  if (!card.ok) throw new Error(card.reason);
  address = card.value.address;
  port = Number(/\/tcp\/(\d+)/.exec(relay.addresses[0] ?? "")?.[1]);
});

afterAll(async () => {
  await processes.end();
  await rm(folder, { recursive: true });
});

/** Connection: close, so that the answer ends at once. */
const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  probe(port, { says: [requestText(path, { headers: { Connection: "close", ...headers } })] });

/** Opens and closes a link as an engine does; the failure's reason, if it fails. */
const dial = async (target: RelayAddress): Promise<string> => {
  const setup = { profile: "wss", listen: [], announce: [], dht: "off", tls: undefined, seed: undefined } as const;
  // A person's own word, so that a card may lead to this computer.
  const bootstrap = relay.addresses;
  const network = createNetwork({ ...setup, bootstrap, blind: true }, clock, crypto);
  const { links } = await network.start();
  try {
    (await links.dial(target, AbortSignal.timeout(10_000))).close();
    return "open";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  } finally {
    await network.stop();
  }
};

describe("a relay process with a site of its own", () => {
  it("shows the folder, expired certificate or not", async () => {
    const { said, tls, ended } = await ask("/");
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n.*<h1>Bicycle repairs<\/h1>$/s);
    expect(tls[0]).toBe("TLSv1.3");
    expect(ended).toEqual(["end", "close"]);
    // The key lies in the same folder here, and would be shown: that is the volunteer's choice. What begins with a dot is not.
    expect((await ask("/.env")).said).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("carries a room to who has an invite", async () => {
    const host = await processes.host([relay], "--no-dht", "--audio", clip, "--loop");
    const listener = processes.listener(host.invite, "--no-dht", "--profile", "wss");
    await listener.next("sound");
    expect((await listener.end()).code).toBe(0);
  });

  it("opens by a fresh path once, and then shows the site's answer to it", async () => {
    const path = pathOf(address.token, crypto.randomBytes(12), Date.now());
    const goodbye = Buffer.from("888000000000", "hex");
    const opened = await probe(port, { says: [requestText(path, { headers: upgradeHeaders }), goodbye] });
    expect(opened.said).toMatch(/^HTTP\/1\.1 101 /);
    const headers = { ...upgradeHeaders, Connection: "Upgrade, close" };
    const replayed = await ask(path, headers);
    // A path that never was one, and as long.
    const stranger = await ask(`/${"a".repeat(path.length - 1)}`, headers);
    expect(replayed.said).toMatch(/^HTTP\/1\.1 404 /);
    expect({ ...replayed, said: replayed.said.replaceAll(/GET \/[\w-]+/g, "GET") }).toEqual({
      ...stranger,
      said: stranger.said.replaceAll(/GET \/[\w-]+/g, "GET"),
    });
  });

  it("is not taken for another: a wrong key, and a token of another relay, are refused with a reason", async () => {
    expect(await dial(address)).toBe("open");
    expect(await dial({ ...address, key: crypto.publicKey(crypto.randomBytes(32)) })).toBe("wrong key");
    expect(await dial({ ...address, token: crypto.randomBytes(16) })).not.toBe("open");
    expect(await dial(address)).toBe("open");
  });
});
