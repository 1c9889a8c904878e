import { X509Certificate, createPrivateKey } from "node:crypto";
import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { TeahouseError } from "../../api/errors.ts";
import type { ChangingCertificate } from "../libp2p/certificate.ts";

/** How often the files are looked at. Certificates for addresses last 160 hours, and are renewed days before. */
const lookMs = 60_000;

/** Where a certificate's files are. */
export interface CertificatePaths {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate and key that a person, or a certificate authority's client, keeps in two PEM files. */
export class CertificateFiles implements ChangingCertificate {
  readonly #paths: CertificatePaths;
  readonly #listeners = new Set<() => void>();
  readonly #onLook = (): void => void this.#look();
  #cert: string;
  #key: string;

  private constructor(paths: CertificatePaths, cert: string, key: string, lookEveryMs: number) {
    this.#paths = paths;
    this.#cert = cert;
    this.#key = key;
    // Asked for, not waited for: clients replace links and whole folders, which a watch on the old file misses.
    for (const path of [paths.certificate, paths.key]) {
      watchFile(path, { persistent: false, interval: lookEveryMs }, this.#onLook);
    }
  }

  /**
   * Reads both and looks after them from now on, every `lookEveryMs`. Rejects with TeahouseError `file-unreadable`, or
   * `usage` when they are no certificate and its key.
   */
  static async open(paths: CertificatePaths, lookEveryMs = lookMs): Promise<CertificateFiles> {
    const cert = await readPem("--tls-cert", paths.certificate);
    const key = await readPem("--tls-key", paths.key);
    checkPair(cert, key);
    return new CertificateFiles(paths, cert, key, lookEveryMs);
  }

  get cert(): string {
    return this.#cert;
  }

  get key(): string {
    return this.#key;
  }

  /** Whether its time is over, or has not come, at this Unix time in ms. It works even so: Noise proves who we are. */
  isOutOfDate(now: number): boolean {
    const { validFromDate, validToDate } = new X509Certificate(this.#cert);
    return now < validFromDate.getTime() || now > validToDate.getTime();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks no more. */
  close(): void {
    for (const path of [this.#paths.certificate, this.#paths.key]) unwatchFile(path, this.#onLook);
  }

  async #look(): Promise<void> {
    try {
      const cert = await readFile(this.#paths.certificate, "utf8");
      const key = await readFile(this.#paths.key, "utf8");
      if (cert === this.#cert && key === this.#key) return;
      checkPair(cert, key);
      this.#cert = cert;
      this.#key = key;
    } catch {
      // Half of the new pair, or half a file: the old one stays until the rest is there.
      return;
    }
    for (const listener of this.#listeners) listener();
  }
}

async function readPem(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const message = `The file of ${option} cannot be read: check its name and that you may read it.`;
    throw new TeahouseError("file-unreadable", message, { cause: error });
  }
}

/** Throws TeahouseError `usage` with a sentence that says which of them is wrong. */
function checkPair(cert: string, key: string): void {
  const parsed = orThrow(
    () => new X509Certificate(cert),
    "The file of --tls-cert is not a certificate: give it as PEM, which begins with BEGIN CERTIFICATE.",
  );
  const privateKey = orThrow(
    () => createPrivateKey(key),
    "The file of --tls-key is not a private key: give it as PEM, without a passphrase.",
  );
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new TeahouseError(
      "usage",
      "--tls-cert and --tls-key do not belong together: give the key that the certificate was made for.",
    );
  }
  orThrow(
    () => createSecureContext({ cert, key }),
    "The certificate of --tls-cert cannot be used for TLS: make another, with a key of 2,048 bits RSA or P-256.",
  );
}

function orThrow<Value>(make: () => Value, sentence: string): Value {
  try {
    return make();
  } catch (error) {
    throw new TeahouseError("usage", sentence, { cause: error });
  }
}
