import { goErrorText } from "../../app/go-error-text.ts";
import type { AppChannel, InvokeCall, InvokeReply } from "../../app/types.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { InvocationTarget } from "../../mesh/target.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { Policy, Resiliency } from "../../resiliency/types.ts";
import type { InvocationMetrics } from "../../telemetry/metrics/invocation-metrics.ts";
import type { AccessCheck } from "./access-check.ts";
import { callUnderPolicy } from "./app-policies.ts";
import { canonicalInvocation, InvalidMethodError } from "./method-path.ts";
import { isHttpUrl, parseTarget } from "./target.ts";

/** Reaches the sidecars of other apps; the mesh is one. */
export interface RemoteInvoker {
  /** @throws whatever kept an answer from coming; its text ends in the caller's error */
  invoke(target: InvocationTarget, call: InvokeCall): Promise<InvokeReply>;
}

/** Reaches HTTP servers that have no sidecar. */
export interface EndpointInvoker {
  /** Undefined when no HTTPEndpoint has that name. */
  baseUrlOf(name: string): string | undefined;
  /** @param target name of an HTTPEndpoint, or a URL */
  invoke(target: string, call: InvokeCall): Promise<InvokeReply>;
}

export interface InvocationOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined while, or when, there is no app behind this sidecar. */
  readonly appChannel: () => AppChannel | undefined;
  readonly remote: RemoteInvoker;
  readonly endpoints: EndpointInvoker;
  readonly resiliency: Pick<Resiliency, "app">;
  /** Absent: every app may call every method. */
  readonly access?: Pick<AccessCheck, "require"> | undefined;
  readonly metrics?: Pick<InvocationMetrics, "requestReceived" | "answerSent"> | undefined;
}

/** Service invocation, from the API (`invoke`) and from other sidecars (`invokeLocal`). */
export class InvocationBlock {
  readonly #options: InvocationOptions;

  constructor(options: InvocationOptions) {
    this.#options = options;
  }

  /**
   * Calls a method of an app, this sidecar's own or another's, or of an HTTP server outside, under the policy that a
   * Resiliency has for the target. `call.method` is the decoded path; it is made canonical here.
   *
   * @param target `id`, `id.namespace`, the name of an HTTPEndpoint, or an `http://` or `https://` URL
   * @throws ApiError ERR_DIRECT_INVOKE: 403 when the callee's access control refused, otherwise 500
   */
  async invoke(target: string, call: InvokeCall): Promise<InvokeReply> {
    try {
      const canonical = withCanonicalMethod(call);
      const policy = this.#policyOf(target, canonical.method);
      return policy === undefined
        ? await this.#attempt(target, canonical)
        : await callUnderPolicy(policy, canonical, (attempt) => this.#attempt(target, attempt));
    } catch (error) {
      const denied = GrpcError.is(error) && error.code === GRPC_STATUS.PERMISSION_DENIED;
      throw apiError(
        invocationErrors.directInvoke,
        { id: target, reason: goErrorText(error) },
        { cause: error, ...(denied ? { httpStatus: 403 } : {}) },
      );
    }
  }

  /**
   * Calls this sidecar's app for another sidecar, if access control lets it.
   *
   * @param caller its app id as it says itself, for metrics only; empty: it did not say
   * @param peer who it is, proved by its certificate; undefined without mutual TLS
   * @throws ApiError with the status and text that daprd answers its peers
   */
  async invokeLocal(call: InvokeCall, caller = "", peer?: SpiffeId): Promise<InvokeReply> {
    const { access, appChannel, metrics } = this.#options;
    const channel = appChannel();
    if (channel === undefined) {
      throw apiError(invocationErrors.channelNotFound, {});
    }
    let method: string;
    try {
      method = canonicalInvocation(call.method);
    } catch (error) {
      throw apiError(invocationErrors.invalidMethod, { reason: (error as Error).message }, { cause: error });
    }
    access?.require(peer, method, call.verb);
    const source = caller === "" ? "unknown" : caller;
    metrics?.requestReceived(source);
    let status = 0;
    try {
      const reply = await channel.invoke(method === call.method ? call : { ...call, method });
      status = reply.status.code;
      return reply;
    } catch (error) {
      throw apiError(invocationErrors.channelInvoke, { reason: goErrorText(error) }, { cause: error });
    } finally {
      metrics?.answerSent(source, status);
    }
  }

  /** Dapr keeps one circuit breaker for an endpoint's base URL, and otherwise one for each method. */
  #policyOf(target: string, method: string): Policy | undefined {
    const { resiliency, endpoints } = this.#options;
    return resiliency.app(target)?.endpoint(endpoints.baseUrlOf(target) ?? method);
  }

  async #attempt(target: string, call: InvokeCall): Promise<InvokeReply> {
    const { appId, namespace, endpoints, remote } = this.#options;
    if (isHttpUrl(target)) {
      return await endpoints.invoke(target, call);
    }
    const to = parseTarget(target, namespace);
    if (endpoints.baseUrlOf(to.appId) !== undefined) {
      return await endpoints.invoke(to.appId, call);
    }
    return to.appId === appId && to.namespace === namespace
      ? await this.#invokeOwnApp(call)
      : await remote.invoke(to, call);
  }

  async #invokeOwnApp(call: InvokeCall): Promise<InvokeReply> {
    const channel = this.#options.appChannel();
    if (channel === undefined) {
      throw new Error("cannot invoke local endpoint: app channel not initialized");
    }
    return await channel.invoke(call);
  }
}

function withCanonicalMethod(call: InvokeCall): InvokeCall {
  try {
    const method = canonicalInvocation(call.method);
    return method === call.method ? call : { ...call, method };
  } catch (error) {
    if (error instanceof InvalidMethodError) {
      throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `invalid method: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
