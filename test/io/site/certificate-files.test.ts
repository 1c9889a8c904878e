import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { once } from "node:events";
import { multiaddr } from "@multiformats/multiaddr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import { CertificateFiles } from "../../../p2p/io/site/certificate-files.ts";
import { Nodes, addressOf, tlsAddress } from "../libp2p/nodes.ts";

const dayMs = 86_400_000;
const nodes = new Nodes();
let folder: string;
let paths: { readonly certificate: string; readonly key: string };
const opened: CertificateFiles[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "certificate-"));
  paths = { certificate: join(folder, "cert.pem"), key: join(folder, "key.pem") };
});

afterEach(async () => {
  await nodes.stop();
  for (const files of opened.splice(0)) files.close();
  await rm(folder, { recursive: true });
});

const write = async ({ cert, key }: { readonly cert: string; readonly key: string }): Promise<void> => {
  await writeFile(paths.certificate, cert);
  await writeFile(paths.key, key);
};

const open = async (lookEveryMs?: number): Promise<CertificateFiles> => {
  const files = await CertificateFiles.open(paths, lookEveryMs);
  opened.push(files);
  return files;
};

const changed = (files: CertificateFiles): Promise<void> =>
  new Promise((resolve) => {
    const forget = files.onChange(() => {
      forget();
      resolve();
    });
  });

describe("certificate files", () => {
  it("say in one sentence what is wrong with them", async () => {
    const good = selfSignedCertificate(Date.now());
    const refusal = async (cert: string, key: string): Promise<string> => {
      await write({ cert, key });
      const error: unknown = await open().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "TeahouseError", code: "usage" });
      return (error as Error).message;
    };
    const locked = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      format: "pem",
      type: "pkcs8",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    expect(await refusal(good.cert, selfSignedCertificate(Date.now()).key)).toContain("do not belong together");
    expect(await refusal("garbage", good.key)).toContain("--tls-cert is not a certificate");
    expect(await refusal(good.cert, "garbage")).toContain("--tls-key is not a private key");
    expect(await refusal(good.cert, locked.toString())).toContain("without a passphrase");
    expect(await refusal("", "")).toMatch(/^[^.]+\.$/);
    await rm(paths.key);
    await expect(open()).rejects.toMatchObject({ code: "file-unreadable" });
    await rm(paths.certificate);
    await expect(open()).rejects.toThrow("--tls-cert");
  });

  it("know whether they are valid today", async () => {
    await write(selfSignedCertificate(Date.now() - 500 * dayMs));
    expect((await open()).isOutOfDate(Date.now())).toBe(true);
    await write(selfSignedCertificate(Date.now()));
    expect((await open()).isOutOfDate(Date.now())).toBe(false);
    expect((await open()).isOutOfDate(Date.now() - 100 * dayMs)).toBe(true);
  });

  it("are read again when they are replaced, once both fit", async () => {
    const [first, second] = [selfSignedCertificate(Date.now()), selfSignedCertificate(Date.now())];
    await write(first);
    const files = await open(20);
    const change = changed(files);
    await writeFile(paths.certificate, second.cert);
    expect(files.cert).toBe(first.cert);
    await writeFile(paths.key, second.key);
    await change;
    expect([files.cert, files.key]).toEqual([second.cert, second.key]);
  });

  it("are followed where they are links, which certificate authorities' clients replace", async () => {
    const made = [selfSignedCertificate(Date.now()), selfSignedCertificate(Date.now())];
    for (const [index, { cert, key }] of made.entries()) {
      await writeFile(join(folder, `cert${index}.pem`), cert);
      await writeFile(join(folder, `key${index}.pem`), key);
    }
    const point = async (index: number): Promise<void> => {
      for (const name of ["cert", "key"]) {
        await symlink(join(folder, `${name}${index}.pem`), join(folder, "new"));
        await rename(join(folder, "new"), join(folder, `${name}.pem`));
      }
    };
    await point(0);
    const files = await open(20);
    const change = changed(files);
    await point(1);
    await change;
    expect(files.cert).toBe(made[1]?.cert);
  });

  it("are shown by a relay without a restart, and who is connected stays", async () => {
    const [first, second] = [selfSignedCertificate(Date.now()), selfSignedCertificate(Date.now())];
    await write(first);
    const files = await open(20);
    const relay = await nodes.create({ listen: [tlsAddress], certificate: files });
    const address = multiaddr(addressOf(relay));
    const port = Number(address.getComponents()[1]?.value);
    const shown = async (): Promise<string | undefined> => {
      const visitor = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
      await once(visitor, "secureConnect");
      const certificate = visitor.getPeerX509Certificate()?.toString();
      visitor.destroy();
      return certificate;
    };
    const listener = await nodes.create();
    const connection = await listener.libp2p.dial(address);
    expect(await shown()).toBe(first.cert);
    const change = changed(files);
    await write(second);
    await change;
    expect(await shown()).toBe(second.cert);
    expect(connection.status).toBe("open");
    const other = await nodes.create();
    expect((await other.libp2p.dial(address)).status).toBe("open");
  });

  it("may be out of date: Noise proves who answers", async () => {
    await write(selfSignedCertificate(Date.now() - 500 * dayMs));
    const relay = await nodes.create({ listen: [tlsAddress], certificate: await open() });
    const listener = await nodes.create();
    expect((await listener.libp2p.dial(multiaddr(addressOf(relay)))).status).toBe("open");
  });
});
