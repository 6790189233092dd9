import { type ActorRef, type ActorTickCall, TicksCancelledError } from "../../app/actor-host.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { formatGoDuration, parseGoDuration } from "../../kit/duration.ts";
import { parseIsoDuration } from "../../kit/iso-duration.ts";
import type { Logger } from "../../kit/logger.ts";
import { unpackedData, packedData } from "../../mesh/reminder-message.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type {
  JobData,
  JobSpec,
  NamedReminder,
  ReminderCalls,
  Trigger,
  TriggerHandler,
} from "../../scheduling/types.ts";
import type { ActiveActors } from "./active-actors.ts";
import { checkNameLengths } from "./actor-name.ts";
import type { TickTexts } from "./tick-times.ts";
import type { ActorObserver } from "./types.ts";

/** Keeps reminders and says when they are due; the client of the scheduler service is one. */
export interface ReminderScheduler extends ReminderCalls {
  serveActors(types: readonly string[], handler: TriggerHandler): Promise<void>;
}

/** A reminder as its actor asks for it. */
export interface ReminderRequest extends ActorRef, TickTexts {
  readonly name: string;
  /** JSON text; undefined: none. */
  readonly data: Uint8Array | undefined;
  readonly overwrite: boolean;
  readonly failurePolicy: JobSpec["failurePolicy"];
}

/** A reminder as the scheduler has it. */
export interface StoredReminder extends ActorRef {
  readonly name: string;
  readonly dueTime: string | undefined;
  readonly period: string | undefined;
  /** A moment in RFC 3339. */
  readonly ttl: string | undefined;
  readonly data: JobData | undefined;
}

export interface ActorRemindersOptions {
  /** Undefined: there is no scheduler service. */
  readonly scheduler: ReminderScheduler | undefined;
  readonly active: ActiveActors;
  /** Brings a reminder to its actor, wherever that is by now. */
  readonly fire: (tick: ActorTickCall) => Promise<void>;
  readonly observer?: ActorObserver | undefined;
  readonly logger: Logger;
}

const DISABLED = "scheduler clients are disabled";

/** Reminders of actors: kept by the scheduler service, fired through the actor's turn. */
export class ActorReminders {
  readonly #options: ActorRemindersOptions;
  readonly #logger: Logger;

  constructor(options: ActorRemindersOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actor.reminders.scheduler");
    if (options.scheduler !== undefined) {
      this.#logger.info("Using Scheduler service for reminders.");
    }
  }

  /** Takes triggers for these types, and for no others. */
  async serve(types: readonly string[]): Promise<void> {
    await this.#options.scheduler?.serveActors(types, (trigger, signal) => this.#trigger(trigger, signal));
  }

  /** @throws ApiError 403 for types that are not hosted here, 409 for one that is there and may not be replaced */
  async create(request: ReminderRequest, signal?: CancelSignal): Promise<void> {
    const { name, data, dueTime, ttl, failurePolicy, overwrite } = request;
    this.#checkHosted(request.type);
    try {
      checkNameLengths(request, name);
      const job = {
        name,
        ...scheduleOf(request.period),
        dueTime: dueTime === "" ? undefined : dueTime,
        ttl: ttl === "" ? undefined : ttl,
        data: data === undefined ? undefined : packedData(data),
        failurePolicy,
      };
      await this.#scheduler().schedule(targetOf(request), job, overwrite, signal);
    } catch (error) {
      throw GrpcError.is(error) && error.code === GRPC_STATUS.ALREADY_EXISTS
        ? apiError(actorErrors.reminderExists, { name }, { cause: error })
        : apiError(actorErrors.reminderCreate, { reason: goErrorText(error) }, { cause: error });
    }
  }

  /** @throws ApiError 403, 404, 500 */
  async get(ref: ActorRef, name: string, signal?: CancelSignal): Promise<StoredReminder> {
    this.#checkHosted(ref.type);
    try {
      return storedOf(ref, name, await this.#scheduler().get(targetOf(ref), name, signal));
    } catch (error) {
      if (GrpcError.is(error) && error.code === GRPC_STATUS.NOT_FOUND) {
        throw apiError(actorErrors.reminderNotFound, { name }, { cause: error });
      }
      const reason = `api error: code = Internal desc = failed to get job due to: ${goErrorText(error)}`;
      throw apiError(actorErrors.reminderGet, { reason }, { cause: error });
    }
  }

  /** @param id undefined: of all actors of the type. @throws ApiError 403; whatever the scheduler says */
  async list(type: string, id: string | undefined, signal?: CancelSignal): Promise<readonly StoredReminder[]> {
    this.#checkHosted(type);
    const found: readonly NamedReminder[] = await this.#scheduler().listReminders({ type, id: id ?? "" }, signal);
    return found.map((job) => storedOf(job.actor, job.name, job));
  }

  /** One that is not there is deleted already. @throws ApiError 403, 500 */
  async delete(ref: ActorRef, name: string, signal?: CancelSignal): Promise<void> {
    this.#checkHosted(ref.type);
    await this.#deleting(() => this.#scheduler().delete(targetOf(ref), name, signal));
  }

  /** @param id undefined: of all actors of the type. @throws ApiError 403, 500 */
  async deleteAll(type: string, id: string | undefined, signal?: CancelSignal): Promise<void> {
    this.#checkHosted(type);
    await this.#deleting(() => this.#scheduler().deleteReminders({ type, id: id ?? "" }, id === undefined, signal));
  }

  async #deleting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw apiError(actorErrors.reminderDelete, { reason: goErrorText(error) }, { cause: error });
    }
  }

  /** A reminder that its actor cancels, or whose actor is gone for good, has nothing to be repeated for. */
  async #trigger({ name, target, data }: Trigger, signal: CancelSignal): Promise<boolean> {
    if (target.kind !== "actor") {
      return false;
    }
    const { fire, observer } = this.#options;
    const { type, id } = target;
    const json = data === undefined ? undefined : jsonOf(data);
    try {
      await fire({
        kind: "reminder",
        type,
        id,
        name,
        dueTime: "",
        period: "",
        callback: "",
        data: json,
        expiresMs: undefined,
        signal,
      });
      observer?.reminderFired(type, true);
      return true;
    } catch (error) {
      observer?.reminderFired(type, false);
      if (error instanceof TicksCancelledError) {
        return true;
      }
      if (!signal.aborted) {
        this.#logger.error(`failed to invoke scheduled actor reminder named: ${name} due to: ${goErrorText(error)}`);
      }
      return false;
    }
  }

  #scheduler(): ReminderScheduler {
    const { scheduler } = this.#options;
    if (scheduler === undefined) {
      throw new Error(DISABLED);
    }
    return scheduler;
  }

  #checkHosted(type: string): void | never {
    if (!this.#options.active.isHosted(type)) {
      throw notHosted();
    }
  }
}

function notHosted(): ApiError {
  return apiError(actorErrors.reminderNotHosted, {});
}

function targetOf({ type, id }: ActorRef) {
  return { kind: "actor", type, id } as const;
}

function storedOf({ type, id }: ActorRef, name: string, { dueTime, schedule, ttl, data }: JobSpec): StoredReminder {
  return { type, id, name, dueTime, period: schedule, ttl, data };
}

/** @throws Error in Dapr's words */
function scheduleOf(period: string): Pick<JobSpec, "schedule" | "repeats"> {
  if (period === "") {
    return {};
  }
  const iso = parseIsoDuration(period) ?? goPeriod(period);
  if (iso === undefined || iso.years > 0 || iso.months > 0 || iso.days > 0) {
    throw new Error(`unsupported period format: ${period}`);
  }
  const { repetitions = -1 } = iso;
  return {
    schedule: `@every ${formatGoDuration(iso.ms)}`,
    ...(repetitions > 0 ? { repeats: repetitions } : {}),
  };
}

function goPeriod(text: string) {
  try {
    return { years: 0, months: 0, days: 0, ms: parseGoDuration(text), repetitions: undefined };
  } catch {
    return undefined;
  }
}

function jsonOf({ typeUrl, value }: JobData): Uint8Array {
  return unpackedData({ $typeName: "google.protobuf.Any", typeUrl, value });
}
