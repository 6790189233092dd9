import { goErrorText } from "../../app/go-error-text.ts";
import type { AppPassage } from "../../app/app-passage.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { PeerPassage } from "../../mesh/peer-passage.ts";
import type { InvocationTarget } from "../../mesh/target.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { PassingCall, PassOnOptions } from "../../net/grpc/types.ts";
import { PolicyError } from "../../resiliency/policy-error.ts";
import type { Policy, PolicyRun, Resiliency } from "../../resiliency/types.ts";
import type { InvocationMetrics } from "../../telemetry/metrics/invocation-metrics.ts";
import type { AccessCheck } from "./access-check.ts";
import { canonicalInvocation } from "./method-path.ts";
import { parseTarget } from "./target.ts";

/** A call of a method that Dapr does not have, with what its door read of it. */
export interface ProxiedCall {
  readonly passing: PassingCall;
  /** What is passed on of its headers. */
  readonly headers: string[];
  /** The caller says that it streams: it is never repeated, and no policy's timeout ends it. */
  readonly isStream: boolean;
}

export interface CallProxyOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined when there is no app behind this sidecar that could be called so. */
  readonly app: AppPassage | undefined;
  readonly peers: Pick<PeerPassage, "passOn">;
  readonly resiliency: Pick<Resiliency, "app">;
  /** Absent: every app may call every method. */
  readonly access?: Pick<AccessCheck, "require"> | undefined;
  readonly metrics?: Pick<InvocationMetrics, "requestSent" | "answerReceived"> | undefined;
  readonly clock: Clock;
}

const NO_OPTIONS: PassOnOptions = {};

/** Invocation of gRPC methods that the apps have among themselves: calls are passed on and never looked into. */
export class CallProxy {
  readonly #options: CallProxyOptions;

  constructor(options: CallProxyOptions) {
    this.#options = options;
  }

  /**
   * Passes a call of this sidecar's API on, to its own app or another's, under the policy that a Resiliency has for the
   * target. Without one nothing is repeated but the search for a sidecar that cannot be reached.
   *
   * @param target `id` or `id.namespace`
   * @throws ApiError or GrpcError with the status that the caller gets
   */
  async pass(target: string, call: ProxiedCall): Promise<void> {
    const { appId, namespace, resiliency } = this.#options;
    try {
      const to = parseTarget(target, namespace);
      if (to.appId === appId && to.namespace === namespace) {
        await this.#counted(target, call, NO_OPTIONS, (options) => this.#passToOwnApp(call, options));
        return;
      }
      const policy = call.isStream ? undefined : resiliency.app(target)?.endpoint(call.passing.path);
      if (policy === undefined) {
        await this.#counted(target, call, NO_OPTIONS, (options) => this.#passToPeer(to, call, options));
      } else {
        await this.#passUnder(policy, target, to, call);
      }
    } catch (error) {
      throw statusError(error);
    }
  }

  /**
   * Passes a call of another sidecar on to this sidecar's app.
   *
   * @param callee the app that the other sidecar means
   * @throws the same
   */
  async passLocal(callee: string, call: ProxiedCall): Promise<void> {
    const { appId, namespace } = this.#options;
    try {
      if (parseTarget(callee, namespace).appId !== appId) {
        throw apiError(invocationErrors.proxyOtherApp, { callee, appId });
      }
      await this.#passToOwnApp(call, NO_OPTIONS);
    } catch (error) {
      throw statusError(error);
    }
  }

  #passToPeer(to: InvocationTarget, { passing, headers }: ProxiedCall, options: PassOnOptions): Promise<number> {
    return this.#options.peers.passOn(to, passing, headers, options);
  }

  /** As daprd does, it also holds the app's calls of itself against access control, as those of nobody. */
  #passToOwnApp({ passing, headers, isStream }: ProxiedCall, options: PassOnOptions): Promise<number> {
    const { path, peerId } = passing;
    let canonical: string;
    try {
      canonical = canonicalInvocation(path);
    } catch (error) {
      throw apiError(invocationErrors.invalidMethod, { reason: (error as Error).message }, { cause: error });
    }
    const { access, app } = this.#options;
    access?.require(peerId, canonical);
    if (canonical !== path) {
      // The app gets the path as it came.
      access?.require(peerId, path);
    }
    if (app === undefined) {
      throw apiError(invocationErrors.proxyNoApp, {});
    }
    return app.passOn(passing, headers, isStream, options);
  }

  async #passUnder(policy: Policy, target: string, to: InvocationTarget, call: ProxiedCall): Promise<void> {
    const { passing } = call;
    if (policy.repeats) {
      const refuse = (): void => void passing.fail(apiError(invocationErrors.proxyStreamRetries, {}));
      passing.onRequestStreams = refuse;
      if (passing.requestStreams) {
        refuse();
      }
    }
    const attempt = async (signal: CancelSignal): Promise<void> => {
      const attemptOptions = { repeatable: policy.repeats, signal };
      const code = await this.#counted(target, call, attemptOptions, (options) => this.#passToPeer(to, call, options));
      if (code !== GRPC_STATUS.OK) {
        throw new AnsweredFailure(code);
      }
    };
    try {
      await policy.run(attempt, { ...POLICY_RUN, signal: passing.cancellation });
    } catch (error) {
      if (!(error instanceof AnsweredFailure)) {
        throw error;
      }
    }
  }

  /** Counts one attempt as Dapr does, from when it is known where it goes. */
  async #counted(
    target: string,
    call: ProxiedCall,
    options: PassOnOptions,
    attempt: (options: PassOnOptions) => Promise<number>,
  ): Promise<number> {
    const { metrics, clock } = this.#options;
    if (metrics === undefined) {
      return await attempt(options);
    }
    const type = call.isStream ? "streaming" : "unary";
    let startMs: number | undefined;
    const onOpen = (): void => {
      if (startMs === undefined) {
        startMs = clock.monotonicMs();
        metrics.requestSent(target, type);
      }
    };
    try {
      const code = await attempt({ ...options, onOpen });
      if (type === "unary" && startMs !== undefined) {
        metrics.answerReceived(target, code, clock.monotonicMs() - startMs);
      }
      return code;
    } catch (error) {
      if (startMs !== undefined) {
        const code = GrpcError.is(error) ? error.code : GRPC_STATUS.UNKNOWN;
        metrics.answerReceived(target, code, type === "unary" ? clock.monotonicMs() - startMs : undefined, type);
      }
      throw error;
    }
  }
}

/** The caller has got a failure for an answer: the policy's breaker counts it, and nothing is repeated. */
class AnsweredFailure extends Error {
  readonly code: number;

  constructor(code: number) {
    super("the call has been answered");
    this.code = code;
  }
}

/** Failures that have no status are worth another attempt: the app was not found. */
const POLICY_RUN: PolicyRun<void> = {
  statusOf: (error) =>
    GrpcError.is(error) || error instanceof AnsweredFailure ? { kind: "grpc", code: error.code } : undefined,
  isPermanent: (error) => error instanceof AnsweredFailure,
};

/** What Go's gRPC server makes of an error: one without a status is Unknown, with its text. */
function statusError(error: unknown): unknown {
  if (error instanceof ApiError || GrpcError.is(error)) {
    return error;
  }
  if (error instanceof PolicyError && error.kind === "timeout") {
    return new GrpcError(GRPC_STATUS.DEADLINE_EXCEEDED, error.message, { cause: error });
  }
  return apiError(invocationErrors.proxy, { reason: goErrorText(error) }, { cause: error });
}
