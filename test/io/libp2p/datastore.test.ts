import { Key } from "interface-datastore/key";
import { describe, expect, it } from "vitest";
import { BoundedDatastore } from "../../../p2p/io/libp2p/datastore.ts";

const value = (byte: number): Uint8Array => Uint8Array.of(byte);
const create = (): BoundedDatastore =>
  new BoundedDatastore(
    [
      { prefix: "/peers/", entriesMax: 3 },
      { prefix: "/dht/record/", entriesMax: 2 },
    ],
    new Set(["/peers/self"]),
  );

describe("bounded datastore", () => {
  it("drops what was longest unused when a prefix is full, and never what is pinned", () => {
    const store = create();
    store.put(new Key("/peers/self"), value(0));
    for (const name of ["a", "b", "c"]) store.put(new Key(`/peers/${name}`), value(1));
    store.get(new Key("/peers/a"));
    store.put(new Key("/peers/d"), value(2));
    expect(["self", "a", "b", "c", "d"].filter((name) => store.has(new Key(`/peers/${name}`)))).toEqual([
      "self",
      "a",
      "c",
      "d",
    ]);
    for (let index = 0; index < 1000; index++) store.put(new Key(`/dht/record/${index}`), value(3));
    expect(store.size).toBe(6);
  });

  it("keeps nothing under other prefixes", () => {
    const store = create();
    store.put(new Key("/dht/provider/a/b"), value(1));
    expect(store.size).toBe(0);
    expect(() => store.get(new Key("/dht/provider/a/b"))).toThrow(expect.objectContaining({ name: "NotFoundError" }));
  });

  it("answers queries as libp2p asks them", async () => {
    const store = create();
    const names = ["/peers/b", "/peers/a", "/dht/record/x", "/peers/c"];
    for await (const key of store.putMany(names.map((name, index) => ({ key: new Key(name), value: value(index) })))) {
      expect(names).toContain(key.toString());
    }
    const query = {
      prefix: "/peers",
      orders: [(a: { key: Key }, b: { key: Key }): -1 | 1 => (a.key.less(b.key) ? -1 : 1)],
    };
    expect([...store.query(query)].map(({ key }) => key.toString())).toEqual(["/peers/a", "/peers/b", "/peers/c"]);
    expect([...store.query({ ...query, offset: 1, limit: 1 })].map(({ key }) => key.toString())).toEqual(["/peers/b"]);
    expect([...store.queryKeys({ filters: [(key) => key.toString().endsWith("x")] })]).toHaveLength(1);
    const batch = store.batch();
    batch.delete(new Key("/peers/a"));
    batch.put(new Key("/peers/e"), value(9));
    expect(store.has(new Key("/peers/a"))).toBe(true);
    await batch.commit();
    expect([store.has(new Key("/peers/a")), store.has(new Key("/peers/e"))]).toEqual([false, true]);
  });
});
