import { expect, it } from "vitest";
import { guessableUuid, systemRandom } from "./random.ts";
import { seededRandom } from "./seeded-random.fixture.ts";

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it("makes UUIDs of version 4", () => {
  expect(systemRandom.uuid()).toMatch(VERSION_4);
  expect(systemRandom.uuid()).not.toBe(systemRandom.uuid());
});

it("makes as many bytes as are asked for", () => {
  expect(systemRandom.bytes(7)).toHaveLength(7);
});

it("makes UUIDs of version 4 from numbers", () => {
  const next = seededRandom(1);
  const made = Array.from({ length: 1_000 }, () => guessableUuid({ next }));
  expect(made.filter((uuid) => !VERSION_4.test(uuid))).toEqual([]);
  expect(new Set(made).size).toBe(1_000);
});

it.each([
  ["lowest", 0, "00000000-0000-4000-8000-000000000000"],
  ["highest", 1 - Number.EPSILON / 2, "ffffffff-ffff-4fff-bfff-ffffffffffff"],
])("makes a UUID of the %s numbers", (_, number, uuid) => {
  expect(guessableUuid({ next: () => number })).toBe(uuid);
});
