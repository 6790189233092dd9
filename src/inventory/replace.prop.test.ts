import fc from "fast-check";
import { expect, it } from "vitest";
import type { ComponentManifest } from "../components/spi/component.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { ComponentResource } from "../resources/component.ts";
import { inventoryOptions } from "./inventory.fixture.ts";
import { createInventory } from "./inventory.ts";

type Step =
  | { readonly kind: "put"; readonly name: string; readonly type: string; readonly isBad: boolean }
  | { readonly kind: "remove"; readonly name: string };

const name = fc.constantFrom("one", "two", "three");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    name,
    type: fc.constantFrom("state.a", "pubsub.a", "lock.a"),
    isBad: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("remove" as const), name }),
);

function resourceOf({ name: own, type, isBad }: Extract<Step, { kind: "put" }>): ComponentResource {
  return {
    name: own,
    type,
    version: "v1",
    namespace: "",
    scopes: [],
    ignoreErrors: true,
    initTimeoutMs: 1_000,
    metadata: [{ name: "bad", value: String(isBad), secretKeyRef: undefined, envRef: "" }],
    secretStore: "",
    logName: own,
    origin: { file: "a.yaml", line: 1 },
  };
}

it("whatever is changed in whatever order: what is in use is open, once, and all else is closed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const open = new Set<object>();
      const manifestOf = (type: string): ComponentManifest => ({
        family: type.slice(0, type.indexOf(".")) as "state",
        type,
        versions: [{ version: "v1", stability: "stable" }],
        capabilities: [],
        metadata: [],
        load: async () => () => {
          const component = {
            async init(metadata: Readonly<Record<string, string>>) {
              open.add(component);
              if (metadata["bad"] === "true") {
                throw new Error("bad");
              }
            },
            close: async () => void open.delete(component),
          };
          return component;
        },
      });
      const clock = new VirtualClock();
      const inventory = createInventory(
        inventoryOptions({
          manifests: ["state.a", "pubsub.a", "lock.a"].map(manifestOf),
          clock,
          drains: true,
        }),
      );
      const model = new Map<string, string>();
      for (const each of steps) {
        if (each.kind === "remove") {
          await inventory.remove(each.name);
          model.delete(each.name);
          continue;
        }
        await inventory.replace(resourceOf(each));
        if (!each.isBad) {
          model.set(each.name, each.type);
        } else if (model.get(each.name) !== each.type) {
          model.delete(each.name);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(new Map(inventory.components().map((component) => [component.name, component.type]))).toEqual(model);
      expect([inventory.state, inventory.pubsub, inventory.lock].reduce((sum, { size }) => sum + size, 0)).toBe(
        model.size,
      );
      expect(open.size).toBe(model.size);
      await inventory.close();
      expect(open.size).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    }),
  );
});
