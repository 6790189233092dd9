import { create } from "@bufbuild/protobuf";
import {
  type WatchJobsResponse,
  WatchJobsResponseSchema,
} from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { JobContent } from "../jobs/read-job.ts";
import type { JobTarget } from "../jobs/job-name.ts";
import { ROOM_AGAIN, UNANSWERED_PER_STREAM_MAX } from "../limits.ts";
import { Fifo } from "../triggers/fifo.ts";
import type { TriggerResult } from "../triggers/result.ts";
import type { Delivery } from "./delivery.ts";

/** Whom a stream belongs to and what it takes. */
export interface StreamIdentity {
  readonly namespace: string;
  readonly appId: string;
  readonly targets: readonly JobTarget[];
}

/** What a stream needs of its pool. */
export interface StreamOwner {
  /** The job to send, or undefined when that version of it is no longer there. @throws KeyStoreError */
  content(delivery: Delivery): Promise<JobContent | undefined>;
  finished(delivery: Delivery, result: TriggerResult): void;
  /** The job could not be read. */
  unreadable(delivery: Delivery, error: unknown): void;
  vanished(delivery: Delivery): void;
  /** It was full and no longer is. */
  roomAgain(stream: SidecarStream): void;
}

/**
 * One sidecar's stream of triggers. What waits to be sent is only a reference: the job is read when its turn comes, so that
 * a slow reader costs no memory, and what has been deleted meanwhile is not sent.
 */
export class SidecarStream {
  readonly identity: StreamIdentity;
  readonly #owner: StreamOwner;
  readonly #unsent = new Fifo<Delivery>();
  readonly #unanswered = new Map<bigint, Delivery>();
  #sent = 0n;
  #wasFull = false;
  #ended: Error | undefined;
  #wake: () => void = nothing;

  constructor(identity: StreamIdentity, owner: StreamOwner) {
    this.identity = identity;
    this.#owner = owner;
  }

  get hasRoom(): boolean {
    const room = this.#unsent.size + this.#unanswered.size < UNANSWERED_PER_STREAM_MAX;
    this.#wasFull ||= !room;
    return room;
  }

  push(delivery: Delivery): void {
    this.#unsent.push(delivery);
    this.#wake();
  }

  /** Triggers for the sidecar, until the stream ends, which it does by throwing why. */
  async *messages(): AsyncGenerator<WatchJobsResponse> {
    for (;;) {
      if (this.#ended !== undefined) {
        throw this.#ended;
      }
      const delivery = this.#unsent.shift();
      if (delivery === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = nothing;
        continue;
      }
      const message = await this.#message(delivery);
      if (message !== undefined) {
        yield message;
      }
    }
  }

  /** @returns false for an id that is not under way */
  answer(id: bigint, result: TriggerResult): boolean {
    const delivery = this.#unanswered.get(id);
    if (delivery === undefined) {
      return false;
    }
    this.#unanswered.delete(id);
    this.#owner.finished(delivery, result);
    const load = this.#unsent.size + this.#unanswered.size;
    if (this.#wasFull && load < UNANSWERED_PER_STREAM_MAX * ROOM_AGAIN) {
      this.#wasFull = false;
      this.#owner.roomAgain(this);
    }
    return true;
  }

  /** Gives back every trigger without a result. The pool has taken the stream out before. */
  end(reason: Error): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = reason;
    this.#wake();
    const unanswered = [...this.#unanswered.values()];
    this.#unanswered.clear();
    this.#returnAll(unanswered);
    this.#returnAll(this.#unsent.takeAll());
  }

  async #message(delivery: Delivery): Promise<WatchJobsResponse | undefined> {
    let content: JobContent | undefined;
    try {
      content = await this.#owner.content(delivery);
    } catch (error) {
      this.#owner.unreadable(delivery, error);
      return undefined;
    }
    if (content === undefined) {
      this.#owner.vanished(delivery);
      return undefined;
    }
    if (this.#ended !== undefined) {
      this.#owner.finished(delivery, "UNDELIVERABLE");
      return undefined;
    }
    const { name, metadata, spec } = content;
    this.#sent += 1n;
    this.#unanswered.set(this.#sent, delivery);
    return create(WatchJobsResponseSchema, {
      name,
      id: this.#sent,
      metadata,
      ...(spec.payload === undefined ? {} : { data: spec.payload }),
    });
  }

  #returnAll(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.#owner.finished(delivery, "UNDELIVERABLE");
    }
  }
}

function nothing(): void {}
