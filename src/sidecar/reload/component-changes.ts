import type { ChangedResource, Inventory } from "../../inventory/types.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { diffResources } from "../../resources/resource-diff.ts";

type Components = Pick<Inventory, "replace" | "remove">;

/** What was tried for a component, and whether it is in use. */
export interface ComponentChange {
  readonly resource: ComponentResource;
  readonly change: ChangedResource["change"];
  readonly isInEffect: boolean;
}

/** The one component that may keep actors is asked for by the presence of the field: its value may be a secret. */
const ACTOR_STORE_FIELD = "actorstatestore";

/** Brings what is loaded in line with what is wanted, one component after the other. */
export class ComponentChanges {
  readonly #components: Components;
  readonly #logger: Logger;
  /** What the inventory was last told, whether it came up or not. */
  readonly #applied: Map<string, ComponentResource>;
  /** A second store for actors, by which it was left out; told once. */
  #skipped: ComponentResource | undefined;

  constructor(components: Components, loaded: readonly ComponentResource[], logger: Logger) {
    this.#components = components;
    this.#logger = logger;
    this.#applied = new Map(loaded.map((resource) => [resource.name, resource]));
  }

  /**
   * Removals first, so that names and the place of the actor store are free; then secret stores, which others may wait for.
   * @returns what was added, replaced or removed, or was to be
   * @throws ComponentInitError for one that the sidecar may not run without
   */
  async apply(wanted: readonly ComponentResource[]): Promise<readonly ComponentChange[]> {
    const { deleted, updated, created } = diffResources([...this.#applied.values()], wanted);
    const changed: ComponentChange[] = [];
    for (const resource of deleted) {
      this.#logger.debug(`Received Component deletion, closing: ${resource.logName}`);
      this.#applied.delete(resource.name);
      await this.#components.remove(resource.name);
      this.#logger.info(`Component removed: ${resource.logName}`);
      changed.push({ resource, change: "removed", isInEffect: true });
    }
    const skipped: ComponentResource[] = [];
    for (const resource of secretStoresFirst([...updated, ...created])) {
      if (this.#actorStoreBeside(resource) === undefined) {
        changed.push(await this.#load(resource));
      } else {
        skipped.push(resource);
      }
    }
    for (const resource of skipped) {
      const change = await this.#loadSkipped(resource);
      if (change !== undefined) {
        changed.push(change);
      }
    }
    if (skipped.length === 0) {
      this.#skipped = undefined;
    }
    return changed;
  }

  async #load(resource: ComponentResource): Promise<ComponentChange> {
    const known = this.#applied.get(resource.name);
    if (known !== undefined) {
      this.#logger.info(`Closing existing Component to reload: ${known.logName}`);
    }
    this.#logger.info(`Adding Component for processing: ${resource.logName}`);
    this.#applied.set(resource.name, resource);
    const isInEffect = (await this.#components.replace(resource)) === "replaced";
    if (isInEffect) {
      this.#logger.info(`Component updated: ${resource.logName}`);
    }
    return { resource, change: known === undefined ? "added" : "changed", isInEffect };
  }

  /** What was changed before may have made room. */
  async #loadSkipped(resource: ComponentResource): Promise<ComponentChange | undefined> {
    const current = this.#actorStoreBeside(resource);
    if (current === undefined) {
      this.#logger.info(`Applying previously skipped actor state store: ${resource.logName}`);
      return await this.#load(resource);
    }
    if (this.#skipped !== resource) {
      this.#skipped = resource;
      this.#logger.error(
        `Skipping hot reload of ${resource.logName}: ${current} is already the actor state store, only one actor state store is allowed. The component will be applied if ${current} is removed`,
      );
    }
    return undefined;
  }

  /** The name of another store that is for actors, where this one would be too. */
  #actorStoreBeside(resource: ComponentResource): string | undefined {
    if (!isForActors(resource)) {
      return undefined;
    }
    for (const other of this.#applied.values()) {
      if (other.name !== resource.name && isForActors(other)) {
        return other.name;
      }
    }
    return undefined;
  }
}

function isForActors({ type, metadata }: ComponentResource): boolean {
  return type.startsWith("state.") && metadata.some(({ name }) => name.toLowerCase() === ACTOR_STORE_FIELD);
}

function secretStoresFirst(resources: readonly ComponentResource[]): readonly ComponentResource[] {
  const isSecretStore = ({ type }: ComponentResource): boolean => type.startsWith("secretstores.");
  return [...resources.filter(isSecretStore), ...resources.filter((resource) => !isSecretStore(resource))];
}
