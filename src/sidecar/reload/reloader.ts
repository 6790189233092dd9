import type { ChangedResource, ReloadState } from "../../inventory/types.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { DuplicateResourceError } from "../../resources/error.ts";
import { diffResources, type ResourceDiff } from "../../resources/resource-diff.ts";
import type { Resource } from "../../resources/resource.ts";
import type { LoadedResources } from "../../resources/types.ts";
import type { ComponentChange, ComponentChanges } from "./component-changes.ts";
import { keepBroken } from "./keep-broken.ts";
import type { ResourcesInUse } from "../resources-in-use.ts";
import type { ResourceSource, SourceWatch } from "./resource-source.ts";
import { readSettled } from "./settled-reading.ts";

/** Who follows changes of one kind in place. Throwing leaves the change out, which is told.*/
export interface KindTarget<R extends Resource> {
  put(resource: R, isNew: boolean): Promise<void>;
  remove(resource: R): Promise<void>;
}

export interface ReloadTargets {
  readonly components: Pick<ComponentChanges, "apply">;
  readonly subscriptions: KindTarget<LoadedResources["subscriptions"][number]>;
  readonly httpEndpoints: KindTarget<LoadedResources["httpEndpoints"][number]>;
  /** All that there are from now on. */
  resiliencies(resources: LoadedResources["resiliencies"]): Promise<void>;
  /** Told after components have changed. Throwing leaves what depends on them as it was, which is told. */
  componentsChanged(changed: readonly ComponentResource[]): Promise<void>;
  /** Whether the Configuration files say something else than what the sidecar runs with. @throws Error when they cannot be read */
  configurationChanged(): Promise<boolean>;
  /** Starts the sidecar anew; undefined: its owner has to. */
  readonly restart: (() => void) | undefined;
  /** The sidecar cannot go on; undefined: it does, with what it has, and its owner tells what is wrong. */
  readonly fail: ((error: unknown) => void) | undefined;
}

/** What one comparison comes to. */
interface Round {
  readonly changed: ChangedResource[];
  readonly problems: string[];
}

export interface ReloaderOptions {
  readonly source: ResourceSource;
  readonly targets: ReloadTargets;
  /** What the sidecar was started with; kept up to date. */
  readonly resources: ResourcesInUse;
  /** Between two complete comparisons, whether anything was noticed or not. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: { reloaded(success: boolean): void } | undefined;
}

const NOTHING_YET: ReloadState = { rounds: 0, changes: 0, changed: [], problems: [] };

/**
 * Follows the resources while the sidecar runs: reads them, compares them with what is in use by meaning, and changes only
 * what is not the same. One round at a time.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #logger: Logger;
  readonly #resources: ResourcesInUse;
  #watch: SourceWatch | undefined;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  /** A comparison that has not begun. */
  #waiting: Promise<void> | undefined;
  #closed = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#resources = options.resources;
    this.#resources.reload = NOTHING_YET;
    this.#resources.reloadNow = () => this.reload();
    this.#logger = options.logger.scope("dapr.runtime.hotreload.reconciler");
  }

  start(): void {
    const { source, clock, intervalMs } = this.#options;
    this.#logger.info(
      "Hot reloading enabled. Daprd will reload 'Component', 'Subscription', 'Configuration', 'HTTPEndpoint' and 'Resiliency' resources when they are added, updated or deleted.",
    );
    this.#watch = source.watch(() => this.#next());
    this.#timer = clock.every(intervalMs, () => void this.#watch?.look());
  }

  /** Compares now. Resolves when everything that has changed is in use, or has been refused. */
  async reload(): Promise<ReloadState> {
    await this.#next();
    return this.#state();
  }

  /** Nothing begins any more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#watch?.close();
    await this.#round;
  }

  /** However many ask while a comparison is under way, one more follows it. */
  #state(): ReloadState {
    return this.#resources.reload ?? NOTHING_YET;
  }

  #next(): Promise<void> {
    this.#waiting ??= this.#round.then(async () => {
      this.#waiting = undefined;
      if (!this.#closed) {
        await this.#run();
      }
    });
    this.#round = this.#waiting;
    return this.#round;
  }

  async #run(): Promise<void> {
    const { clock, observer, source } = this.#options;
    const round: Round = { changed: [], problems: [] };
    const { problems } = round;
    let changes = 0;
    try {
      const read = keepBroken(this.#resources.current, await readSettled(source, this.#resources.current, clock));
      problems.push(...read.problems.map(({ message }) => message));
      changes = await this.#apply(read, round);
    } catch (error) {
      problems.push(errorMessage(error));
      const { fail } = this.#options.targets;
      if (error instanceof DuplicateResourceError && fail !== undefined && !this.#closed) {
        // It is not said which one counts.
        fail(new Error(`failed to load resources from disk: ${error.message}`, { cause: error }));
      } else {
        this.#complain(`Resources stay as they are: ${errorMessage(error)}`);
      }
    }
    if (changes > 0 || problems.length > 0) {
      observer?.reloaded(problems.length === 0);
    }
    const { rounds, changes: before, lastChangeMs } = this.#state();
    const changedMs = changes > 0 ? clock.now() : lastChangeMs;
    this.#resources.reload = {
      rounds: rounds + 1,
      changes: before + changes,
      ...round,
      ...(changedMs === undefined ? {} : { lastChangeMs: changedMs }),
    };
  }

  async #apply(read: LoadedResources, round: Round): Promise<number> {
    const { targets } = this.#options;
    const { problems } = round;
    const before = this.#resources.current;
    const configurations = diffResources(before.configurations, read.configurations);
    if (await this.#followConfigurations(configurations, problems)) {
      return countOf(configurations);
    }
    const resiliencies = diffResources(before.resiliencies, read.resiliencies);
    const components = diffResources(before.components, read.components);
    const httpEndpoints = diffResources(before.httpEndpoints, read.httpEndpoints);
    const subscriptions = diffResources(before.subscriptions, read.subscriptions);
    this.#resources.current = read;
    if (countOf(resiliencies) > 0) {
      this.#tell("Resiliency", resiliencies, "applied in place");
      await targets.resiliencies(read.resiliencies);
      round.changed.push(...changesOf("Resiliency", resiliencies));
    }
    let changed: readonly ComponentChange[];
    try {
      changed = await targets.components.apply(read.components);
    } catch (error) {
      problems.push(errorMessage(error));
      if (!this.#closed) {
        targets.fail?.(error);
      }
      return countOf(components);
    }
    for (const { resource, change, isInEffect } of changed) {
      if (isInEffect) {
        round.changed.push({ kind: "Component", name: resource.name, change });
      }
    }
    await this.#followComponents(
      changed.map(({ resource }) => resource),
      problems,
    );
    this.#tell("HTTPEndpoint", httpEndpoints, "applied in place");
    await this.#follow("HTTPEndpoint", httpEndpoints, targets.httpEndpoints, round);
    await this.#followSubscriptions(subscriptions, round);
    return [configurations, resiliencies, components, httpEndpoints, subscriptions].reduce(
      (sum, diff) => sum + countOf(diff),
      0,
    );
  }

  /** @returns true when the sidecar starts anew, by which everything is read again */
  async #followConfigurations(diff: ResourceDiff<Resource>, problems: string[]): Promise<boolean> {
    if (countOf(diff) === 0) {
      return false;
    }
    const { targets } = this.#options;
    let isInEffect = false;
    try {
      isInEffect = await targets.configurationChanged();
    } catch (error) {
      problems.push(errorMessage(error));
      this.#complain(`The Configuration stays as it is: ${errorMessage(error)}`);
    }
    if (!isInEffect) {
      this.#tell("Configuration", diff, "nothing to reload: no file given as --config says anything new");
      return false;
    }
    if (targets.restart === undefined) {
      this.#tell("Configuration", diff, "counts from the next start of the sidecar");
      return false;
    }
    this.#tell("Configuration", diff, "triggering SIGHUP reload");
    targets.restart();
    return true;
  }

  async #followComponents(changed: readonly ComponentResource[], problems: string[]): Promise<void> {
    if (changed.length === 0) {
      return;
    }
    try {
      await this.#options.targets.componentsChanged(changed);
    } catch (error) {
      problems.push(errorMessage(error));
      this.#complain(`What depends on changed components stays as it is: ${errorMessage(error)}`);
    }
  }

  async #followSubscriptions(
    diff: ResourceDiff<LoadedResources["subscriptions"][number]>,
    round: Round,
  ): Promise<void> {
    for (const { name } of diff.updated) {
      this.#logger.info(`Closing existing Subscription to reload: ${name}`);
    }
    for (const { name } of [...diff.updated, ...diff.created]) {
      this.#logger.info(`Adding Subscription for processing: ${name}`);
    }
    await this.#follow("Subscription", diff, this.#options.targets.subscriptions, round);
    for (const { name } of [...diff.updated, ...diff.created]) {
      this.#logger.info(`Subscription updated: ${name}`);
    }
  }

  async #follow<R extends Resource>(
    kind: string,
    { deleted, updated, created }: ResourceDiff<R>,
    target: KindTarget<R>,
    { changed, problems }: Round,
  ): Promise<void> {
    const changes: readonly (readonly [R, ChangedResource["change"], () => Promise<void>])[] = [
      ...deleted.map((resource) => [resource, "removed", () => target.remove(resource)] as const),
      ...updated.map((resource) => [resource, "changed", () => target.put(resource, false)] as const),
      ...created.map((resource) => [resource, "added", () => target.put(resource, true)] as const),
    ];
    for (const [{ name, origin }, change, bring] of changes) {
      try {
        await bring();
        changed.push({ kind, name, change });
      } catch (error) {
        const text = `${origin.file}:${origin.line}: the change of ${kind} ${name} is not in effect: ${errorMessage(error)}`;
        problems.push(text);
        this.#complain(text);
      }
    }
  }

  #complain(text: string): void {
    const { fail } = this.#options.targets;
    if (fail === undefined) {
      this.#logger.info(text);
    } else {
      this.#logger.error(text);
    }
  }

  #tell(kind: string, { deleted, updated, created }: ResourceDiff<Resource>, outcome: string): void {
    const events = [
      ["DELETED", deleted],
      ["UPDATED", updated],
      ["CREATED", created],
    ] as const;
    for (const [event, resources] of events) {
      for (const resource of resources) {
        this.#logger.info(`Received ${kind} ${event} event: ${logNameOf(resource)} - ${outcome}`);
      }
    }
  }
}

function logNameOf(resource: Resource & { readonly logName?: string }): string {
  return resource.logName ?? resource.name;
}

function changesOf(kind: string, diff: ResourceDiff<Resource>): readonly ChangedResource[] {
  return [
    ...diff.deleted.map(({ name }) => ({ kind, name, change: "removed" }) as const),
    ...diff.updated.map(({ name }) => ({ kind, name, change: "changed" }) as const),
    ...diff.created.map(({ name }) => ({ kind, name, change: "added" }) as const),
  ];
}

function countOf({ deleted, updated, created }: ResourceDiff<Resource>): number {
  return deleted.length + updated.length + created.length;
}
