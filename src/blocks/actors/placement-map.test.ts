import { describe, expect, it } from "vitest";
import type { PlacementTables } from "../../mesh/placement-stream.ts";
import { PENDING_RINGS_MAX } from "./limits.ts";
import { PlacementMap } from "./placement-map.ts";

const A = { address: "10.0.0.1:50002", appId: "a" };
const B = { address: "10.0.0.2:50002", appId: "b" };
const C = { address: "10.0.0.3:50002", appId: "c" };
const IDS = Array.from({ length: 200 }, (_, id) => String(id));

const tables = (types: Readonly<Record<string, (typeof A)[]>>, replicationFactor = 100): PlacementTables => ({
  types: new Map(Object.entries(types)),
  replicationFactor,
});

function agreedOn(...args: Parameters<typeof tables>): PlacementMap {
  const map = new PlacementMap();
  map.update(tables(...args));
  map.agree();
  return map;
}

it("knows the owner with its app, and nobody for types that nobody hosts", () => {
  const map = agreedOn({ t: [A, B] });
  expect(new Set(IDS.map((id) => map.ownerOf("t", id)?.appId))).toEqual(new Set(["a", "b"]));
  expect(map.ownerOf("u", "1")).toBeUndefined();
  expect([map.hasHost(A.address), map.hasHost(C.address)]).toEqual([true, false]);
});

describe("while tables are not agreed on", () => {
  it("those actors move whose owner differs, and no others", () => {
    const map = agreedOn({ t: [A, B], u: [A] });
    const before = IDS.map((id) => map.ownerOf("t", id)?.appId);
    map.update(tables({ t: [A, B, C], u: [A] }));
    const moved = IDS.filter((id) => map.moves("t", id));
    expect(moved).toEqual(IDS.filter((id, index) => map.ownerOf("t", id)?.appId !== before[index]));
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(IDS.length);
    expect(moved.map((id) => map.ownerOf("t", id)?.appId)).toEqual(moved.map(() => "c"));
    expect(IDS.some((id) => map.moves("u", id))).toBe(false);
    map.agree();
    expect(IDS.some((id) => map.moves("t", id))).toBe(false);
  });

  it("all actors of a type move that is new, or that nobody hosts any more", () => {
    const map = agreedOn({ t: [A] });
    map.update(tables({ u: [A] }));
    expect([map.moves("t", "1"), map.moves("u", "1"), map.moves("v", "1")]).toEqual([true, true, false]);
    expect([map.ownerOf("t", "1"), map.ownerOf("u", "1")]).toEqual([undefined, A]);
    map.agree();
    expect(map.ownersOf("t")).toBeUndefined();
  });

  it("an actor moves that is back where it was", () => {
    const map = agreedOn({ t: [A] });
    map.update(tables({ t: [A, B] }));
    const moved = IDS.filter((id) => map.moves("t", id));
    map.update(tables({ t: [A] }));
    expect(IDS.filter((id) => map.moves("t", id))).toEqual(moved);
    expect(map.knownAddresses.toSorted()).toEqual([A.address, B.address]);
    map.agree();
    expect([moved.some((id) => map.moves("t", id)), map.knownAddresses]).toEqual([false, [A.address]]);
  });

  it("all actors of a type move that has changed more often than is remembered", () => {
    const map = agreedOn({ t: [A], u: [A] });
    for (let change = 0; change <= PENDING_RINGS_MAX; change++) {
      expect(IDS.every((id) => map.moves("t", id))).toBe(false);
      map.update(tables({ t: change % 2 === 0 ? [A, B] : [A], u: [A] }));
    }
    expect([IDS.every((id) => map.moves("t", id)), map.moves("u", "1")]).toEqual([true, false]);
    map.agree();
    expect(IDS.some((id) => map.moves("t", id))).toBe(false);
  });
});

it("keeps what it has when tables are beyond the limit of a ring", () => {
  const map = agreedOn({ t: [A] });
  expect(() => map.update(tables({ t: [A, B] }, 2 ** 21))).toThrow(RangeError);
  expect([map.ownerOf("t", "1"), map.moves("t", "1"), map.hasHost(B.address)]).toEqual([A, false, false]);
});
