import { describe, expect, it } from "vitest";
import { type Millis, millis, type PeerId, type RoomKey } from "../../p2p/api/ids.ts";
import { main, type MainWorld } from "../../p2p/cli/main.ts";
import { plainLine } from "../../p2p/cli/plain.ts";
import { jsonPrinter, type PrintedEvent, textPrinter } from "../../p2p/cli/printer.ts";

/** Turns a terminal's colours on, rings, overwrites the line, begins a new one, turns text round, and hides. */
const steering = "\u001b[31m\u0007\rYou are in\nthe room\u009b2J\u202egnp\u2066\u200b\u2028\u2029\u{e0041}\ufeffend";
/** The escape of JSON takes care of these; nothing else that steers may be in a line. */
const steers = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const at: Millis = millis(0);

const strangers: readonly PrintedEvent[] = [
  { event: "open-room", room: "00" as RoomKey, title: steering, members: 3, invite: steering },
  { event: "text", identity: "00", name: steering, text: steering, at, self: false },
  { event: "refused", code: "banned", message: steering },
  { event: "error", code: "no-network", message: steering },
  { event: "note", message: steering },
  { event: "ready", peer: "00" as PeerId, addresses: [steering], version: "1" },
];

describe("the text printer", () => {
  it.each(strangers)("prints $event as one line that steers nothing", (event) => {
    const lines: string[] = [];
    textPrinter(
      (line) => lines.push(line),
      (line) => lines.push(line),
    ).print(event);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(steers);
    expect(lines[0]).toContain("end");
  });

  it("leaves people's own scripts as they are", () => {
    const names = ["ئۇيغۇر تىلى", "བོད་ཡིག", "می‌خواهم", "维吾尔 ☕ 👩‍👩‍👧", "naïve Łódź"];
    expect(names.map(plainLine)).toEqual(names);
  });

  it("prints our own sentences over as many lines as they have", () => {
    const lines: string[] = [];
    const invites = { listener: "thi1-l", speaker: "thi1-s", moderator: "thi1-m", heir: "thi1-h" };
    textPrinter(
      (line) => lines.push(line),
      (line) => lines.push(line),
    ).print({ event: "room", room: "00" as RoomKey, invites, link: "teahouse://" });
    expect(lines[0]?.split("\n")).toHaveLength(6);
  });
});

describe("a goodbye", () => {
  const { summary, out } = { summary: summaryOf(), out: [] as string[] };
  const say = (...events: readonly PrintedEvent[]): string[] => {
    out.length = 0;
    const printer = textPrinter(
      (line) => out.push(line),
      (line) => out.push(line),
    );
    for (const event of events) printer.print(event);
    return [...out];
  };

  it("is said to who was there, and not to who was not let in", () => {
    const joined = { event: "joined", room: "00" as RoomKey, role: "listener", hops: 1, parents: [], ms: 1 } as const;
    expect(say({ event: "refused", code: "invite-used", message: "Used." }, { event: "left" }, summary)).toEqual([
      "Used.",
    ]);
    expect(say(joined, summary)).toEqual(["You are in the room as a listener.", "You left."]);
    expect(say({ event: "card", card: "thc1-" }, summary).at(-1)).toBe("You left.");
  });
});

function summaryOf(): PrintedEvent {
  return { event: "summary", framesExpected: 0, packetsForwarded: 0 } as PrintedEvent;
}

describe("the JSON printer", () => {
  it("prints the same values in one line of visible characters", () => {
    const lines: string[] = [];
    const printer = jsonPrinter(
      (line) => lines.push(line),
      () => 0,
    );
    printer.print({ event: "text", identity: "00", name: "é 茶 👩‍👧", text: steering, at, self: false });
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ name: "é 茶 👩‍👧", text: steering });
  });
});

describe("a mistyped command line", () => {
  it.each([[[steering]], [[`--${steering}`]], [["host", "--invite", steering]], [["listen", "--for", steering]]])(
    "is repeated as one line that steers nothing: %j",
    async (args) => {
      const lines: string[] = [];
      const world = {
        version: "1",
        proxy: undefined,
        writeLine: (line: string) => lines.push(line),
        writeError: (line: string) => lines.push(line),
      } as unknown as MainWorld;
      expect(await main(args, world)).toBe(2);
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toMatch(steers);
    },
  );
});
