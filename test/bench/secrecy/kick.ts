import { Rng } from "../../../p2p/core/rng.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { coreMsOf, RoomOfKeys } from "../../core/room/epoch/room-of-keys.ts";
import { kickSomebody } from "../../core/peer/kicks.ts";
import { type Figure, figureOf } from "../figure.ts";
import { kickOverRealLinks } from "./real-kick.ts";

const members = 8_000;
/** GOALS.md and the design: keys are changed in pieces of work of at most this. */
const pieceMsMax = 5;
const kicks = 6;

/** GOALS.md: S1. */
const openedMsMax = 2_000;

/** S1, in virtual time and over real links: from the kick to the last packet that the kicked key opens. */
export async function measureKick(): Promise<readonly Figure[]> {
  const seeds = ["a", "b", "c", "d", "e"];
  const kicked = seeds.map((seed) => kickSomebody(seed, 12));
  const real = await kickOverRealLinks();
  return [
    figureOf({
      id: "S1",
      what: "kick to the last packet on any wire that the kicked key opens, worst of five rooms in virtual time, ms ÷ 2 s",
      goal: 1,
      better: "less",
      sides: {
        ours: Math.max(...kicked.map(({ openedForMs }) => openedForMs)),
        baseline: openedMsMax,
        closedAfter: kicked.reduce((sum, { closedAfter }) => sum + closedAfter, 0),
      },
    }),
    figureOf({
      id: "S1",
      what: "the same over real links on this machine: kick to the last packet that the kicked engine heard, ms ÷ 2 s",
      goal: 1,
      better: "less",
      sides: {
        ours: real.heardForMs,
        baseline: openedMsMax,
        told: real.toldMs,
        said: real.said,
        heardByWhoStays: real.heard,
      },
    }),
  ];
}

/** S1, the work: what one kick costs whoever keeps the keys of a full room, with the real primitives. */
export function measureRekeying(): Promise<readonly Figure[]> {
  const crypto = createCrypto();
  const room = new RoomOfKeys(crypto, new Rng("bench"), false);
  for (let count = 0; count < members; count++) room.join();
  room.pass(12_000, 2_000);
  if (room.keeper.size !== members) throw new Error("not everybody enrolled");
  const times: number[] = [];
  const papers: number[] = [];
  for (const person of room.people.slice(0, kicks)) {
    const bytes = room.bytesTold;
    room.banned.add(person.name);
    person.isOut = true;
    times.push(coreMsOf(() => room.keeper.rekey(room.now)));
    room.tell();
    papers.push(room.bytesTold - bytes);
    times.push(...room.runKeeper());
  }
  if (room.present.some((person) => !room.opens(person))) throw new Error("somebody inside does not open");
  if (room.people.slice(0, kicks).some((person) => room.opens(person))) throw new Error("somebody outside opens");
  // What it would be without a tree: the secret, sealed to each member by itself.
  const box = crypto.boxKey(crypto.randomBytes(32));
  const secret = crypto.randomBytes(32);
  const begunAt = performance.now();
  for (let count = 0; count < members; count++) crypto.sealTo(box, crypto.randomBytes(32), secret, secret, secret);
  const oneByOneMs = performance.now() - begunAt;
  times.sort((a, b) => a - b);
  const p95Ms = times[Math.floor(0.95 * times.length)] ?? Infinity;
  return Promise.resolve([
    figureOf({
      id: "S1",
      what: `a kick in a room of ${members}: p95 of the keeper's work in one piece, ms of a core ÷ 5 ms`,
      goal: 1,
      better: "less",
      sides: {
        ours: p95Ms,
        baseline: pieceMsMax,
        median: times[times.length >> 1] ?? Infinity,
        sealedOneByOne: oneByOneMs,
      },
    }),
    figureOf({
      id: "S1",
      what: `a kick in a room of ${members}: bytes that everybody is told ÷ one for each member sealed to it`,
      goal: 0.01,
      better: "less",
      sides: { ours: Math.max(...papers), baseline: members * 80 },
    }),
  ]);
}
