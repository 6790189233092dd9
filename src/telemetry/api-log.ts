import type { GrpcStatusCode } from "../errors/grpc-status.ts";
import type { Logger } from "../kit/logger.ts";
import { decodedPath } from "../net/http/request-target.ts";
import type { LeveledLogger } from "./log/logger.ts";

/** `spec.logging.apiLogging` of a Configuration, apart from whether there is a log at all. */
export interface ApiLogOptions {
  /** Shows the operation's name in place of method and path. */
  readonly obfuscateUrls: boolean;
  readonly omitHealthChecks: boolean;
}

/** One answered call of the HTTP API. */
export interface HttpApiCall {
  readonly method: string;
  /** As it came, with or without query. */
  readonly path: string;
  /** The route's name; undefined for what no route matched, which is service invocation. */
  readonly name: string | undefined;
  readonly healthCheck: boolean;
  readonly userAgent: string | undefined;
  readonly code: number;
  readonly sizeBytes: number;
  readonly durationMs: number;
}

/** One ended call of the gRPC API; `method` is the full name with its leading slash. */
export interface GrpcApiCall {
  readonly method: string;
  readonly userAgent: string | undefined;
  readonly code: GrpcStatusCode;
  readonly durationMs: number;
}

const BEYOND_ASCII = /[\u0080-\u00ff]/;
/** No byte: the value has been decoded already. */
const BEYOND_BYTES = /[\u0100-\uffff]/;

const INVOCATION = "InvokeService";
const INVOKED_APP = /^\/v1\.0\/invoke\/([^/]+)\/method(?:\/|$)/;

/**
 * A line per call of the API, in Dapr's words and fields. Made only where API logging is on. Its lines are of level info
 * and appear whatever the level of other lines is, as Dapr's do; a logger without `withLevel` keeps its own.
 */
export class ApiLog {
  readonly #http: Logger;
  readonly #grpc: Logger;
  readonly #options: ApiLogOptions;

  constructor(logger: Logger | LeveledLogger, options: ApiLogOptions) {
    const always = "withLevel" in logger ? logger.withLevel("info") : logger;
    this.#http = always.scope("dapr.runtime.http-info");
    this.#grpc = always.scope("dapr.runtime.grpc.api-info");
    this.#options = options;
  }

  http(call: HttpApiCall): void {
    if (call.healthCheck && this.#options.omitHealthChecks) {
      return;
    }
    this.#http.info("HTTP API Called", {
      method: this.#options.obfuscateUrls ? operationOf(call) : `${call.method} ${decodedPath(call.path)}`,
      code: call.code,
      size: call.sizeBytes,
      duration: Math.floor(call.durationMs),
      ...(call.userAgent !== undefined && call.userAgent !== "" && { useragent: asUtf8(call.userAgent) }),
    });
  }

  grpc(call: GrpcApiCall): void {
    this.#grpc.info("gRPC API Called", {
      method: call.method,
      code: call.code,
      duration: Math.floor(call.durationMs),
      ...(call.userAgent !== undefined && { useragent: call.userAgent }),
    });
  }
}

/** Header values come as one character for each byte; Dapr prints the bytes. */
function asUtf8(value: string): string {
  return BEYOND_ASCII.test(value) && !BEYOND_BYTES.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}

/** Obfuscated lines still tell which app was invoked, as Dapr's do. */
function operationOf(call: HttpApiCall): string {
  const name = call.name ?? INVOCATION;
  const appId = name === INVOCATION ? INVOKED_APP.exec(call.path)?.[1] : undefined;
  return appId === undefined ? name : `${name}/${decodedPath(appId)}`;
}
