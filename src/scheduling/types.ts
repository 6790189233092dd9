import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { TraceContext } from "../kit/trace-context.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import type { JobFailurePolicy } from "../wire/gen/dapr/proto/common/v1/common_pb.js";

/** A job's bytes and the type that says what they are, as `google.protobuf.Any` has them. They pass through unread. */
export interface JobData {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** When a job triggers, and with what. The scheduler reads the texts; nobody on the way does. */
export interface JobSpec {
  /** Six cron fields, or `@every` and its kin. */
  readonly schedule?: string | undefined;
  readonly repeats?: number | undefined;
  readonly dueTime?: string | undefined;
  readonly ttl?: string | undefined;
  readonly data?: JobData | undefined;
  readonly failurePolicy?: JobFailurePolicy | undefined;
}

export interface NamedJob extends JobSpec {
  readonly name: string;
}

/** Whom a job triggers: the app, or one of its actors, for which it is a reminder. */
export type JobTarget =
  | { readonly kind: "app" }
  | { readonly kind: "actor"; readonly type: string; readonly id: string };

/** A job is due. */
export interface Trigger {
  readonly name: string;
  readonly target: JobTarget;
  readonly data: JobData | undefined;
}

/**
 * Does what a trigger is for. False leaves what follows to the job's failure policy. It must not reject, and ends early
 * when the signal is aborted.
 */
export type TriggerHandler = (trigger: Trigger, signal: CancelSignal) => Promise<boolean>;

/**
 * What can be asked of the schedulers. Each call goes to the next of them; one that is not there or going away is passed
 * over, for 30 seconds in all. Rejects with the scheduler's GrpcError, or an Error when there is none to ask.
 */
export interface SchedulerCalls {
  /** Where schedulers are known to be; empty before the first of them has told. */
  readonly addresses: readonly string[];
  schedule(
    target: JobTarget,
    job: NamedJob,
    overwrite: boolean,
    signal?: CancelSignal,
    trace?: TraceContext,
  ): Promise<void>;
  get(target: JobTarget, name: string, signal?: CancelSignal): Promise<JobSpec>;
  list(target: JobTarget, signal?: CancelSignal): Promise<readonly NamedJob[]>;
  /** A job that is not there is deleted already. */
  delete(target: JobTarget, name: string, signal?: CancelSignal): Promise<void>;
  /** An empty prefix: all of the target's jobs. */
  deleteByPrefix(target: JobTarget, prefix: string, signal?: CancelSignal): Promise<void>;
}

/** A job that is the reminder of an actor. */
export interface NamedReminder extends NamedJob {
  readonly actor: { readonly type: string; readonly id: string };
}

/** What reminders of actors need beyond the calls for any job. */
export interface ReminderCalls extends Pick<SchedulerCalls, "schedule" | "get" | "delete"> {
  /** Those of one actor, or of all of a type where the id is empty. */
  listReminders(actor: NamedReminder["actor"], signal?: CancelSignal): Promise<readonly NamedReminder[]>;
  /** Those of one actor, or of all whose id begins so. */
  deleteReminders(actor: NamedReminder["actor"], byPrefix: boolean, signal?: CancelSignal): Promise<void>;
}

/** Makes a client of a scheduler at `host:port`; nothing is connected before its first call. */
export type ConnectScheduler = (address: string) => GrpcClient;

/** The scheduler service as a sidecar knows it, wherever it runs: calls, and triggers for whoever handles them. */
export interface SchedulerClient extends SchedulerCalls, ReminderCalls {
  /** Begins to look for schedulers. */
  start(): void;
  /** Who handles the app's triggers; undefined: none are taken. Resolves when what was under way before has been answered. */
  serveApp(handler: TriggerHandler | undefined): Promise<void>;
  /** The same for actors of some types. */
  serveActors(types: readonly string[], handler: TriggerHandler): Promise<void>;
  /** Resolves when triggers under way have been answered. */
  close(): Promise<void>;
}

/** A scheduler in this process. It costs nothing before there is a job. */
export interface LocalScheduler {
  /** It is open, or keeps jobs of an earlier run: who handles triggers has to ask it for them. */
  readonly hasJobs: boolean;
  /** Opens it, with the first call that succeeds. @throws Error saying what is wrong with the folder of its jobs */
  open(): Promise<ConnectScheduler>;
  /** Tells once that it is open now, also when somebody else has opened it. @returns ends it */
  onOpen(listener: () => void): () => void;
}
