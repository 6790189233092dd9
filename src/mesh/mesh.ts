import { isIPv6 } from "node:net";
import { goErrorText } from "../app/go-error-text.ts";
import type { InvokeCall, InvokeReply } from "../app/types.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import type { FailureStatus, Resiliency } from "../resiliency/types.ts";
import type { InvocationMetrics } from "../telemetry/metrics/invocation-metrics.ts";
import { AddressCache } from "./address-cache.ts";
import { ConnectionPool, type ConnectPeer } from "./connection-pool.ts";
import { PEERS_MAX } from "./limits.ts";
import type { CallerStamps } from "./messages.ts";
import { callPeer } from "./remote-call.ts";
import { askAgain } from "./resolve.ts";
import type { InvocationTarget } from "./target.ts";

export interface MeshOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Address peers reach us at, for the forwarding headers; empty: none is sent. */
  readonly hostAddress: string;
  /** This machine's name, for the same headers; empty: none is sent. */
  readonly hostName: string;
  /** Undefined while there is no resolver. */
  readonly resolver: () => NameResolver | undefined;
  readonly connect: ConnectPeer;
  /** Bytes of the pieces that bodies are sent in. */
  readonly pieceBytes: number;
  readonly resiliency: Pick<Resiliency, "builtIn" | "hasAppPolicy">;
  readonly metrics?: Pick<InvocationMetrics, "requestSent" | "answerReceived"> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A connection to a peer, lent to one call. Exactly one of its methods is called, once. */
export interface PeerLease {
  readonly client: GrpcClient;
  /** The call is over. */
  readonly release: () => void;
  /** The call has failed with the connection (`isLost`): it is given up, and the peer's address looked up anew. */
  readonly lost: () => void;
}

/** The calls of this sidecar to those of other apps. */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #pool: ConnectionPool;
  readonly #addresses: AddressCache;
  readonly #stamps = new Map<string, CallerStamps>();
  readonly #forwarded: Pick<CallerStamps, "forwardedFor" | "forwardedHost" | "forwarded">;

  constructor(options: MeshOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.connect, options.clock);
    this.#addresses = new AddressCache(options.clock, options.random);
    this.#forwarded = forwardedOf(options.hostAddress, options.hostName);
  }

  /**
   * Calls a method of another sidecar's app. After a lost connection or a refused identity a call whose body is whole is
   * repeated as `DaprBuiltInServiceRetries` says, unless the user has a target for the app; a streamed one never is.
   *
   * @throws GrpcError of the peer or the connection; Error when the target cannot be found or retries are used up
   */
  async invoke(target: InvocationTarget, call: InvokeCall): Promise<InvokeReply> {
    const stamps = this.#stampsFor(target.appId);
    try {
      return await this.#attempt(target, call, stamps);
    } catch (error) {
      if (!(error instanceof LostPeerError)) {
        throw error;
      }
      const { resiliency } = this.#options;
      if (!(call.body instanceof Uint8Array) || resiliency.hasAppPolicy(target.appId)) {
        throw error.cause;
      }
      return await this.#repeat(target, call, stamps, error);
    }
  }

  /**
   * A connection to the sidecar of an app, for one call of any kind.
   *
   * @throws Error when the target cannot be found
   */
  async lease(target: InvocationTarget, signal: CancelSignal | undefined): Promise<PeerLease> {
    const resolver = this.#options.resolver();
    if (resolver === undefined) {
      throw new Error("name resolver not initialized");
    }
    const resolve = (): string | Promise<string> => this.#addresses.resolve(resolver, target, signal);
    const found = resolve();
    const first = typeof found === "string" ? found : await found;
    const address = first === "" ? await askAgain(resolve, target, this.#options.clock, signal) : first;
    const { client, release, retire } = this.#pool.lease(address, target);
    return {
      client,
      release,
      lost: () => {
        retire();
        this.#addresses.forget(target);
        resolver.forget?.(target, address);
      },
    };
  }

  /** A connection to the sidecar at an address that is known already, as that of an actor's owner. */
  leaseAt(address: string, target: InvocationTarget): PeerLease {
    const { client, release, retire } = this.#pool.lease(address, target);
    return { client, release, lost: retire };
  }

  /** The certificate has changed: connections that show the old one end with the calls that they have. */
  renewConnections(): void {
    this.#pool.retireAll();
  }

  /** The sidecar at an address is gone, or may be: the next call connects anew. */
  forgetPeer(address: string): void {
    this.#pool.retireAt(address);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #stampsFor(calleeAppId: string): CallerStamps {
    const known = this.#stamps.get(calleeAppId);
    if (known !== undefined) {
      return known;
    }
    const { appId, namespace } = this.#options;
    const stamps = { callerAppId: appId, callerNamespace: namespace, calleeAppId, ...this.#forwarded };
    if (this.#stamps.size < PEERS_MAX) {
      this.#stamps.set(calleeAppId, stamps);
    }
    return stamps;
  }

  /** The first attempt has been made, without a policy around it: nearly every call succeeds with it. */
  async #repeat(
    target: InvocationTarget,
    call: InvokeCall,
    stamps: CallerStamps,
    failed: LostPeerError,
  ): Promise<InvokeReply> {
    let retries = 0;
    try {
      return await this.#options.resiliency.builtIn("DaprBuiltInServiceRetries").run(
        async (_signal, number) => {
          retries = number - 1;
          if (number === 1) {
            throw failed;
          }
          return await this.#attempt(target, call, stamps);
        },
        { isPermanent, statusOf, signal: call.signal },
      );
    } catch (error) {
      if (!(error instanceof LostPeerError)) {
        throw error;
      }
      throw new Error(
        `failed to invoke target ${target.appId} after ${retries} retries. Error: ${goErrorText(error.cause)}`,
        { cause: error.cause },
      );
    }
  }

  async #attempt(target: InvocationTarget, call: InvokeCall, stamps: CallerStamps): Promise<InvokeReply> {
    const lease = await this.lease(target, call.signal);
    const { metrics, clock } = this.#options;
    metrics?.requestSent(target.appId);
    const startMs = clock.monotonicMs();
    try {
      const reply = await callPeer(lease.client, call, stamps, this.#options, lease.release);
      metrics?.answerReceived(target.appId, reply.status.code, clock.monotonicMs() - startMs);
      return reply;
    } catch (error) {
      if (!isLost(error)) {
        lease.release();
        throw error;
      }
      lease.lost();
      throw new LostPeerError(error);
    }
  }
}

/** A failure that another connection might not have. */
class LostPeerError extends Error {
  constructor(cause: unknown) {
    super("the peer is lost", { cause });
  }
}

function isPermanent(error: unknown): boolean {
  return !(error instanceof LostPeerError);
}

function statusOf(error: unknown): FailureStatus | undefined {
  const { cause } = error as Error;
  return GrpcError.is(cause) ? { kind: "grpc", code: cause.code } : undefined;
}

/** Whether a failure says that the connection, or whom it leads to, is not the right one (any more). */
export function isLost(error: unknown): boolean {
  return GrpcError.is(error) && (error.code === GRPC_STATUS.UNAVAILABLE || error.code === GRPC_STATUS.UNAUTHENTICATED);
}

/** Values of the forwarding headers (RFC 7239: an IPv6 address is bracketed and quoted). */
function forwardedOf(
  address: string,
  hostName: string,
): Pick<CallerStamps, "forwardedFor" | "forwardedHost" | "forwarded"> {
  const node = isIPv6(address) ? `"[${address}]"` : address;
  const parts = address === "" ? [] : [`for=${node};by=${node}`];
  if (hostName !== "") {
    parts.push(`host=${hostName}`);
  }
  return { forwardedFor: address, forwardedHost: hostName, forwarded: parts.join(";") };
}
