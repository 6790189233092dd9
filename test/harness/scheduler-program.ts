import { once } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import {
  type JobMetadata,
  JobMetadataSchema,
  JobSchema,
  ScheduleJobRequestSchema,
  Scheduler,
  type WatchHostsRequest,
  WatchHostsRequestSchema,
  type WatchHostsResponse,
  WatchJobsRequestInitialSchema,
  type WatchJobsRequest,
  WatchJobsRequestSchema,
  type WatchJobsResponse,
  WatchJobsRequestResultStatus,
} from "../../src/wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { GrpcCaller, TLS_NAME } from "./grpc-caller.ts";
import { metricOf, type Program, roleFlags, startOutrigger, whileRunning } from "./outrigger-program.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

export const schedulerMethods = methodsOf(Scheduler);

/** Ports of a scheduler, so that one that is started again has the same. */
export interface SchedulerPorts {
  readonly api: number;
  readonly etcd: number;
  readonly health: number;
  readonly metrics: number;
}

export async function schedulerPorts(): Promise<SchedulerPorts> {
  return { api: await freePort(), etcd: await freePort(), health: await freePort(), metrics: await freePort() };
}

/** `outrigger scheduler` in a process of its own. */
export class SchedulerProgram implements AsyncDisposable {
  readonly program: Program;
  readonly ports: SchedulerPorts;
  readonly api: GrpcCaller;
  readonly etcd: GrpcCaller;
  readonly #watchers: JobWatcher[] = [];

  constructor(
    folder: string,
    ports: SchedulerPorts,
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.ports = ports;
    this.program = startOutrigger(
      [
        "scheduler",
        ...roleFlags(ports.api, ports.health, ports.metrics),
        `--etcd-client-port=${ports.etcd}`,
        `--etcd-data-dir=${folder}/data`,
        "--log-level=debug",
        ...flags,
      ],
      { cwd: folder, env },
    );
    this.api = new GrpcCaller(`127.0.0.1:${ports.api}`);
    this.etcd = new GrpcCaller(`127.0.0.1:${ports.etcd}`);
  }

  /** Resolves when it is healthy. @throws Error with what it said, when it is not or ends before */
  async ready(): Promise<this> {
    const healthy = until("the scheduler is healthy", async () => (await this.health()) === 200, 30_000);
    await whileRunning("the scheduler", this.program, healthy);
    return this;
  }

  async health(): Promise<number> {
    return (await fetch(`http://127.0.0.1:${this.ports.health}/healthz`)).status;
  }

  metric(series: string): Promise<number | undefined> {
    return metricOf(this.ports.metrics, series);
  }

  async schedule(name: string, job: MessageInitShape<typeof JobSchema>, overwrite = false): Promise<void> {
    await this.api.call(schedulerMethods.scheduleJob, scheduleRequest(name, job, overwrite));
  }

  /** @param initial what it says first; null for nothing */
  watch(initial: MessageInitShape<typeof WatchJobsRequestInitialSchema> | null = {}): JobWatcher {
    const watcher = new JobWatcher(`127.0.0.1:${this.ports.api}`, initial);
    this.#watchers.push(watcher);
    return watcher;
  }

  /** The schedulers that sidecars are told of first. */
  async hosts(): Promise<readonly string[]> {
    const { watchHosts } = schedulerMethods;
    const client = new Client(`127.0.0.1:${this.ports.api}`, credentials.createInsecure());
    try {
      const call = client.makeServerStreamRequest(
        watchHosts.path,
        (request: WatchHostsRequest) => Buffer.from(watchHosts.encodeRequest(request)),
        (bytes) => watchHosts.decodeResponse(bytes),
        create(WatchHostsRequestSchema),
      );
      call.on("error", () => undefined);
      const [first] = (await once(call, "data")) as [WatchHostsResponse];
      call.cancel();
      return first.hosts.map(({ address }) => address);
    } finally {
      client.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers) {
      watcher.leave();
    }
    this.api.close();
    this.etcd.close();
    await this.program[Symbol.asyncDispose]();
  }
}

export function scheduleRequest(name: string, job: MessageInitShape<typeof JobSchema>, overwrite = false) {
  return create(ScheduleJobRequestSchema, { name, job: create(JobSchema, job), metadata: appMetadata(), overwrite });
}

export function appMetadata(): JobMetadata {
  return create(JobMetadataSchema, {
    namespace: "default",
    appId: "app",
    target: { type: { case: "job", value: {} } },
  });
}

/** A trigger as a sidecar received it. */
export interface Trigger {
  readonly name: string;
  readonly atMs: number;
}

/** A sidecar as the scheduler sees it, over grpc-js. */
export class JobWatcher {
  readonly triggers: Trigger[] = [];
  /** How the stream ended. */
  readonly ended: Promise<{ readonly code: number; readonly message: string }>;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<WatchJobsRequest, WatchJobsResponse>;

  /** @param initial of app `app` in `default`; null says nothing at all */
  constructor(
    address: string,
    initial: MessageInitShape<typeof WatchJobsRequestInitialSchema> | null,
    channel = credentials.createInsecure(),
  ) {
    const { watchJobs } = schedulerMethods;
    this.#client = new Client(address, channel, TLS_NAME);
    this.#call = this.#client.makeBidiStreamRequest(
      watchJobs.path,
      (request: WatchJobsRequest) => Buffer.from(watchJobs.encodeRequest(request)),
      (bytes) => watchJobs.decodeResponse(bytes),
    );
    this.ended = new Promise((resolve) => {
      this.#call.on("error", ({ code, details }: ServiceError) => resolve({ code, message: details }));
      this.#call.on("end", () => resolve({ code: 0, message: "" }));
    });
    this.#call.on("data", ({ name, id }: WatchJobsResponse) => {
      this.triggers.push({ name, atMs: Date.now() });
      this.answer(id);
    });
    if (initial !== null) {
      const value = create(WatchJobsRequestInitialSchema, { namespace: "default", appId: "app", ...initial });
      this.#send({ case: "initial", value });
    }
  }

  get names(): readonly string[] {
    return this.triggers.map(({ name }) => name);
  }

  /** Answers a trigger by its number, whether there was one or not. */
  answer(id: bigint): void {
    this.#send({ case: "result", value: { id, status: WatchJobsRequestResultStatus.SUCCESS } });
  }

  leave(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #send(watchJobRequestType: MessageInitShape<typeof WatchJobsRequestSchema>["watchJobRequestType"]): void {
    this.#call.write(create(WatchJobsRequestSchema, { watchJobRequestType: watchJobRequestType as never }));
  }
}
