import { isIPv6 } from "node:net";
import { goErrorText } from "../app/go-error-text.ts";
import type { InvokeCall, InvokeReply } from "../app/types.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { ConnectionPool, type ConnectPeer } from "./connection-pool.ts";
import { PEERS_MAX, RETRIES_MAX, RETRY_DELAY_MS } from "./limits.ts";
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
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The calls of this sidecar to those of other apps. */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #pool: ConnectionPool;
  readonly #stamps = new Map<string, CallerStamps>();
  readonly #forwarded: Pick<CallerStamps, "forwardedFor" | "forwardedHost" | "forwarded">;

  constructor(options: MeshOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.connect, options.clock);
    this.#forwarded = forwardedOf(options.hostAddress, options.hostName);
  }

  /**
   * Calls a method of another sidecar's app. A call whose body is whole is repeated after a lost connection or a refused
   * identity, up to three times, a second apart; a streamed one never.
   *
   * @throws GrpcError of the peer or the connection; Error when the target cannot be found or retries are used up
   */
  async invoke(target: InvocationTarget, call: InvokeCall): Promise<InvokeReply> {
    const stamps = this.#stampsFor(target.appId);
    for (let retries = 0; ; retries += 1) {
      try {
        return await this.#attempt(target, call, stamps);
      } catch (error) {
        if (!(error instanceof LostPeerError)) {
          throw error;
        }
        if (!(call.body instanceof Uint8Array)) {
          throw error.cause;
        }
        if (retries === RETRIES_MAX) {
          throw new Error(
            `failed to invoke target ${target.appId} after ${retries} retries. Error: ${goErrorText(error.cause)}`,
            { cause: error.cause },
          );
        }
      }
      await sleep(this.#options.clock, RETRY_DELAY_MS, call.signal);
    }
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

  async #attempt(target: InvocationTarget, call: InvokeCall, stamps: CallerStamps): Promise<InvokeReply> {
    const resolver = this.#options.resolver();
    if (resolver === undefined) {
      throw new Error("name resolver not initialized");
    }
    const first = await resolver.resolve(target, call.signal);
    const address = first === "" ? await askAgain(resolver, target, this.#options.clock, call.signal) : first;
    const lease = this.#pool.lease(address, target);
    try {
      return await callPeer(lease.client, call, stamps, this.#options, lease.release);
    } catch (error) {
      if (!isLost(error)) {
        lease.release();
        throw error;
      }
      lease.retire();
      resolver.forget?.(target, address);
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

function isLost(error: unknown): boolean {
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
