import {
  type ActorCall,
  type ActorHost,
  actorKey,
  type ActorRef,
  type ActorReply,
  type ActorTickCall,
  TicksCancelledError,
} from "../../app/actor-host.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { headerValue } from "../../app/header-rules.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Random } from "../../kit/random.ts";
import type { PlacementHost } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { Policy, Resiliency } from "../../resiliency/types.ts";
import { ActorClosedError } from "./active-actor.ts";
import type { ActiveActors } from "./active-actors.ts";
import { type Claim, OwnershipLostError, type OwnershipGate } from "./ownership-gate.ts";
import type { PlacementMap } from "./placement-map.ts";
import type { ActorObserver } from "./types.ts";

const CANCELLED_TEXT = new TicksCancelledError().message;
const MOVED_TEXT = "remote actor moved";
const REENTRANCY_HEADER = "Dapr-Reentrancy-Id";

/** Reaches the actors of other sidecars; the mesh is one. */
export interface RemoteActors {
  /** @throws GrpcError of the peer or the connection */
  call(owner: PlacementHost, call: ActorCall): Promise<ActorReply>;
  /** @throws GrpcError of the peer or the connection */
  fire(owner: PlacementHost, tick: ActorTickCall): Promise<void>;
}

/** Nobody hosts actors of the type. */
export class ActorLookupError extends Error {
  override readonly name = "ActorLookupError";

  constructor(ref: ActorRef) {
    super(
      `failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor '${actorKey(ref)}'`,
    );
  }
}

/** A peer did not take the call, or is not the owner any more. */
class PeerLostError extends Error {
  override readonly name = "PeerLostError";
}

export interface ActorRouterOptions {
  readonly ownAddress: string;
  readonly gate: OwnershipGate;
  readonly map: PlacementMap;
  readonly active: ActiveActors;
  readonly remote: RemoteActors;
  readonly resiliency: Pick<Resiliency, "builtIn" | "hasActorPolicy" | "actor">;
  readonly observer?: ActorObserver | undefined;
  readonly random: Random;
}

/** Brings calls to the sidecar that owns their actor, and into the actor's turn where that is this one. */
export class ActorRouter {
  readonly #options: ActorRouterOptions;
  readonly #pending = new Map<string, number>();

  constructor(options: ActorRouterOptions) {
    this.#options = options;
  }

  /**
   * One call; repeated while its actor has no owner or moves, unless the user has a policy for the type.
   * @param fromPeer another sidecar takes this one for the owner: the call is not sent on
   * @throws ActorLookupError, ActorAppError, ApiError, GrpcError of a peer, or the signal's reason
   */
  call(call: ActorCall, fromPeer: boolean): Promise<ActorReply> {
    return this.#repeated(call, (number) =>
      this.#routed(
        call,
        fromPeer,
        (claim) => this.#callHere(call, claim),
        (owner) => this.#callThere(owner, call, number),
      ),
    );
  }

  /** Brings a timer or reminder to its actor, as `call` does. @throws TicksCancelledError also */
  fire(tick: ActorTickCall, fromPeer: boolean): Promise<void> {
    return this.#repeated(tick, () =>
      this.#routed(
        tick,
        fromPeer,
        (claim) => this.#fireHere(tick, claim),
        (owner) => this.#fireThere(owner, tick),
      ),
    );
  }

  /** Most calls succeed at once; the policy is not asked for them. */
  async #repeated<T>(
    { type, signal }: { readonly type: string; readonly signal?: CancelSignal | undefined },
    attempt: (number: number) => Promise<T>,
  ): Promise<T> {
    const { resiliency } = this.#options;
    try {
      return await attempt(1);
    } catch (failed) {
      if (resiliency.hasActorPolicy(type) || signal?.aborted === true || !isWorthRepeating(failed)) {
        throw failed;
      }
      return await resiliency.builtIn("DaprBuiltInActorNotFoundRetries").run(
        async (_signal, number) => {
          if (number === 1) {
            throw failed;
          }
          return await attempt(number);
        },
        { isPermanent: (error) => !isWorthRepeating(error), signal },
      );
    }
  }

  async #routed<T>(
    ref: ActorRef & { readonly signal?: CancelSignal | undefined },
    fromPeer: boolean,
    here: (claim: Claim) => Promise<T>,
    there: (owner: PlacementHost) => Promise<T>,
  ): Promise<T> {
    const { gate, map, ownAddress } = this.#options;
    const granted = gate.claim(ref.type, ref.signal);
    const claim = granted instanceof Promise ? await granted : granted;
    try {
      const owner = map.ownerOf(ref.type, ref.id);
      if (owner === undefined) {
        throw new ActorLookupError(ref);
      }
      if (owner.address === ownAddress) {
        return await here(claim);
      }
      claim.release();
      if (fromPeer) {
        throw new Error(MOVED_TEXT);
      }
      return await there(owner);
    } catch (error) {
      // What was cut off failed in some way of its own.
      throw claim.aborted && ref.signal?.aborted !== true ? claim.reason : error;
    } finally {
      claim.release();
    }
  }

  async #callHere(call: ActorCall, claim: Claim): Promise<ActorReply> {
    const { active, resiliency, random } = this.#options;
    const { actor, type } = await active.activate(call);
    const { enabled } = type.settings.reentrancy;
    const given = enabled ? headerValue(call.headers, REENTRANCY_HEADER.toLowerCase()) : undefined;
    const chain = given ?? (enabled ? random.uuid() : undefined);
    const sent =
      chain === undefined || given !== undefined
        ? call
        : { ...call, headers: [...call.headers, REENTRANCY_HEADER, chain] };
    const timeout = resiliency.actor(call.type)?.postLock;
    return await actor.run(chain, claim, this.#waits(call.type), () =>
      timed(timeout, claim, (signal) => type.host.invoke(call.type, call.id, sent, signal)),
    );
  }

  async #fireHere(tick: ActorTickCall, claim: Claim): Promise<void> {
    const { active, resiliency, random } = this.#options;
    const { actor, type } = await active.activate(tick);
    const chain = type.settings.reentrancy.enabled ? random.uuid() : undefined;
    const timeout = resiliency.actor(tick.type)?.postLock;
    await actor.run(chain, claim, this.#waits(tick.type), () =>
      timed(timeout, claim, (signal) => fireAt(type.host, tick, signal)),
    );
  }

  async #callThere(owner: PlacementHost, call: ActorCall, number: number): Promise<ActorReply> {
    try {
      return await this.#options.remote.call(owner, call);
    } catch (error) {
      if (!saysMoved(error)) {
        throw error;
      }
      throw new PeerLostError(
        `failed to invoke target ${owner.address} after ${number - 1} retries. Error: ${goErrorText(error)}`,
        { cause: error },
      );
    }
  }

  async #fireThere(owner: PlacementHost, tick: ActorTickCall): Promise<void> {
    try {
      await this.#options.remote.fire(owner, tick);
    } catch (error) {
      // Between sidecars only the text of it travels.
      throw GrpcError.is(error) && error.message === CANCELLED_TEXT ? new TicksCancelledError() : error;
    }
  }

  #waits(type: string): (change: 1 | -1) => void {
    return (change) => {
      const count = (this.#pending.get(type) ?? 0) + change;
      this.#pending.set(type, count);
      this.#options.observer?.pendingCalls(type, count);
    };
  }
}

function fireAt(host: ActorHost, tick: ActorTickCall, signal: CancelSignal): Promise<void> {
  return tick.kind === "timer"
    ? host.fireTimer(tick.type, tick.id, tick, signal)
    : host.fireReminder(tick.type, tick.id, tick, signal);
}

function timed<T>(policy: Policy | undefined, signal: CancelSignal, work: (signal: CancelSignal) => Promise<T>) {
  return policy === undefined ? work(signal) : policy.run(work, { signal });
}

function isWorthRepeating(error: unknown): boolean {
  return (
    error instanceof ActorLookupError ||
    error instanceof ActorClosedError ||
    error instanceof OwnershipLostError ||
    error instanceof PeerLostError ||
    saysMoved(error)
  );
}

/** A peer that is gone, or that says in Dapr's words that another one has the actor now. */
function saysMoved(error: unknown): boolean {
  if (!GrpcError.is(error)) {
    return false;
  }
  const { code, message } = error;
  return (
    code === GRPC_STATUS.UNAVAILABLE ||
    (code === GRPC_STATUS.UNKNOWN && message === MOVED_TEXT) ||
    (code === GRPC_STATUS.INTERNAL &&
      (message === `error invoke actor method: ${MOVED_TEXT}` || message.endsWith(": placement is disseminating")))
  );
}
