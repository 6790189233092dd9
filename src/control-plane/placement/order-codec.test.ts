import { fromBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { PlacementOrderSchema } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { hostOf } from "./fake-host.fixture.ts";
import { HostTable } from "./host-table.ts";
import { OrderCodec } from "./order-codec.ts";
import type { TableSnapshot } from "./types.ts";

function tables(types: readonly string[]): TableSnapshot {
  const table = new HostTable(30);
  table.set(1, hostOf("a", types));
  table.set(2, hostOf("b", [types[0] ?? ""]));
  return table.snapshot(7);
}

it("writes a table as sidecars read it: hosts by type, without what they host besides", () => {
  const codec = new OrderCodec(() => undefined);
  const order = fromBinary(
    PlacementOrderSchema,
    codec.encode({ operation: "update", version: 7, tables: tables(["cat", "dog"]) }),
  );
  expect([order.operation, order.version, order.tables?.version, order.tables?.replicationFactor]).toEqual([
    "update",
    7n,
    "7",
    30n,
  ]);
  const entries = order.tables?.entries ?? {};
  expect(Object.keys(entries).toSorted()).toEqual(["cat", "dog"]);
  expect(Object.keys(entries["cat"]?.loadMap ?? {}).toSorted()).toEqual(["a.test:50002", "b.test:50002"]);
  expect(entries["dog"]?.loadMap["a.test:50002"]).toMatchObject({
    name: "a.test:50002",
    port: 50002n,
    id: "a",
    namespace: "default",
    apiLevel: 20,
    entities: [],
  });
});

it("writes lock and unlock with nothing but their version", () => {
  const codec = new OrderCodec(() => undefined);
  const order = fromBinary(PlacementOrderSchema, codec.encode({ operation: "lock", version: 3 }));
  expect([order.operation, order.version, order.tables]).toEqual(["lock", 3n, undefined]);
});

it("encodes a table once for all who get it, and tells of one that is too large for them", () => {
  const told: number[] = [];
  const codec = new OrderCodec((_tables, bytes) => void told.push(bytes));
  const large = tables(Array.from({ length: 10_000 }, (_, index) => `${"long".repeat(100)}${index}`));
  const bytes = codec.encode({ operation: "update", version: 7, tables: large });
  expect(codec.encode({ operation: "update", version: 7, tables: large })).toBe(bytes);
  expect(told).toEqual([bytes.length]);
  codec.encode({ operation: "update", version: 7, tables: tables(["cat"]) });
  expect(told).toHaveLength(1);
});
