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
import type { GrpcStatus } from "../../net/grpc/types.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { type ApiAccessRules, isApiAllowed } from "../access-rules.ts";
import { statusOf, statusOfBug } from "./errors.ts";
import { METHOD_GROUPS } from "./groups.ts";
import type { ServiceHandlers } from "./service.ts";

const TOKEN_KEY = "dapr-api-token";

/** A finished call, for metrics and the API log. */
export interface GrpcCallRecord {
  readonly path: string;
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
  /** Empty: no token is asked for. */
  readonly apiToken: string;
  readonly accessRules: ApiAccessRules;
  /** Bytes of one message. */
  readonly maxBodyBytes: number;
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
  const server = new GrpcServer({
    messageBytesMax: options.maxBodyBytes,
    interceptors,
    mapError: createErrorMapper(options.logger, (error) => options.observer.errorAnswered(error)),
  });
  const methods = methodsOf(Dapr);
  const handlers = Object.entries(options.handlers).map(([name, handler]) => {
    const path = methods[name as keyof typeof methods].path;
    return [name, isServed(path, options.accessRules) ? handler : refuseDenied];
  });
  server.addService(methods, Object.fromEntries(handlers) as Partial<ServiceHandlers<typeof Dapr>>);
  addReflection(server, createRegistry(Dapr.file));
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

function isServed(path: string, rules: ApiAccessRules): boolean {
  const group = METHOD_GROUPS[path.slice(path.lastIndexOf("/") + 1)];
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
