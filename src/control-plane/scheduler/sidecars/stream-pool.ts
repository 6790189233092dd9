import type { Clock } from "../../../kit/clock.ts";
import { JobTargetType, type WatchJobsRequestInitial } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { actorTarget, appTarget, type JobTarget } from "../jobs/job-name.ts";
import type { JobContent } from "../jobs/read-job.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import type { JobEntry } from "../triggers/job-entry.ts";
import type { TriggerResult } from "../triggers/result.ts";
import { Delivery } from "./delivery.ts";
import type { Gate, GateShare } from "./gate.ts";
import { ALONE, GateBook } from "./gate-book.ts";
import { SidecarStream, type StreamOwner } from "./sidecar-stream.ts";

/** What became of a trigger that was handed out. */
export type Dispatch =
  | "sent"
  | "gated"
  /** Nobody is connected who takes it. */
  | "nobody"
  /** All who take it have too much without an answer. */
  | "full"
  /** Too many wait for the same limits. */
  | "overflow";

/** What the pool tells the triggers. */
export interface PoolEvents {
  content(entry: JobEntry): Promise<JobContent | undefined>;
  finished(entry: JobEntry, result: TriggerResult, tookMs: number): void;
  unreadable(entry: JobEntry, error: unknown): void;
  vanished(entry: JobEntry): void;
  /** A trigger that waited for a limit is with a sidecar now. */
  sent(entry: JobEntry): void;
  /** Triggers for these may be handed out (again). */
  reachable(targets: readonly JobTarget[]): void;
}

/** Streams that take the same triggers, in turn. */
interface Ring {
  readonly streams: SidecarStream[];
  next: number;
}

/** All connected sidecars: who takes what, in turn, and within which limits. */
export class StreamPool implements StreamOwner {
  readonly #clock: Clock;
  readonly #metrics: SchedulerMetrics;
  readonly #events: PoolEvents;
  readonly #rings = new Map<JobTarget, Ring>();
  readonly #books = new Map<string, GateBook>();
  readonly #gatesOfStream = new Map<SidecarStream, readonly Gate[]>();
  #share = ALONE;

  constructor(clock: Clock, metrics: SchedulerMetrics, events: PoolEvents) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#events = events;
  }

  get size(): number {
    return this.#gatesOfStream.size;
  }

  /** Concurrency limits are divided among the schedulers: which of how many this one is. */
  set share(share: GateShare) {
    this.#share = share;
    for (const book of this.#books.values()) {
      book.share = share;
      this.#drain(book);
    }
  }

  connect(initial: WatchJobsRequestInitial): SidecarStream {
    const { namespace, appId } = initial;
    const targets = targetsOf(initial);
    const stream = new SidecarStream({ namespace, appId, targets }, this);
    let book = this.#books.get(namespace);
    if (book === undefined) {
      book = new GateBook(this.#metrics, this.#share);
      this.#books.set(namespace, book);
    }
    this.#gatesOfStream.set(stream, book.join(initial));
    for (const target of targets) {
      const ring = this.#rings.get(target);
      if (ring === undefined) {
        this.#rings.set(target, { streams: [stream], next: 0 });
      } else {
        ring.streams.push(stream);
      }
    }
    this.#metrics.connected(this.size);
    this.#drain(book);
    this.#events.reachable(targets);
    return stream;
  }

  /** Takes a stream out; its triggers go to others. Safe to call twice. */
  disconnect(stream: SidecarStream, reason: Error): void {
    const gates = this.#gatesOfStream.get(stream);
    if (gates === undefined) {
      return;
    }
    this.#gatesOfStream.delete(stream);
    const { namespace, targets } = stream.identity;
    for (const target of targets) {
      this.#leaveRing(target, stream);
    }
    this.#metrics.connected(this.size);
    const book = this.#books.get(namespace);
    for (const delivery of book?.leave(gates) ?? []) {
      this.#finish(delivery, "UNDELIVERABLE");
    }
    stream.end(reason);
    if (book?.isEmpty === true) {
      this.#books.delete(namespace);
    }
  }

  disconnectAll(reason: Error): void {
    for (const stream of this.#gatesOfStream.keys()) {
      this.disconnect(stream, reason);
    }
  }

  dispatch(entry: JobEntry): Dispatch {
    const ring = this.#rings.get(entry.plan.target);
    if (ring === undefined) {
      return "nobody";
    }
    const book = this.#books.get(entry.plan.namespace);
    const delivery = new Delivery(entry, book?.gatesOf(entry) ?? [], this.#clock.monotonicMs());
    if (book === undefined || delivery.gates.length === 0) {
      return this.#send(delivery) ? "sent" : "full";
    }
    if (!book.enter(delivery)) {
      return book.wait(delivery) ? "gated" : "overflow";
    }
    if (!this.#send(delivery)) {
      book.exit(delivery);
      return "full";
    }
    return "sent";
  }

  async content({ entry }: Delivery): Promise<JobContent | undefined> {
    return entry.stage === "gone" ? undefined : await this.#events.content(entry);
  }

  finished(delivery: Delivery, result: TriggerResult): void {
    this.#finish(delivery, result);
    this.#exit(delivery);
  }

  unreadable(delivery: Delivery, error: unknown): void {
    this.#events.unreadable(delivery.entry, error);
    this.#exit(delivery);
  }

  vanished(delivery: Delivery): void {
    this.#events.vanished(delivery.entry);
    this.#exit(delivery);
  }

  roomAgain(stream: SidecarStream): void {
    this.#events.reachable(stream.identity.targets);
  }

  #finish({ entry, startedMs }: Delivery, result: TriggerResult): void {
    this.#events.finished(entry, result, this.#clock.monotonicMs() - startedMs);
  }

  #exit(delivery: Delivery): void {
    const book = this.#books.get(delivery.entry.plan.namespace);
    if (book !== undefined && delivery.gates.length > 0) {
      book.exit(delivery);
      this.#drain(book);
    }
  }

  #drain(book: GateBook): void {
    for (let delivery = book.next(); delivery !== undefined; delivery = book.next()) {
      if (this.#send(delivery)) {
        this.#events.sent(delivery.entry);
      } else {
        book.exit(delivery);
        this.#finish(delivery, "UNDELIVERABLE");
      }
    }
  }

  #send(delivery: Delivery): boolean {
    const ring = this.#rings.get(delivery.entry.plan.target);
    const count = ring?.streams.length ?? 0;
    for (let tried = 0; ring !== undefined && tried < count; tried += 1) {
      const stream = ring.streams[ring.next % count];
      ring.next = (ring.next + 1) % count;
      if (stream?.hasRoom === true) {
        stream.push(delivery);
        return true;
      }
    }
    return false;
  }

  #leaveRing(target: JobTarget, stream: SidecarStream): void {
    const ring = this.#rings.get(target);
    const at = ring?.streams.indexOf(stream) ?? -1;
    if (ring !== undefined && at !== -1) {
      ring.streams.splice(at, 1);
      if (ring.streams.length === 0) {
        this.#rings.delete(target);
      }
    }
  }
}

/** What a sidecar takes: its app's jobs, the reminders of its actor types, or both. */
function targetsOf({ namespace, appId, actorTypes, acceptJobTypes }: WatchJobsRequestInitial): readonly JobTarget[] {
  const takes = (type: JobTargetType): boolean => acceptJobTypes.length === 0 || acceptJobTypes.includes(type);
  return [
    ...(takes(JobTargetType.JOB) ? [appTarget(namespace, appId)] : []),
    ...(takes(JobTargetType.ACTOR_REMINDER) ? new Set(actorTypes.map((type) => actorTarget(namespace, type))) : []),
  ];
}
