import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { FeaturesRequestSchema } from "../../wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkPublishRequestSchema,
  PauseRequestSchema,
  PublishRequestSchema,
  PubSub as PubSubService,
  PubSubInitRequestSchema,
  type PullMessagesRequest,
  PullMessagesRequestSchema,
  type PullMessagesResponse,
  ResumeRequestSchema,
} from "../../wire/gen/dapr/proto/components/v1/pubsub_pb.js";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import {
  type BulkPublishFailure,
  type BulkPublishRequest,
  ConsumerGoneError,
  type MessageHandler,
  type PublishRequest,
  type PubSub,
  type PubSubSubscription,
  type SubscribeRequest,
} from "../spi/pubsub.ts";
import { ComponentConnection, type ComponentSocket } from "./connection.ts";
import { HANDLED_AT_ONCE_MAX, PAUSE_MS_MAX } from "./limits.ts";
import { LiveStream } from "./live-stream.ts";
import { statusError } from "./status-error.ts";

const METHODS = methodsOf(PubSubService);

/** A factory of brokers behind one socket. */
export function pluggablePubSub(socket: ComponentSocket): (deps: ComponentDeps) => PubSub {
  return (deps) => new PluggablePubSub(socket, deps);
}

type PullStream = LiveStream<PullMessagesRequest, PullMessagesResponse>;

/** `pubsub.<socket name>`. Messages of a subscription are handled one after the other, as in Dapr, those of a bulk one together. */
class PluggablePubSub implements PubSub {
  capabilities: readonly string[] = [];
  bulkPublish?: NonNullable<PubSub["bulkPublish"]>;
  readonly #connection: ComponentConnection;
  readonly #deps: ComponentDeps;
  readonly #streams = new Set<PullStream>();
  /** The component hands out nothing new until it is told to resume. */
  #paused = false;
  #pausing: Promise<boolean> | undefined;

  constructor(socket: ComponentSocket, deps: ComponentDeps) {
    this.#deps = deps;
    this.#connection = new ComponentConnection(socket, deps, METHODS.ping);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const request = create(PubSubInitRequestSchema, { metadata: { properties: metadata } });
    await this.#connection.open(async (call) => {
      await call(METHODS.init, request);
      this.capabilities = (await call(METHODS.features, create(FeaturesRequestSchema))).features;
    }, signal);
    if (this.capabilities.includes("BULK_PUBSUB")) {
      this.bulkPublish = (bulk) => this.#bulkPublish(bulk);
    }
  }

  async publish({ topic, data, contentType, metadata }: PublishRequest): Promise<void> {
    const request = create(PublishRequestSchema, {
      pubsubName: this.#deps.name,
      topic,
      data,
      contentType: contentType ?? "",
      metadata,
    });
    try {
      await this.#connection.unary(METHODS.publish, request);
    } catch (error) {
      throw statusError(error);
    }
  }

  async subscribe(request: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription> {
    await this.#resume();
    const stream = this.#streamOf(request, handler);
    try {
      await stream.start();
    } catch (error) {
      const reason = statusError(error);
      throw new ComponentError("unavailable", `unable to subscribe: ${errorMessage(reason)}`, { cause: reason });
    }
    this.#streams.add(stream);
    return {
      close: async () => {
        await stream.close();
        this.#streams.delete(stream);
      },
    };
  }

  /** All subscriptions of the component at once: the first call counts. */
  pause(): Promise<boolean> {
    this.#pausing ??= this.#pause();
    return this.#pausing;
  }

  async close(): Promise<void> {
    const streams = [...this.#streams].map((stream) => stream.close());
    await this.#connection.close();
    await Promise.all(streams);
  }

  async #bulkPublish({ topic, messages, metadata }: BulkPublishRequest): Promise<readonly BulkPublishFailure[]> {
    const request = create(BulkPublishRequestSchema, {
      pubsubName: this.#deps.name,
      topic,
      metadata,
      entries: messages.map((message) => ({
        entryId: message.entryId,
        event: message.data,
        contentType: message.contentType ?? "",
        metadata: message.metadata,
      })),
    });
    try {
      return (await this.#connection.unary(METHODS.bulkPublish, request)).failedEntries;
    } catch (error) {
      throw statusError(error);
    }
  }

  #streamOf({ topic, metadata, bulk }: SubscribeRequest, handler: MessageHandler): PullStream {
    const { logger } = this.#deps;
    const stream: PullStream = new LiveStream({
      connection: this.#connection,
      deps: this.#deps,
      method: METHODS.pullMessages,
      opening: create(PullMessagesRequestSchema, { topic: { name: topic, metadata } }),
      what: `topic ${topic}`,
      failureText: "Failed to receive pubsub message",
      parallel: bulk === true ? HANDLED_AT_ONCE_MAX : 1,
      handle: async ({ id, data, topicName, contentType, metadata: own }, signal) => {
        try {
          await handler({ topic: topicName, data, contentType, metadata: own }, signal);
          return create(PullMessagesRequestSchema, { ackMessageId: id });
        } catch (error) {
          if (error instanceof ConsumerGoneError) {
            return undefined;
          }
          logger.error(`error when handling message on topic ${topicName}`);
          // A refusal while closing could take the message to a dead letter queue.
          return stream.closing
            ? undefined
            : create(PullMessagesRequestSchema, { ackMessageId: id, ackError: { message: errorMessage(error) } });
        }
      },
      onUnsettled: ({ id, topicName }) =>
        logger.error(`error when ack'ing message ${id} from topic ${topicName}: its stream is gone`),
    });
    return stream;
  }

  async #pause(): Promise<boolean> {
    try {
      await this.#connection.unary(METHODS.pause, create(PauseRequestSchema), { timeoutMs: PAUSE_MS_MAX });
      this.#paused = true;
      return true;
    } catch (error) {
      if (!(GrpcError.is(error) && error.code === GRPC_STATUS.UNIMPLEMENTED)) {
        throw statusError(error);
      }
      this.#deps.logger.debug("pluggable pubsub does not implement Pause; falling back to close-first shutdown");
      return false;
    }
  }

  /** Before the first subscription after a pause. */
  async #resume(): Promise<void> {
    this.#pausing = undefined;
    if (!this.#paused) {
      return;
    }
    this.#paused = false;
    try {
      await this.#connection.unary(METHODS.resume, create(ResumeRequestSchema), { timeoutMs: PAUSE_MS_MAX });
    } catch (error) {
      throw statusError(error);
    }
  }
}
