import type { ComponentResource } from "../resources/component.ts";

/** Components that wait for a secret store. */
export class Parked {
  readonly #byStore = new Map<string, ComponentResource[]>();

  /** In the place of another one of its name. */
  add(resource: ComponentResource, secretStore: string): void {
    const others = (this.#byStore.get(secretStore) ?? []).filter(({ name }) => name !== resource.name);
    this.#byStore.set(secretStore, [...others, resource]);
  }

  /** All that wait for the store, which then do so no longer. */
  take(secretStore: string): readonly ComponentResource[] {
    const dependents = this.#byStore.get(secretStore) ?? [];
    this.#byStore.delete(secretStore);
    return dependents;
  }

  forget(name: string): void {
    for (const waiting of this.#byStore.values()) {
      const at = waiting.findIndex((resource) => resource.name === name);
      if (at !== -1) {
        waiting.splice(at, 1);
      }
    }
  }
}
