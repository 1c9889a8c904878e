import { BlockList, isIP, SocketAddress } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * What kind of place an address is. `public`: the internet. `local`: this computer or a network of its own (RFC 1918, 4193,
 * 6598, loopback). `special`: nobody's (unspecified, link-local, multicast, documentation, reserved, and addresses that hide
 * another one inside). `name`: would have to be asked for in clear.
 */
export type AddressClass = "public" | "local" | "special" | "name";

/** One address of this computer, and how much of it names its network. */
export interface OwnAddress {
  readonly address: string;
  readonly prefix: number;
}

type Subnet = readonly [network: string, prefix: number];

const listOf = (...subnets: readonly Subnet[]): BlockList => {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, network.includes(":") ? "ipv6" : "ipv4");
  return list;
};

const local = listOf(
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["::1", 128],
  ["fc00::", 7],
);

const documentation = listOf(["192.0.2.0", 24], ["198.51.100.0", 24], ["203.0.113.0", 24], ["2001:db8::", 32]);

/** IANA's registries of special-purpose addresses, what is neither local nor for documentation. */
const specialIp4 = listOf(
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
);
const specialIp6 = listOf(
  // IPv6 has one block of public addresses; what is outside of it is special, local or not given out.
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2002::", 16],
);

/** Of what kind a host is: an IP literal without brackets, or a name. */
export function addressClass(host: string, ours: BlockList = ownSubnets()): AddressClass {
  const family = isIP(host);
  if (family === 0) return "name";
  const type = family === 6 ? "ipv6" : "ipv4";
  const address = new SocketAddress({ address: host, family: type });
  if (local.check(address)) return "local";
  // Networks that were numbered by a textbook: only where we are in one ourselves.
  if (documentation.check(address)) return ours.check(address) ? "local" : "special";
  // One list for each: a check of an IPv4 address also looks for it as an IPv6 address.
  return (family === 6 ? specialIp6 : specialIp4).check(address) ? "special" : "public";
}

/** The networks that this computer is in, itself included. */
export function ownSubnets(addresses: readonly OwnAddress[] = ownAddresses()): BlockList {
  const list = new BlockList();
  for (const { address, prefix } of addresses) list.addSubnet(address, prefix, isIP(address) === 6 ? "ipv6" : "ipv4");
  return list;
}

function ownAddresses(): OwnAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address, cidr }) => ({ address, prefix: Number(cidr?.split("/")[1] ?? Number.NaN) }))
    .filter(({ prefix }) => Number.isInteger(prefix));
}
