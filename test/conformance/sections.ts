import { describe, expect, test } from "vitest";
import type { Component, ComponentManifest } from "../../src/components/spi/component.ts";

/** The methods that each capability of a family stands for; empty where a capability changes only what methods do. */
export type CapabilityMethods<T extends Component> = Readonly<Record<string, readonly (keyof T)[]>>;

/**
 * The sections of a suite, one for each capability of its family, run where `declared` (by default the manifest) names
 * it. Adds the case that what is declared, the methods an instance has, and the sections agree. `open` gives an
 * initialised instance; whoever opens it closes it.
 */
export function capabilitySections<T extends Component>(
  manifest: ComponentManifest<T>,
  methods: CapabilityMethods<T>,
  open: () => T,
  declared: readonly string[] = manifest.capabilities,
) {
  const sections: string[] = [];

  test("capabilities, methods and sections agree", () => {
    const instance = open();
    expect(new Set(sections)).toEqual(new Set(Object.keys(methods)));
    expect(Object.keys(methods)).toEqual(expect.arrayContaining([...declared]));
    expect(new Set(instance.capabilities ?? manifest.capabilities)).toEqual(new Set(declared));
    for (const [capability, names] of Object.entries(methods)) {
      for (const name of names) {
        expect(instance[name] !== undefined, `${capability}: ${String(name)}`).toBe(declared.includes(capability));
      }
    }
  });

  return (capability: string, cases: () => void): void => {
    sections.push(capability);
    describe.runIf(declared.includes(capability))(capability, cases);
  };
}
