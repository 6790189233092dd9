import { create } from "@bufbuild/protobuf";
import type { ServerCall } from "../../../net/grpc/types.ts";
import { EventSchema, Event_EventType, KeyValueSchema } from "../../../wire/gen/mvccpb/kv_pb.js";
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import { WATCH_EVENTS_MAX, WATCHES_PER_STREAM_MAX } from "../limits.ts";
import type { KeyChange, WatchedKeyStore } from "../store/key-store.ts";
import { contains } from "../store/keys.ts";
import { Fifo } from "../triggers/fifo.ts";
import { etcdErrors } from "./etcd-errors.ts";
import { headerOf, rangeOf, wireKeyValue } from "./etcd-values.ts";

interface OneWatch {
  readonly id: bigint;
  readonly matches: (key: string) => boolean;
  readonly puts: boolean;
  readonly deletes: boolean;
}

/**
 * One stream of `Watch`: any number of watches, each from now on. The store keeps no history, so a watch from an earlier
 * revision is told that it has been compacted, and one that wants previous values that there are none.
 */
export async function* watchKeys(
  requests: AsyncIterable<WatchRequest>,
  call: ServerCall,
  store: WatchedKeyStore,
): AsyncGenerator<WatchResponse> {
  const stream = new WatchStream(store);
  call.cancellation.addEventListener("abort", () => stream.end(), { once: true });
  void takeRequests(requests, stream);
  try {
    yield* stream.responses();
  } finally {
    stream.end();
  }
}

async function takeRequests(requests: AsyncIterable<WatchRequest>, stream: WatchStream): Promise<void> {
  try {
    for await (const { requestUnion } of requests) {
      switch (requestUnion.case) {
        case "createRequest":
          stream.add(requestUnion.value);
          break;
        case "cancelRequest":
          stream.cancel(requestUnion.value.watchId);
          break;
        case "progressRequest":
          stream.progress();
          break;
        case undefined:
          break;
      }
    }
  } catch {
    // The call has ended, which its other half knows by itself.
  }
  stream.end();
}

class WatchStream {
  readonly #store: WatchedKeyStore;
  readonly #watches = new Map<bigint, OneWatch>();
  readonly #queue = new Fifo<WatchResponse>();
  readonly #unwatch: () => void;
  #waitingEvents = 0;
  #nextId = 0n;
  #overflown = false;
  #ended = false;
  #wake: () => void = nothing;

  constructor(store: WatchedKeyStore) {
    this.#store = store;
    this.#unwatch = store.watch((changes, revision) => this.#tell(changes, revision));
  }

  add(request: WatchCreateRequest): void {
    const id = request.watchId === 0n ? this.#freeId() : request.watchId;
    const reason = this.#refusal(request, id);
    if (reason !== undefined) {
      this.#answer({ watchId: id, created: true, canceled: true, cancelReason: reason });
      return;
    }
    this.#answer({ watchId: id, created: true });
    if (request.startRevision > 0n && request.startRevision <= BigInt(this.#store.revision)) {
      this.#answer({ watchId: id, canceled: true, compactRevision: BigInt(this.#store.revision) });
      return;
    }
    const range = rangeOf(request.key, request.rangeEnd);
    this.#watches.set(id, {
      id,
      matches: "key" in range ? (key) => key === range.key : (key) => contains(range, Buffer.from(key)),
      puts: !request.filters.includes(WatchCreateRequest_FilterType.NOPUT),
      deletes: !request.filters.includes(WatchCreateRequest_FilterType.NODELETE),
    });
  }

  cancel(id: bigint): void {
    if (this.#watches.delete(id)) {
      this.#answer({ watchId: id, canceled: true });
    }
  }

  progress(): void {
    this.#answer({ watchId: -1n });
  }

  end(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#unwatch();
      this.#wake();
    }
  }

  async *responses(): AsyncGenerator<WatchResponse> {
    while (!this.#ended) {
      if (this.#overflown) {
        throw etcdErrors.tooLarge(`more than ${WATCH_EVENTS_MAX} events wait to be read: watch again, and read faster`);
      }
      const response = this.#queue.shift();
      if (response === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = nothing;
        continue;
      }
      this.#waitingEvents -= response.events.length;
      yield response;
    }
  }

  #refusal(request: WatchCreateRequest, id: bigint): string | undefined {
    if (this.#watches.has(id)) {
      return "etcdserver: duplicate watch ID";
    }
    if (this.#watches.size >= WATCHES_PER_STREAM_MAX) {
      return `a stream may have ${WATCHES_PER_STREAM_MAX} watches: use several`;
    }
    return request.prevKv ? "the scheduler's store keeps no previous values for watches (prev_kv)" : undefined;
  }

  #tell(changes: readonly KeyChange[], revision: number): void {
    for (const { id, matches, puts, deletes } of this.#watches.values()) {
      const events = changes
        .filter((change) => (change.kind === "put" ? puts && matches(change.kv.key) : deletes && matches(change.key)))
        .map((change) => eventOf(change, revision));
      if (events.length > 0) {
        this.#waitingEvents += events.length;
        this.#answer({ watchId: id, events });
      }
    }
    this.#overflown = this.#waitingEvents > WATCH_EVENTS_MAX;
  }

  #answer(response: Partial<Omit<WatchResponse, "$typeName">>): void {
    this.#queue.push(create(WatchResponseSchema, { header: headerOf(this.#store), ...response }));
    this.#wake();
  }

  #freeId(): bigint {
    while (this.#watches.has(this.#nextId)) {
      this.#nextId += 1n;
    }
    const id = this.#nextId;
    this.#nextId += 1n;
    return id;
  }
}

function eventOf(change: KeyChange, revision: number): WatchResponse["events"][number] {
  if (change.kind === "put") {
    return create(EventSchema, { type: Event_EventType.PUT, kv: wireKeyValue(change.kv) });
  }
  const kv = create(KeyValueSchema, { key: Buffer.from(change.key), modRevision: BigInt(revision) });
  return create(EventSchema, { type: Event_EventType.DELETE, kv });
}

function nothing(): void {}
