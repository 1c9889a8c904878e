import { describe, expect, it } from "vitest";
import { cardsIn } from "../../renderer/model/start/paste.ts";
import { WindowDouble } from "./window.ts";

const [first, second] = ["thc1-AAAA", "THC1-BBBB"];

describe("several cards in one field", () => {
  it("are each a relay of the room", async () => {
    const window = new WindowDouble();
    window.start.card.set(`My cards: ${first}\n\n${second}`);
    window.start.makeRoom();
    await window.lobby.enter();
    expect(window.engine.hosted?.via.map((card) => card.trim())).toEqual([first, second]);
  });

  it("are never none, else the person would become the relay", () => {
    expect(cardsIn("t hc1-AAAA")).toEqual(["t hc1-AAAA"]);
  });
});
