import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import type { CancelSignal } from "../../../kit/cancel-signal.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { GrpcError } from "../../../net/grpc/status.ts";
import type { ServerCall } from "../../../net/grpc/types.ts";
import {
  JobTargetType,
  type WatchJobsRequest,
  type WatchJobsRequestInitial,
  type WatchJobsResponse,
  WatchJobsRequestResultStatus,
} from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { CallerCheck } from "../caller-check.ts";
import { ACTOR_TYPES_MAX, STREAMS_MAX } from "../limits.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import type { SidecarStream } from "./sidecar-stream.ts";
import type { StreamPool } from "./stream-pool.ts";

/** What WatchJobs stands on. */
export interface WatchJobsDeps {
  readonly pool: StreamPool;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
  /** Aborted when the scheduler stops. */
  readonly stopping: CancelSignal;
}

const STOPPED = "server is closing";

/** `WatchJobs`: the first message says who it is, then triggers go out and their results come back until one side ends it. */
export async function* watchJobs(
  requests: AsyncIterable<WatchJobsRequest>,
  call: ServerCall,
  { pool, metrics, logger, stopping }: WatchJobsDeps,
): AsyncGenerator<WatchJobsResponse> {
  const incoming = requests[Symbol.asyncIterator]();
  const initial = checked(await firstMessage(incoming, stopping), pool, metrics);
  new CallerCheck(metrics).check(initial, call);
  const { namespace, appId } = initial;
  const stream = pool.connect(initial);
  const { targets } = stream.identity;
  const actorTypes = targets.some((target) => target.startsWith("actorreminder||")) ? initial.actorTypes : [];
  logger.info(
    `Sidecar connected: ${namespace}/${appId} (actorTypes=[${actorTypes.join(" ")}]) (prefixes=[${targets.join(" ")}]).`,
  );
  const end = (reason: Error): void => pool.disconnect(stream, reason);
  const onCancel = (): void => end(cancelled());
  call.cancellation.addEventListener("abort", onCancel, { once: true });
  if (call.cancellation.aborted) {
    onCancel();
  }
  void readResults(incoming, stream).then(
    () => end(cancelled()),
    (error: unknown) => {
      if (!call.cancellation.aborted) {
        logger.warn(`Error receiving from stream ${namespace}/${appId}: ${errorMessage(error)}`);
        metrics.sidecarError("recv_failed");
      }
      end(cancelled());
    },
  );
  try {
    yield* stream.messages();
  } finally {
    end(cancelled());
    logger.info(`Closing connection to ${namespace}/${appId}`);
  }
}

/** The error that all streams end with when the scheduler stops. */
export function stoppedError(): GrpcError {
  return new GrpcError(GRPC_STATUS.UNKNOWN, STOPPED);
}

function cancelled(): GrpcError {
  return new GrpcError(GRPC_STATUS.CANCELLED, "context canceled");
}

/** A sidecar that never says who it is must not hold up the end. */
async function firstMessage(
  incoming: AsyncIterator<WatchJobsRequest>,
  stopping: CancelSignal,
): Promise<WatchJobsRequest | undefined> {
  const stopped = Promise.withResolvers<never>();
  const onStop = (): void => stopped.reject(stoppedError());
  stopping.addEventListener("abort", onStop, { once: true });
  try {
    const first = await Promise.race([incoming.next(), stopped.promise]);
    return first.done === true ? undefined : first.value;
  } finally {
    stopping.removeEventListener("abort", onStop);
  }
}

function checked(
  request: WatchJobsRequest | undefined,
  pool: StreamPool,
  metrics: SchedulerMetrics,
): WatchJobsRequestInitial {
  if (request?.watchJobRequestType.case !== "initial") {
    throw new GrpcError(GRPC_STATUS.UNKNOWN, "initial request is required on stream connection");
  }
  const initial = request.watchJobRequestType.value;
  if (initial.namespace === "" || initial.appId === "") {
    metrics.sidecarError("auth_failed");
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "missing namespace or appID in request");
  }
  const types = initial.acceptJobTypes;
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) {
    throw new GrpcError(GRPC_STATUS.UNKNOWN, `duplicate target type specified: ${typeName(twice)}`);
  }
  if (initial.actorTypes.length > ACTOR_TYPES_MAX) {
    throw new GrpcError(
      GRPC_STATUS.RESOURCE_EXHAUSTED,
      `a stream may have ${ACTOR_TYPES_MAX} actor types, this one has ${initial.actorTypes.length}: use several sidecars`,
    );
  }
  if (pool.size >= STREAMS_MAX) {
    throw new GrpcError(
      GRPC_STATUS.RESOURCE_EXHAUSTED,
      `${STREAMS_MAX} sidecar streams are connected, the most that one scheduler takes: close some`,
    );
  }
  return initial;
}

function typeName(type: JobTargetType): string {
  switch (type) {
    case JobTargetType.JOB:
      return "JOB_TARGET_TYPE_JOB";
    case JobTargetType.ACTOR_REMINDER:
      return "JOB_TARGET_TYPE_ACTOR_REMINDER";
  }
}

/** Reads results until the sidecar ends its side. @throws Error for a message that is no result of this stream */
async function readResults(incoming: AsyncIterator<WatchJobsRequest>, stream: SidecarStream): Promise<void> {
  for (;;) {
    const next = await incoming.next();
    if (next.done === true) {
      return;
    }
    const { watchJobRequestType: message } = next.value;
    if (message.case !== "result") {
      throw new Error("received nil result from stream");
    }
    const { id, status } = message.value;
    if (status !== WatchJobsRequestResultStatus.SUCCESS && status !== WatchJobsRequestResultStatus.FAILED) {
      throw new Error(`unknown trigger response status: ${String(status)}`);
    }
    if (!stream.answer(id, status === WatchJobsRequestResultStatus.SUCCESS ? "SUCCESS" : "FAILED")) {
      throw new Error("received unknown trigger response from stream");
    }
  }
}
