import type { BindingsBlock } from "../../blocks/bindings/bindings-block.ts";
import { httpNameOfMetadata } from "../../app/header-rules.ts";
import { BindingFailure } from "../../components/spi/binding-failure.ts";
import { ApiError } from "../../errors/error.ts";
import { namesTrace, NO_TRACE_CONTEXT } from "../../kit/trace-context.ts";
import type { Metadata, ServerCall } from "../../net/grpc/types.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { metadataHeaders } from "../binding-metadata.ts";
import { namedError } from "./named-errors.ts";
import type { ServiceHandlers } from "./service.ts";

const NO_BYTES = new Uint8Array(0);

/** `InvokeBinding` of `dapr.proto.runtime.v1.Dapr`. Metadata of the binding's answer is initial metadata too, also beside an error. */
export function bindingsHandlers(block: BindingsBlock): Pick<ServiceHandlers<typeof Dapr>, "invokeBinding"> {
  return {
    invokeBinding: async ({ name, operation, data, metadata }, call) => {
      const request = {
        binding: name,
        operation,
        data,
        metadata: withCallMetadata(metadata, call),
        signal: call.signal,
      };
      try {
        const response = await block.invoke(request);
        addHeaders(call.responseHeaders, response.metadata);
        return {
          $typeName: "dapr.proto.runtime.v1.InvokeBindingResponse",
          data: response.data ?? NO_BYTES,
          metadata: { ...response.metadata },
        };
      } catch (error) {
        if (error instanceof ApiError && error.cause instanceof BindingFailure) {
          addHeaders(call.responseHeaders, error.cause.response.metadata);
          call.sendHeaders();
        }
        throw namedError(error);
      }
    },
  };
}

/**
 * The call's own metadata goes to the binding as well; the request's wins, except for the trace of a caller that names one.
 * Then, as with a span, the binding's request stands below that.
 */
function withCallMetadata(
  request: Readonly<Record<string, string>>,
  { metadata, trace }: ServerCall,
): Readonly<Record<string, string>> {
  const merged: Record<string, string> = { ...request };
  for (const [key, value] of metadata.entries()) {
    const name = httpNameOfMetadata(key);
    const wins = key === "traceparent" || key === "tracestate";
    if (typeof value === "string" && (wins || !Object.hasOwn(request, name))) {
      merged[name] = value;
    }
  }
  const context = trace ?? NO_TRACE_CONTEXT;
  if (trace === undefined || !namesTrace(trace)) {
    merged["traceparent"] ??= context.traceparent;
    return merged;
  }
  if (!Object.hasOwn(request, "traceparent") || metadata.get("traceparent") !== undefined) {
    merged["traceparent"] = context.traceparent;
    if (context.tracestate !== "") {
      merged["tracestate"] = context.tracestate;
    }
  }
  return merged;
}

const ASCII = /^[\x20-\x7e]*$/;
const KEY = /^[0-9a-z_.-]+$/;

function addHeaders(target: Metadata, metadata: Readonly<Record<string, string>>): void {
  const headers = metadataHeaders(metadata);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [key = "", value = ""] = [headers[index], headers[index + 1]];
    if (KEY.test(key) && !key.endsWith("-bin") && ASCII.test(value)) {
      target.set(key, value);
    }
  }
}
