import type { HealthTarget } from "../../blocks/control/health.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { Transport } from "../../net/h2/transport.ts";
import type { LeveledLogger } from "../../telemetry/log/logger.ts";
import type { ProcessFacts } from "../../telemetry/metrics/process-metrics.ts";
import type { MetricRegistry } from "../../telemetry/metrics/registry.ts";

/** What a role is given of the process it runs in. */
export interface RoleDeps {
  /** Of the role's own scope (`dapr.placement`). */
  readonly logger: LeveledLogger;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  /** Absent: no `process_*` metrics. */
  readonly process?: ProcessFacts;
  /** Where `OTEL_*` is read; absent: the role is not traced. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** The role's name in traces: `dapr-placement`. */
  readonly serviceName?: string | undefined;
}

/** Dapr's flags that every role has. Ports may be 0 for any free one; an empty host is every interface. */
export interface RoleSettings {
  readonly healthPort: number;
  readonly healthListenAddress: string;
  readonly metricsEnabled: boolean;
  readonly metricsPort: number;
  readonly metricsListenAddress: string;
}

/** A page of the health server besides `/healthz`: JSON text, or an error whose message is answered with 500. */
export type HealthPage = () => string;

/** What a role finds ready when it starts. */
export interface RoleContext extends RoleDeps {
  /** Aborted when the role is to stop, which may be before its start is over: the start then throws the reason. */
  readonly stopping: CancelSignal;
  /** Rendered on the metrics port under the prefix `dapr_`. */
  readonly metrics: MetricRegistry;
  /** `/healthz` is 200 once every target is ready. */
  addHealthTarget(name: string): HealthTarget;
  addHealthPage(path: string, page: HealthPage): void;
  /** Absent: the role has no spans. */
  readonly tracer?: Tracer | undefined;
}

/** A role's own part while it runs. */
export interface RoleService {
  /** Rejects with what ended it from inside; never resolves before `stop`. */
  readonly failed: Promise<never>;
  /** Ends it gracefully; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** Starts a role's own part: its ports are open when it resolves. What it throws ends the process with code 1. */
export type StartRole = (context: RoleContext) => Promise<RoleService>;
