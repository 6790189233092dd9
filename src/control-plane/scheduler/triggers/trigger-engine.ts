import { type Clock, sleep } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import { formatGoDuration } from "../../../kit/duration.ts";
import type { Logger } from "../../../kit/logger.ts";
import { afterFailure, afterSuccess, type NextTrigger, nextDue } from "../jobs/job-times.ts";
import type { JobTarget } from "../jobs/job-name.ts";
import { type JobContent, readContent, readPlan, readProgress } from "../jobs/read-job.ts";
import type { ScheduleCache } from "../jobs/schedule-cache.ts";
import { HANDOVER_MS, HANDOVER_POLL_MS, STORE_RETRY_MS } from "../limits.ts";
import { owns, type Partition, WHOLE } from "../members/partition.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import type { Dispatch, PoolEvents } from "../sidecars/stream-pool.ts";
import type { Following, KeyStore, KeyValue } from "../store/key-store.ts";
import { COUNTERS, JOBS, prefixRange } from "../store/keys.ts";
import { Congestion } from "./congestion.ts";
import { DueTimer, type UnderWay } from "./due-timer.ts";
import { JobEntry } from "./job-entry.ts";
import { JobFeed, type JobSink } from "./job-feed.ts";
import { dropLeftCounter, storeProgress } from "./progress-store.ts";
import type { TriggerResult } from "./result.ts";
import { type HeldStage, Stages } from "./stages.ts";
import { Staging } from "./staging.ts";
import { StoreRetries } from "./store-retries.ts";

/** What the engine stands on. */
export interface TriggerEngineDeps {
  readonly store: KeyStore;
  readonly schedules: ScheduleCache;
  readonly clock: Clock;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
  /** Where other schedulers share the store: whether this one's part of the jobs is certainly still its own. */
  readonly lease?: { holds(): boolean };
}

/**
 * Every job's next trigger: it waits for its time, is handed out, and its result moves the job on, in the store before in
 * memory. It follows the store, so that a job is triggered whoever wrote it; a job that cannot be read is left alone.
 */
export class TriggerEngine implements PoolEvents, JobSink {
  readonly #deps: TriggerEngineDeps;
  readonly #dispatch: (entry: JobEntry) => Dispatch;
  readonly #entries = new Map<string, JobEntry>();
  readonly #malformed = new Set<string>();
  readonly #stages: Stages;
  readonly #staging = new Staging();
  readonly #due: DueTimer;
  readonly #congestion = new Congestion();
  readonly #retries: StoreRetries;
  #following: Following | undefined;
  #partition: Partition = WHOLE;
  #suspended = true;
  #readings = 0;
  #stopped = false;

  /** @param dispatch hands a trigger to whoever takes it */
  constructor(deps: TriggerEngineDeps, dispatch: (entry: JobEntry) => Dispatch) {
    this.#deps = deps;
    this.#dispatch = dispatch;
    this.#stages = new Stages(deps.clock);
    const underWay = (): UnderWay => ({
      sent: this.#stages.size("sent"),
      storing: this.#stages.size("storing"),
      isJam: this.#congestion.isJam,
    });
    this.#due = new DueTimer(deps.clock, underWay, (entry) => this.#handOut(entry));
    this.#retries = new StoreRetries(deps.clock, STORE_RETRY_MS);
  }

  /** Jobs that are known, malformed ones left out. */
  get size(): number {
    return this.#entries.size;
  }

  /** How long the oldest due trigger is in a stage, in milliseconds; 0 when none is. */
  waitMs(stage: HeldStage | "waiting"): number {
    return stage === "waiting" ? this.#due.waitMs : this.#stages.longestMs(stage);
  }

  /** Reads all jobs from the store; what was due while nobody ran is triggered at once. */
  async load(): Promise<void> {
    await this.resume(WHOLE);
  }

  /** Triggers the jobs of a partition from now on, and no others. Resolves when they have been read. */
  async resume(partition: Partition): Promise<void> {
    this.#following?.end();
    if (this.#deps.lease !== undefined) {
      this.#forgetWaiting();
    }
    this.#suspended = false;
    this.#partition = partition;
    this.#due.release();
    this.#following = this.#deps.store.follow(prefixRange(JOBS), new JobFeed(this.#deps.store, partition, this));
    await this.#following.synced;
  }

  /** Triggers nothing any more. Resolves when what is under way has been stored, or has had its time. */
  async suspend(): Promise<void> {
    const { clock } = this.#deps;
    this.#suspended = true;
    this.#due.hold();
    this.#following?.end();
    const endMs = clock.monotonicMs() + HANDOVER_MS;
    while (this.#suspended && !this.#stopped && this.#underWay() > 0 && clock.monotonicMs() < endMs) {
      await sleep(clock, HANDOVER_POLL_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#due.stop();
    this.#retries.stop();
    this.#following?.end();
  }

  async content(entry: JobEntry): Promise<JobContent | undefined> {
    const kv = await this.#deps.store.get(JOBS + entry.name);
    if (kv?.modRevision !== entry.revision || !this.#mayTrigger()) {
      return undefined;
    }
    return readContent(entry.name, kv.value);
  }

  finished(entry: JobEntry, result: TriggerResult, tookMs: number): void {
    const { metrics, logger } = this.#deps;
    if (logger.enabled("debug")) {
      logger.debug(`Triggered job ${entry.name} in ${formatGoDuration(tookMs)} (${result})`);
    }
    metrics.finished(typeOf(entry), result, tookMs);
    if (result !== "UNDELIVERABLE" && entry.stage === "sent") {
      this.#congestion.note(entry.plan.target, this.#deps.clock.monotonicMs() - entry.sinceMs);
    }
    if (entry.stage === "gone" || this.#stopped) {
      return;
    }
    entry.unreadableSinceMs = undefined;
    switch (result) {
      case "SUCCESS":
        this.#advance(entry, afterSuccess(entry.plan.times, entry.progress));
        return;
      case "FAILED":
        this.#advance(entry, afterFailure(entry.plan.times, entry.plan.rule, entry.progress, entry.dueMs));
        return;
      case "UNDELIVERABLE":
        this.#enqueue(entry, entry.dueMs);
    }
  }

  unreadable(entry: JobEntry, error: unknown): void {
    this.#deps.logger.error(`job ${entry.name} could not be read, it is tried again: ${errorMessage(error)}`);
    const isBegun = entry.stage !== "new";
    this.#hold(entry, () => (isBegun ? this.#enqueue(entry, entry.dueMs) : void this.#reload(entry)));
  }

  /** The store has another version of it, or none: what it says counts. Or nothing may be triggered at present. */
  vanished(entry: JobEntry): void {
    if (entry.stage !== "gone" && !this.#mayTrigger()) {
      this.#enqueue(entry, entry.dueMs);
    } else if (entry.stage !== "gone") {
      this.#hold(entry, () => void this.#reload(entry));
    }
  }

  sent(entry: JobEntry): void {
    if (entry.stage !== "gone") {
      this.#stages.move(entry, "sent");
    }
  }

  reachable(targets: readonly JobTarget[]): void {
    for (const target of targets) {
      for (const entry of this.#staging.take(target)) {
        this.#enqueue(entry, entry.dueMs);
      }
    }
  }

  reading(): void {
    this.#readings += 1;
    this.#malformed.clear();
    this.#deps.metrics.malformed(0);
  }

  has(name: string, revision: number): boolean {
    const entry = this.#entries.get(name);
    if (entry?.revision !== revision) {
      return false;
    }
    entry.reading = this.#readings;
    return true;
  }

  /** Never throws: a job that cannot be read must not stop the others. */
  admit(name: string, { value, modRevision }: KeyValue): JobEntry | undefined {
    const { schedules, logger, metrics } = this.#deps;
    this.remove(name);
    try {
      const plan = readPlan(name, value, schedules);
      const entry = new JobEntry(name, modRevision, plan, readProgress(undefined, plan.partitionId), 0);
      entry.reading = this.#readings;
      this.#entries.set(name, entry);
      return entry;
    } catch (error) {
      this.#malformed.add(name);
      metrics.malformed(this.#malformed.size);
      logger.error(`Job ${name} cannot be read and is left alone: ${errorMessage(error)}`);
      return undefined;
    }
  }

  begin(entry: JobEntry, counter: KeyValue | undefined): void {
    const { plan } = entry;
    entry.counterRevision = counter?.modRevision ?? 0;
    entry.progress = readProgress(counter?.value, plan.partitionId);
    const dueMs = nextDue(plan.times, entry.progress);
    if (dueMs === undefined) {
      this.#advance(entry, { progress: entry.progress, dueMs });
    } else {
      this.#enqueue(entry, dueMs);
    }
  }

  removeUnread(): void {
    for (const entry of this.#entries.values()) {
      if (entry.reading !== this.#readings) {
        this.remove(entry.name);
      }
    }
  }

  remove(name: string): void {
    if (this.#malformed.delete(name)) {
      this.#deps.metrics.malformed(this.#malformed.size);
    }
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      return;
    }
    this.#entries.delete(name);
    this.#due.remove(entry);
    this.#retries.forget(entry);
    this.#staging.remove(entry);
    this.#stages.move(entry, "gone");
  }

  #enqueue(entry: JobEntry, dueMs: number): void {
    entry.dueMs = dueMs;
    this.#stages.move(entry, "waiting");
    this.#due.add(entry);
  }

  #handOut(entry: JobEntry): void {
    const { logger, metrics } = this.#deps;
    if (!this.#mayTrigger()) {
      this.#due.hold();
      this.#enqueue(entry, entry.dueMs);
      return;
    }
    if (logger.enabled("debug")) {
      logger.debug(`Triggering job: ${entry.name}`);
    }
    // Before it is handed out: an answer may come at once.
    this.#stages.move(entry, "sent");
    const dispatch = this.#dispatch(entry);
    switch (dispatch) {
      case "sent":
        return;
      case "gated":
        this.#stages.move(entry, "gated");
        return;
      case "overflow":
        this.finished(entry, "FAILED", 0);
        return;
      case "nobody":
        metrics.finished(typeOf(entry), "UNDELIVERABLE", 0);
        this.#stage(entry);
        return;
      case "full":
        this.#stage(entry);
    }
  }

  #stage(entry: JobEntry): void {
    this.#staging.add(entry);
    this.#stages.move(entry, "staged");
  }

  /** Stores what has become of a trigger, and goes on from there once it is on disk. */
  #advance(entry: JobEntry, next: NextTrigger): void {
    this.#stages.move(entry, "storing");
    storeProgress(this.#deps.store, entry, next, this.#deps.lease !== undefined).then(
      (stored) => {
        this.#due.settled();
        if (entry.stage !== "storing") {
          return;
        }
        if (!stored) {
          void this.#reload(entry);
          return;
        }
        entry.progress = next.progress;
        if (next.dueMs !== undefined) {
          this.#enqueue(entry, next.dueMs);
        }
      },
      (error: unknown) => {
        this.#deps.logger.error(
          `the progress of job ${entry.name} could not be stored, it is tried again: ${errorMessage(error)}`,
        );
        if (entry.stage === "storing") {
          this.#retries.add(entry, () => this.#advance(entry, next));
        }
      },
    );
  }

  #hold(entry: JobEntry, again: () => void): void {
    if (entry.stage !== "gone" && !this.#stopped) {
      this.#stages.move(entry, "storing");
      entry.unreadableSinceMs ??= entry.sinceMs;
      entry.sinceMs = entry.unreadableSinceMs;
      this.#retries.add(entry, again);
    }
  }

  async #reload(entry: JobEntry): Promise<void> {
    const { store, lease } = this.#deps;
    const { name } = entry;
    try {
      const kv = await store.get(JOBS + name);
      const counter = await store.get(COUNTERS + name);
      if (entry.stage === "gone" || this.#stopped) {
        return;
      }
      if (kv === undefined && counter !== undefined && lease !== undefined) {
        await dropLeftCounter(store, name);
      }
      this.remove(name);
      const found = kv === undefined ? undefined : this.admit(name, kv);
      if (found !== undefined && owns(this.#partition, found.plan.partitionId)) {
        this.begin(found, counter);
      } else {
        this.remove(name);
      }
    } catch (error) {
      this.#deps.logger.error(`job ${name} could not be read, it is tried again: ${errorMessage(error)}`);
      this.#hold(entry, () => void this.#reload(entry));
    }
  }

  /** Somebody else may have moved on meanwhile what waits here; what is under way finds that out when it is stored. */
  #forgetWaiting(): void {
    for (const entry of this.#entries.values()) {
      if (entry.stage !== "sent" && entry.stage !== "storing") {
        this.remove(entry.name);
      }
    }
  }

  #mayTrigger(): boolean {
    return !this.#suspended && this.#deps.lease?.holds() !== false;
  }

  #underWay(): number {
    return this.#stages.size("sent") + this.#stages.size("storing");
  }
}

function typeOf({ plan }: JobEntry): "job" | "actor" {
  return plan.actorType === undefined ? "job" : "actor";
}
