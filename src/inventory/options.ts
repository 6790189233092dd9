import type { Component, ComponentDeps, ComponentManifest } from "../components/spi/component.ts";
import type { InventoryObserver, Loaded } from "./types.ts";

export interface InventoryOptions extends Omit<ComponentDeps, "name" | "report"> {
  /** The component types this sidecar can load. */
  readonly manifests: readonly ComponentManifest[];
  /** Empty: not running in a pod. */
  readonly podName: string;
  /** `spec.components.deny` of the Configuration. */
  readonly denied: readonly string[];
  /** `spec.wasm.strictSandbox` of the Configuration: WebAssembly components get neither a real clock nor real randomness. */
  readonly strictSandbox?: boolean;
  readonly observer?: InventoryObserver;
  /** Components may be replaced while they are in use: calls under way are counted. Absent: they are closed at once. */
  readonly drains?: boolean | undefined;
  /**
   * `keep`: a component that does not come up is left out and tried again as if it said `ignoreErrors`, and the owner
   * tells it from the conditions, so that the log does not. `stop` when absent: loading fails.
   */
  readonly componentFailures?: "stop" | "keep" | undefined;
  /** Called between a component's `init` and its first use; throwing refuses it as if `init` had failed. */
  readonly admit?: (loaded: Loaded<Component>) => void;
}
