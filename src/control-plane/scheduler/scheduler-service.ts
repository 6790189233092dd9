import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { grpcStatusOf } from "../../net/grpc/status.ts";
import type { GrpcStatus, ServerCall } from "../../net/grpc/types.ts";
import {
  DeleteByMetadataResponseSchema,
  DeleteByNamePrefixResponseSchema,
  DeleteJobResponseSchema,
  ScheduleJobResponseSchema,
  Scheduler,
  type WatchHostsResponse,
  WatchHostsResponseSchema,
} from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { addAbout } from "../shared/about-service.ts";
import { callSpans } from "../shared/call-spans.ts";
import { CallerCheck } from "./caller-check.ts";
import type { JobRequests } from "./job-requests.ts";
import { JobError, type JobErrorKind } from "./jobs/job-error.ts";
import { REQUEST_BYTES_MAX } from "./limits.ts";
import type { HostList } from "./members/host-list.ts";
import { watchJobs, type WatchJobsDeps } from "./sidecars/watch-jobs.ts";
import { KeyStoreError, type KeyStoreErrorKind } from "./store/key-store.ts";

const JOB_CODES: Readonly<Record<JobErrorKind, GrpcStatusCode>> = {
  unknown: GRPC_STATUS.UNKNOWN,
  invalid: GRPC_STATUS.INVALID_ARGUMENT,
  "not found": GRPC_STATUS.NOT_FOUND,
  exists: GRPC_STATUS.ALREADY_EXISTS,
  limit: GRPC_STATUS.RESOURCE_EXHAUSTED,
};

const STORE_CODES: Readonly<Record<KeyStoreErrorKind, GrpcStatusCode>> = {
  "no space": GRPC_STATUS.RESOURCE_EXHAUSTED,
  "too large": GRPC_STATUS.RESOURCE_EXHAUSTED,
  overloaded: GRPC_STATUS.UNAVAILABLE,
  failed: GRPC_STATUS.UNAVAILABLE,
  closed: GRPC_STATUS.UNAVAILABLE,
};

/** What etcd says when its quota is reached, which callers look for. */
const NO_SPACE = "etcdserver: mvcc: database space exceeded";

/** Dapr's gRPC service of the scheduler. */
export function createSchedulerServer(
  requests: JobRequests,
  watch: WatchJobsDeps,
  hosts: HostList,
  tracer?: Tracer,
): GrpcServer {
  const caller = new CallerCheck(watch.metrics);
  const server = new GrpcServer({
    messageBytesMax: REQUEST_BYTES_MAX,
    mapError: statusOf,
    interceptors: callSpans(tracer),
  });
  addAbout(server);
  server.addService(methodsOf(Scheduler), {
    scheduleJob: async (request, call) => {
      caller.check(request.metadata, call);
      await requests.schedule(request);
      return create(ScheduleJobResponseSchema);
    },
    getJob: (request, call) => {
      caller.check(request.metadata, call);
      return requests.get(request);
    },
    deleteJob: async (request, call) => {
      caller.check(request.metadata, call);
      await requests.delete(request);
      return create(DeleteJobResponseSchema);
    },
    listJobs: (request, call) => {
      caller.check(request.metadata, call);
      return requests.list(request);
    },
    deleteByMetadata: async (request, call) => {
      caller.checkBulk(request.metadata, call);
      await requests.deleteByMetadata(request);
      return create(DeleteByMetadataResponseSchema);
    },
    deleteByNamePrefix: async (request, call) => {
      caller.checkBulk(request.metadata, call);
      await requests.deleteByNamePrefix(request);
      return create(DeleteByNamePrefixResponseSchema);
    },
    watchJobs: (incoming, call) => watchJobs(incoming, call, watch),
    watchHosts: (_request, call) => watchHosts(hosts, call, watch.stopping),
  });
  return server;
}

function statusOf(error: unknown): GrpcStatus {
  if (error instanceof JobError) {
    return { code: JOB_CODES[error.kind], message: error.message };
  }
  if (error instanceof KeyStoreError) {
    const message = error.kind === "no space" ? `${NO_SPACE}: ${error.message}` : error.message;
    return { code: STORE_CODES[error.kind], message };
  }
  return grpcStatusOf(error);
}

/** All schedulers of this cluster, until somebody ends the stream. */
async function* watchHosts(
  hosts: HostList,
  call: ServerCall,
  stopping: CancelSignal,
): AsyncGenerator<WatchHostsResponse> {
  for await (const addresses of hosts.watch(call.cancellation, stopping)) {
    yield create(WatchHostsResponseSchema, { hosts: addresses.map((address) => ({ address })) });
  }
}
