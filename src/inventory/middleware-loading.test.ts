import { expect, it } from "vitest";
import type { ComponentManifest, ComponentMetadata, MetadataField } from "../components/spi/component.ts";
import type { ComponentResource } from "../resources/component.ts";
import { inventoryOptions } from "./inventory.fixture.ts";
import { createInventory } from "./inventory.ts";

const SANDBOXED: MetadataField = { name: "strictSandbox", kind: "boolean", description: "" };

function setUp(fields: readonly MetadataField[], strictSandbox: boolean, failure?: string) {
  const given: ComponentMetadata[] = [];
  const manifest: ComponentManifest = {
    family: "middleware",
    type: "middleware.http.a",
    versions: [{ version: "v1", stability: "alpha" }],
    capabilities: [],
    metadata: fields,
    load: async () => () => ({
      async init(metadata) {
        given.push(metadata);
        if (failure !== undefined) throw new Error(failure);
      },
      close: () => Promise.resolve(),
    }),
  };
  const inventory = createInventory(inventoryOptions({ manifests: [manifest], strictSandbox }));
  return { given, inventory };
}

const resource = (type: string, metadata: ComponentResource["metadata"] = []): ComponentResource => ({
  name: "one",
  type,
  version: "v1",
  namespace: "",
  scopes: [],
  ignoreErrors: false,
  initTimeoutMs: 5_000,
  metadata,
  secretStore: "",
  logName: `one (${type}/v1)`,
  origin: { file: "components.yaml", line: 1 },
});
const asks = [{ name: "StrictSandbox", value: "false", secretKeyRef: undefined, envRef: "" }];

it.each([
  [[SANDBOXED], true, { strictSandbox: "true" }],
  [[SANDBOXED], false, { StrictSandbox: "false" }],
  [[], true, { StrictSandbox: "false" }],
])("components with fields %j under a strict Configuration (%s) get %j", async (fields, strict, metadata) => {
  const { given, inventory } = setUp(fields, strict);
  await inventory.load([resource("middleware.http.a", asks)]);
  expect(given).toEqual([metadata]);
  expect(inventory.middleware.get("one")?.name).toBe("one");
  await inventory.close();
});

it("a middleware that does not start, or that nobody knows, is told in Dapr's words", async () => {
  const creation = "[CREATE_COMPONENT_FAILURE]: initialization error occurred for one";
  await expect(setUp([], false, "no").inventory.load([resource("middleware.http.a")])).rejects.toThrow(
    `${creation} (middleware.http.a/v1): process component one error: error creating HTTP middleware middleware.http.a/v1: no`,
  );
  await expect(setUp([], false).inventory.load([resource("middleware.http.b")])).rejects.toThrow(
    `${creation} (middleware.http.b/v1): process component one error: HTTP middleware middleware.http.b/v1 has not been registered`,
  );
});
