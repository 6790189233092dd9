import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";

/** For whom something is asked. */
type Owner = { readonly namespace: string; readonly appId: string };

const REFUSAL = "identity does not match request";

/** Under mutual TLS a sidecar asks for nobody but its own app (Dapr's `pkg/scheduler/server/internal/authz`). */
export class CallerCheck {
  readonly #metrics: SchedulerMetrics;

  constructor(metrics: SchedulerMetrics) {
    this.#metrics = metrics;
  }

  /** What is missing in the request is not this check's to say. @throws GrpcError PERMISSION_DENIED */
  check(owner: Owner | undefined, call: ServerCall): void {
    if (!this.#isAllowed(owner, call)) {
      throw new GrpcError(GRPC_STATUS.PERMISSION_DENIED, REFUSAL);
    }
  }

  /** The same with the text that Dapr's scheduler has for calls about many jobs. */
  checkBulk(owner: Owner | undefined, call: ServerCall): void {
    if (!this.#isAllowed(owner, call)) {
      throw new GrpcError(
        GRPC_STATUS.PERMISSION_DENIED,
        `failed to parse metadata: rpc error: code = PermissionDenied desc = ${REFUSAL}`,
      );
    }
  }

  #isAllowed(owner: Owner | undefined, { peerId }: ServerCall): boolean {
    if (peerId === undefined || owner === undefined || owner.namespace === "" || owner.appId === "") {
      return true;
    }
    const allowed = peerId.namespace === owner.namespace && peerId.appId === owner.appId;
    if (!allowed) {
      this.#metrics.sidecarError("auth_failed");
    }
    return allowed;
  }
}
