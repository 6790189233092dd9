import { PeerUnreachedError } from "../net/grpc/relay-leg.ts";
import type { PassingCall, PassOnOptions } from "../net/grpc/types.ts";
import type { Mesh } from "./mesh.ts";
import type { InvocationTarget } from "./target.ts";

/** The way of calls that are passed on as they are to the sidecars of other apps. */
export class PeerPassage {
  readonly #appId: string;
  readonly #mesh: Pick<Mesh, "lease">;

  constructor(appId: string, mesh: Pick<Mesh, "lease">) {
    this.#appId = appId;
    this.#mesh = mesh;
  }

  /**
   * Passes a call on to the sidecar of an app and resolves to the code of its outcome. Where no connection can be made the
   * app is looked up once more, as in Dapr: its sidecar may have moved.
   *
   * @param headers without the ids of caller and callee, which are added
   * @throws Error when the app is not found; GrpcError when its sidecar cannot be reached, or as `options` say
   */
  async passOn(
    target: InvocationTarget,
    call: PassingCall,
    headers: readonly string[],
    options: PassOnOptions,
  ): Promise<number> {
    const stamped = [...headers, "dapr-caller-app-id", this.#appId, "dapr-callee-app-id", target.appId];
    try {
      return await this.#attempt(target, call, stamped, options);
    } catch (error) {
      if (!(error instanceof PeerUnreachedError) || call.kept === undefined || options.signal?.aborted === true) {
        throw error;
      }
      return await this.#attempt(target, call, stamped, options);
    }
  }

  async #attempt(
    target: InvocationTarget,
    call: PassingCall,
    headers: readonly string[],
    options: PassOnOptions,
  ): Promise<number> {
    const lease = await this.#mesh.lease(target, options.signal ?? call.cancellation);
    let code: number;
    try {
      code = await call.passOn(lease.client, headers, options);
    } catch (error) {
      if (error instanceof PeerUnreachedError) {
        lease.lost();
      } else {
        lease.release();
      }
      throw error;
    }
    lease.release();
    return code;
  }
}
