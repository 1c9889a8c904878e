import { describe, expect, it } from "vitest";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { encodePaper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { encodeFrame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import type { RoomTag } from "../../../p2p/api/ids.ts";
import { KeptRoom } from "./kept-room.ts";

/** Notes the petitions that somebody sends, as a relay may. */
function record(room: KeptRoom, node: number): Uint8Array[] {
  const heard = room.filter;
  const tape: Uint8Array[] = [];
  room.filter = (passing) => {
    const frame = passing.from === node ? parseFrame(passing.bytes) : undefined;
    const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
    if (paper?.kind === "petition") tape.push(paper.bytes.slice());
    return heard(passing);
  };
  return tape;
}

/** Somebody with an invite sits down at a relay and plays them all again, a few a second, as often as that takes. */
function replay(room: KeptRoom, tape: readonly Uint8Array[], ms: number): void {
  const { node } = room.addPuppet();
  const tag = toHex(room.invite(room.keeper).tag) as RoomTag;
  const session = new Rng("replays").bytes(16);
  const link = room.link(node, room.relays[0]!);
  const hello = { version: 1, session, tag, role: "member", feed: true, have: [], proof: undefined } as const;
  room.say(node, link, encodeFrame({ kind: "hello", wish: plainWish, ...hello }));
  let sequence = 0;
  for (let passed = 0; passed < ms; passed += 250) {
    room.run(250);
    const bytes = tape[sequence % tape.length]!;
    const paper = encodePaper({ kind: "petition", bytes });
    room.say(node, link, encodeFrame({ kind: "fragment", sequence: sequence++, last: true, bytes: paper }));
    room.say(node, link, encodeFrame({ kind: "ack", next: 1 << 20 }));
  }
}

describe("petitions that are played again", () => {
  it("[RM22] [RM54] keep nobody on stage who is gone", () => {
    const room = new KeptRoom("replayed presence");
    const [speaker, listener] = [room.enter(), room.enter()];
    room.bringOnStage(speaker);
    const tape = record(room, speaker);
    room.run(30_000);
    expect(tape.length).toBeGreaterThan(4);
    room.kill(speaker, true);
    replay(room, tape, 30_000);
    expect(room.stage(listener)).toEqual(["Host"]);
  });

  it("[RM22] mute nobody again, nor say again that somebody records", () => {
    const room = new KeptRoom("replayed wishes");
    const [speaker, listener] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(speaker);
    const tape = record(room, speaker);
    for (const kind of ["mute", "unmute"] as const) room.act(speaker, { kind, identity });
    for (const on of [true, false]) room.act(speaker, { kind: "record", on });
    expect(tape.length).toBeGreaterThan(3);
    const said = room.events(listener, "room-state").length;
    replay(room, tape, 20_000);
    const states = room.events(listener, "room-state").slice(said);
    const seen = states.flatMap(({ people }) => people.filter((person) => person.identity === identity));
    expect(seen.filter(({ muted, records }) => muted !== "no" || records)).toEqual([]);
  });

  it("[RM22] [RM36] keep no heir from acting for a host that is gone", () => {
    const room = new KeptRoom("replayed beats", 3);
    const heir = room.enter("heir");
    const tape = record(room, room.keeper);
    room.run(30_000);
    expect(tape.length).toBeGreaterThan(20);
    room.kill(room.keeper, true);
    replay(room, tape, 8_000);
    expect(room.facts(heir).keptBy).toBe(room.identity(heir));
  });
});
