import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { RingHash } from "./ring-hash.ts";

const names = fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 12 }), { minLength: 1, maxLength: 12 });
const factors = fc.integer({ min: 1, max: 40 });

function positionOf(text: string): bigint {
  return createHash("blake2b512").update(text).digest().readBigUInt64LE(0);
}

/** The definition, written down plainly. */
function ownerByDefinition(hosts: readonly string[], factor: number, key: string): readonly string[] {
  const positions = hosts.flatMap((host) =>
    Array.from({ length: factor }, (_, node) => ({ host, at: positionOf(`${host}${node}`) })),
  );
  const sorted = positions.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const next = sorted.find(({ at }) => at >= positionOf(key)) ?? sorted[0];
  return sorted.filter(({ at }) => at === next?.at).map(({ host }) => host);
}

it("gives a key to the next position at or after its own, and wraps", () => {
  fc.assert(
    fc.property(names, factors, fc.array(fc.string(), { maxLength: 8 }), (hosts, factor, keys) => {
      const ring = new RingHash(hosts, factor);
      for (const key of keys) {
        // Names such as "a" and "a1" may share a position; Dapr's own choice among them is random.
        expect(ownerByDefinition(hosts, factor, key)).toContain(ring.ownerOf(key));
      }
    }),
  );
});

it("is in order, and does not depend on the order of the hosts", () => {
  fc.assert(
    fc.property(names, factors, (hosts, factor) => {
      const ring = new RingHash(hosts, factor);
      const positions = Array.from({ length: ring.size }, (_, index) => ring.positionAt(index));
      expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      const reversed = new RingHash(hosts.toReversed(), factor);
      expect(Array.from({ length: ring.size }, (_, index) => reversed.positionAt(index))).toEqual(positions);
    }),
  );
});

it("moves only keys of the host that leaves", () => {
  fc.assert(
    fc.property(names, factors, fc.array(fc.string(), { maxLength: 20 }), (hosts, factor, keys) => {
      const [gone, ...left] = hosts;
      const before = new RingHash(hosts, factor);
      const after = new RingHash(left, factor);
      for (const key of keys) {
        const owners = ownerByDefinition(hosts, factor, key);
        if (owners.length === 1 && owners[0] !== gone) {
          expect(after.ownerOf(key)).toBe(before.ownerOf(key));
        }
      }
    }),
  );
});
