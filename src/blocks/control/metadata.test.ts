import { expect, it } from "vitest";
import { METADATA_SOURCES } from "./control.fixture.ts";
import { createMetadataBlock } from "./metadata.ts";

it("asks its sources at every question", () => {
  const components = [{ name: "a", type: "state.in-memory", version: "v1", capabilities: [] }];
  const block = createMetadataBlock({ ...METADATA_SOURCES, components: () => components });
  expect(block.get().components).toHaveLength(1);
  components.push({ name: "b", type: "pubsub.in-memory", version: "v1", capabilities: [] });
  expect(block.get().components).toHaveLength(2);
});

it("keeps user values, ignores an empty key, and lets nobody change the runtime's version", () => {
  const block = createMetadataBlock(METADATA_SOURCES);
  expect(block.set("cliPID", "1")).toBe(true);
  expect(block.set("cliPID", "2")).toBe(true);
  expect(block.set("", "nothing")).toBe(true);
  expect(block.set("daprRuntimeVersion", "0.0.0")).toBe(true);
  expect(block.set("__proto__", "harmless")).toBe(true);
  const { extended } = block.get();
  expect(new Map(Object.entries(extended))).toEqual(
    new Map([
      ["cliPID", "2"],
      ["daprRuntimeVersion", "1.18.3"],
      ["__proto__", "harmless"],
    ]),
  );
  expect(Object.getPrototypeOf(extended)).toBe(Object.prototype);
});
