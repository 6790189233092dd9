import { create } from "@bufbuild/protobuf";
import type { PubSub } from "../../../src/components/spi/pubsub.ts";
import { GRPC_STATUS } from "../../../src/errors/grpc-status.ts";
import { methodsOf } from "../../../src/net/grpc/protobuf.ts";
import { GrpcError } from "../../../src/net/grpc/status.ts";
import {
  FeaturesResponseSchema,
  PingResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkPublishResponseSchema,
  PauseResponseSchema,
  PublishResponseSchema,
  PubSub as PubSubService,
  PubSubInitResponseSchema,
  type PullMessagesRequest,
  type PullMessagesResponse,
  PullMessagesResponseSchema,
  ResumeResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/pubsub_pb.js";
import type { OfferedService } from "./component-server.ts";
import { Outlet } from "./outlet.ts";

export interface PubSubServiceOptions {
  readonly features: readonly string[];
  /** Pause and Resume answer, and are noted in `settled`; otherwise they are unimplemented. */
  readonly pausable?: boolean;
  /** What the sidecar said of messages: `ok <id>`, `failed <id>: <why>`, `pause`, `resume`. */
  readonly settled?: string[];
}

/** A broker behind a socket, over one of ours. */
export function pubSubService(broker: PubSub, options: PubSubServiceOptions): OfferedService {
  const settled = options.settled ?? [];
  const pausing = (what: string): void => {
    settled.push(what);
    if (options.pausable !== true) {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, `${what} not implemented`);
    }
  };
  return {
    service: PubSubService,
    register: (server) =>
      server.addService(methodsOf(PubSubService), {
        init: () => create(PubSubInitResponseSchema),
        features: () => create(FeaturesResponseSchema, { features: [...options.features] }),
        ping: () => create(PingResponseSchema),
        publish: async ({ topic, data, metadata }) => {
          await broker.publish({ topic, data, contentType: undefined, metadata });
          return create(PublishResponseSchema);
        },
        bulkPublish: async ({ topic, entries }) => {
          const failedEntries = [];
          for (const { entryId, event, metadata } of entries) {
            if (metadata["refuse"] === undefined) {
              await broker.publish({ topic, data: event, contentType: undefined, metadata });
            } else {
              failedEntries.push({ entryId, error: metadata["refuse"] });
            }
          }
          return create(BulkPublishResponseSchema, { failedEntries });
        },
        pullMessages: (requests, call) => pull(broker, requests, call.signal, settled),
        pause: () => {
          pausing("pause");
          return create(PauseResponseSchema);
        },
        resume: () => {
          pausing("resume");
          return create(ResumeResponseSchema);
        },
      }),
  };
}

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

async function* pull(
  broker: PubSub,
  requests: AsyncIterable<PullMessagesRequest>,
  signal: AbortSignal,
  settled: string[],
): AsyncGenerator<PullMessagesResponse> {
  const incoming = requests[Symbol.asyncIterator]();
  const first = await incoming.next();
  if (first.done === true || first.value.topic === undefined) {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "the first message names no topic");
  }
  const outlet = new Outlet<PullMessagesResponse>(signal);
  const pending = new Map<string, Pending>();
  let count = 0;
  const { name, metadata } = first.value.topic;
  const subscription = await broker.subscribe({ topic: name, metadata }, ({ data, topic, metadata: own }) => {
    const id = String((count += 1));
    outlet.push(
      create(PullMessagesResponseSchema, {
        id,
        topicName: topic,
        metadata: { ...own },
        data,
      }),
    );
    return new Promise<void>((resolve, reject) => pending.set(id, { resolve, reject }));
  });
  void settleAll(incoming, pending, settled).finally(() => outlet.end());
  try {
    yield* outlet.items();
  } finally {
    for (const one of pending.values()) {
      one.reject(new Error("the consumer is gone"));
    }
    await subscription.close();
  }
}

async function settleAll(
  incoming: AsyncIterator<PullMessagesRequest>,
  pending: Map<string, Pending>,
  settled: string[],
): Promise<void> {
  try {
    for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
      const { ackMessageId, ackError } = next.value;
      settled.push(ackError === undefined ? `ok ${ackMessageId}` : `failed ${ackMessageId}: ${ackError.message}`);
      const one = pending.get(ackMessageId);
      pending.delete(ackMessageId);
      if (ackError === undefined) {
        one?.resolve();
      } else {
        one?.reject(new Error(ackError.message));
      }
    }
  } catch {
    // The stream was cut off: what is pending goes back.
  }
}
