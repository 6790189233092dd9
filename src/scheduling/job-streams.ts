import { create } from "@bufbuild/protobuf";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import {
  JobTargetType,
  type WatchJobsRequest,
  WatchJobsRequestSchema,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobStream } from "./job-stream.ts";
import type { JobOwner } from "./messages.ts";
import type { Trigger, TriggerHandler } from "./types.ts";

export interface JobStreamsOptions extends JobOwner {
  /** At least 1. */
  readonly streamsPerHost: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The streams of triggers from all schedulers. There are none while nobody handles triggers. */
export class JobStreams {
  readonly #options: JobStreamsOptions;
  readonly #streams = new Map<string, readonly JobStream[]>();
  readonly #ending = new Set<Promise<unknown>>();
  #hosts: ReadonlyMap<string, GrpcClient> = new Map();
  #app: TriggerHandler | undefined;
  #actors: TriggerHandler | undefined;
  #actorTypes: readonly string[] = [];
  #closed = false;

  constructor(options: JobStreamsOptions) {
    this.#options = options;
  }

  /** Resolves when the streams from schedulers that have gone have ended. */
  follow(hosts: ReadonlyMap<string, GrpcClient>): Promise<void> {
    this.#hosts = new Map(hosts);
    const gone = [...this.#streams.keys()].filter((address) => !hosts.has(address));
    const ended = this.#end(gone);
    this.#open();
    return ended;
  }

  serveApp(handler: TriggerHandler | undefined): Promise<void> {
    if (this.#app === undefined && handler === undefined) {
      return Promise.resolve();
    }
    this.#app = handler;
    return this.#reopen();
  }

  serveActors(types: readonly string[], handler: TriggerHandler): Promise<void> {
    this.#actors = handler;
    const sorted = types.toSorted();
    if (sorted.length === this.#actorTypes.length && sorted.every((type, index) => type === this.#actorTypes[index])) {
      return Promise.resolve();
    }
    this.#actorTypes = sorted;
    return this.#reopen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    void this.#end([...this.#streams.keys()]);
    await Promise.all(this.#ending);
  }

  /** A stream says what it takes at its start, so a change needs new ones; the old ones end beside them. */
  #reopen(): Promise<void> {
    const ended = this.#end([...this.#streams.keys()]);
    this.#open();
    return ended;
  }

  #open(): void {
    if (this.#closed || (this.#app === undefined && this.#actorTypes.length === 0)) {
      return;
    }
    const initial = this.#initial();
    for (const [address, client] of this.#hosts) {
      if (!this.#streams.has(address)) {
        const streams = Array.from({ length: this.#options.streamsPerHost }, () => this.#stream(client, initial));
        this.#streams.set(address, streams);
      }
    }
  }

  #stream(client: GrpcClient, initial: WatchJobsRequest): JobStream {
    const handle: TriggerHandler = (trigger, signal) => this.#handle(trigger, signal);
    const stream = new JobStream({ ...this.#options, client, initial, handle });
    stream.start();
    return stream;
  }

  #initial(): WatchJobsRequest {
    const { appId, namespace } = this.#options;
    const acceptJobTypes: JobTargetType[] = [];
    if (this.#app !== undefined) {
      acceptJobTypes.push(JobTargetType.JOB);
    }
    if (this.#actorTypes.length > 0) {
      acceptJobTypes.push(JobTargetType.ACTOR_REMINDER);
    }
    const value = { appId, namespace, acceptJobTypes, actorTypes: [...this.#actorTypes] };
    return create(WatchJobsRequestSchema, { watchJobRequestType: { case: "initial", value } });
  }

  #handle(trigger: Trigger, signal: CancelSignal): Promise<boolean> {
    const handler = trigger.target.kind === "app" ? this.#app : this.#actors;
    if (handler === undefined) {
      this.#options.logger
        .scope("dapr.runtime.scheduler.cluster")
        .error(`nobody handles the trigger of ${trigger.target.kind} job ${trigger.name}`);
      return Promise.resolve(false);
    }
    return handler(trigger, signal);
  }

  async #end(addresses: readonly string[]): Promise<void> {
    const streams = addresses.flatMap((address) => this.#streams.get(address) ?? []);
    for (const address of addresses) {
      this.#streams.delete(address);
    }
    const ended = Promise.all(streams.map((stream) => stream.stop()));
    this.#ending.add(ended);
    await ended;
    this.#ending.delete(ended);
  }
}
