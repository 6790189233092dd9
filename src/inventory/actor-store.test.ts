import { expect, it } from "vitest";
import type { Component } from "../components/spi/component.ts";
import { isActorStore, isFenced } from "./actor-store.ts";
import type { Loaded } from "./types.ts";

function loaded(
  metadata: Readonly<Record<string, string>>,
  family: "state" | "pubsub" = "state",
  capabilities?: readonly string[],
): Loaded<Component> {
  return {
    name: "store",
    manifest: {
      family,
      type: `${family}.a`,
      versions: [{ version: "v1", stability: "stable" }],
      capabilities: ["TRANSACTIONAL", "FENCED"],
      metadata: [],
      load: () => Promise.reject(new Error("loaded already")),
    },
    version: "v1",
    metadata,
    secretNames: {},
    component: {
      init: () => Promise.resolve(),
      close: () => Promise.resolve(),
      ...(capabilities === undefined ? {} : { capabilities }),
    },
  };
}

it.each([
  [{ actorStateStore: "true" }, true],
  [{ ActorStateStore: "1" }, true],
  [{ actorStateStore: "false" }, false],
  [{}, false],
])("a state store with %j keeps actors: %s", (metadata, keeps) => {
  expect(isActorStore(loaded(metadata))).toBe(keeps);
  expect(isActorStore(loaded(metadata, "pubsub"))).toBe(false);
});

it("what an instance can do counts more than what its manifest says", () => {
  expect([isFenced(loaded({})), isFenced(loaded({}, "state", ["TRANSACTIONAL"]))]).toEqual([true, false]);
});
