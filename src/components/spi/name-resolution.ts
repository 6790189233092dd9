import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Component } from "./component.ts";

/** What a resolver announces about the sidecar it runs in. */
export interface Instance {
  readonly appId: string;
  readonly namespace: string;
  /** Address peers reach this sidecar at, without port. */
  readonly address: string;
  readonly internalGrpcPort: number;
  readonly httpPort: number;
  /** Undefined: there is no app behind it. */
  readonly appPort?: number | undefined;
}

export interface ResolveRequest {
  readonly appId: string;
  readonly namespace: string;
}

/** Finds a sidecar's internal gRPC address by app id and announces its own. */
export interface NameResolver extends Component {
  /** Called once after `init`, when the internal port is known. */
  announce(instance: Instance): Promise<void>;
  /**
   * @returns host:port of one live instance
   * @throws ComponentError `notFound` when nobody answers under that id
   */
  resolve(request: ResolveRequest, signal?: CancelSignal): Promise<string>;
  /**
   * All addresses of an app, where a resolver can know several: the caller keeps them for a while and picks one at random
   * for each call. With this, `resolve` is not asked.
   */
  resolveAll?(request: ResolveRequest, signal?: CancelSignal): Promise<readonly string[]>;
  /** Nobody answered at an address that `resolve` gave: a resolver with a cache drops it. */
  forget?(request: ResolveRequest, address: string): void;
}
