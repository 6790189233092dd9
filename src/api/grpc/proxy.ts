import type { CallProxy } from "../../blocks/invocation/call-proxy.ts";
import { isTruthy } from "../../components/spi/metadata.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { headerOf } from "../../net/grpc/metadata.ts";
import type { PassingCall, RelayHandler } from "../../net/grpc/types.ts";
import { DROPPED_FROM_APPS, passedHeaders } from "./proxied-headers.ts";

/**
 * Calls of methods that Dapr does not have go to the app that their metadata names: `dapr-callee-app-id`, or else
 * `dapr-app-id`. Metadata that only sidecars may set, and the caller's API token, stay behind.
 */
export function proxyUnknown(proxy: Pick<CallProxy, "pass">): RelayHandler {
  return (call) => {
    const target = headerOf(call.headers, "dapr-callee-app-id") ?? headerOf(call.headers, "dapr-app-id");
    if (target === undefined) {
      throw apiError(invocationErrors.proxyNoTarget, {});
    }
    const headers = passedHeaders(call.headers, DROPPED_FROM_APPS, call.trace);
    return proxy.pass(target, { passing: call, headers, isStream: saysStream(call) });
  };
}

/** Whether a caller has marked its call as a stream, with `dapr-stream`. */
export function saysStream(call: PassingCall): boolean {
  const value = headerOf(call.headers, "dapr-stream");
  return value !== undefined && isTruthy(value);
}
