import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { InventoryOptions } from "./options.ts";
import { createSharedScope } from "./shared-scope.ts";

/** What an inventory of the app `app` is made of, on a clock that stands still; a test adds what it is about. */
export function inventoryOptions(
  facts: Partial<InventoryOptions> & Pick<InventoryOptions, "manifests">,
): InventoryOptions {
  return {
    clock: new VirtualClock(),
    appId: "app",
    namespace: "",
    podName: "",
    denied: [],
    environment: {},
    logger: silentLogger,
    random: { uuid: () => "uuid", bytes: (length) => new Uint8Array(length), next: () => 0.5 },
    shared: createSharedScope(),
    ...facts,
  };
}
