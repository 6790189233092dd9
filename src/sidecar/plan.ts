import type { AppPassage } from "../app/app-passage.ts";
import type { AppChannel } from "../app/types.ts";
import type { AccessCheck } from "../blocks/invocation/access-check.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { Health } from "../blocks/control/health.ts";
import type { MetadataBlock } from "../blocks/control/metadata.ts";
import type { MiddlewarePipeline } from "../components/spi/middleware.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Resiliency } from "../resiliency/types.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { WorkloadIdentity } from "../security/identity.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
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
  /** Who the sidecar is to its peers; undefined: they speak in plain text. */
  readonly identity?: WorkloadIdentity | undefined;
  /** Undefined until it is known what the Configuration says of it. */
  readonly tracing?: Tracing | undefined;
  /** Aborted when the sidecar is stopped while it starts. */
  readonly signal: AbortSignal;
  /** The sidecar cannot go on after it has started, for this reason. */
  fail(error: unknown): void;
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
  /** `spec.httpPipeline`; undefined: none is configured. */
  readonly pipeline: MiddlewarePipeline | undefined;
  /** The ways of proxied gRPC calls. */
  readonly passages: {
    readonly app: AppPassage | undefined;
    readonly mesh: Mesh;
    readonly resiliency: Resiliency;
    readonly access: AccessCheck | undefined;
  };
}
