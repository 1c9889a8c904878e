import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { SoakReport } from "../soak/report.ts";
import { TeahouseProcess } from "./processes.ts";

const script = fileURLToPath(new URL("../soak/soak.ts", import.meta.url));

describe("the soak, briefly", () => {
  it("loses nobody while people come and go, a relay crashes, the stage changes and the host is gone", async () => {
    const soak = new TeahouseProcess(["--for", "12s", "--listeners", "3", "--relays", "3"], { script });
    expect(await soak.exited, soak.stderr).toEqual({ code: 0, signal: null });
    expect(soak.strayLines).toEqual([]);
    const report = soak.lines.at(-1) as unknown as SoakReport;
    expect(report).toMatchObject({ event: "soak", seconds: 12, lost: [] });
    expect(report.joins).toBeGreaterThan(4);
    expect(report.crashes).toBeGreaterThan(2);
    expect(report.onTimeMedian).toBeGreaterThan(0.9);
    expect(report.memory.map(({ kind }) => kind)).toEqual(["relay", "speaker", "listener", "heir"]);
  });
});
