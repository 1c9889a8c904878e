import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import type { Petitioner } from "../../../../p2p/core/room/asking/petition.ts";
import { Presence } from "../../../../p2p/core/room/keeper/presence.ts";
import { emptyState, type RoomState } from "../../../../p2p/core/room/state/state.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { testNow } from "../../fixtures.ts";

const rng = new Rng("presence");
const [host, guest] = [rng.bytes(32), rng.bytes(32)];

function stageOf(people: readonly Uint8Array[], away: readonly Uint8Array[] = []): RoomState {
  const person = { voiceKey: rng.bytes(32), role: "speaker", name: "", branch: rng.bytes(8) } as const;
  return { ...emptyState, stage: people.map((identityKey) => ({ ...person, identityKey })), away };
}

function here(identityKey: Uint8Array, atMs = 0): Petitioner {
  const empty = new Uint8Array(8);
  const petition = {
    id: empty,
    wish: "here",
    at: millis(testNow + atMs),
    voiceKey: host,
    name: "",
    chain: [],
  } as const;
  const proved = { role: "listener", rights: 0, isOver: false, branch: empty, generation: 0 } as const;
  return { ...petition, ...proved, door: empty, identityKey };
}

const later = (ms: number) => millis(testNow + ms);

describe("presence on stage", () => {
  it("[RM54] remembers nobody who is not on stage, however many ask", () => {
    const presence = new Presence();
    presence.begin(testNow);
    const alone = stageOf([host]);
    for (let stranger = 0; stranger < 10_000; stranger++) presence.heard(alone, here(rng.bytes(32)), later(10));
    presence.heard(alone, here(guest), later(100));
    // Comes on stage later, and is away: what was heard before does not bring it back.
    expect(presence.look(stageOf([host, guest], [guest]), host, later(200))).toEqual([]);
    presence.heard(stageOf([host, guest], [guest]), here(guest, 300), later(300));
    const back = presence.look(stageOf([host, guest], [guest]), host, later(400));
    expect(back).toEqual([{ kind: "away", identityKey: guest, on: false }]);
  });

  it("[RM54] counts what was said after all before, and no recording of it, also when the room could not be heard meanwhile", () => {
    const presence = new Presence();
    const state = stageOf([host, guest]);
    presence.begin(testNow);
    presence.look(state, host, testNow);
    presence.heard(state, here(guest, 1_000), later(1_000));
    presence.begin(later(2_000));
    presence.look(state, host, later(4_500));
    for (let ms = 5_000; ms < 25_000; ms += 1_000) presence.heard(state, here(guest, 1_000), later(ms));
    expect(presence.look(state, host, later(25_000))).toEqual([{ kind: "away", identityKey: guest, on: true }]);
  });
});
