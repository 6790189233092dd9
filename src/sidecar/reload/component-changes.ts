import type { Inventory } from "../../inventory/types.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { diffResources } from "../../resources/resource-diff.ts";

type Components = Pick<Inventory, "replace" | "remove">;

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
   * @returns the resources that were added, replaced or removed
   * @throws ComponentInitError for one that the sidecar may not run without
   */
  async apply(wanted: readonly ComponentResource[]): Promise<readonly ComponentResource[]> {
    const { deleted, updated, created } = diffResources([...this.#applied.values()], wanted);
    const changed: ComponentResource[] = [];
    for (const resource of deleted) {
      this.#logger.debug(`Received Component deletion, closing: ${resource.logName}`);
      this.#applied.delete(resource.name);
      await this.#components.remove(resource.name);
      this.#logger.info(`Component removed: ${resource.logName}`);
      changed.push(resource);
    }
    const skipped: ComponentResource[] = [];
    for (const resource of secretStoresFirst([...updated, ...created])) {
      if (this.#actorStoreBeside(resource) === undefined) {
        await this.#load(resource);
        changed.push(resource);
      } else {
        skipped.push(resource);
      }
    }
    for (const resource of skipped) {
      if (await this.#loadSkipped(resource)) {
        changed.push(resource);
      }
    }
    if (skipped.length === 0) {
      this.#skipped = undefined;
    }
    return changed;
  }

  async #load(resource: ComponentResource): Promise<void> {
    const known = this.#applied.get(resource.name);
    if (known !== undefined) {
      this.#logger.info(`Closing existing Component to reload: ${known.logName}`);
    }
    this.#logger.info(`Adding Component for processing: ${resource.logName}`);
    this.#applied.set(resource.name, resource);
    if ((await this.#components.replace(resource)) === "replaced") {
      this.#logger.info(`Component updated: ${resource.logName}`);
    }
  }

  /** What was changed before may have made room. */
  async #loadSkipped(resource: ComponentResource): Promise<boolean> {
    const current = this.#actorStoreBeside(resource);
    if (current === undefined) {
      this.#logger.info(`Applying previously skipped actor state store: ${resource.logName}`);
      await this.#load(resource);
      return true;
    }
    if (this.#skipped !== resource) {
      this.#skipped = resource;
      this.#logger.error(
        `Skipping hot reload of ${resource.logName}: ${current} is already the actor state store, only one actor state store is allowed. The component will be applied if ${current} is removed`,
      );
    }
    return false;
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
