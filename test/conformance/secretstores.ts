import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { Secret, SecretStore } from "../../src/components/spi/secret-store.ts";
import { type CapabilityMethods, capabilitySections } from "./sections.ts";

/** How a secret store is brought up for the suite. Stores are read-only for the runtime, so they hold their secrets before. */
export interface SecretStoresConformance {
  readonly manifest: ComponentManifest<SecretStore>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  /** Exactly what the store holds; at least two secrets. */
  readonly secrets: Readonly<Record<string, Secret>>;
  /** What the store says of a secret that is not there: an error text, or an empty value. */
  readonly missing: { readonly error: (name: string) => string } | "empty";
}

const MULTIPLE = "MULTIPLE_KEY_VALUES_PER_SECRET";

const METHODS: CapabilityMethods<SecretStore> = { [MULTIPLE]: [] };

/** The contract of a secret store as cases. */
export function secretStoresConformance({ manifest, deps, metadata, secrets, missing }: SecretStoresConformance): void {
  /** Secrets whose parts have names of their own; a store can hang on its metadata whether it has such. */
  const several = Object.entries(secrets).filter(([name, secret]) => Object.keys(secret).some((part) => part !== name));

  describe(`${manifest.type} keeps the contract of secret stores`, () => {
    let store: SecretStore;

    beforeEach(async () => {
      store = (await manifest.load())(deps);
      await store.init(metadata, new AbortController().signal);
    });

    afterEach(async () => {
      await store.close();
    });

    const section = capabilitySections(manifest, METHODS, () => store, several.length > 0 ? [MULTIPLE] : []);

    test("a second close is harmless, and so is one without init", async () => {
      await store.close();
      await store.close();
      await (await manifest.load())(deps).close();
    });

    test("each secret is got by its name", async () => {
      expect(Object.keys(secrets).length).toBeGreaterThan(1);
      for (const [name, secret] of Object.entries(secrets)) {
        expect(await store.getSecret(name, {})).toEqual(secret);
      }
    });

    test("all are got at once", async () => {
      expect(await store.bulkGetSecret({})).toEqual(secrets);
    });

    test("a secret that is not there is an error, or empty where Dapr's store says so", async () => {
      const secret = store.getSecret("no-such-secret", {});
      await (missing === "empty"
        ? expect(secret).resolves.toEqual({ "no-such-secret": "" })
        : expect(secret).rejects.toMatchObject({ name: "ComponentError", message: missing.error("no-such-secret") }));
    });

    test("names that objects have of themselves are no secrets", async () => {
      for (const name of ["constructor", "__proto__", "toString"]) {
        const secret = await store.getSecret(name, {}).catch(() => ({}));
        expect(Object.values(secret).join("")).toBe("");
      }
    });

    test("reading twice gives the same", async () => {
      const [name = ""] = Object.keys(secrets);
      const [one, two] = await Promise.all([store.getSecret(name, {}), store.getSecret(name, {})]);
      expect(one).toEqual(two);
    });

    section(MULTIPLE, () => {
      test("a secret has its parts under their own names", async () => {
        for (const [name, secret] of several) {
          expect(Object.entries(await store.getSecret(name, {}))).toEqual(Object.entries(secret));
        }
      });
    });
  });
}
