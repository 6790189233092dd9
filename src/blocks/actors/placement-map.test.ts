import { expect, it } from "vitest";
import type { PlacementTables } from "../../mesh/placement-stream.ts";
import { PlacementMap } from "./placement-map.ts";

const A = { address: "10.0.0.1:50002", appId: "a" };
const B = { address: "10.0.0.2:50002", appId: "b" };

const tables = (types: Readonly<Record<string, (typeof A)[]>>, replicationFactor = 100): PlacementTables => ({
  types: new Map(Object.entries(types)),
  replicationFactor,
});

it("tells which types have changed: new, gone, or hosted otherwise", () => {
  const map = new PlacementMap();
  expect([...map.update(tables({ t: [A], u: [A, B] }))]).toEqual(["t", "u"]);
  expect([...map.update(tables({ t: [A], u: [B, A] }))]).toEqual([]);
  expect([...map.update(tables({ t: [A, B] }))]).toEqual(["t", "u"]);
  expect([...map.update(tables({ t: [A, B] }, 50))]).toEqual(["t"]);
});

it("knows the owner with its app, and nobody for types that nobody hosts", () => {
  const map = new PlacementMap();
  map.update(tables({ t: [A, B] }));
  const owners = Array.from({ length: 100 }, (_, id) => map.ownerOf("t", String(id))?.appId);
  expect(new Set(owners)).toEqual(new Set(["a", "b"]));
  expect(map.ownerOf("u", "1")).toBeUndefined();
});
