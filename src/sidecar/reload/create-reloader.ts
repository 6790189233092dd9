import { isDeepStrictEqual } from "node:util";
import type { Subscriptions } from "../../blocks/pubsub/subscriptions.ts";
import type { Inventory } from "../../inventory/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { createResiliency } from "../../resiliency/resiliency.ts";
import { type Configuration, loadConfiguration } from "../../resources/configuration.ts";
import type { LoadedResources } from "../../resources/types.ts";
import { RECONCILE_MS_DEFAULT } from "../options.ts";
import { loadEndpoint, type Outgoing } from "../outgoing.ts";
import type { Foundation } from "../plan.ts";
import { subscriptionSpec } from "../subscription-spec.ts";
import { ComponentChanges } from "./component-changes.ts";
import { Reloader, type ReloadTargets } from "./reloader.ts";
import { fileSource } from "./resource-source.ts";

/** What changes of resources reach. */
export interface ReloadParts {
  readonly inventory: Inventory;
  readonly subscriptions: Subscriptions;
  readonly outgoing: Outgoing;
}

/** Whether changes can come while the sidecar runs: only then calls of components are counted. */
export function followsResources({ options, configuration }: Foundation): boolean {
  return configuration.enabledFeatures.includes("HotReload") && options.resourcesPaths.length > 0;
}

/** Undefined where the Configuration switches the feature off, and where there are no folders. */
export function createReloader(base: Foundation, parts: ReloadParts): Reloader | undefined {
  const { options, deps } = base;
  if (!followsResources(base)) {
    return undefined;
  }
  return new Reloader({
    ...deps,
    source: fileSource({ ...deps, paths: options.resourcesPaths, namespace: options.namespace, appId: options.appId }),
    targets: targetsOf(base, parts),
    resources: base.resources,
    intervalMs: options.hotReload?.reconcileMs ?? RECONCILE_MS_DEFAULT,
    observer: base.metrics?.reload,
  });
}

function targetsOf(base: Foundation, parts: ReloadParts): ReloadTargets {
  const { options, deps, signal, configuration, resiliency, metrics } = base;
  const { inventory, subscriptions, outgoing } = parts;
  const initial = base.resources.current;
  const logger = deps.logger.scope("dapr.runtime.hotreload.reconciler");
  const components = {
    replace: (resource: LoadedResources["components"][number]) => inventory.replace(resource, signal),
    remove: (name: string) => inventory.remove(name),
  };
  const endpoints = new Map(initial.httpEndpoints.map((endpoint) => [endpoint.name, endpoint]));
  return {
    components: new ComponentChanges(components, initial.components, logger),
    subscriptions: {
      put: (resource) => subscriptions.declare(resource.name, subscriptionSpec(resource), resource.origin),
      remove: ({ name }) => subscriptions.undeclare(name),
    },
    httpEndpoints: {
      async put(resource) {
        await loadEndpoint(outgoing, base, resource, inventory);
        endpoints.set(resource.name, resource);
      },
      async remove({ name }) {
        endpoints.delete(name);
        outgoing.endpoints.unload(name);
      },
    },
    async resiliencies(documents) {
      const next = await createResiliency({
        ...deps,
        documents,
        logger: deps.logger.scope("dapr.runtime"),
        observer: metrics?.resiliency,
      });
      resiliency.exchange(next);
    },
    async componentsChanged(changed) {
      const stores = new Set(changed.filter(({ type }) => type.startsWith("secretstores.")).map(({ name }) => name));
      const failures: string[] = [];
      for (const endpoint of endpoints.values()) {
        if (stores.has(endpoint.secretStore)) {
          try {
            await loadEndpoint(outgoing, base, endpoint, inventory);
          } catch (error) {
            failures.push(`HTTPEndpoint ${endpoint.name}: ${errorMessage(error)}`);
          }
        }
      }
      if (failures.length > 0) {
        throw new Error(failures.join("; "));
      }
    },
    async configurationChanged() {
      const current = await loadConfiguration(options.configPaths, deps.environment);
      return !isDeepStrictEqual(meaningOf(current), meaningOf(configuration));
    },
    restart: deps.restart,
    fail: deps.componentFailures === "keep" ? undefined : base.fail,
  };
}

/** Where sections are written does not matter. */
function meaningOf(configuration: Configuration): unknown {
  return { ...configuration, sections: undefined };
}
