import { create } from "@bufbuild/protobuf";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { TraceContext } from "../kit/trace-context.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import {
  DeleteByMetadataRequestSchema,
  DeleteByNamePrefixRequestSchema,
  DeleteJobRequestSchema,
  GetJobRequestSchema,
  ListJobsRequestSchema,
  type ScheduleJobRequest,
  Scheduler as SchedulerService,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { HostWatch } from "./host-watch.ts";
import { JobStreams } from "./job-streams.ts";
import { jobMessage, jobMetadata, type JobOwner, specOf } from "./messages.ts";
import { SchedulerPool } from "./scheduler-pool.ts";
import type {
  ConnectScheduler,
  JobSpec,
  JobTarget,
  NamedJob,
  NamedReminder,
  SchedulerClient,
  TriggerHandler,
} from "./types.ts";

const methods = methodsOf(SchedulerService);

export interface SchedulerOptions extends JobOwner {
  /** At least one; any of them knows all others. */
  readonly addresses: readonly string[];
  /** Streams of triggers from each scheduler, at least 1 (`--scheduler-job-streams`). */
  readonly streamsPerHost: number;
  readonly connect: ConnectScheduler;
  /** The first scheduler has told which of them there are. */
  readonly onFound: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * This sidecar's side of the scheduler service: finds all schedulers of the cluster from any of them, asks them in turn,
 * and takes their triggers for the app and for actors while there is somebody to handle them.
 */
export class Scheduler implements SchedulerClient {
  readonly #owner: JobOwner;
  readonly #pool: SchedulerPool;
  readonly #streams: JobStreams;
  readonly #hosts: HostWatch;
  readonly #onFound: () => void;

  constructor(options: SchedulerOptions) {
    this.#owner = options;
    this.#onFound = options.onFound;
    this.#pool = new SchedulerPool(options);
    this.#streams = new JobStreams(options);
    this.#hosts = new HostWatch({ ...options, onHosts: (addresses) => this.#follow(addresses) });
  }

  /** Begins to look for schedulers, and never stops before `close`. */
  start(): void {
    this.#hosts.start();
  }

  get addresses(): readonly string[] {
    return [...this.#pool.clients.keys()];
  }

  serveApp(handler: TriggerHandler | undefined): Promise<void> {
    return this.#streams.serveApp(handler);
  }

  serveActors(types: readonly string[], handler: TriggerHandler): Promise<void> {
    return this.#streams.serveActors(types, handler);
  }

  async schedule(
    target: JobTarget,
    { name, ...spec }: NamedJob,
    overwrite: boolean,
    signal?: CancelSignal,
    trace?: TraceContext,
  ): Promise<void> {
    const metadata = jobMetadata(this.#owner, target);
    const request: ScheduleJobRequest = {
      $typeName: "dapr.proto.scheduler.v1.ScheduleJobRequest",
      name,
      job: jobMessage(spec),
      metadata,
      overwrite,
    };
    await this.#pool.call(methods.scheduleJob, request, signal, trace);
  }

  async get(target: JobTarget, name: string, signal?: CancelSignal): Promise<JobSpec> {
    const request = create(GetJobRequestSchema, { name, metadata: jobMetadata(this.#owner, target) });
    const { job } = await this.#pool.call(methods.getJob, request, signal);
    return specOf(job);
  }

  async list(target: JobTarget, signal?: CancelSignal): Promise<readonly NamedJob[]> {
    const request = create(ListJobsRequestSchema, { metadata: jobMetadata(this.#owner, target) });
    const { jobs } = await this.#pool.call(methods.listJobs, request, signal);
    return jobs.map(({ name, job }) => ({ name, ...specOf(job) }));
  }

  async delete(target: JobTarget, name: string, signal?: CancelSignal): Promise<void> {
    const request = create(DeleteJobRequestSchema, { name, metadata: jobMetadata(this.#owner, target) });
    await this.#pool.call(methods.deleteJob, request, signal);
  }

  async deleteByPrefix(target: JobTarget, prefix: string, signal?: CancelSignal): Promise<void> {
    const metadata = jobMetadata(this.#owner, target);
    const request = create(DeleteByNamePrefixRequestSchema, { namePrefix: prefix, metadata });
    await this.#pool.call(methods.deleteByNamePrefix, request, signal);
  }

  async listReminders(actor: NamedReminder["actor"], signal?: CancelSignal): Promise<readonly NamedReminder[]> {
    const metadata = jobMetadata(this.#owner, { kind: "actor", ...actor });
    const { jobs } = await this.#pool.call(methods.listJobs, create(ListJobsRequestSchema, { metadata }), signal);
    return jobs.flatMap(({ name, job, metadata: of }) => {
      const type = of?.target?.type;
      return type?.case === "actor"
        ? [{ name, ...specOf(job), actor: { type: type.value.type, id: type.value.id } }]
        : [];
    });
  }

  async deleteReminders(actor: NamedReminder["actor"], byPrefix: boolean, signal?: CancelSignal): Promise<void> {
    const metadata = jobMetadata(this.#owner, { kind: "actor", ...actor });
    const request = create(DeleteByMetadataRequestSchema, { metadata, idPrefixMatch: byPrefix });
    await this.#pool.call(methods.deleteByMetadata, request, signal);
  }

  /** Ends the streams when what is under way on them has been answered, then everything else. */
  async close(): Promise<void> {
    await Promise.all([this.#hosts.close(), this.#streams.close()]);
    await this.#pool.close();
  }

  #follow(addresses: readonly string[]): void {
    const gone = this.#pool.replace(addresses);
    const ended = this.#streams.follow(this.#pool.clients);
    void ended.then(() => Promise.all(gone.map((client) => client.close())));
    this.#onFound();
  }
}
