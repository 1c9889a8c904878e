import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** A directory for one test file, removed after it. */
export function scratchDirectory(): {
  path(name: string): string;
  write(name: string, bytes: Uint8Array): Promise<string>;
} {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "teahouse-audio-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const path = (name: string): string => join(directory, name);
  return {
    path,
    write: async (name, bytes) => {
      await writeFile(path(name), bytes);
      return path(name);
    },
  };
}
