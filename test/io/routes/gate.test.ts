import { multiaddr } from "@multiformats/multiaddr";
import { describe, expect, it } from "vitest";
import type { RelayAddress } from "../../../p2p/api/link.ts";
import type { ChosenWay, WayChoice } from "../../../p2p/api/way.ts";
import { addressClass, ownSubnets } from "../../../p2p/io/routes/address-class.ts";
import { Routes } from "../../../p2p/io/routes/routes.ts";
import type { RoutesOptions } from "../../../p2p/io/routes/routes.ts";

const at = (host: string): string => `/ip${host.includes(":") ? 6 : 4}/${host}/tcp/443/tls/ws`;
const relay = (...texts: readonly string[]): RelayAddress => ({
  key: new Uint8Array(32),
  token: new Uint8Array(16),
  addresses: texts.map((text) => multiaddr(text).bytes),
});

const home = at("127.0.0.1");
const lan = at("192.168.1.1");
const far = at("8.8.8.8");
const name = "/dns4/intranet/tcp/443/tls/ws";

/** What the gate says of these, after an invite to there. */
function gate(options: Partial<RoutesOptions>, invite: readonly string[] | undefined, ...texts: readonly string[]) {
  const routes = new Routes({ profile: "auto", ...options });
  if (invite !== undefined) routes.enter([relay(...invite)]);
  return texts.map((text) => routes.obstacle(multiaddr(text)));
}

describe("the kind of an address", () => {
  it.each([
    ["public", "8.8.8.8 1.1.1.1 21.0.1.1 2606:4700::1 2a00::1"],
    ["local", "127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.9.9 192.168.0.1 100.64.1.1 ::1 fd00::1 fc00::1"],
    ["special", "0.0.0.0 169.254.169.254 192.0.0.1 198.51.100.1 203.0.113.1 198.18.0.1 224.0.0.1 255.255.255.255"],
    ["special", ":: fe80::1 ff02::1 2001:db8::1 64:ff9b::7f00:1 2002:7f00:1::1 2001::1 ::ffff:8.8.8.8 ::127.0.0.1"],
    ["name", "localhost intranet example.org 127.1 0x7f000001 2130706433"],
  ])("is %s: %s", (kind, hosts) => {
    // As from a computer that is in no network.
    const nowhere = ownSubnets([]);
    for (const host of hosts.split(" ")) expect([host, addressClass(host, nowhere)]).toEqual([host, kind]);
  });

  it("counts an IPv4 address inside an IPv6 address for nothing better than what it is", () => {
    for (const host of ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.168.1.1"]) {
      expect(addressClass(host)).not.toBe("public");
    }
  });

  it("a textbook's network is local to those who are in it", () => {
    const ours = ownSubnets([{ address: "192.0.2.2", prefix: 24 }]);
    expect(addressClass("192.0.2.9", ours)).toBe("local");
    expect(addressClass("203.0.113.9", ours)).toBe("special");
  });
});

describe("the address gate", () => {
  it("lets an invite lead to public addresses, and aside to nothing else", () => {
    expect(gate({}, [far, home, lan], far, home, lan)).toEqual([undefined, "local address", "local address"]);
    expect(gate({}, [far], home, lan)).toEqual(["local address", "local address"]);
  });

  it("lets an invite that names no relay lead to none here", () => {
    expect(gate({}, [], home, lan)).toEqual(["local address", "local address"]);
    const routes = new Routes({ profile: "auto" });
    routes.enter([]);
    expect([home, lan].map((text) => routes.obstacle(multiaddr(text)))).toEqual(["local address", "local address"]);
  });

  it("never lets it lead to a name, nor where nobody is", () => {
    const nobody = [at("0.0.0.0"), at("169.254.169.254"), at("224.0.0.1"), at("fe80::1")];
    const obstacles = ["name", "special address", "special address", "special address", "special address"];
    expect(gate({}, [name], name, ...nobody)).toEqual(obstacles);
    expect(gate({}, [home], name, ...nobody)).toEqual(obstacles);
  });

  it("lets an invite that was made here, and leads only here, lead here", () => {
    expect(gate({}, [home], home)).toEqual([undefined]);
    expect(gate({}, [home, lan], home, lan, far)).toEqual([undefined, undefined, undefined]);
    expect(gate({}, [home, name], home)).toEqual(["local address"]);
    expect(gate({ local: false }, [home, lan], home, lan)).toEqual(["local address", "local address"]);
  });

  it("what comes later than the invite, by gossip or record, does not open it", () => {
    const routes = new Routes({ profile: "auto" });
    routes.enter([relay(far)]);
    expect(() => routes.admitted([multiaddr(home), multiaddr(lan)])).toThrow("local address");
    expect(routes.admitted([multiaddr(home), multiaddr(far)]).map(String)).toEqual([far]);
    expect(routes.failures).toEqual({ wss: { "local address": 3 } });
  });

  it("is open on a LAN, by profile or by way, and to who gave a local address by hand", () => {
    expect(gate({ profile: "lan" }, [far], home, lan, name)).toEqual([undefined, undefined, undefined]);
    expect(gate({ way: { rung: "lan" } }, [far], lan)).toEqual([undefined]);
    expect(
      gate({ bootstrap: [`${home}/p2p/12D3KooWKNjkYrr2RfEoXsBVYoWAM8YfPZfvGsvZxtHaGEjS8eY7`] }, [far], home),
    ).toEqual([undefined]);
    // Not even there.
    expect(gate({ profile: "lan" }, [home], at("224.0.0.1"))).toEqual(["special address"]);
  });

  it("lets a volunteer be sent into local networks only if it is reached there alone", () => {
    const volunteer = (...reach: readonly string[]) => {
      const routes = new Routes({ profile: "auto" });
      routes.attach({
        addresses: () => reach.map((text) => multiaddr(text)),
        hangUp: () => undefined,
        transfer: () => Promise.resolve(),
      });
      return routes.obstacle(multiaddr(home));
    };
    expect(volunteer(home)).toBeUndefined();
    expect(volunteer(lan, home)).toBeUndefined();
    expect(volunteer(far)).toBe("local address");
    expect(volunteer(far, home)).toBe("local address");
    expect(volunteer()).toBe("local address");
  });

  it("asks no name behind a proxy either", () => {
    expect(gate({ way: { rung: "auto", proxy: "socks5://127.0.0.1:9050" } }, [name], name, home)).toEqual([
      "name",
      "local address",
    ]);
  });
});

describe("what was chosen", () => {
  it.each<[WayChoice | undefined, ChosenWay]>([
    [undefined, { rung: "auto", proxy: "none" }],
    [{ rung: "wss" }, { rung: "wss", proxy: "none" }],
    [
      { rung: "auto", proxy: "socks5://me:secret@127.0.0.1:9050" },
      { rung: "auto", proxy: "always" },
    ],
    [
      { rung: "auto", proxy: "http://127.0.0.1:8080", proxyUse: "fallback" },
      { rung: "auto", proxy: "fallback" },
    ],
    [
      { rung: "proxy", proxy: "http://127.0.0.1:8080", proxyUse: "fallback" },
      { rung: "proxy", proxy: "always" },
    ],
  ])("is told without the proxy's address: %j", (choice, chosen) => {
    const routes = new Routes({ profile: "auto" });
    if (choice !== undefined) routes.choose(choice);
    expect(routes.chosen).toEqual(chosen);
  });
});
