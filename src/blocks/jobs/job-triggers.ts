import { goErrorText } from "../../app/go-error-text.ts";
import type { AppChannel } from "../../app/types.ts";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { SPAN_KIND, type TraceContext, type Tracer } from "../../kit/trace-context.ts";
import type { Trigger, TriggerHandler } from "../../scheduling/types.ts";

/** The app's triggers: taken from the schedulers while the app is up and well. */
export interface JobTriggers {
  start(channel: AppChannel): Promise<void>;
  /** The app is unhealthy, or leaves: resolves when triggers under way have been answered; `start` may follow. */
  stop(): Promise<void>;
}

/** Where triggers come from. */
export interface TriggerSource {
  serveApp(handler: TriggerHandler | undefined): Promise<void>;
}

/** Counts the triggers that the app has answered. */
export interface TriggerObserver {
  triggered(success: boolean, elapsedMs: number): void;
}

export interface JobTriggersDeps {
  /** Undefined: there is no scheduler service. */
  readonly source: TriggerSource | undefined;
  readonly observer?: TriggerObserver | undefined;
  /** Absent: triggers have no spans. */
  readonly tracer?: Tracer | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createJobTriggers({ source, ...deps }: JobTriggersDeps): JobTriggers {
  const delivery = { ...deps, logger: deps.logger.scope("dapr.runtime.scheduler.cluster") };
  return {
    async start(channel) {
      // What was under way for the app before ends on streams of its own: nobody has to wait for that.
      void source?.serveApp((trigger, signal) => deliverTraced(channel, trigger, signal, delivery));
    },
    async stop() {
      await source?.serveApp(undefined);
    },
  };
}

/** With a span of its own: the scheduler's message has no place for the trace of the request that scheduled the job. */
async function deliverTraced(
  channel: AppChannel,
  trigger: Trigger,
  signal: CancelSignal,
  deps: Omit<JobTriggersDeps, "source">,
): Promise<boolean> {
  const { tracer } = deps;
  if (tracer === undefined) {
    return await deliver(channel, trigger, signal, deps, undefined);
  }
  const span = tracer.start(`jobs/${trigger.name}`, SPAN_KIND.client, undefined);
  const isDone = await deliver(channel, trigger, signal, deps, span);
  if (!isDone) {
    span.fail("the app did not take the trigger");
  }
  span.end();
  return isDone;
}

/**
 * Gives the app one trigger. An app that does not know the job would not know it the next time either: that ends the
 * trigger like a success, though it counts as a failure. All other failures go to the job's failure policy.
 */
async function deliver(
  channel: AppChannel,
  { name, data }: Trigger,
  signal: CancelSignal,
  deps: Omit<JobTriggersDeps, "source">,
  trace: TraceContext | undefined,
): Promise<boolean> {
  const log = deps.logger;
  const startedMs = deps.clock.monotonicMs();
  let code: GrpcStatusCode;
  try {
    code = await channel.triggerJob({ name, data, trace }, signal);
  } catch (error) {
    log.error(
      `failed to invoke schedule app job: error returned from app channel while sending triggered job to app: ${goErrorText(error)}`,
    );
    return false;
  }
  deps.observer?.triggered(code === GRPC_STATUS.OK, deps.clock.monotonicMs() - startedMs);
  if (code === GRPC_STATUS.OK) {
    return true;
  }
  if (code === GRPC_STATUS.NOT_FOUND) {
    log.error(
      `non-retriable error returned from app while processing triggered job ${name}. status code returned: ${code}`,
    );
    return true;
  }
  log.error(
    `unexpected status code returned from app while processing triggered job ${name}. status code returned: ${code}`,
  );
  return false;
}
