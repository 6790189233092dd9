import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { collectBody } from "../../app/body.ts";
import { grpcCodeOfHttpApp } from "../../app/grpc-code-of-http.ts";
import { metadataHeadersOf } from "../../app/grpc-metadata.ts";
import { CALLER_HEADERS } from "../../app/header-rules.ts";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import type { InvocationBlock } from "../../blocks/invocation/invocation.ts";
import { ERROR_DOMAIN } from "../../errors/error.ts";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { HTTPExtension_Verb } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type { InvokeServiceRequest } from "../../wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { ErrorInfoSchema } from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";
import { httpStatusText } from "../http-status-text.ts";
import type { ServiceHandlers } from "./service.ts";

/** Metadata key that carries an HTTP app's status. */
const HTTP_STATUS_KEY = "dapr-http-status";

/** Bytes of an HTTP app's failed answer that are quoted in the error's details. */
const QUOTED_BODY_BYTES_MAX = 63;

const NO_BYTES = new Uint8Array(0);

export interface GrpcInvokeOptions {
  readonly invocation: Pick<InvocationBlock, "invoke">;
  /** Bytes of an answer, which must be held whole; 0: no limit. */
  readonly maxBodyBytes: number;
  readonly logger: Logger;
}

/** The legacy `InvokeService`: the app's status becomes the call's, its headers and trailers become metadata. */
export function invokeHandlers(options: GrpcInvokeOptions): Pick<ServiceHandlers<typeof Dapr>, "invokeService"> {
  const warnings = new DeprecationWarnings(options.logger.scope("dapr.runtime.grpc.api"));
  return {
    async invokeService(request, call) {
      warnings.invokeService();
      const reply = await options.invocation.invoke(request.id, callOf(request, call));
      const value = await collectBody(reply.body, options.maxBodyBytes);
      const { status } = reply;
      call.responseHeaders.appendList(metadataHeadersOf(reply.headers, status.kind === "http"));
      if (status.kind === "http") {
        warnings.httpApp();
        call.responseHeaders.set(HTTP_STATUS_KEY, String(status.code));
      } else {
        call.responseTrailers.appendList(metadataHeadersOf(reply.trailers, false));
      }
      throwFailure(reply, value);
      return {
        $typeName: "dapr.proto.common.v1.InvokeResponse",
        data: { $typeName: "google.protobuf.Any", value, typeUrl: reply.typeUrl ?? "" },
        contentType: reply.contentType,
      };
    },
  };
}

/** Each warning is logged once per API. */
class DeprecationWarnings {
  readonly #logger: Logger;
  #invokeServiceShown = false;
  #httpAppShown = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  invokeService(): void {
    if (!this.#invokeServiceShown) {
      this.#invokeServiceShown = true;
      this.#logger.warn(
        "[DEPRECATION NOTICE] InvokeService is deprecated and will be removed in the future, please use proxy mode instead.",
      );
    }
  }

  httpApp(): void {
    if (!this.#httpAppShown) {
      this.#httpAppShown = true;
      this.#logger.warn(
        "[DEPRECATION NOTICE] Invocation path of gRPC -> HTTP is deprecated and will be removed in the future.",
      );
    }
  }
}

function callOf(request: InvokeServiceRequest, call: ServerCall): InvokeCall {
  const { message } = request;
  const { metadata } = call;
  metadata.delete("dapr-api-token");
  for (const name of CALLER_HEADERS) {
    metadata.delete(name);
  }
  return {
    method: message?.method ?? "",
    verb: message?.httpExtension === undefined ? "" : (HTTPExtension_Verb[message.httpExtension.verb] ?? "NONE"),
    query: message?.httpExtension?.querystring ?? "",
    headers: metadata.toList(),
    trace: call.trace,
    origin: "grpc",
    contentType: message?.contentType ?? "",
    body: message?.data?.value ?? NO_BYTES,
    typeUrl: message?.data?.typeUrl,
    signal: call.cancellation,
  };
}

function throwFailure(reply: InvokeReply, body: Uint8Array): void {
  const { status } = reply;
  if (status.kind === "http") {
    const code = grpcCodeOfHttpApp(status.code);
    if (code !== GRPC_STATUS.OK) {
      throw httpAppError(status.code, code, body);
    }
  } else if (status.code !== GRPC_STATUS.OK) {
    throw new GrpcError(status.code, status.message, { detailsBin: status.detailsBin });
  }
}

/** An HTTP app's status as a gRPC error: the status text, with the status and the start of the body in the details. */
function httpAppError(httpStatus: number, code: GrpcStatusCode, body: Uint8Array): GrpcError {
  const reason = httpStatusText(httpStatus);
  const quoted = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, QUOTED_BODY_BYTES_MAX)).toString();
  const info = create(ErrorInfoSchema, {
    reason,
    domain: ERROR_DOMAIN,
    metadata: { "http.code": String(httpStatus), "http.error_message": quoted },
  });
  const details = create(StatusSchema, { code, message: reason, details: [anyPack(ErrorInfoSchema, info)] });
  return new GrpcError(code, reason, { detailsBin: toBinary(StatusSchema, details) });
}
