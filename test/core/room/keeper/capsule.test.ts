import { describe, expect, it } from "vitest";
import { concat } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { encodeCapsule, type HostCapsule, parseCapsule } from "../../../../p2p/core/room/keeper/capsule.ts";
import { fittingHints } from "../../../../p2p/core/room/invite/invite.ts";
import { capsuleBytesMax } from "../../../../p2p/port/events.ts";
import { sampleAddress, sampleGuestCapsule, sampleHostCapsule, sampleRoom, testNow } from "../../fixtures.ts";

const room = sampleRoom("capsule");
const { crypto, keys } = room;
const rng = new Rng("capsule");

function again(changes: Partial<HostCapsule> = {}): ReturnType<typeof parseCapsule> {
  return parseCapsule(crypto, encodeCapsule(crypto, { ...sampleHostCapsule(room), ...changes }));
}

describe("capsules", () => {
  it("[RM29] a guest's is read as it was written", () => {
    const capsule = sampleGuestCapsule(crypto, keys);
    for (const onStage of [true, false]) {
      expect(parseCapsule(crypto, encodeCapsule(crypto, { ...capsule, onStage }))).toEqual({ ...capsule, onStage });
    }
  });

  it("[RM29] a host's is read as it was written, its numbers beyond those it may have issued", () => {
    const capsule = sampleHostCapsule(room);
    expect(again()).toEqual({ ...capsule, viewSequence: 7 + 4096, stateSequence: 9 + 4096 });
    for (const volunteer of [{}, { maxChildren: 0 }, { maxKbps: 640 }, { maxChildren: 5, maxKbps: 7, only: true }]) {
      expect(again({ volunteer })).toMatchObject({ volunteer });
    }
    expect(again({ volunteer: { maxKbps: Infinity, maxChildren: 2.5 } })).toMatchObject({
      volunteer: { maxKbps: 2 ** 32 - 1, maxChildren: 2 },
    });
    expect(again({ relays: [], carrying: [] })).toMatchObject({ relays: [], carrying: [] });
  });

  it("[RM29] the fullest of both fit the port that carries them", () => {
    const { state } = sampleHostCapsule(room);
    const person = { ...state.stage[0]!, name: "n".repeat(96) };
    const addresses = new Array<Uint8Array>(4).fill(new Uint8Array(280));
    const relay = { address: { ...sampleAddress(rng), addresses }, secret: rng.bytes(16) };
    const full = {
      relays: new Array<typeof relay>(24).fill(relay),
      state: {
        ...state,
        title: "t".repeat(240),
        rules: "r".repeat(1000),
        stage: new Array<typeof person>(32).fill(person),
        hands: new Array<(typeof state.hands)[0]>(64).fill({ id: rng.bytes(8), person, raisedAt: testNow }),
        bans: new Array<typeof person>(64)
          .fill(person)
          .map(({ identityKey, name }) => ({ identityKey, name, rank: 2 })),
      },
      done: new Array<string>(2048).fill("0123456789abcdef"),
    };
    expect(encodeCapsule(crypto, { ...sampleHostCapsule(room), ...full }).length).toBeLessThan(capsuleBytesMax);
    expect(again(full)).toMatchObject(full);
    // Relays with many long addresses: some hints, and a capsule that can be read.
    const guest = sampleGuestCapsule(crypto, keys);
    const hints = new Array<typeof relay.address>(5).fill(relay.address);
    const invite = { ...guest.invite, hints: fittingHints(hints) };
    expect(invite.hints).toHaveLength(2);
    expect(parseCapsule(crypto, encodeCapsule(crypto, { ...guest, invite }))).toMatchObject({ invite });
  });

  it("[RM29] garbage, and what no host can go on with, is refused", () => {
    const samples = [sampleGuestCapsule(crypto, keys), sampleHostCapsule(room)];
    for (const sample of samples) {
      const bytes = encodeCapsule(crypto, sample);
      for (let length = 0; length < bytes.length; length++) {
        expect(parseCapsule(crypto, bytes.subarray(0, length))).toBeUndefined();
      }
      expect(parseCapsule(crypto, concat(bytes, Uint8Array.of(0)))).toBeUndefined();
      for (const [at, value] of [
        [0, 1],
        [1, 2],
      ] as const) {
        const changed = bytes.slice();
        changed[at] = value;
        expect(parseCapsule(crypto, changed)).toBeUndefined();
      }
    }
    for (let run = 0; run < 100; run++) expect(parseCapsule(crypto, rng.bytes(rng.int(2000)))).toBeUndefined();
    expect(again({ coreSize: 0 })).toBeUndefined();
    expect(again({ relayFanout: 0 })).toBeUndefined();
    expect(again({ viewSequence: 2 ** 47 })).toBeUndefined();
    expect(again({ stateSequence: 2 ** 47 })).toBeUndefined();
  });
});
