import fc from "fast-check";
import { expect, test } from "vitest";
import type { ComponentResource } from "./component.ts";
import { diffResources, isSameResource } from "./resource-diff.ts";

const pair = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  value: fc.constantFrom("1", "2"),
  secretKeyRef: fc.constant(undefined),
  envRef: fc.constant(""),
});

const component: fc.Arbitrary<ComponentResource> = fc.record({
  name: fc.constantFrom("one", "two", "three", "four"),
  type: fc.constantFrom("state.a", "state.b"),
  version: fc.constant("v1"),
  namespace: fc.constant(""),
  scopes: fc.subarray(["app", "other"]),
  ignoreErrors: fc.boolean(),
  initTimeoutMs: fc.constant(5_000),
  metadata: fc.uniqueArray(pair, { selector: ({ name }) => name }),
  secretStore: fc.constant(""),
  logName: fc.constant(""),
  origin: fc.record({ file: fc.constantFrom("a.yaml", "b.yaml"), line: fc.nat(100) }),
});
const reading = fc.array(component, { maxLength: 8 });

const finalOf = (resources: readonly ComponentResource[]): Map<string, ComponentResource> =>
  new Map(resources.map((resource) => [resource.name, resource]));

test("what is applied to the first reading gives the second", () => {
  fc.assert(
    fc.property(reading, reading, (before, after) => {
      const { deleted, updated, created } = diffResources(before, after);
      const current = finalOf(before);
      for (const { name } of deleted) {
        expect(current.delete(name)).toBe(true);
      }
      for (const resource of updated) {
        expect(current.has(resource.name)).toBe(true);
        current.set(resource.name, resource);
      }
      for (const resource of created) {
        expect(current.has(resource.name)).toBe(false);
        current.set(resource.name, resource);
      }
      const wanted = finalOf(after);
      expect(new Set(current.keys())).toEqual(new Set(wanted.keys()));
      for (const [name, resource] of wanted) {
        const applied = current.get(name);
        expect(applied !== undefined && isSameResource(applied, resource)).toBe(true);
      }
    }),
  );
});

test("order, place, scopes and the order of metadata are no change", () => {
  fc.assert(
    fc.property(reading, fc.func(fc.nat()), (before, rank) => {
      const moved = [...finalOf(before).values()]
        .toSorted((a, b) => rank(a) - rank(b))
        .map((resource, line) => ({
          ...resource,
          origin: { file: "moved.yaml", line },
          scopes: ["app", "more"],
          metadata: resource.metadata.toReversed(),
        }));
      expect(diffResources(before, moved)).toEqual({ deleted: [], updated: [], created: [] });
    }),
  );
});

test("a difference in meaning is a change", () => {
  fc.assert(
    fc.property(component, component, (one, other) => {
      const meaning = ({ name, type, ignoreErrors, metadata }: ComponentResource): string =>
        JSON.stringify([name, type, ignoreErrors, metadata.toSorted((a, b) => (a.name < b.name ? -1 : 1))]);
      expect(isSameResource(one, other)).toBe(meaning(one) === meaning(other));
    }),
  );
});
