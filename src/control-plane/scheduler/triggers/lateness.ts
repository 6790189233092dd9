import type { HealthTarget } from "../../../blocks/control/health.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Logger } from "../../../kit/logger.ts";
import { LATE_MS } from "../limits.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import { HELD_STAGES, type HeldStage } from "./stages.ts";

const CHECK_MS = 1_000;

/** Where a late trigger is the scheduler's own fault. A slow app, a limit, or nobody to take it are not. */
const OWN_FAULTS = new Set<HeldStage | "waiting">(["waiting", "storing"]);

/** What lateness is measured on. */
export interface Lateness {
  waitMs(stage: HeldStage | "waiting"): number;
}

/** Shows how late the oldest due trigger is, and turns health red where that is the scheduler's fault. */
export function watchLateness(
  triggers: Lateness,
  health: HealthTarget,
  { clock, metrics, logger }: { readonly clock: Clock; readonly metrics: SchedulerMetrics; readonly logger: Logger },
): () => void {
  let late = false;
  const check = (): void => {
    let worst: string | undefined;
    for (const stage of ["waiting", ...HELD_STAGES] as const) {
      const ms = triggers.waitMs(stage);
      metrics.oldestDue(stage, ms / 1_000);
      if (ms > LATE_MS && OWN_FAULTS.has(stage)) {
        worst = stage;
      }
    }
    if (worst !== undefined && !late) {
      logger.error(`The oldest due trigger is more than ${LATE_MS} ms late (${worst}): the scheduler is not healthy`);
      health.notReady();
    } else if (worst === undefined && late) {
      logger.info("Triggers are in time again");
      health.ready();
    }
    late = worst !== undefined;
  };
  check();
  health.ready();
  const timer = clock.every(CHECK_MS, check);
  return () => timer.cancel();
}
