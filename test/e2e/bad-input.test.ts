import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { millis } from "../../p2p/api/ids.ts";
import { encodeCard, parseCard } from "../../p2p/core/room/invite/card.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import type { TeahouseProcess } from "./processes.ts";
import { Processes, closedPort, damaged, deadRelay, loopback, strayInvite } from "./rooms.ts";
import type { HostUp, RelayUp } from "./rooms.ts";

const crypto = createCrypto();
const processes = new Processes();
let relay: RelayUp;
let host: HostUp;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teahouse-"));
  relay = await processes.relay("--profile", "wss");
  host = await processes.host([relay], "--profile", "wss");
});

afterAll(async () => {
  await processes.end();
  await rm(folder, { recursive: true });
});

/** How a process ended that could not do what it was asked. */
interface Refusal {
  readonly exit: number | null;
  readonly code: unknown;
  readonly sentences: readonly string[];
}

async function refusalOf(process: TeahouseProcess): Promise<Refusal> {
  const { code } = await process.exited;
  const said = process.lines.filter((line) => line.event === "error" || line.event === "refused");
  expect(process.strayLines).toEqual([]);
  expect(process.stderr).toBe("");
  return { exit: code, code: said[0]?.["code"], sentences: said.map((line) => String(line["message"])) };
}

function expectRefusal(refusal: Refusal, exit: number, code: string): void {
  expect(refusal).toMatchObject({ exit, code });
  expect(refusal.sentences).toHaveLength(1);
  // One sentence, with a capital and an end, that does not repeat a secret.
  expect(refusal.sentences[0]).toMatch(/^[A-Z-].*[.]$/s);
  expect(refusal.sentences[0]).not.toMatch(/th[ic]1-\S{50}/);
}

async function listen(invite: string, ...args: string[]): Promise<Refusal> {
  return refusalOf(processes.listener(invite, "--profile", "wss", ...args));
}

async function hostVia(card: string): Promise<Refusal> {
  return refusalOf(processes.start(["host", "--via", "-", "--profile", "wss"], { stdin: card }));
}

async function hostWith(file: string): Promise<Refusal> {
  return refusalOf(processes.start(["host", "--audio", file, "--via", "-"], { stdin: relay.card }));
}

describe("an invite", () => {
  it.each([
    ["that is damaged", (text: string) => damaged(text), 2, "invite-damaged"],
    ["that is cut short", (text: string) => text.slice(0, 120), 2, "invite-damaged"],
    ["that is no invite at all", () => "hello", 2, "invite-damaged"],
    ["of another version", (text: string) => text.replace("thi1-", "thi2-"), 4, "invite-version"],
    ["that is really a relay's card", () => relay.card, 2, "invite-damaged"],
  ])("%s is refused in one sentence", async (_what, spoil, exit, code) => {
    expectRefusal(await listen(spoil(host.invite)), exit, code);
  });

  it("that has expired is refused", async () => {
    expectRefusal(await listen(strayInvite([addressOf(relay)], 30 * 24)), 4, "invite-expired");
  });

  it("is read with the line breaks and the link that a mail program made of it", async () => {
    const broken = `teahouse://join#${host.invite.replace(/.{60}/g, "$&\r\n")}`;
    const process = processes.listener(broken, "--profile", "wss");
    await process.next("joined");
    expect((await process.end()).code).toBe(0);
  });
});

describe("a card", () => {
  it.each([
    ["that is damaged", (text: string) => damaged(text), 2, "card-damaged"],
    ["that is cut short", (text: string) => text.slice(0, 40), 2, "card-damaged"],
    ["of another version", (text: string) => text.replace("thc1-", "thc2-"), 4, "card-version"],
    ["that is really an invite", () => host.invite, 2, "card-damaged"],
  ])("%s is refused in one sentence", async (_what, spoil, exit, code) => {
    expectRefusal(await hostVia(spoil(relay.card)), exit, code);
  });
});

describe("a way in", () => {
  it("[RM26] to a room that the relay does not know is refused", async () => {
    expectRefusal(await listen(strayInvite([addressOf(relay)])), 3, "room-not-found");
  });

  it("[RM26] that nobody answers on is given up", async () => {
    expectRefusal(await listen(strayInvite([await deadRelay()])), 3, "no-network");
  });

  it("through a relay that is gone is given up by a host too", async () => {
    const gone = { address: await deadRelay(), secret: crypto.randomBytes(16), expires: 0 };
    expectRefusal(await hostVia(encodeCard(crypto, gone)), 3, "no-network");
  });

  it("is refused by a relay that serves only the hosts who hold its card", async () => {
    const own = await processes.relay("--only");
    const { address } = cardOf(own);
    const guessed = { address, secret: crypto.randomBytes(16), expires: 0 };
    expectRefusal(await hostVia(encodeCard(crypto, guessed)), 4, "refused-only-own");
    const known = processes.start(["host", "--via", "-"], { stdin: own.card });
    await known.next("room");
    expect((await known.end()).code).toBe(0);
  });

  it("is refused by a relay that is full", async () => {
    const full = await processes.relay("--max-children", "0");
    expectRefusal(await hostVia(full.card), 4, "refused-relay-full");
  });

  it("probe names what works and what does not", async () => {
    const open = processes.start(["probe", "-", "--no-dht"], { stdin: host.invite });
    expect((await open.exited).code).toBe(0);
    expect(open.lines.filter((line) => line.event === "probe" && line["ok"] === true).length).toBeGreaterThan(0);
    const closed = processes.start(["probe", "-", "--no-dht"], { stdin: strayInvite([await deadRelay()]) });
    expectRefusal(await refusalOf(closed), 3, "no-network");
  });
});

describe("a port", () => {
  it("that is taken is refused", async () => {
    const address = `/ip4/127.0.0.1/tcp/${/\/tcp\/(\d+)\//.exec(relay.addresses[0] ?? "")?.[1]}/tls/ws`;
    expectRefusal(await refusalOf(processes.start(["relay", "--listen", address])), 2, "port-taken");
  });

  it("is refused when the address is none", async () => {
    const process = processes.start(["relay", "--listen", `/ip4/203.0.113.7/tcp/${await closedPort()}/tls/ws`]);
    expectRefusal(await refusalOf(process), 2, "address-unusable");
    expectRefusal(await refusalOf(processes.start(["relay", "--listen", "/nonsense/1"])), 2, "address-unusable");
  });

  it("that is given stays the relay's, and with --data its card stays valid", async () => {
    const listen = loopback.replace("/0/", `/${await closedPort()}/`);
    const args = ["relay", "--listen", listen, "--data", join(folder, "relay")];
    const environment = { TEAHOUSE_PASSPHRASE: "correct horse" };
    const cards: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      const process = processes.start(args, { environment });
      cards.push((await process.next("card"))["card"]);
      expect((await process.end()).code).toBe(0);
    }
    expect(cards[1]).toBe(cards[0]);
  });
});

describe("an audio file", () => {
  it("that is missing, empty or not audio is refused before any relay is asked", async () => {
    const empty = join(folder, "empty.wav");
    const text = join(folder, "text.wav");
    await writeFile(empty, "");
    await writeFile(text, "not a sound\n".repeat(1000));
    expectRefusal(await hostWith(join(folder, "missing.wav")), 5, "audio-missing");
    expectRefusal(await hostWith(empty), 5, "audio-empty");
    expectRefusal(await hostWith(text), 5, "audio-unreadable");
    expectRefusal(await hostWith(folder), 5, "audio-unreadable");
  });

  it.each([
    ["8 kHz mono", 8000, 1, 4],
    ["44.1 kHz stereo", 44_100, 2, 4],
    ["six hours of 44.1 kHz stereo", 44_100, 2, 6 * 3600],
  ])("of %s is spoken, in little memory", async (name, rate, channels, seconds) => {
    const file = join(folder, `${rate}-${seconds}.wav`);
    await writeWav(file, rate, channels, seconds);
    const speaker = await processes.host([relay], "--audio", file, "--loop", "--profile", "wss");
    const listener = processes.listener(speaker.invite, "--profile", "wss");
    await listener.next("sound");
    const stats = await speaker.process.next("stats", (line) => Number(line["framesSent"]) > 50);
    expect(Number(stats["rssMb"]), name).toBeLessThan(256);
    expect((await listener.end()).code).toBe(0);
    expect((await speaker.process.end()).code).toBe(0);
  });
});

function cardOf(up: RelayUp) {
  const card = parseCard(crypto, up.card, millis(Date.now()));
  if (!card.ok) throw new Error(card.reason);
  return card.value;
}

function addressOf(up: RelayUp) {
  return cardOf(up).address;
}

/** A WAV whose first second holds a tone; the rest is a hole in the file, so that six hours cost no disk. */
async function writeWav(path: string, rate: number, channels: number, seconds: number): Promise<void> {
  const dataBytes = rate * channels * 2 * seconds;
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(dataBytes, 40);
  const tone = Buffer.alloc(rate * channels * 2);
  for (let index = 0; index < rate * channels; index++) {
    tone.writeInt16LE(
      Math.round(8000 * Math.sin((2 * Math.PI * 300 * Math.floor(index / channels)) / rate)),
      index * 2,
    );
  }
  const file = await open(path, "w");
  try {
    await file.write(Buffer.concat([header, tone]));
    await file.truncate(44 + dataBytes);
  } finally {
    await file.close();
  }
}
