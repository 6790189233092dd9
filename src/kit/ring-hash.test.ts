import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RingHash, VirtualNodeCache } from "./ring-hash.ts";

interface Vector {
  readonly hosts: readonly string[];
  readonly factor: number;
  readonly first: readonly string[];
  readonly size: number;
  readonly owners: Readonly<Record<string, string>>;
}

/** Made by a Go program over Dapr's package `hashing` of release 1.18.3. */
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "testdata/ring-hash.json"), "utf8")) as Vector[];

it.each(vectors.map((vector) => [`${vector.hosts.length} hosts, ${vector.factor} nodes each`, vector] as const))(
  "agrees with Dapr's own ring of %s",
  (_, { hosts, factor, first, size, owners }) => {
    const ring = new RingHash(hosts, factor);
    expect(ring.size).toBe(size);
    expect(first.map((_position, index) => String(ring.positionAt(index)))).toEqual(first);
    expect(Object.fromEntries(Object.keys(owners).map((id) => [id, ring.ownerOf(id)]))).toEqual(owners);
  },
);

it("says the same of a key that it remembers, and of one that it has forgotten", () => {
  const hosts = ["a", "b", "c"];
  const ring = new RingHash(hosts, 20);
  const keys = Array.from({ length: 5_000 }, (_, index) => `actor-${index}`);
  const cache = new VirtualNodeCache();
  const fresh = keys.map((key) => new RingHash(hosts, 20, cache).ownerOf(key));
  expect(keys.map((key) => ring.ownerOf(key))).toEqual(fresh);
  expect(keys.map((key) => ring.ownerOf(key))).toEqual(fresh);
});

it("has no owner on an empty ring", () => {
  expect(new RingHash([], 100).ownerOf("a")).toBeUndefined();
});

it("says which limit a ring that is too large breaks", () => {
  const hosts = Array.from({ length: 30 }, (_, index) => `host-${index}`);
  expect(() => new RingHash(hosts, 100_000)).toThrow(/beyond the limit of 2097152 positions/);
});

it("is the same with a cache that has seen other tables", () => {
  const cache = new VirtualNodeCache();
  void new RingHash(["a", "b"], 10, cache);
  void new RingHash(["b", "c"], 20, cache);
  const cached = new RingHash(["c", "d"], 20, cache);
  const fresh = new RingHash(["c", "d"], 20);
  expect(Array.from({ length: 40 }, (_, index) => cached.positionAt(index))).toEqual(
    Array.from({ length: 40 }, (_, index) => fresh.positionAt(index)),
  );
});
