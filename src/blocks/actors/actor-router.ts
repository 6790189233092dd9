import {
  type ActorCall,
  actorKey,
  type ActorRef,
  type ActorReply,
  type ActorTickCall,
  TicksCancelledError,
} from "../../app/actor-host.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { headerValue } from "../../app/header-rules.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { SPAN_KIND, type Tracer, type TraceSpan } from "../../kit/trace-context.ts";
import type { PlacementHost } from "../../mesh/placement-stream.ts";
import { isDialError } from "../../net/grpc/foreign-answers.ts";
import { GrpcError, isRefusedCall } from "../../net/grpc/status.ts";
import type { Policy, Resiliency } from "../../resiliency/types.ts";
import { type ActiveActor, ActorClosedError } from "./active-actor.ts";
import type { ActiveActors } from "./active-actors.ts";
import { QUICK_REPEATS_MS } from "./limits.ts";
import { type Claim, DrainedError, OwnershipLostError, type OwnershipGate } from "./ownership-gate.ts";
import type { ActorObserver } from "./types.ts";

const CANCELLED_TEXT = new TicksCancelledError().message;
const MOVED_TEXT = "remote actor moved";
/** The actor was deactivated while the call waited for its turn. */
const CLOSED_TEXT = /^(?:error invoke actor method: )?actor [^ ]+ is closed$/;
const REENTRANCY_HEADER = "Dapr-Reentrancy-Id";

/** Reaches the actors of other sidecars; the mesh is one. */
export interface RemoteActors {
  /** @param signal in place of the call's own. @throws GrpcError of the peer or the connection */
  call(owner: PlacementHost, call: ActorCall, signal: CancelSignal): Promise<ActorReply>;
  /** @param signal in place of the tick's own. @throws GrpcError of the peer or the connection */
  fire(owner: PlacementHost, tick: ActorTickCall, signal: CancelSignal): Promise<void>;
  /** The sidecar at the address has left the tables: what connects to it now may be broken. */
  forget(address: string): void;
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

/** A peer did not begin the call: it could not be reached, or is not the owner any more. */
class PeerLostError extends Error {
  override readonly name = "PeerLostError";
}

/** Around the failure of a call that has begun, or may have: it is not repeated. */
class BegunError extends Error {
  constructor(cause: unknown) {
    super("the call has begun", { cause });
  }
}

export interface ActorRouterOptions {
  readonly ownAddress: string;
  readonly gate: OwnershipGate;
  readonly active: ActiveActors;
  readonly remote: RemoteActors;
  readonly resiliency: Pick<Resiliency, "builtIn" | "hasActorPolicy" | "actor">;
  readonly observer?: ActorObserver | undefined;
  /** Absent: timers and reminders have no spans. */
  readonly tracer?: Tracer | undefined;
  readonly clock: Clock;
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
   * One call; repeated while its actor has no owner or moves, unless the user has a policy for the type. One whose turn has
   * begun, or that has gone out to a peer which did not say that it has not, is never repeated; except, since Dapr's suite
   * demands it (`actors/dissemination/call`), one of this sidecar's own app that was cut off by a drain before it has
   * written anything.
   * @param fromPeer another sidecar takes this one for the owner: the call is not sent on
   * @throws ActorLookupError, ActorAppError, ApiError, GrpcError of a peer, or the signal's reason
   */
  call(call: ActorCall, fromPeer: boolean): Promise<ActorReply> {
    return this.#repeated(call, (number) =>
      this.#routed(
        call,
        fromPeer,
        (claim) => this.#callHere(call, claim),
        (owner, claim) => this.#callThere(owner, call, claim, number),
      ),
    );
  }

  /** Brings a timer or reminder to its actor, as `call` does. @throws TicksCancelledError also */
  fire(tick: ActorTickCall, fromPeer: boolean): Promise<void> {
    const { tracer } = this.#options;
    return tracer === undefined || tick.trace !== undefined
      ? this.#fire(tick, fromPeer)
      : traced(tracer, tick, (trace) => this.#fire({ ...tick, trace }, fromPeer));
  }

  #fire(tick: ActorTickCall, fromPeer: boolean): Promise<void> {
    return this.#repeated(tick, () =>
      this.#routed(
        tick,
        fromPeer,
        (claim) => this.#fireHere(tick, claim),
        (owner, claim) => this.#fireThere(owner, tick, claim),
      ),
    );
  }

  /** Most calls succeed at once; the policy is not asked for them. */
  async #repeated<T>(
    { type, signal }: { readonly type: string; readonly signal?: CancelSignal | undefined },
    attempt: (number: number) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#repeatedSoon(attempt, type, signal);
    } catch (failed) {
      if (!this.#mayRepeat(failed, type, signal)) {
        throw failed instanceof BegunError ? failed.cause : failed;
      }
      return await this.#repeatedLater(failed, attempt, signal);
    }
  }

  /** Most calls succeed at once. A table that one sidecar has and another one not yet differs for milliseconds only. */
  async #repeatedSoon<T>(
    attempt: (number: number) => Promise<T>,
    type: string,
    signal: CancelSignal | undefined,
  ): Promise<T> {
    for (let number = 1; ; number++) {
      try {
        return await attempt(1);
      } catch (failed) {
        const delayMs = QUICK_REPEATS_MS[number - 1];
        if (delayMs === undefined || failed instanceof ActorLookupError || !this.#mayRepeat(failed, type, signal)) {
          throw failed;
        }
        await sleep(this.#options.clock, delayMs, signal);
      }
    }
  }

  async #repeatedLater<T>(
    failed: unknown,
    attempt: (number: number) => Promise<T>,
    signal: CancelSignal | undefined,
  ): Promise<T> {
    const { resiliency } = this.#options;
    try {
      return await resiliency.builtIn("DaprBuiltInActorNotFoundRetries").run(
        async (_signal, number) => {
          if (number === 1) {
            throw failed;
          }
          return await attempt(number);
        },
        { isPermanent: (error) => !isWorthRepeating(error), signal },
      );
    } catch (error) {
      throw error instanceof BegunError ? error.cause : error;
    }
  }

  #mayRepeat(failed: unknown, type: string, signal: CancelSignal | undefined): boolean {
    return isWorthRepeating(failed) && signal?.aborted !== true && !this.#options.resiliency.hasActorPolicy(type);
  }

  async #routed<T>(
    ref: ActorRef & { readonly signal?: CancelSignal | undefined },
    fromPeer: boolean,
    here: (claim: Claim) => Promise<T>,
    there: (owner: PlacementHost, claim: Claim) => Promise<T>,
  ): Promise<T> {
    const { gate, ownAddress } = this.#options;
    const granted = gate.claim(ref, ref.signal);
    const claim = granted instanceof Promise ? await granted : granted;
    const { owner } = claim;
    try {
      if (owner === undefined) {
        throw new ActorLookupError(ref);
      }
      if (owner.address === ownAddress) {
        return await here(claim);
      }
      if (fromPeer) {
        throw new Error(MOVED_TEXT);
      }
      return await there(owner, claim);
    } catch (error) {
      // What was cut off failed in some way of its own.
      const failure: unknown = claim.aborted && ref.signal?.aborted !== true ? claim.reason : error;
      const mayRepeat = !claim.begun || (failure instanceof DrainedError && !fromPeer && !claim.hasWritten);
      throw mayRepeat || !isWorthRepeating(failure) ? failure : new BegunError(failure);
    } finally {
      claim.release();
    }
  }

  async #callHere(call: ActorCall, claim: Claim): Promise<ActorReply> {
    const { active, resiliency, random } = this.#options;
    const { actor, type } = await active.activate(call, claim);
    const { enabled } = type.settings.reentrancy;
    const given = enabled ? headerValue(call.headers, REENTRANCY_HEADER.toLowerCase()) : undefined;
    const chain = given ?? (enabled ? random.uuid() : undefined);
    const sent =
      chain === undefined || given !== undefined
        ? call
        : { ...call, headers: [...call.headers, REENTRANCY_HEADER, chain] };
    const timeout = resiliency.actor(call.type)?.postLock;
    return await actor.run(chain, claim, this.#waits(call.type), () => {
      this.#begin(claim, actor);
      return timed(timeout, claim, (signal) => {
        const work = type.host.invoke(call.type, call.id, sent, signal);
        claim.work = work;
        return work;
      });
    });
  }

  async #fireHere(tick: ActorTickCall, claim: Claim): Promise<void> {
    const { active, resiliency, random } = this.#options;
    const { actor, type } = await active.activate(tick, claim);
    const chain = type.settings.reentrancy.enabled ? random.uuid() : undefined;
    const timeout = resiliency.actor(tick.type)?.postLock;
    await actor.run(chain, claim, this.#waits(tick.type), () => {
      this.#begin(claim, actor);
      return timed(timeout, claim, (signal) => {
        const work = type.host.fire(tick.type, tick.id, tick, signal);
        claim.work = work;
        return work;
      });
    });
  }

  /** The call has waited for its turn: the process may have been stopped meanwhile, and another host own the actor. */
  #begin(claim: Claim, actor: ActiveActor): void {
    if (!this.#options.gate.mayAct) {
      throw new OwnershipLostError("this sidecar may no longer own the actor: its placement lease is over");
    }
    claim.beginTurn(actor);
  }

  async #callThere(owner: PlacementHost, call: ActorCall, claim: Claim, number: number): Promise<ActorReply> {
    try {
      return await this.#options.remote.call(owner, call, claim);
    } catch (error) {
      claim.begun = !hasNotBegun(error);
      if (claim.begun) {
        throw error;
      }
      throw new PeerLostError(
        `failed to invoke target ${owner.address} after ${number - 1} retries. Error: ${goErrorText(error)}`,
        { cause: error },
      );
    }
  }

  async #fireThere(owner: PlacementHost, tick: ActorTickCall, claim: Claim): Promise<void> {
    try {
      await this.#options.remote.fire(owner, tick, claim);
    } catch (error) {
      claim.begun = !hasNotBegun(error);
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

/** Where it begins, a timer or reminder is a trace of its own. */
async function traced(
  tracer: Tracer,
  { kind, type, id, name }: ActorTickCall,
  work: (trace: TraceSpan) => Promise<void>,
): Promise<void> {
  const path = kind === "timer" ? "timer" : "remind";
  const span = tracer.start(`CallActor/${type}/${path}/${name}`, SPAN_KIND.client, undefined);
  span.set("dapr.actor", `${type}.${id}`);
  try {
    await work(span);
  } catch (error) {
    if (!(error instanceof TicksCancelledError)) {
      span.fail(goErrorText(error));
    }
    throw error;
  } finally {
    span.end();
  }
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
    hasNotBegun(error)
  );
}

/**
 * Whether a failure of a call to a peer says that its turn has not begun: there was no connection, the peer's HTTP/2 refused
 * the call, or the peer says in Dapr's words that it stops or that another one has the actor now. A connection that broke
 * says nothing.
 */
function hasNotBegun(error: unknown): boolean {
  if (!GrpcError.is(error)) {
    return false;
  }
  const { code, message } = error;
  return (
    (code === GRPC_STATUS.UNAVAILABLE &&
      (isDialError(error) || isRefusedCall(error) || message === actorErrors.closed.message)) ||
    (code === GRPC_STATUS.UNKNOWN && (message === MOVED_TEXT || CLOSED_TEXT.test(message))) ||
    (code === GRPC_STATUS.INTERNAL &&
      (message === `error invoke actor method: ${MOVED_TEXT}` ||
        CLOSED_TEXT.test(message) ||
        message.endsWith(": placement is disseminating")))
  );
}
