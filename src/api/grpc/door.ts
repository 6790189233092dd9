import { createRegistry } from "@bufbuild/protobuf";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { ApiError, ERROR_DOMAIN, type ErrorEntry } from "../../errors/error.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { headerOf } from "../../net/grpc/metadata.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { addReflection } from "../../net/grpc/reflection.ts";
import type { Interceptor } from "../../net/grpc/server-types.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcMethod, GrpcStatus, RelayHandler } from "../../net/grpc/types.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { State } from "../../wire/gen/outrigger/v1/state_pb.js";
import { type ApiAccessRules, isApiAllowed } from "../access-rules.ts";
import { describedHandlers } from "./described-handlers.ts";
import { statusOf, statusOfBug } from "./errors.ts";
import { METHOD_GROUPS, OWN_METHOD_GROUPS } from "./groups.ts";
import type { ServiceHandlers } from "./service.ts";

const TOKEN_KEY = "dapr-api-token";

/** A finished call, for metrics and the API log. */
export interface GrpcCallRecord {
  readonly path: string;
  readonly kind: GrpcMethod<unknown, unknown>["kind"];
  /** It names an app in `dapr-app-id`: by that Dapr knows the proxied calls among the streams that it counts. */
  readonly namesApp: boolean;
  readonly userAgent: string | undefined;
  readonly status: GrpcStatus;
  readonly latencyMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface GrpcDoorObserver {
  callDone(record: GrpcCallRecord): void;
  /** A catalogue error was answered. */
  errorAnswered(error: ApiError): void;
}

export interface GrpcDoorOptions {
  /** What is served of `dapr.proto.runtime.v1.Dapr`; any other of its methods answers Unimplemented. */
  readonly handlers: Partial<ServiceHandlers<typeof Dapr>>;
  /** Gets the calls of all methods that are not Dapr's. */
  readonly unknown: RelayHandler;
  /** `outrigger.v1.State`, our addition to Dapr's state API. */
  readonly stateHandlers?: ServiceHandlers<typeof State> | undefined;
  /** Empty: no token is asked for. */
  readonly apiToken: string;
  readonly accessRules: ApiAccessRules;
  /** Bytes of one message. */
  readonly maxBodyBytes: number;
  /** Gives calls their spans; absent: there are none. */
  readonly tracing?: Interceptor | undefined;
  readonly observer: GrpcDoorObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The gRPC API with server reflection; its `accept` goes to a transport's server. */
export function createGrpcDoor(options: GrpcDoorOptions): GrpcServer {
  const interceptors = [observeCalls(options)];
  if (options.apiToken !== "") {
    interceptors.push(requireToken(options.apiToken));
  }
  if (options.tracing !== undefined) {
    interceptors.push(options.tracing);
  }
  const server = new GrpcServer({
    messageBytesMax: options.maxBodyBytes,
    interceptors,
    mapError: createErrorMapper(options.logger, (error) => options.observer.errorAnswered(error)),
  });
  const daprMethods = methodsOf(Dapr);
  const handlers = options.tracing === undefined ? options.handlers : describedHandlers(options.handlers);
  server.addService(daprMethods, servedOf(daprMethods, handlers, options.accessRules));
  if (options.stateHandlers !== undefined) {
    const stateMethods = methodsOf(State);
    server.addService(stateMethods, servedOf(stateMethods, options.stateHandlers, options.accessRules));
  }
  addReflection(server, createRegistry(Dapr.file, State.file));
  server.passUnknown(options.unknown);
  return server;
}

/** Turns whatever a handler throws into a status: catalogue errors as they are, anything else logged with its stack. */
export function createErrorMapper(logger: Logger, answered: (error: ApiError) => void): (error: unknown) => GrpcStatus {
  return (error) => {
    if (error instanceof ApiError) {
      answered(error);
      return statusOf(error);
    }
    if (GrpcError.is(error)) {
      return error;
    }
    logger.error(
      `bug: a gRPC call failed with no catalogue error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return statusOfBug(error);
  };
}

/** The handlers of a service; what the access rules deny is refused. */
function servedOf<H extends object>(
  methods: Readonly<Record<keyof H, { readonly path: string }>>,
  handlers: H,
  rules: ApiAccessRules,
): H {
  const served = { ...handlers } as Record<string, unknown>;
  for (const name of Object.keys(served)) {
    if (!isServed(methods[name as keyof H].path, rules)) {
      served[name] = refuseDenied;
    }
  }
  return served as H;
}

function isServed(path: string, rules: ApiAccessRules): boolean {
  const method = path.slice(path.lastIndexOf("/") + 1);
  const group = METHOD_GROUPS[method] ?? OWN_METHOD_GROUPS[method];
  return isApiAllowed(rules, "grpc", (rule) => `${rule.name}.${rule.version}` === group);
}

function refuseDenied(): never {
  throw refusal(commonErrors.endpointDenied, "requested endpoint is not available");
}

/** Dapr builds these from an HTTP status: its text is the message, and what was wrong stands in the details. */
function refusal(entry: ErrorEntry & { readonly message: string }, why: string): ApiError {
  const metadata = { "http.code": String(entry.httpStatus), "http.error_message": why };
  return new ApiError(entry, entry.message, {
    details: [{ kind: "ErrorInfo", reason: entry.message, domain: ERROR_DOMAIN, metadata }],
  });
}

/** Tells the observer of every call at its end. */
export function observeCalls(options: Pick<GrpcDoorOptions, "clock" | "observer">): Interceptor {
  const { clock, observer } = options;
  return {
    begin(call) {
      call.startedMs = clock.monotonicMs();
    },
    end(call, status) {
      observer.callDone({
        path: call.path,
        kind: call.kind,
        namesApp: call.kind !== "unary" && headerOf(call.headers, "dapr-app-id") !== undefined,
        userAgent: headerOf(call.headers, "user-agent"),
        status,
        latencyMs: clock.monotonicMs() - call.startedMs,
        receivedBytes: call.receivedBytes,
        sentBytes: call.sentBytes,
      });
    },
  };
}

function requireToken(token: string): Interceptor {
  return {
    begin(call) {
      const given = headerOf(call.headers, TOKEN_KEY);
      if (given === undefined) {
        throw refusal(commonErrors.unauthorized, "missing api token in request metadata");
      }
      if (given !== token) {
        throw refusal(commonErrors.unauthorized, "authentication error: api token mismatch");
      }
      call.metadata.delete(TOKEN_KEY);
    },
  };
}
