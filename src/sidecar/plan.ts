import type { AccessCheck } from "../blocks/invocation/access-check.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { Health } from "../blocks/control/health.ts";
import type { MetadataBlock } from "../blocks/control/metadata.ts";
import type { ChangingResiliency } from "../resiliency/changing-resiliency.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { WorkloadIdentity } from "../security/identity.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import type { Listeners } from "./listeners.ts";
import type { SidecarOptions } from "./options.ts";
import type { ResourcesInUse } from "./resources-in-use.ts";
import type { SidecarDeps } from "./types.ts";

/** What one run of a sidecar is put together from. */
export interface AssemblyPlan {
  readonly options: SidecarOptions;
  readonly deps: SidecarDeps;
  readonly health: Health;
  control(metadata: MetadataBlock): ControlBlock;
  /** Aborted when the sidecar is stopped while it starts. */
  readonly signal: AbortSignal;
  /** The sidecar cannot go on after it has started, for this reason. */
  fail(error: unknown): void;
}

/** What everything else of a run stands on: what was written for it, who it is, and what it tells of itself. */
export interface Foundation extends AssemblyPlan {
  readonly configuration: Configuration;
  readonly resources: ResourcesInUse;
  /** Undefined: switched off. */
  readonly metrics: RuntimeMetrics | undefined;
  /** Undefined where all callers may do everything. */
  readonly access: AccessCheck | undefined;
  /** Who the sidecar is to its peers; undefined: they speak in plain text. */
  readonly identity: WorkloadIdentity | undefined;
  readonly tracing: Tracing;
  readonly resiliency: ChangingResiliency;
  readonly listeners: Listeners;
}
