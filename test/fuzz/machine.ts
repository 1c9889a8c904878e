import type { LinkId } from "../../p2p/api/ids.ts";
import { concat } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { parseFrame } from "../../p2p/core/session/frames.ts";
import { type Passing, Room } from "../core/peer/room.ts";
import { mutant } from "./mutate.ts";

/** Messages that one room lives through before another is made: hostile neighbours end edges for a minute. */
const messagesPerRoom = 400;
/** Messages of each direction that are remembered as a stock. */
const stockMax = 256;

/** Mutants made until one is a frame. */
const triesMax = 16;
/** The first byte of a frame that carries part of a paper. */
const fragmentType = 7;

/** A live room: relays, a host who talks, guests; and what they said to each other. */
interface Stage {
  readonly room: Room;
  readonly nodes: readonly number[];
  readonly said: Passing[];
}

/**
 * Gives a whole room's peers messages that were really sent there, mutated, on the links that they have open and on links
 * nobody knows: what no parser sees alone is there when its bytes meet the state of a session, a lane, a tree. Whatever is
 * thrown is thrown on. Returns what the peers refused, by reason, and how much was still heard.
 */
export function driveRoom(
  seed: string,
  messages: number,
): { readonly refused: Map<string, number>; readonly heard: number } {
  const refused = new Map<string, number>();
  let heard = 0;
  const rng = new Rng(`${seed}/machine`);
  for (let done = 0; done < messages; done += messagesPerRoom) {
    const stage = makeStage(`${seed}/${done}`);
    const { room, nodes } = stage;
    corruptOnTheWay(rng, stage);
    for (let count = 0; count < Math.min(messagesPerRoom, messages - done); count++) {
      sayMutant(rng, stage);
      // Some of them fall between two words of a speaker, some at once.
      if (count % 4 === 0) room.talk(nodes[0] ?? 0, 40, count);
    }
    for (const node of nodes) {
      heard += room.at(node).heard.length;
      for (const [reason, times] of Object.entries(room.peer(node).stats(room.now).packetsRejected)) {
        refused.set(reason, (refused.get(reason) ?? 0) + times);
      }
    }
  }
  return { refused, heard };
}

/** What the peers of a real room said to each other, the newest few hundred. */
export function sayings(seed: string): Uint8Array[] {
  const { room, nodes, said } = makeStage(seed);
  room.talk(nodes[0] ?? 0, 400);
  room.run(12_000);
  return said.map(({ bytes }) => bytes);
}

function makeStage(seed: string): Stage {
  const room = new Room(seed);
  const said: Passing[] = [];
  room.filter = (passing) => {
    said.push(passing);
    if (said.length > stockMax) said.splice(0, stockMax >> 1);
    return true;
  };
  const relays = [room.addRelay(), room.addRelay()];
  const host = room.addPerson();
  const guests = [room.addPerson(), room.addPerson()];
  room.host(host, relays, { letEverybodySpeak: false });
  room.run(500);
  for (const guest of guests) room.join(guest, room.invite(host));
  room.run(500);
  for (const guest of guests) {
    room.command(guest, { kind: "raise-hand" });
    room.command(guest, { kind: "say", text: "tea?" });
  }
  room.talk(host, 200);
  return { room, nodes: [host, ...relays, ...guests], said };
}

/** Now and then what leaves arrives as a mutant of itself: its number fits the lane, its signature no longer what it says. */
function corruptOnTheWay(rng: Rng, { room, said }: Stage): void {
  const remember = room.filter;
  room.filter = (passing) => {
    remember(passing);
    const far = room.at(passing.from).ends.get(passing.link)?.other;
    if (far === undefined || rng.int(8) > 0) return true;
    const words = said.map((each) => each.bytes);
    // Behind the type, number and flags of a fragment, or the hops of media, as often as anywhere.
    const head = rng.int(2) * Math.min(passing.bytes.length, passing.bytes[0] === fragmentType ? 6 : 2);
    const body = mutant(rng, { inputs: [passing.bytes.subarray(head)], text: false });
    const whole = concat(passing.bytes.subarray(0, head), body);
    const bytes = rng.int(4) === 0 || !parseFrame(whole) ? mutantFrame(rng, words) : whole;
    room.world.planIn(10, () => room.world.input(far.owner, { kind: "message", link: far.id, bytes }), undefined);
    return false;
  };
}

function sayMutant(rng: Rng, { room, nodes, said }: Stage): void {
  const words = said.map((passing) => passing.bytes);
  const bytes = mutantFrame(rng, words);
  const known = said[rng.int(said.length)];
  const node = rng.int(4) === 0 ? nodes[rng.int(nodes.length)] : known?.to;
  if (node === undefined) return;
  const links = [...room.at(node).ends.keys()];
  const link = links[rng.int(Math.max(1, links.length))];
  if (link === undefined || rng.int(16) === 0) return sayAsStranger(rng, room, node, bytes);
  sayOn(room, node, link, bytes);
}

/** Mostly one that is still a frame: what is none ends its link, and nothing behind it is reached. */
function mutantFrame(rng: Rng, words: readonly Uint8Array[]): Uint8Array {
  const stock = { inputs: words, text: false };
  let bytes = mutant(rng, stock);
  for (let tries = rng.int(8) === 0 ? 0 : triesMax; tries > 0 && !parseFrame(bytes); tries--)
    bytes = mutant(rng, stock);
  return bytes;
}

/** On a link that says nothing else. */
function sayAsStranger(rng: Rng, room: Room, node: number, bytes: Uint8Array): void {
  const { node: stranger } = room.addPuppet();
  const link = room.link(stranger, node, rng.int(2) === 0 ? "stream" : "webrtc");
  room.say(stranger, link, bytes);
  room.run(20);
}

/** As if the far end of the link had said it. */
function sayOn(room: Room, node: number, link: LinkId, bytes: Uint8Array): void {
  room.world.input(node, { kind: "message", link, bytes });
}
