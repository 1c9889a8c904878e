import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../p2p/core/bytes.ts";
import { PacketGate } from "../../../p2p/core/packet/gate.ts";
import { parseCard } from "../../../p2p/core/room/invite/card.ts";
import { parseInvite } from "../../../p2p/core/room/invite/invite.ts";
import { parseView, verifyView } from "../../../p2p/core/room/state/view.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { sampleRoom, sampleView, testNow } from "../fixtures.ts";
import { goldenVectors, type Vector } from "./golden.ts";

const crypto = createCrypto();
const golden = goldenVectors();

function stored(name: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), "utf8")) as Vector[];
}

describe("golden vectors", () => {
  it.each([
    ["[PK1]", "packet"],
    ["[RM15]", "view"],
    ["[RM4]", "capability"],
    ["[RM10]", "invite"],
    ["[RM14]", "card"],
  ])("%s fixed seeds give the stored bytes: %s", (_, name) => {
    expect(golden[name]).toEqual(stored(name));
  });

  it("are all stored, and none beside them", () => {
    const files = readdirSync(new URL(".", import.meta.url)).filter((file) => file.endsWith(".json"));
    expect(files.sort()).toEqual(
      Object.keys(golden)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it("of packets pass a gate whose view names their voice", () => {
    const room = sampleRoom("golden packet");
    for (const vector of stored("packet")) {
      const view = sampleView(room.crypto, room.keys, {
        epoch: Number(vector["epoch"]) % 256,
        voices: [{ key: fromHex(String(vector["voiceKey"])), packetsPerSecond: 25 }],
      });
      const gate = new PacketGate(crypto, view, testNow);
      expect(gate.admit(fromHex(String(vector["packet"])), testNow).ok).toBe(true);
    }
  });

  it("of views, invites and cards are read by the code of today", () => {
    for (const vector of stored("view")) {
      const parsed = parseView(fromHex(String(vector["view"])));
      expect(parsed.ok && verifyView(crypto, parsed.value, testNow).ok).toBe(true);
    }
    for (const vector of stored("invite")) expect(parseInvite(crypto, String(vector["text"])).ok).toBe(true);
    for (const vector of stored("card")) expect(parseCard(crypto, String(vector["text"]), testNow).ok).toBe(true);
  });
});
