import type { AppPassage } from "../app/app-passage.ts";
import type { AppChannel } from "../app/types.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { Health } from "../blocks/control/health.ts";
import type { MetadataBlock } from "../blocks/control/metadata.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Resiliency } from "../resiliency/types.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { InternalPort } from "./internal-port.ts";
import type { Listeners } from "./listeners.ts";
import type { SidecarOptions } from "./options.ts";
import type { SidecarBlocks, SidecarDeps } from "./types.ts";

/** What one run of a sidecar is put together from. */
export interface AssemblyPlan {
  readonly options: SidecarOptions;
  readonly deps: SidecarDeps;
  readonly health: Health;
  control(metadata: MetadataBlock): ControlBlock;
  /** Aborted when the sidecar is stopped while it starts. */
  readonly signal: AbortSignal;
}

/** What its doors are made of. */
export interface DoorsPlan {
  readonly plan: AssemblyPlan;
  readonly configuration: Configuration;
  readonly metrics: RuntimeMetrics | undefined;
  readonly blocks: SidecarBlocks;
  readonly listeners: Listeners;
  readonly internalPort: InternalPort | undefined;
  /** Where changes of configuration are told. */
  readonly appChannel: AppChannel | undefined;
  /** The ways of proxied gRPC calls. */
  readonly passages: {
    readonly app: AppPassage | undefined;
    readonly mesh: Mesh;
    readonly resiliency: Resiliency;
  };
}
