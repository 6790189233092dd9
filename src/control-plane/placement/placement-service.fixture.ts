import type { Clock } from "../../kit/clock.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { PlacementService, type PlacementServiceOptions } from "./placement-service.ts";

/** A placement service on a clock, which coalesces nothing and logs nothing unless it is told otherwise. */
export function placementServiceOn(clock: Clock, more: Partial<PlacementServiceOptions> = {}): PlacementService {
  return new PlacementService({
    replicationFactor: 100,
    disseminateTimeoutMs: 8_000,
    coalesceWindowMs: 0,
    clock,
    logger: silentLogger,
    ...more,
  });
}
