import { apiError } from "../../errors/error.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { healthErrors } from "../../errors/catalogue/health.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Health } from "./health.ts";
import { EXTENDED_METADATA_ENTRIES_MAX, type MetadataBlock, type RuntimeMetadata } from "./metadata.ts";

/** A forced stop leaves this long for its own answer to go out. */
const FORCE_EXIT_DELAY_MS = 100;

/** Metadata, health and shutdown: what the runtime says about itself. */
export interface ControlBlock {
  metadata(): RuntimeMetadata;
  /** @throws ApiError ERR_BAD_REQUEST when the store of user values is full */
  setMetadata(key: string, value: string): void;
  /** @throws ApiError ERR_HEALTH_NOT_READY, or ERR_HEALTH_APPID_NOT_MATCH when `appId` is given and not ours */
  checkHealth(appId: string | undefined): void;
  /** @throws ApiError ERR_OUTBOUND_HEALTH_NOT_READY */
  checkOutboundHealth(): void;
  /** Begins to stop and returns at once; `force` ends with exit code 1 after 100 ms instead of draining. */
  shutdown(force: boolean): void;
}

export interface ControlDeps {
  readonly appId: string;
  readonly metadata: MetadataBlock;
  readonly health: Health;
  readonly outboundHealth: Health;
  readonly clock: Clock;
  readonly logger: Logger;
  requestStop(): void;
  forceExit(): void;
}

export function createControlBlock(deps: ControlDeps): ControlBlock {
  return {
    metadata: () => deps.metadata.get(),
    setMetadata(key, value) {
      if (!deps.metadata.set(key, value)) {
        throw apiError(commonErrors.badRequest, {
          reason: `extended metadata holds ${EXTENDED_METADATA_ENTRIES_MAX} keys already, which is its limit; reuse a key`,
        });
      }
    },
    checkHealth(appId) {
      if (!deps.health.isReady) {
        throw apiError(healthErrors.notReady, { targets: `[${deps.health.unhealthyTargets().join(" ")}]` });
      }
      if (appId !== undefined && appId !== deps.appId) {
        throw apiError(healthErrors.appIdNotMatch, {});
      }
    },
    checkOutboundHealth() {
      if (!deps.outboundHealth.isReady) {
        throw apiError(healthErrors.outboundNotReady, {});
      }
    },
    shutdown(force) {
      if (force) {
        deps.logger.warn("Force shutdown requested, exiting immediately without graceful shutdown");
        deps.clock.after(FORCE_EXIT_DELAY_MS, () => deps.forceExit());
        return;
      }
      deps.logger.info("Shutdown requested via API");
      deps.requestStop();
    },
  };
}
