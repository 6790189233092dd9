import { goErrorText } from "../../app/go-error-text.ts";
import type { AppChannel, InvokeCall, InvokeReply } from "../../app/types.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { canonicalMethod, InvalidMethodError } from "./method-path.ts";
import type { InvocationTarget } from "../../mesh/target.ts";
import { parseTarget } from "./target.ts";

/** Reaches the sidecars of other apps; the mesh is one. */
export interface RemoteInvoker {
  /** @throws whatever kept an answer from coming; its text ends in the caller's error */
  invoke(target: InvocationTarget, call: InvokeCall): Promise<InvokeReply>;
}

export interface InvocationOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined while, or when, there is no app behind this sidecar. */
  readonly appChannel: () => AppChannel | undefined;
  readonly remote: RemoteInvoker;
}

/** Service invocation, from the API (`invoke`) and from other sidecars (`invokeLocal`). */
export class InvocationBlock {
  readonly #options: InvocationOptions;

  constructor(options: InvocationOptions) {
    this.#options = options;
  }

  /**
   * Calls a method of an app, this sidecar's own or another's. `call.method` is the decoded path; it is made canonical here.
   *
   * @param target `id` or `id.namespace`
   * @throws ApiError ERR_DIRECT_INVOKE: 403 when the callee's access control refused, otherwise 500
   */
  async invoke(target: string, call: InvokeCall): Promise<InvokeReply> {
    try {
      const canonical = withCanonicalMethod(call);
      const { appId, namespace } = this.#options;
      const to = parseTarget(target, namespace);
      if (to.appId === appId && to.namespace === namespace) {
        return await this.#invokeOwnApp(canonical);
      }
      return await this.#options.remote.invoke(to, canonical);
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
   * Calls this sidecar's app for another sidecar.
   *
   * @throws ApiError with the status and text that daprd answers its peers
   */
  async invokeLocal(call: InvokeCall): Promise<InvokeReply> {
    const channel = this.#options.appChannel();
    if (channel === undefined) {
      throw apiError(invocationErrors.channelNotFound, {});
    }
    let method: string;
    try {
      method = canonicalMethod(call.method);
    } catch (error) {
      throw apiError(invocationErrors.invalidMethod, { reason: (error as Error).message }, { cause: error });
    }
    try {
      return await channel.invoke(method === call.method ? call : { ...call, method });
    } catch (error) {
      throw apiError(invocationErrors.channelInvoke, { reason: goErrorText(error) }, { cause: error });
    }
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
    const method = canonicalMethod(call.method);
    return method === call.method ? call : { ...call, method };
  } catch (error) {
    if (error instanceof InvalidMethodError) {
      throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `invalid method: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
