import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { TeahouseError } from "../api/errors.ts";

/** The environment variable that holds the passphrase: an option would stand in process lists. */
export const passphraseVariable = "TEAHOUSE_PASSPHRASE";
const fileName = "identity";
/** Format 1: magic 4 | salt 16 | nonce 12 | AES-256-GCM of the seed 32 | tag 16. */
const magic = Buffer.from("thi\x01", "latin1");
const saltBytes = 16;
const nonceBytes = 12;
const seedBytes = 32;
const tagBytes = 16;
const fileBytes = magic.length + saltBytes + nonceBytes + seedBytes + tagBytes;
/** OWASP's password storage guidance for scrypt: N 2^17, r 8, p 1, which is 128 MiB for a moment. */
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 } as const;

const deriveKey = promisify<string, Buffer, number, typeof scryptCost, Buffer>(scrypt);

/**
 * The seed from which a relay derives its identity, path token and card, so that its card stays valid over restarts.
 * Made on first use; on disk only sealed under the passphrase, in a file that only its owner can read.
 * Throws `TeahouseError("usage")` without a passphrase, or with one that does not open the file.
 */
export async function keptSeed(folder: string, passphrase: string | undefined): Promise<Uint8Array> {
  if (passphrase === undefined || passphrase === "") {
    throw new TeahouseError(
      "usage",
      `--data keeps this relay's identity encrypted: set the passphrase in the environment variable ${passphraseVariable}.`,
    );
  }
  const path = join(folder, fileName);
  const sealed = await readSealed(path);
  if (sealed !== undefined) return openSeed(sealed, passphrase);
  const seed = randomBytes(seedBytes);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Written beside and moved, so that a crash leaves no half file.
    await writeFile(`${path}.new`, await sealSeed(seed, passphrase), { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new TeahouseError("usage", "The folder of --data cannot be written; choose another one.", { cause: error });
  }
  return seed;
}

async function readSealed(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new TeahouseError("usage", "The folder of --data cannot be read; choose another one.", { cause: error });
  }
}

async function sealSeed(seed: Buffer, passphrase: string): Promise<Buffer> {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const key = await deriveKey(passphrase.normalize("NFKC"), salt, 32, scryptCost);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(magic);
  return Buffer.concat([magic, salt, nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
}

async function openSeed(sealed: Buffer, passphrase: string): Promise<Buffer> {
  if (sealed.length !== fileBytes || !sealed.subarray(0, magic.length).equals(magic)) {
    throw new TeahouseError("usage", "The identity in the folder of --data is damaged; choose another folder.");
  }
  let at = magic.length;
  const take = (length: number): Buffer => sealed.subarray(at, (at += length));
  const [salt, nonce, body, tag] = [take(saltBytes), take(nonceBytes), take(seedBytes), take(tagBytes)];
  const key = await deriveKey(passphrase.normalize("NFKC"), salt, 32, scryptCost);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(magic);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (error) {
    throw new TeahouseError("usage", `The passphrase in ${passphraseVariable} does not open the folder of --data.`, {
      cause: error,
    });
  }
}
