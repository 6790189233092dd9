import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
} from "../../wire/gen/grpc/health/v1/health_pb.js";
import { methodsOf } from "./protobuf.ts";
import type { GrpcServer } from "./server.ts";
import { GrpcError } from "./status.ts";

/** The states of `grpc.health.v1` by their wire numbers. */
export const SERVING_STATUS = { unknown: 0, serving: 1, notServing: 2, serviceUnknown: 3 } as const;
export type ServingStatus = (typeof SERVING_STATUS)[keyof typeof SERVING_STATUS];

/** `grpc.health.v1.Health`: the state of each service by name; the empty name is the server as a whole. */
export class HealthService {
  private readonly states = new Map<string, ServingStatus>();
  private readonly watchers = new Set<() => void>();

  constructor() {
    this.states.set("", SERVING_STATUS.serving);
  }

  /** Sets a service's state and tells its watchers. */
  set(service: string, status: ServingStatus): void {
    this.states.set(service, status);
    for (const wake of this.watchers) wake();
  }

  /** Registers Check, List and Watch. */
  register(server: GrpcServer): void {
    server.addService(methodsOf(Health), {
      check: (request) => this.check(request.service),
      list: () => this.list(),
      watch: (request, call) => this.watch(request.service, call.signal),
    });
  }

  private check(service: string): HealthCheckResponse {
    const status = this.states.get(service);
    if (status === undefined) throw new GrpcError(GRPC_STATUS.NOT_FOUND, "unknown service");
    return create(HealthCheckResponseSchema, { status });
  }

  private list() {
    const statuses: Record<string, HealthCheckResponse> = {};
    for (const [service, status] of this.states) statuses[service] = create(HealthCheckResponseSchema, { status });
    return create(HealthListResponseSchema, { statuses });
  }

  private async *watch(service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
    let sent: ServingStatus | undefined;
    let wake: () => void = () => undefined;
    const onChange = (): void => wake();
    this.watchers.add(onChange);
    signal.addEventListener("abort", onChange);
    try {
      while (!signal.aborted) {
        const status = this.states.get(service) ?? SERVING_STATUS.serviceUnknown;
        if (status !== sent) {
          sent = status;
          yield create(HealthCheckResponseSchema, { status });
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.watchers.delete(onChange);
    }
  }
}
