import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { Random } from "../kit/random.ts";
import { metadataOf } from "../net/grpc/metadata.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { CallOptions, ClientStream, GrpcClient, GrpcMethod, UnaryResult } from "../net/grpc/types.ts";
import {
  type WatchHostsResponse,
  WatchHostsResponseSchema,
  type WatchJobsRequest,
  type WatchJobsResponse,
  WatchJobsResponseSchema,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";

/** Delays come out exactly, and of several schedulers the first is asked. */
export const calmRandom: Random = { uuid: () => "", bytes: (length) => new Uint8Array(length), next: () => 0.5 };

/** Lets everything happen that does not wait for time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

/** The error of a scheduler at which nobody listens. */
export function unreachable(): GrpcError {
  const cause = new Error("connect ECONNREFUSED");
  return new GrpcError(GRPC_STATUS.UNAVAILABLE, 'connection error: desc = "transport: …"', { cause });
}

/** One stream, whose other end the test holds. */
export class FakeStream {
  readonly sent: unknown[] = [];
  closed = false;
  cancelled = false;
  readonly #queue: unknown[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  push(message: unknown): void {
    this.#queue.push(message);
    this.#wake?.();
  }

  /** Without an error the scheduler ends it. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<unknown> {
    for (;;) {
      if (this.#queue.length > 0) {
        yield this.#queue.shift();
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) {
          throw this.#end.error;
        }
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  callerSide(signal: CallOptions["signal"]): ClientStream<unknown, unknown> {
    const cancel = (): void => {
      this.cancelled = true;
      this.end(new GrpcError(GRPC_STATUS.CANCELLED, "context canceled"));
    };
    signal?.addEventListener("abort", cancel);
    return {
      send: (message) => {
        this.sent.push(message);
        return undefined;
      },
      closeSend: () => {
        this.closed = true;
        this.end();
      },
      responses: this.#read(),
      over: false,
      headers: Promise.resolve(metadataOf({})),
      trailers: Promise.resolve(metadataOf({})),
      cancel,
    };
  }
}

/** A client of one scheduler, which answers unary calls by `answer`. */
export class FakeScheduler implements GrpcClient {
  readonly streams: FakeStream[] = [];
  readonly calls: { readonly method: string; readonly request: unknown }[] = [];
  answer: (method: string) => unknown = () => ({});
  isClosed = false;

  async unary<I, O>(method: GrpcMethod<I, O>, request: I): Promise<UnaryResult<O>> {
    const name = method.path.slice(method.path.lastIndexOf("/") + 1);
    this.calls.push({ method: name, request });
    const response = (await this.answer(name)) as O;
    return { response, headers: metadataOf({}), trailers: metadataOf({}) };
  }

  stream<I, O>(_method: GrpcMethod<I, O>, options?: CallOptions): ClientStream<I, O> {
    const stream = new FakeStream();
    this.streams.push(stream);
    return stream.callerSide(options?.signal) as ClientStream<I, O>;
  }

  open(): never {
    throw new Error("not in these tests");
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const stream of this.streams) {
      stream.end(new GrpcError(GRPC_STATUS.CANCELLED, "grpc: the client connection is closing"));
    }
  }

  get lastStream(): FakeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) {
      throw new Error("there is no stream");
    }
    return stream;
  }
}

export function hostsMessage(...addresses: string[]): WatchHostsResponse {
  return create(WatchHostsResponseSchema, { hosts: addresses.map((address) => ({ address })) });
}

export function triggerMessage(
  id: number,
  more: MessageInitShape<typeof WatchJobsResponseSchema> = {},
): WatchJobsResponse {
  const metadata = { target: { type: { case: "job", value: {} } } } as const;
  const message: MessageInitShape<typeof WatchJobsResponseSchema> = { name: `job-${id}`, id: BigInt(id), metadata };
  return create(WatchJobsResponseSchema, Object.assign(message, more));
}

/** `<id> <status>` of each result that was sent on a stream. */
export function resultsOf(stream: FakeStream): string[] {
  return (stream.sent as WatchJobsRequest[]).flatMap(({ watchJobRequestType: { case: kind, value } }) =>
    kind === "result" ? [`${value.id} ${value.status === 0 ? "SUCCESS" : "FAILED"}`] : [],
  );
}
