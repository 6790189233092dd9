import { create } from "@bufbuild/protobuf";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { Random } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { openLocalEngine } from "../../storage/local-engine.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import {
  DeleteJobRequestSchema,
  JobSchema,
  type JobMetadata,
  JobMetadataSchema,
  ScheduleJobRequestSchema,
  type WatchJobsRequestInitial,
  WatchJobsRequestInitialSchema,
  type WatchJobsResponse,
} from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobRequests } from "./job-requests.ts";
import { ScheduleCache } from "./jobs/schedule-cache.ts";
import { SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";
import type { SidecarStream } from "./sidecars/sidecar-stream.ts";
import { StreamPool } from "./sidecars/stream-pool.ts";
import type { WatchedKeyStore } from "./store/key-store.ts";
import { SqliteKeyStore } from "./store/sqlite-key-store.ts";
import { memoryStoreOptions } from "./store/sqlite-schema.ts";
import { TriggerEngine } from "./triggers/trigger-engine.ts";
import type { TriggerResult } from "./triggers/result.ts";

/** Randomness that counts. */
function countingRandom(): Random {
  let count = 0;
  return {
    uuid: () => `uuid-${(count += 1)}`,
    bytes: (length) => Uint8Array.from({ length }, (_, index) => (index === length - 1 ? (count += 1) : 1)),
    next: () => (count += 1) / 1_000_000,
  };
}

/** A trigger as a test's sidecar received it. */
export interface Received {
  readonly name: string;
  readonly atMs: number;
  answer(result: TriggerResult): void;
}

/** A sidecar in a test: what it has received, newest last. */
export class TestSidecar {
  readonly received: Received[] = [];
  readonly stream: SidecarStream;
  readonly #pool: StreamPool;
  /** Given to every trigger at once; undefined: the test answers. */
  result: TriggerResult | undefined = "SUCCESS";

  constructor(pool: StreamPool, initial: WatchJobsRequestInitial, clock: VirtualClock) {
    this.#pool = pool;
    this.stream = pool.connect(initial);
    void this.#read(this.stream.messages(), clock);
  }

  get names(): readonly string[] {
    return this.received.map(({ name }) => name);
  }

  disconnect(): void {
    this.#pool.disconnect(this.stream, new Error("the sidecar has left"));
  }

  async #read(messages: AsyncIterable<WatchJobsResponse>, clock: VirtualClock): Promise<void> {
    try {
      for await (const { name, id } of messages) {
        const answer = (result: TriggerResult): void => void this.stream.answer(id, result);
        this.received.push({ name, atMs: clock.now(), answer });
        if (this.result !== undefined) {
          answer(this.result);
        }
      }
    } catch {
      // The stream has ended.
    }
  }
}

export interface SchedulerBenchOptions {
  readonly store?: WatchedKeyStore | undefined;
  readonly logger?: Logger;
  /** 0: no limit. */
  readonly actorRemindersMax?: number;
}

/** A scheduler without ports, on a store in memory and a clock that the test moves. */
export class SchedulerBench {
  readonly clock = new VirtualClock();
  readonly registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  readonly metrics = new SchedulerMetrics(this.registry);
  readonly store: WatchedKeyStore;
  readonly engine: TriggerEngine;
  readonly pool: StreamPool;
  readonly requests: JobRequests;

  constructor({ store, logger = silentLogger, actorRemindersMax = 0 }: SchedulerBenchOptions = {}) {
    this.store = store ?? new SqliteKeyStore(openLocalEngine(memoryStoreOptions()), Number.MAX_SAFE_INTEGER);
    const schedules = new ScheduleCache();
    const { clock, metrics } = this;
    const deps = { store: this.store, schedules, clock, metrics, logger };
    this.engine = new TriggerEngine(deps, (entry) => this.pool.dispatch(entry));
    this.pool = new StreamPool(clock, metrics, this.engine);
    // A test whose store fails asks again.
    this.engine.load().catch(() => undefined);
    this.requests = new JobRequests({
      store: this.store,
      factory: { random: countingRandom(), schedules, now: () => clock.now() },
      metrics,
      logger,
      actorRemindersMax,
      jobCount: () => this.engine.size,
    });
  }

  async job(
    name: string,
    job: MessageInitShape<typeof JobSchema>,
    options: { overwrite?: boolean } = {},
  ): Promise<void> {
    await this.schedule(name, job, appMetadata(), options.overwrite ?? false);
  }

  async reminder(
    type: string,
    name: string,
    job: MessageInitShape<typeof JobSchema>,
    concurrencyKey?: string,
  ): Promise<void> {
    await this.schedule(name, job, actorMetadata(type, "id", concurrencyKey), false);
  }

  async schedule(
    name: string,
    job: MessageInitShape<typeof JobSchema>,
    metadata: JobMetadata,
    overwrite: boolean,
  ): Promise<void> {
    await this.requests.schedule(
      create(ScheduleJobRequestSchema, { name, job: create(JobSchema, job), metadata, overwrite }),
    );
  }

  async remove(name: string, metadata: JobMetadata): Promise<void> {
    await this.requests.delete(create(DeleteJobRequestSchema, { name, metadata }));
  }

  sidecar(initial: MessageInitShape<typeof WatchJobsRequestInitialSchema> = {}): TestSidecar {
    const full = create(WatchJobsRequestInitialSchema, { namespace: "ns", appId: "app", ...initial });
    return new TestSidecar(this.pool, full, this.clock);
  }

  /** Lets time pass in small steps, and everything that follows from each happen. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    await settle();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await settle();
    }
  }

  /** A number of the exposition, 0 where it is not. */
  metric(series: string): number {
    const line = this.registry
      .render()
      .split("\n")
      .find((one) => one.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  async close(): Promise<void> {
    this.engine.stop();
    this.pool.disconnectAll(new Error("the test is over"));
    await settle();
    await this.store.close();
  }
}

export function appMetadata(namespace = "ns", appId = "app"): JobMetadata {
  return create(JobMetadataSchema, { namespace, appId, target: { type: { case: "job", value: {} } } });
}

export function actorMetadata(type: string, id: string, concurrencyKey?: string): JobMetadata {
  return create(JobMetadataSchema, {
    namespace: "ns",
    appId: "app",
    target: { type: { case: "actor", value: { type, id } } },
    ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
  });
}

/** Turns of the event loop in which a write, its commit and what follows come to rest. */
const SETTLING_TURNS = 12;

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
