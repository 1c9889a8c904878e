import { describe, expect, it } from "vitest";
import type { Layer } from "../../../p2p/api/engine.ts";
import { packetsIn } from "./packets.ts";
import { type Passing, Room } from "./room.ts";

/** A host on one relay, with another below it, and guests of whom the last wants the low layer. */
function bench(seed: string): { room: Room; host: number; relay: number; normal: number; low: number } {
  const room = new Room(seed);
  const relay = room.addRelay();
  const host = room.addPerson();
  const [normal, low] = [room.addPerson(), room.addPerson()];
  room.host(host, [relay]);
  room.run(1000);
  room.command(low, { kind: "prefer-layer", layer: "low" });
  for (const guest of [normal, low]) room.join(guest, room.invite(host));
  room.run(2000);
  return { room, host, relay, normal, low };
}

/** The layers of the packets in one message. */
function layersIn({ bytes }: Passing): Layer[] {
  return packetsIn(bytes).map(({ layer }) => layer);
}

function layersHeard(room: Room, node: number): string {
  return [
    ...new Set(
      room
        .at(node)
        .heard.splice(0)
        .map(({ layer }) => layer),
    ),
  ].join();
}

describe("layers", () => {
  it("[OV17] each is sent the one it asked for, from its first packet on, and nothing of the other", () => {
    const { room, host, relay, normal, low } = bench("layers");
    const sent = new Map<number, Layer[]>();
    room.talk(host, 80);
    room.filter = (passing) => {
      if (passing.from === relay) sent.set(passing.to, [...(sent.get(passing.to) ?? []), ...layersIn(passing)]);
      return true;
    };
    room.talk(host, 2000);
    room.run(200);
    expect(new Set(sent.get(normal))).toEqual(new Set(["normal"]));
    expect(new Set(sent.get(low))).toEqual(new Set(["low"]));
    for (const guest of [normal, low]) expect(room.marks(guest, host)).toHaveLength(52);
    expect(room.peer(normal).stats(room.now).layer).toBe("normal");
    expect(room.peer(low).stats(room.now).layer).toBe("low");
    expect(room.peer(low).stats(room.now).framesDuplicate).toBe(0);
  });

  it("[OV17] whoever changes its mind is sent the other layer, and hears each tick once", () => {
    const { room, host, normal } = bench("change");
    room.talk(host, 1000);
    expect(layersHeard(room, normal)).toBe("normal");
    room.command(normal, { kind: "prefer-layer", layer: "low" });
    room.talk(host, 200, 100);
    room.at(normal).heard.splice(0);
    room.talk(host, 1000, 200);
    room.run(100);
    const marks = room.marks(normal, host).filter((mark) => mark >= 200);
    expect(marks).toEqual(Array.from({ length: 25 }, (_, index) => 200 + index));
    expect(layersHeard(room, normal)).toBe("low");
    room.command(normal, { kind: "prefer-layer", layer: "normal" });
    room.talk(host, 400, 300);
    room.run(100);
    const { framesExpected, framesOnTime, layer } = room.peer(normal).stats(room.now);
    expect(layer).toBe("normal");
    expect(framesOnTime).toBe(framesExpected);
  });

  it("[OV17] a speaker without a low layer is heard in the normal one by everybody", () => {
    const { room, host, low } = bench("without");
    room.withLow = false;
    room.talk(host, 1000);
    room.run(100);
    expect(room.marks(low, host)).toHaveLength(25);
    expect(room.peer(low).stats(room.now).layer).toBe("normal");
  });

  it("[OV17] a relay below asks for what those below it want, and no more", () => {
    const room = new Room("below");
    const relays = [room.addRelay(), room.addRelay()];
    const [top = -1, below = -1] = relays;
    const host = room.addPerson();
    room.host(host, relays, { coreSize: 1 });
    room.run(2000);
    const guest = room.addPerson();
    // Nobody but those who are there finds the first relay.
    room.unreachable.add(top);
    const sent: Layer[] = [];
    room.filter = (passing) => {
      if (passing.from === top && passing.to === below) sent.push(...layersIn(passing));
      return true;
    };
    const layersSent = (): string => {
      room.talk(host, 400);
      sent.splice(0);
      room.talk(host, 400);
      room.run(100);
      return [...new Set(sent)].toSorted().join();
    };
    room.command(guest, { kind: "prefer-layer", layer: "low" });
    room.join(guest, room.invite(host));
    room.run(2000);
    expect(layersSent()).toBe("low");
    room.command(guest, { kind: "prefer-layer", layer: "normal" });
    room.run(200);
    expect(layersSent()).toBe("normal");
    const other = room.addPerson();
    room.command(other, { kind: "prefer-layer", layer: "low" });
    room.join(other, room.invite(host));
    room.run(2000);
    expect(layersSent()).toBe("low,normal");
    room.command(guest, { kind: "leave" });
    room.run(2000);
    expect(layersSent()).toBe("low");
  });

  it("[PK17] both layers of one tick have one number, and a tick is heard once, whichever comes first", () => {
    const { room, host, relay, low } = bench("number");
    const numbers = new Map<Layer, number[]>();
    room.filter = (passing) => {
      if (passing.from !== host || passing.to !== relay) return true;
      for (const { layer, sequence } of packetsIn(passing.bytes))
        numbers.set(layer, [...(numbers.get(layer) ?? []), sequence]);
      return true;
    };
    room.talk(host, 400);
    room.run(100);
    expect(numbers.get("low")).toEqual(numbers.get("normal"));
    expect(numbers.get("low")).toHaveLength(10);
    expect(room.marks(low, host)).toEqual(Array.from({ length: 10 }, (_, mark) => mark));
  });
});
