import { goErrorText } from "../app/go-error-text.ts";
import { Cancellation } from "../kit/cancel-signal.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import type { ClientStream, GrpcClient } from "../net/grpc/types.ts";
import {
  Scheduler,
  type WatchJobsRequest,
  WatchJobsRequestResultStatus,
  type WatchJobsResponse,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { Backoff } from "./backoff.ts";
import {
  DRAIN_TIMEOUT_MS,
  RECONNECT_DELAY_MS,
  RECONNECT_DELAY_MS_MAX,
  STEADY_STREAM_MS,
  STREAM_END_TIMEOUT_MS,
  TRIGGERS_PER_STREAM_MAX,
} from "./limits.ts";
import { triggerOf } from "./messages.ts";
import type { TriggerHandler } from "./types.ts";

const { watchJobs } = methodsOf(Scheduler);

type Stream = ClientStream<WatchJobsRequest, WatchJobsResponse>;

export interface JobStreamOptions {
  readonly client: GrpcClient;
  /** What is taken: the first message of every stream. */
  readonly initial: WatchJobsRequest;
  readonly handle: TriggerHandler;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * One stream of triggers from one scheduler, opened again whenever it is lost. A trigger that has no answer when its
 * stream ends is given to another stream by the scheduler: that is how triggers are given back.
 */
export class JobStream {
  readonly #options: JobStreamOptions;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  /** For the triggers under way. */
  readonly #cancellation = new Cancellation();
  #underWay = 0;
  /** Told when the next trigger has been answered. */
  #waiting: (() => void)[] = [];
  #stream: Stream | undefined;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** A trigger has come on the present stream: its result may still be on the way out. */
  #isUsed = false;
  #failures = 0;

  constructor(options: JobStreamOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.scheduler.cluster");
    this.#backoff = new Backoff(options.random, RECONNECT_DELAY_MS, RECONNECT_DELAY_MS_MAX);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Takes no more triggers, and resolves when those under way have been answered and the stream has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    this.#stop.abort(new Error("the stream is given up"));
    const { clock } = this.#options;
    const late = clock.after(DRAIN_TIMEOUT_MS, () => this.#cancellation.abort(new Error("context canceled")));
    await this.#until(() => this.#underWay === 0);
    late.cancel();
    const stream = this.#stream;
    if (!this.#isUsed) {
      stream?.cancel();
    }
    stream?.closeSend();
    const cut = clock.after(STREAM_END_TIMEOUT_MS, () => stream?.cancel());
    await this.#running;
    cut.cancel();
  }

  async #run(): Promise<void> {
    const { client, clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const stream = client.stream(watchJobs);
      this.#stream = stream;
      this.#isUsed = false;
      const problem = await this.#read(stream);
      if (signal.aborted) {
        return;
      }
      if (clock.monotonicMs() - startedMs >= STEADY_STREAM_MS) {
        this.#backoff.reset();
      }
      this.#tellEnd(problem);
      await sleep(clock, this.#backoff.next(), signal).catch(() => undefined);
    }
  }

  /** One stream, to its end. @returns why it ended, undefined when the scheduler had nothing to complain of */
  async #read(stream: Stream): Promise<string | undefined> {
    try {
      // What it fails with, the answers fail with too.
      stream.send(this.#options.initial)?.catch(() => undefined);
      for await (const message of stream.responses) {
        this.#failures = 0;
        this.#isUsed = true;
        if (this.#stop.signal.aborted) {
          continue;
        }
        void this.#take(stream, message);
        if (this.#underWay >= TRIGGERS_PER_STREAM_MAX) {
          await this.#until(() => this.#underWay < TRIGGERS_PER_STREAM_MAX);
        }
      }
      return undefined;
    } catch (error) {
      return goErrorText(error);
    }
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** Handles one trigger and answers it. Never rejects. */
  async #take(stream: Stream, message: WatchJobsResponse): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#answer(stream, message, await this.#handle(message));
    } catch (error) {
      // The scheduler triggers it once more, on another stream.
      this.#logger.debug(`the result of job ${message.name} was not sent: ${goErrorText(error)}`);
    } finally {
      this.#underWay -= 1;
      if (this.#waiting.length > 0) {
        this.#tellWaiting();
      }
    }
  }

  #tellWaiting(): void {
    for (const told of this.#waiting.splice(0)) {
      told();
    }
  }

  /** @returns undefined when it has gone out at once, or must not */
  #answer(stream: Stream, { id }: WatchJobsResponse, done: boolean): Promise<void> | undefined {
    if (this.#cancellation.aborted) {
      return undefined;
    }
    const status = done ? WatchJobsRequestResultStatus.SUCCESS : WatchJobsRequestResultStatus.FAILED;
    const value = { $typeName: "dapr.proto.scheduler.v1.WatchJobsRequestResult", id, status } as const;
    return stream.send({
      $typeName: "dapr.proto.scheduler.v1.WatchJobsRequest",
      watchJobRequestType: { case: "result", value },
    });
  }

  async #handle(message: WatchJobsResponse): Promise<boolean> {
    const trigger = triggerOf(message);
    if (trigger === undefined) {
      this.#logger.error(`Unknown job metadata type of job ${message.name}`);
      return false;
    }
    try {
      return await this.#options.handle(trigger, this.#cancellation);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#logger.error(`bug: the handler of job ${trigger.name} failed: ${stack ?? String(error)}`);
      return false;
    }
  }

  /** A scheduler that stays away is told once as an error. */
  #tellEnd(problem: string | undefined): void {
    if (problem === undefined) {
      this.#logger.info("Scheduler stream disconnected");
      return;
    }
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#logger.error(`Scheduler stream disconnected: ${problem}`);
    } else {
      this.#logger.debug(`Failed to watch scheduler jobs (attempt ${this.#failures}), retrying: ${problem}`);
    }
  }
}
