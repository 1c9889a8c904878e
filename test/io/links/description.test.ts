import { describe, expect, it } from "vitest";
import { candidatesMax, withDialledAddress, type Candidate } from "../../../p2p/io/links/description.ts";

const far = "8.8.8.8";
const at = (address: string, port = 5000): Candidate => ({ address, port, priority: 7 });

/** Where checks go after these were told by whoever was reached there. */
const looked = (reached: string, ...told: readonly Candidate[]): string[] =>
  withDialledAddress({ type: "candidates", candidates: told }, reached).candidates.map(
    ({ address, port }) => `${address} ${port}`,
  );

describe("where a volunteer is looked for", () => {
  it("is the address at which it was reached, on the ports that it told", () => {
    expect(looked(far, at(far), at("10.0.0.5"), at("10.0.0.5", 6000))).toEqual([`${far} 5000`, `${far} 6000`]);
  });

  it("is no stranger, and nothing in our own network", () => {
    const elsewhere = ["1.1.1.1", "127.0.0.1", "192.168.1.1", "169.254.169.254", "224.0.0.1", "::1", "2606:4700::1"];
    expect(looked(far, ...elsewhere.map((address) => at(address, 53)))).toEqual([`${far} 53`]);
    const many = Array.from({ length: candidatesMax }, (_, index) => at("1.1.1.1", index + 1));
    expect(looked(far, ...many).every((each) => each.startsWith(`${far} `))).toBe(true);
  });

  it("may be elsewhere in a local network, for one that is in it with us", () => {
    expect(looked("192.168.1.7", at("10.0.0.5"), at("1.1.1.1"))).toEqual(["10.0.0.5 5000", "192.168.1.7 5000"]);
  });

  it("is public where it was reached by a name", () => {
    expect(looked("", at(far), at("192.168.1.1"), at("169.254.169.254"))).toEqual([`${far} 5000`]);
  });
});
