import { create } from "@bufbuild/protobuf";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { systemRandom } from "../../../kit/random.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { openLocalEngine } from "../../../storage/local-engine.ts";
import { MetricRegistry } from "../../../telemetry/metrics/registry.ts";
import { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import {
  JobSchema,
  ScheduleJobRequestSchema,
  WatchJobsRequestInitialSchema,
} from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobRequests } from "../job-requests.ts";
import { ScheduleCache } from "../jobs/schedule-cache.ts";
import { appMetadata, TestSidecar } from "../scheduler-bench.fixture.ts";
import { StreamPool } from "../sidecars/stream-pool.ts";
import {
  type Commit,
  type CommitResult,
  type Follower,
  type Following,
  type KeyRange,
  type KeyStore,
  KeyStoreError,
  type KeyValue,
  type ListOptions,
} from "../store/key-store.ts";
import { LeaseBook } from "../store/lease-book.ts";
import type { Leases } from "../store/leases.ts";
import { SqliteKeyStore } from "../store/sqlite-key-store.ts";
import { memoryStoreOptions } from "../store/sqlite-schema.ts";
import { TriggerEngine } from "../triggers/trigger-engine.ts";
import { type Election, Membership } from "./membership.ts";

/** Several schedulers on one store in memory, which stands for an etcd, and one clock that the test moves. */
export class ClusterBench {
  readonly clock = new VirtualClock();
  readonly store = new SqliteKeyStore(openLocalEngine(memoryStoreOptions()), Number.MAX_SAFE_INTEGER);
  readonly leases = new LeaseBook(this.store, this.clock, systemRandom);
  readonly #members: BenchMember[] = [];

  member(id: string, formerUid?: bigint): BenchMember {
    const member = new BenchMember(this, id, formerUid);
    this.#members.push(member);
    return member;
  }

  /** Lets time pass in small steps, and everything that follows from each happen. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    await settle();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await settle();
    }
  }

  async close(): Promise<void> {
    for (const member of this.#members) {
      member.kill();
    }
    this.leases.close();
    await settle();
    await this.store.close();
  }
}

/** One of them, with a sidecar that takes the jobs of `app`. */
export class BenchMember {
  readonly membership: Membership;
  readonly engine: TriggerEngine;
  readonly sidecar: TestSidecar;
  readonly requests: JobRequests;
  readonly link: Link;
  /** Undefined while the members do not agree. */
  election: Election | undefined;

  constructor(bench: ClusterBench, id: string, formerUid: bigint | undefined) {
    const { clock } = bench;
    this.link = new Link(bench);
    const store: KeyStore = this.link;
    const logger = silentLogger;
    const metrics = new SchedulerMetrics(new MetricRegistry({ prefix: "dapr_", logger }));
    const schedules = new ScheduleCache();
    this.membership = new Membership(
      { id, address: `${id}:1`, formerUid },
      {
        store,
        leases: this.link,
        clock,
        random: systemRandom,
        logger,
        duties: {
          elected: (election) => {
            this.election = election;
            void this.engine.resume(election.partition);
          },
          deposed: async () => {
            this.election = undefined;
            await this.engine.suspend();
          },
        },
      },
    );
    const lease = this.membership;
    this.engine = new TriggerEngine({ store, schedules, clock, metrics, logger, lease }, (entry) =>
      pool.dispatch(entry),
    );
    const pool: StreamPool = new StreamPool(clock, metrics, this.engine);
    const initial = create(WatchJobsRequestInitialSchema, { namespace: "ns", appId: "app" });
    this.sidecar = new TestSidecar(pool, initial, clock);
    this.requests = new JobRequests({
      store,
      factory: { random: systemRandom, schedules, now: () => clock.now() },
      metrics,
      logger,
      actorRemindersMax: 0,
      jobCount: () => 0,
    });
    this.membership.start();
  }

  async job(name: string, job: { schedule?: string; dueTime?: string; repeats?: number }): Promise<void> {
    await this.requests.schedule(
      create(ScheduleJobRequestSchema, { name, job: create(JobSchema, job), metadata: appMetadata() }),
    );
  }

  /** As a killed process: nothing more comes from it, and its key stays. */
  kill(): void {
    this.link.cut = true;
    this.engine.stop();
  }
}

/** A member's way to the store, which can be cut. */
class Link implements KeyStore, Leases {
  readonly #bench: ClusterBench;
  readonly #followings = new Set<{ readonly again: () => void; readonly end: () => void }>();
  #cut = false;

  constructor(bench: ClusterBench) {
    this.#bench = bench;
  }

  set cut(cut: boolean) {
    this.#cut = cut;
    for (const { again, end } of this.#followings) {
      if (cut) {
        end();
      } else {
        again();
      }
    }
  }

  get revision(): number {
    return this.#bench.store.revision;
  }

  get bytes(): number {
    return this.#bench.store.bytes;
  }

  get(key: string): Promise<KeyValue | undefined> {
    return this.#through(() => this.#bench.store.get(key));
  }

  list(range: KeyRange, options: ListOptions): Promise<readonly KeyValue[]> {
    return this.#through(() => this.#bench.store.list(range, options));
  }

  count(range: KeyRange): Promise<number> {
    return this.#through(() => this.#bench.store.count(range));
  }

  commit(commit: Commit): Promise<CommitResult> {
    return this.#through(() => this.#bench.store.commit(commit));
  }

  /** After a cut everything is read again. */
  follow(range: KeyRange, follower: Follower): Following {
    const current: Following[] = [];
    const end = (): void => current.splice(0).forEach((following) => following.end());
    const again = (): void => void current.push(this.#bench.store.follow(range, follower));
    const one = { again, end };
    this.#followings.add(one);
    if (!this.#cut) {
      again();
    }
    return {
      synced: current[0]?.synced ?? Promise.resolve(),
      end: () => {
        this.#followings.delete(one);
        end();
      },
    };
  }

  grant(ttlS: number): Promise<number> {
    return this.#through(async () => this.#bench.leases.grant(ttlS)?.id ?? 0);
  }

  keepAlive(id: number): Promise<boolean> {
    return this.#through(async () => this.#bench.leases.keepAlive(id) !== undefined);
  }

  async revoke(id: number): Promise<void> {
    await this.#through(() => this.#bench.leases.revoke(id));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #through<T>(call: () => Promise<T>): Promise<T> {
    if (this.#cut) {
      throw new KeyStoreError("failed", "the store cannot be reached");
    }
    return await call();
  }
}

const SETTLING_TURNS = 20;

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
