import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { listen } from "../../src/net/http/listener.ts";
import {
  DeleteByNamePrefixResponseSchema,
  DeleteJobResponseSchema,
  GetJobResponseSchema,
  type Job,
  type JobMetadata,
  ListJobsResponseSchema,
  ScheduleJobResponseSchema,
  Scheduler,
  WatchHostsResponseSchema,
  type WatchJobsRequest,
  WatchJobsRequestResultStatus,
  type WatchJobsRequestInitial,
  type WatchJobsResponse,
  WatchJobsResponseSchema,
} from "../../src/wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";

type JobBytes = { readonly typeUrl: string; readonly value: Uint8Array };

/** A sidecar's stream of triggers, seen from the scheduler. */
export interface WatchingSidecar {
  readonly initial: WatchJobsRequestInitial;
  /** Resolves with what the sidecar answers, undefined when its stream ends before. */
  trigger(name: string, data?: JobBytes): Promise<"SUCCESS" | "FAILED" | undefined>;
  /** The scheduler gives the stream up. */
  end(): void;
}

/** A scheduler in memory that triggers when a test says so. */
export interface SchedulerDouble extends AsyncDisposable {
  readonly address: string;
  readonly jobs: ReadonlyMap<string, { readonly job: Job | undefined; readonly metadata: JobMetadata | undefined }>;
  /** Streams that are open. */
  readonly sidecars: readonly WatchingSidecar[];
  /** Tells all sidecars of these schedulers from now on. */
  setHosts(addresses: readonly string[]): void;
  close(): Promise<void>;
}

/** Messages on their way to one stream. */
class Outbox<T> {
  readonly #waiting: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(message: T): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

class Watcher implements WatchingSidecar {
  readonly initial: WatchJobsRequestInitial;
  readonly outbox = new Outbox<WatchJobsResponse>();
  readonly #results = new Map<bigint, (status: "SUCCESS" | "FAILED" | undefined) => void>();
  #ids = 0n;

  constructor(initial: WatchJobsRequestInitial) {
    this.initial = initial;
  }

  trigger(name: string, data?: JobBytes): Promise<"SUCCESS" | "FAILED" | undefined> {
    const id = (this.#ids += 1n);
    const metadata = { target: { type: { case: "job", value: {} } } } as const;
    this.outbox.push(
      create(WatchJobsResponseSchema, { name, id, metadata, ...(data === undefined ? {} : { data: { ...data } }) }),
    );
    return new Promise((resolve) => void this.#results.set(id, resolve));
  }

  end(): void {
    this.outbox.end();
  }

  async listen(requests: AsyncIterable<WatchJobsRequest>): Promise<void> {
    for await (const { watchJobRequestType: request } of requests) {
      if (request.case === "result") {
        const status = request.value.status === WatchJobsRequestResultStatus.SUCCESS ? "SUCCESS" : "FAILED";
        this.#results.get(request.value.id)?.(status);
        this.#results.delete(request.value.id);
      }
    }
  }

  over(): void {
    this.end();
    for (const resolve of this.#results.values()) {
      resolve(undefined);
    }
  }
}

/** Starts a scheduler on loopback, on a free port by default. It tells sidecars of itself alone. */
export async function startSchedulerDouble(port = 0): Promise<SchedulerDouble> {
  const jobs = new Map<string, { readonly job: Job | undefined; readonly metadata: JobMetadata | undefined }>();
  const watchers = new Set<Watcher>();
  const followers = new Set<Outbox<readonly string[]>>();
  let hosts: readonly string[] = [];
  const server = new GrpcServer();
  server.addService(methodsOf(Scheduler), {
    scheduleJob({ name, job, metadata, overwrite }) {
      if (jobs.has(name) && !overwrite) {
        throw new GrpcError(GRPC_STATUS.ALREADY_EXISTS, `job already exists: ${name}`);
      }
      jobs.set(name, { job, metadata });
      return create(ScheduleJobResponseSchema);
    },
    getJob({ name }) {
      const job = jobs.get(name)?.job;
      if (job === undefined) {
        throw new GrpcError(GRPC_STATUS.NOT_FOUND, `job not found: ${name}`);
      }
      return create(GetJobResponseSchema, { job });
    },
    deleteJob({ name }) {
      jobs.delete(name);
      return create(DeleteJobResponseSchema);
    },
    listJobs: () =>
      create(ListJobsResponseSchema, {
        jobs: [...jobs].map(([name, { job }]) => ({ name, ...(job === undefined ? {} : { job }) })),
      }),
    deleteByNamePrefix({ namePrefix }) {
      for (const name of [...jobs.keys()].filter((key) => key.startsWith(namePrefix))) {
        jobs.delete(name);
      }
      return create(DeleteByNamePrefixResponseSchema);
    },
    async *watchHosts(_request, call) {
      const outbox = new Outbox<readonly string[]>();
      call.signal.addEventListener("abort", () => outbox.end());
      followers.add(outbox);
      outbox.push(hosts);
      for await (const addresses of outbox.read()) {
        yield create(WatchHostsResponseSchema, { hosts: addresses.map((address) => ({ address })) });
      }
      followers.delete(outbox);
    },
    async *watchJobs(requests, call) {
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      const request = (first.value as WatchJobsRequest | undefined)?.watchJobRequestType;
      if (request?.case !== "initial") {
        throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "the first message is not the initial one");
      }
      const watcher = new Watcher(request.value);
      watchers.add(watcher);
      const over = (): void => {
        watchers.delete(watcher);
        watcher.over();
      };
      call.signal.addEventListener("abort", over);
      void watcher.listen({ [Symbol.asyncIterator]: () => incoming }).then(over, over);
      yield* watcher.outbox.read();
      over();
    },
  });
  const listener = await listen({ port }, { h2: createH2Transport().createServer(server.accept) });
  hosts = [listener.address];
  const close = async (): Promise<void> => {
    for (const stream of [...watchers, ...followers]) {
      stream.end();
    }
    await server.close(100);
    await listener.close(100);
  };
  return {
    address: listener.address,
    jobs,
    get sidecars() {
      return [...watchers];
    },
    setHosts(addresses) {
      hosts = addresses;
      for (const follower of followers) {
        follower.push(hosts);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
