import type { CallProxy } from "../../blocks/invocation/call-proxy.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { headerOf } from "../../net/grpc/metadata.ts";
import type { RelayHandler } from "../../net/grpc/types.ts";
import { DROPPED_FROM_PEERS, passedHeaders } from "../grpc/proxied-headers.ts";
import { saysStream } from "../grpc/proxy.ts";

/** Calls that another sidecar passes on go to this sidecar's app. */
export function proxyFromPeers(proxy: Pick<CallProxy, "passLocal">): RelayHandler {
  return (call) => {
    const callee = headerOf(call.headers, "dapr-callee-app-id") ?? headerOf(call.headers, "dapr-app-id");
    if (callee === undefined) {
      throw apiError(invocationErrors.proxyNoTarget, {});
    }
    const headers = passedHeaders(call.headers, DROPPED_FROM_PEERS, call.trace);
    return proxy.passLocal(callee, { passing: call, headers, isStream: saysStream(call) });
  };
}
