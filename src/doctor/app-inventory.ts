import { createInventory } from "../inventory/inventory.ts";
import type { Inventory } from "../inventory/types.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { COMPONENT_MANIFESTS } from "../sidecar/families.ts";
import type { PlannedApp } from "./set-up.ts";
import type { DoctorWorld } from "./world.ts";

/** Where components of an app can be brought up as its sidecar would; one that fails leaves the others as they are. */
export function appInventory(app: PlannedApp, { clock, random }: Pick<DoctorWorld, "clock" | "random">): Inventory {
  return createInventory({
    appId: app.appId,
    namespace: app.options.namespace,
    podName: app.environment["POD_NAME"] ?? "",
    environment: app.environment,
    directory: app.directory,
    logger: silentLogger,
    clock,
    random,
    shared: { acquire: (_key, create) => create() },
    manifests: COMPONENT_MANIFESTS,
    denied: [],
    componentFailures: "keep",
  });
}
